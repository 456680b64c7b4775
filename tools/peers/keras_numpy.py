"""Keras on NumPy, whose backend needs SciPy and JAX as well."""

import os

os.environ["KERAS_BACKEND"] = "numpy"

import keras
import numpy as np
from keras import layers

import adaptive_pool as ap

from .figures import RANDOM, Claims, about, floats, same, ulps

REQUIRES = ("keras==3.15.1", "jax==0.10.2", "scipy==1.17.1", "numpy==2.4.6")


def mean(x, shape):
    """Average, here, in float64."""
    return ap.adaptive_avg_pool2d(x, shape, data_format="channels_last", dtype=np.float64)


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with Keras 3.15.1", keras.__version__ == "3.15.1", keras.__version__
    x = floats(1, 224, 224, 2)
    seen = ulps(np.asarray(layers.AdaptiveAveragePooling2D(7)(x)), mean(x, 7))
    row = '| `AdaptiveAveragePooling2D(7)(x)` | `ap.AdaptiveAvgPool2d(7, data_format="channels_last")(x)`'
    yield f"{row} | NumPy: off by 3 ulp |", about(seen, 3), seen
    holds = True
    for height, width, *count in RANDOM.integers(1, 30, (60, 4)).tolist():
        y = floats(1, height, width, 2)
        ours = ap.adaptive_max_pool2d(y, count, data_format="channels_last")
        holds &= same(layers.AdaptiveMaxPooling2D(count)(y), ours)
    row = (
        '| `AdaptiveMaxPooling2D(7)(x)` | `ap.AdaptiveMaxPool2d(7, data_format="channels_last")(x)`'
    )
    yield f"{row} | NumPy: equal |", holds, holds
    seen = ulps(np.asarray(layers.GlobalAveragePooling2D()(x)), mean(x, 1)[:, 0, 0])
    row = '| `GlobalAveragePooling2D()(x)` | `ap.adaptive_avg_pool2d(x, 1, data_format="channels_last")[:, 0, 0]`'
    yield f"{row} | NumPy: off by 25 ulp |", about(seen, 25), seen
    seen = ulps(np.asarray(layers.AveragePooling2D(3)(x)), mean(x[:, :222, :222], 74))
    row = "| `AveragePooling2D(3)(x)` | sizes of the result, or tables as above: Keras drops what is left over"
    yield f"{row} | NumPy: off by 2 ulp |", about(seen, 2), seen
    y = floats(1, 8, 8, 2, dtype=np.float64)
    seen = [
        np.asarray(layer(y)).dtype.name
        for layer in (
            layers.AdaptiveAveragePooling2D(4),
            layers.AdaptiveAveragePooling2D(4, dtype="float64"),
        )
    ]
    text = "Layers compute in their own dtype: float64 comes back as float32 unless the layer was made with"
    yield f'{text} `dtype="float64"`', seen == ["float32", "float64"], seen
