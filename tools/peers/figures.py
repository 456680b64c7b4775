"""What the scripts of this folder share: inputs, and how far results are apart."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# A statement as the page has it, whether it holds, and what was seen.
Claim = tuple[str, bool, object]
Claims = Iterator[Claim]

RANDOM = np.random.default_rng(0)


def floats(*shape: int, dtype: type = np.float32) -> NDArray:
    """Random numbers from 0 to 1."""
    return RANDOM.random(shape).astype(dtype)


def integers(*shape: int, dtype: type = np.uint8) -> NDArray:
    """Random integers, all values of the dtype."""
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def ulps(theirs: NDArray, exact: NDArray) -> float:
    """Return the largest error of `theirs` in units in the last place of its own type."""
    one = np.spacing(exact.astype(theirs.dtype)).astype(np.float64)
    return float(np.max(np.abs(theirs.astype(np.float64) - exact) / one))


def about(seen: float, stated: float) -> bool:
    """Whether a rounding error is about what is stated: it depends on the processor."""
    return stated / 3 <= seen <= stated * 3


def by_area(x: NDArray, shape: tuple[int, int]) -> NDArray:
    """Return the weighted sums of a plane, to be divided by its size; of integers they are exact."""
    for axis, count in enumerate(shape):
        size = x.shape[axis]
        weights = np.zeros((count, size), np.int64)
        for row, i in zip(weights, range(count), strict=True):
            first, end = i * size // count, -(-(i + 1) * size // count)
            for k in range(first, end):
                row[k] = min((i + 1) * size, (k + 1) * count) - max(i * size, k * count)
        kind = np.int64 if x.dtype.kind in "iu" else np.float64
        x = np.moveaxis(np.tensordot(weights, x.astype(kind), (1, axis)), 0, axis)
    return x


def same(one: NDArray, two: NDArray) -> bool:
    """Whether dtype, shape and all elements are equal, NaNs too."""
    one, two = np.asarray(one), np.asarray(two)
    return one.dtype == two.dtype and np.array_equal(one, two, equal_nan=one.dtype.kind == "f")
