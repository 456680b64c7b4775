"""Transparency: pixels that do not show in full, and how they count."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from .._average import adaptive_avg_pool2d
from .._maximum import adaptive_max_pool2d
from .._problem import Array
from .._windows import Windows, pool_windows

Alpha = Literal["weighted", "drop", "keep"]


class Transparent(NamedTuple):
    """A picture with pixels that do not show in full."""

    colours: Array  # (H, W, C), uint8 or uint16
    weights: Array  # (H, W), uint8: 0 to 255; for colours of 16 bits 0 and 1, or uint16


class Pooling(NamedTuple):
    """What is asked of a picture."""

    size: tuple[int | None, int | None]
    windows: Windows
    threads: int | None


def shows_in_full(colours: Array, weights: Array) -> bool:
    """Whether every pixel of a picture does."""
    return bool((as_channel(colours, weights) == _most(colours)).all())


def as_channel(colours: Array, weights: Array) -> Array:
    """Return how much pixels show as one more channel, (H, W), in the range of the colours."""
    if weights.dtype == colours.dtype:
        return weights
    scaled: Array = weights.astype(colours.dtype) * _most(colours)
    return scaled


def _most(colours: Array) -> Array:
    most = np.iinfo(colours.dtype).max if colours.dtype.kind in "iu" else 1
    return np.asarray(most, colours.dtype)


def with_alpha(colours: Array, weights: Array | None) -> Array:
    """Return a picture with a last channel that says how much each pixel shows."""
    if weights is None:
        alpha = np.full(colours.shape[:2], _most(colours))
    else:
        alpha = as_channel(colours, weights)
    return np.concatenate([colours, alpha[..., None]], axis=-1)


def transparency(alpha: Array) -> Array:
    """Return the weights that alpha of 16 bits stands for: 0 and 1 if there is nothing between."""
    shows = alpha == _most(alpha)
    return shows.astype(np.uint8) if (shows | (alpha == 0)).all() else alpha


def weighted_mean(picture: Transparent, pooling: Pooling, dtype: np.dtype | None) -> Array:
    """Return the means of the colours, weighted by alpha; 0 where nothing shows.

    Each is the exact sum of colour times alpha over the exact sum of alpha, rounded once to
    float64 and from there to `dtype`, integers half to even. Where both have 16 bits, a sum of more
    than 2**53, of 2 million pixels or more, is itself rounded to float64.
    """
    colours, weights = picture
    # The function itself says what dtype there is for these colours, or why not.
    dtype = adaptive_avg_pool2d(np.zeros((1, 1), colours.dtype), 1, dtype=dtype).dtype
    sums, total = _weighted_sums(picture, pooling), _sums(weights[..., None], pooling)
    means = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return (np.rint(means) if dtype.kind in "iu" else means).astype(dtype)


def _weighted_sums(picture: Transparent, pooling: Pooling) -> Array:
    """Return the sums of colour times alpha."""
    colours, weights = picture.colours, picture.weights[..., None]
    if weights.dtype == np.uint8:
        return _sums(np.multiply(colours, weights, dtype=np.uint16), pooling)
    products = np.multiply(colours, weights, dtype=np.uint32)
    upper = _sums((products >> 16).astype(np.uint16), pooling)
    return 2.0**16 * upper + _sums(products.astype(np.uint16), pooling)


def _sums(values: Array, pooling: Pooling) -> Array:
    """Return the exact sum of every window, as float64.

    A mean of n values below 2**16 is rounded to float64, so that it is off by less than 2**-37;
    n times that is less than a half, and the nearest integer is the sum, for n up to 2**35. Where
    values have weights, n is what these add up to.
    """
    means = adaptive_avg_pool2d(
        values,
        pooling.size,
        data_format="channels_last",
        windows=pooling.windows,
        dtype=np.float64,
        num_threads=pooling.threads,
    )
    rows, columns = (_weights(k, values.shape[k], pooling) for k in (0, 1))
    sums: Array = np.rint(means * (rows[:, None] * columns)[..., None])
    return sums


def _weights(axis: int, length: int, pooling: Pooling) -> Array:
    """Return what the elements of each window along an axis weigh together."""
    size, windows = pooling.size[axis], pooling.windows
    count = length if size is None else size
    if windows == "area":
        return np.full(count, length)
    table = pool_windows(length, count, windows) if isinstance(windows, str) else windows[axis]
    starts, ends = map(np.asarray, table)
    lengths: Array = ends - starts
    return lengths


def visible_maximum(picture: Transparent, pooling: Pooling) -> Array:
    """Return the maxima of the colours of pixels that show at all; 0 where none does."""
    colours, weights = picture
    return adaptive_max_pool2d(
        colours * (weights[..., None] > 0),
        pooling.size,
        data_format="channels_last",
        windows=pooling.windows,
        num_threads=pooling.threads,
    )
