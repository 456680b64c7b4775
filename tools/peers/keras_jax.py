"""Keras on JAX: adaptive pools, whose borders are computed in float32 there."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from keras import layers
from keras.src.backend.jax.nn import _compute_adaptive_pooling_gather_indices as places
from keras.src.backend.jax.nn import compute_adaptive_pooling_window_sizes as window_sizes

import adaptive_pool as ap

from .figures import Claims, floats, same, ulps

REQUIRES = ("keras==3.15.1", "jax==0.10.2", "scipy==1.17.1", "numpy==2.4.6")


def borders_wrong(size, count):
    """Whether Keras takes one of the windows of an axis from elsewhere."""
    small, big = window_sizes(size, count)
    starts, ends = ap.pool_windows(size, count)
    # Small windows lie in front, then the big ones: see where this is called.
    wanted = np.where(ends - starts == big, starts + size - small + 1, starts)
    return not np.array_equal(places(size, count, big), wanted)


def claims() -> Claims:
    """Yield the statements of the page."""
    versions = keras.__version__, jax.__version__
    yield (
        "Run with Keras 3.15.1 on JAX 0.10.2 and on NumPy",
        versions == ("3.15.1", "0.10.2"),
        versions,
    )
    pairs = [(size, count) for size in range(1, 65) for count in range(1, size + 1)]
    seen = sum(borders_wrong(*pair) for pair in pairs)
    yield "On JAX 267 of the 2,080 pairs of sizes up to 64 have wrong windows", seen == 267, seen
    seen = []
    for size in (14, 28, 224):
        x = floats(1, size, size, 1)
        seen.append(int(np.isnan(layers.AdaptiveAveragePooling2D(7)(x)).sum()))
    yield "13 of the 49 means are NaN for 14, 28 and 224 to 7", seen == [13] * 3, seen
    x = floats(1, 48, 48, 2)
    theirs = np.asarray(layers.AdaptiveAveragePooling2D(8)(x))
    seen = ulps(theirs, ap.adaptive_avg_pool2d(x, 8, data_format="channels_last", dtype=np.float64))
    yield (
        "where windows are right, maxima are equal and means off by 3 ulp or so",
        seen < 9
        and same(
            layers.AdaptiveMaxPooling2D(8)(x),
            ap.adaptive_max_pool2d(x, 8, data_format="channels_last"),
        ),
        seen,
    )
