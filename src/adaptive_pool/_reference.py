"""The definition of every operation in plain NumPy: slow, obvious, the truth in the tests.

Arrays here have pooled axes last; `windows` is one (starts, ends) pair for each of them. Nothing
is fast and nothing is shared with the kernels but the window tables. Where elements of a window
weigh differently there is a table of weights for each axis, as `area_weights` gives it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Tables = Sequence[tuple[Array, Array]]
Weights = Sequence[Array] | None


def each_window(windows: Tables) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Yield the position of every output, in row-major order, and the inputs it is pooled from."""
    for position in itertools.product(*(range(len(starts)) for starts, _ in windows)):
        yield (
            position,
            tuple(
                slice(int(starts[i]), int(ends[i]))
                for i, (starts, ends) in zip(position, windows, strict=True)
            ),
        )


def _last(index: tuple[Any, ...]) -> Any:
    """Return an index for the last axes, all of the others."""
    return (..., *index)


def _flat_window(x: Array, window: tuple[slice, ...]) -> Array:
    part: Array = x[_last(window)]
    first = x.ndim - len(window)
    return part.reshape(*x.shape[:first], math.prod(part.shape[first:]))


def weigh(position: tuple[int, ...], window: tuple[slice, ...], weights: Sequence[Array]) -> Array:
    """Return what the elements of a window weigh: the products of their weights along the axes."""
    products = np.ones((), np.int64)
    for table, o, inputs in zip(weights, position, window, strict=True):
        products = np.multiply.outer(products, table[o, : inputs.stop - inputs.start])
    return products


def _weighed(
    values: Array, position: tuple[int, ...], window: tuple[slice, ...], weights: Weights
) -> tuple[Array, int]:
    """Return the elements of a window times what they weigh, and what all weigh; else 1 each."""
    if weights is None:
        return values, values.shape[-1]
    each = weigh(position, window, weights).ravel()
    return values * each.astype(values.dtype), int(each.sum())


def average(x: Array, windows: Tables, dtype: np.dtype[Any], weights: Weights = None) -> Array:
    """Average over windows: the mean in higher precision, rounded to `dtype`.

    Integers are averaged exactly. Floats are summed in `longdouble` and scaled, so that no sum of
    representable numbers overflows.
    """
    ndim = len(windows)
    counts = tuple(len(starts) for starts, _ in windows)
    y = np.empty((*x.shape[: x.ndim - ndim], *counts), dtype)
    for position, window in each_window(windows):
        values = _flat_window(x, window)
        if x.dtype.kind in "biu":
            values, n = _weighed(values.astype(object), position, window, weights)
            totals = values.sum(axis=-1)
            mean = np.vectorize(lambda s, n=n: round_exact(int(s), n, dtype), otypes=[object])(
                totals
            )
            with np.errstate(all="ignore"):
                y[_last(position)] = mean.astype(dtype)
        else:
            with np.errstate(all="ignore"):
                wide = values.astype(np.longdouble) * np.longdouble(2.0**-64)
                wide, n = _weighed(wide, position, window, weights)
                mean = wide.sum(axis=-1) / n * np.longdouble(2.0**64)
                y[_last(position)] = mean.astype(dtype)
    return y


def round_exact(total: int, n: int, dtype: np.dtype[Any]) -> float | int:
    """Return total / n, correctly rounded (half to even) to an integer dtype or to float64."""
    if dtype.kind in "iu":
        return round(Fraction(total, n))
    return total / n  # Python divides integers with one rounding


def flat_indices(shape: Sequence[int]) -> Array:
    """Return for every element of a plane its flat index."""
    return np.arange(math.prod(shape)).reshape(shape)


def maximum(x: Array, windows: Tables) -> tuple[Array, Array]:
    """Maximum over windows and its flat index: first of equals, but the last NaN wins."""
    ndim = len(windows)
    lead = x.shape[: x.ndim - ndim]
    counts = tuple(len(starts) for starts, _ in windows)
    y = np.empty((*lead, *counts), x.dtype)
    indices = np.empty((*lead, *counts), np.int64)
    positions = flat_indices(x.shape[x.ndim - ndim :])
    for position, window in each_window(windows):
        values = _flat_window(x, window)
        nan = values != values
        last_nan = values.shape[-1] - 1 - nan[..., ::-1].argmax(axis=-1)
        # argmax returns the first of equals; NaN is hidden from it
        quiet = values.astype(np.float64) if x.dtype.kind not in "biu" else values
        quiet = np.where(nan, -np.inf, quiet) if nan.any() else quiet
        best = np.where(nan.any(axis=-1), last_nan, quiet.argmax(axis=-1))
        y[_last(position)] = np.take_along_axis(values, best[..., None], axis=-1)[..., 0]
        indices[_last(position)] = positions[window].reshape(-1)[best]
    return y, indices


def average_backward(
    gradient: Array, input_shape: Sequence[int], windows: Tables, weights: Weights = None
) -> Array:
    """Adjoint of `average`: every window hands its gradient out by weight, in float64."""
    result = np.zeros((*gradient.shape[: gradient.ndim - len(windows)], *input_shape))
    for position, window in each_window(windows):
        each: Any = 1 if weights is None else weigh(position, window, weights)
        n = math.prod(s.stop - s.start for s in window) if weights is None else each.sum()
        part = gradient[_last(position)].astype(np.float64) / n
        result[_last(window)] += part.reshape(*part.shape, *(1,) * len(windows)) * each
    return result.astype(gradient.dtype)


def _planes(x: Array, ndim: int) -> Array:
    lead, pooled = x.shape[: x.ndim - ndim], x.shape[x.ndim - ndim :]
    return x.reshape(math.prod(lead), math.prod(pooled))


def maximum_backward(gradient: Array, indices: Array, input_shape: Sequence[int]) -> Array:
    """Adjoint of `maximum`: every window adds its gradient at its index, one after the other."""
    ndim = len(input_shape)
    lead = gradient.shape[: gradient.ndim - ndim]
    wide = np.float32 if gradient.dtype.itemsize == 2 else gradient.dtype
    result = np.zeros((math.prod(lead), math.prod(input_shape)), wide)
    for plane, g, i in zip(result, _planes(gradient, ndim), _planes(indices, ndim), strict=True):
        np.add.at(plane, i[i >= 0], g[i >= 0].astype(wide))
    return result.astype(gradient.dtype).reshape(*lead, *input_shape)


def unpool(values: Array, indices: Array, output_shape: Sequence[int]) -> Array:
    """Put every value at its index, one after the other."""
    ndim = len(output_shape)
    lead = values.shape[: values.ndim - ndim]
    result = np.zeros((math.prod(lead), math.prod(output_shape)), values.dtype)
    for plane, v, i in zip(result, _planes(values, ndim), _planes(indices, ndim), strict=True):
        for value, index in zip(v, i, strict=True):
            if index >= 0:
                plane[index] = value
    return result.reshape(*lead, *output_shape)
