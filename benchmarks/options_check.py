"""Results of calls with options are compared with their definition before they are timed.

The sum over windows is a product with a matrix for each pooled axis: what each window takes of each
element. The gradient of a mean is a product with the transposed matrices. All of it is float64.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from cases import INTEGERS, Case
from check import FLOAT32, ROUNDING, borders
from data import dtype_of, gradient_of, input_of
from options_data import options_of

from adaptive_pool import _reference

LEAST = 2.0**-24  # the distance of the smallest numbers of float16


def _first(case: Case, x: np.ndarray) -> np.ndarray:
    """Return a view with channels first."""
    return x if case.data_format == "channels_first" else np.moveaxis(x, -1, 1)


def _numbers(case: Case, x: np.ndarray) -> np.ndarray:
    """Return numbers as a library gets them, channels first, in float64."""
    return _first(case, x.astype(dtype_of(case.dtype)).astype(np.float64))


def _parts(options: dict[str, Any]) -> Iterator[tuple[Any, Any, tuple[slice, ...]]]:
    """Yield where the result of each part stands, its sample, its place on the pooled axes."""
    if "regions" in options:
        for k, (sample, *edges) in enumerate(options["regions"].tolist()):
            yield k, sample, tuple(map(slice, edges[::2], edges[1::2]))
    elif "lengths" in options:
        for k, lengths in enumerate(options["lengths"].tolist()):
            yield k, k, tuple(map(slice, lengths))
    else:
        yield ..., ..., ()


def _counted(case: Case, options: dict[str, Any], x: np.ndarray) -> np.ndarray:
    counted = np.ones(x.shape, bool)
    if "where" in options:
        counted &= _first(case, options["where"])
    if "nodata" in options:
        counted &= x != options["nodata"]
    return counted & (x == x) if "nan_policy" in options else counted


def _matrix(starts: np.ndarray, ends: np.ndarray, size: int) -> np.ndarray:
    """Return how much of each element each window takes, a row for each window."""
    i = np.arange(size)
    taken = np.minimum(ends[:, np.newaxis], i + 1) - np.maximum(starts[:, np.newaxis], i)
    return np.clip(taken, 0, None).astype(np.float64)


def _product(x: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    """Multiply each of the last axes by a matrix."""
    for axis, matrix in enumerate(matrices, x.ndim - len(matrices)):
        x = np.moveaxis(np.tensordot(x, matrix, ([axis], [1])), -1, axis)
    return x


class _Part:
    """The windows of a part, and how many elements count in each."""

    def __init__(self, case: Case, options: dict[str, Any], counted: np.ndarray) -> None:
        sizes, rule = counted.shape[-case.ndim :], options.get("windows", "torch")
        counts = [count for _, count in case.pooled]
        self.windows = [borders(rule, s, o) for s, o in zip(sizes, counts, strict=True)]
        self.matrices = [_matrix(*w, size) for w, size in zip(self.windows, sizes, strict=True)]
        self.counted, numbers = counted, _product(counted.astype(np.float64), self.matrices)
        self.empty, self.numbers = numbers == 0, np.where(numbers == 0, 1, numbers)

    def means(self, x: np.ndarray) -> np.ndarray:
        sums = _product(np.where(self.counted, x, 0), self.matrices)
        return np.where(self.empty, np.nan, sums / self.numbers)

    def gradient(self, g: np.ndarray) -> np.ndarray:
        shares = np.where(self.empty, 0, g / self.numbers)
        return _product(shares, [matrix.T for matrix in self.matrices]) * self.counted

    def maxima(self, x: np.ndarray, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return maxima, NaN where nothing counts, and where they stand in a plane."""
        y, places = _reference.maximum(np.where(self.counted, x, -np.inf), self.windows)
        return np.where(self.empty, np.nan, y), np.where(self.empty, -1, plane.reshape(-1)[places])


@functools.lru_cache(maxsize=2)  # the same for every number of threads, warm and cold
def expected(case: Case) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the results of a case, channels first, and what they are of absolute values."""
    options, x = options_of(case), _numbers(case, input_of(case))
    counted, g = _counted(case, options, x), _numbers(case, gradient_of(case))
    y, scale, places = np.zeros(g.shape), np.zeros(g.shape), np.zeros(g.shape, np.int64)
    back, back_scale = np.zeros(x.shape), np.zeros(x.shape)
    plane = _reference.flat_indices(x.shape[2:])
    for k, sample, place in _parts(options):
        whole = (sample, ..., *place) if place else ...
        part = _Part(case, options, counted[whole])
        if case.operation == "avg":
            y[k], scale[k] = part.means(x[whole]), part.means(abs(x[whole]))
        elif case.operation == "avg_backward":
            back[whole] += part.gradient(g[k])
            back_scale[whole] += part.gradient(abs(g[k]))
        else:
            y[k], places[k] = part.maxima(x[whole], plane[place])
        if case.operation == "max_backward":
            back[sample] += _reference.maximum_backward(g[k], places[k], plane.shape)
            back_scale[sample] += _reference.maximum_backward(abs(g[k]), places[k], plane.shape)
    if case.operation.endswith("backward"):
        return [back], back_scale
    if case.operation.startswith("max") and case.dtype in INTEGERS:
        y[np.isnan(y)] = 0  # what `ours.py` asks for
    return ([y, places] if case.operation == "max" else [y]), scale


def check_options(case: Case, results: dict[str, list[np.ndarray]]) -> None:
    """Raise if a library does not compute what the case says; a baseline may have no results.

    A sum of n numbers, in any order, and a division, is off by at most n + 1 roundings of the sum
    of absolute values. An element is in at most n windows of a part, and of m regions. Sums are
    kept in float32 or better. Results are rounded to their dtype, ours within 1 ulp. The scale of
    maxima is 0: they are equal.
    """
    exact, scale = expected(dataclasses.replace(case, cold=False))
    own = ROUNDING.get(case.dtype, FLOAT32)
    terms = math.prod(max(size, count) // min(size, count) + 2 for size, count in case.pooled)
    if case.options in ("lengths", "regions"):  # parts that are shorter than their windows are many
        terms = max(terms, math.prod(count for _, count in case.pooled))
    sums = (terms * max(case.regions, 1) + 1) * min(own, FLOAT32)
    with np.errstate(invalid="ignore"):
        bound = (sums + 4 * own) * scale + (LEAST if own > FLOAT32 else 0)
        for library, theirs in results.items():
            for a, b in zip(exact, theirs, strict=bool(theirs)):
                wide = _first(case, b).astype(np.float64)
                near = (np.abs(a - wide) <= bound) | (np.isnan(a) & np.isnan(wide))
                if a.shape != wide.shape or not near.all():
                    raise ValueError(f"{case.name}: {library} is not what its definition says")
