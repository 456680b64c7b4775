"""Transparency: pixels that do not show in full, and how they count."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from .._average import adaptive_avg_pool2d
from .._maximum import adaptive_max_pool2d
from .._problem import Array
from .._windows import Rule, pool_windows

Alpha = Literal["weighted", "drop", "keep"]


class Transparent(NamedTuple):
    """A picture with pixels that do not show in full."""

    colours: Array  # (H, W, C), uint8 or uint16
    weights: Array  # (H, W), uint8: 0 to 255, or 0 and 1 for colours of 16 bits


class Pooling(NamedTuple):
    """What is asked of a picture."""

    size: tuple[int | None, int | None]
    windows: Rule
    threads: int | None


def shows_in_full(colours: Array, weights: Array) -> bool:
    """Whether every pixel of a picture does."""
    return bool((weights == (255 if colours.dtype == np.uint8 else 1)).all())


def with_alpha(colours: Array, weights: Array | None) -> Array:
    """Return a picture with a last channel that says how much each pixel shows."""
    most = np.iinfo(colours.dtype).max if colours.dtype.kind in "iu" else 1
    alpha = np.full(colours.shape[:2], most, colours.dtype)
    if weights is not None:
        alpha = weights if colours.dtype == np.uint8 else alpha * weights
    return np.concatenate([colours, alpha[..., None]], axis=-1)


def weighted_mean(picture: Transparent, pooling: Pooling, dtype: np.dtype | None) -> Array:
    """Return the means of the colours, weighted by alpha; 0 where nothing shows.

    Each is the exact sum of colour times alpha over the exact sum of alpha, rounded once to
    float64 and from there to `dtype`, integers half to even.
    """
    colours, weights = picture
    # The function itself says what dtype there is for these colours, or why not.
    dtype = adaptive_avg_pool2d(np.zeros((1, 1), colours.dtype), 1, dtype=dtype).dtype
    largest = np.multiply(colours, weights[..., None], dtype=np.uint16)
    sums, total = _sums(largest, pooling), _sums(weights[..., None], pooling)
    means = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return (np.rint(means) if dtype.kind in "iu" else means).astype(dtype)


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
    rows, columns = (
        _weights(n, n if size is None else size, pooling.windows)
        for n, size in zip(values.shape, pooling.size, strict=False)
    )
    sums: Array = np.rint(means * (rows[:, None] * columns)[..., None])
    return sums


def _weights(length: int, count: int, rule: Rule) -> Array:
    """Return what the elements of each window along an axis weigh together."""
    if rule == "area":
        return np.full(count, length)
    starts, ends = pool_windows(length, count, rule)
    return ends - starts


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
