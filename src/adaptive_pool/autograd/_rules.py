"""Pooling as primitives of autograd, and their derivatives, backward and forward.

Averages are linear, and so is what a maximum does to changes, which picks them at the indices. Each
comes with its transpose, which is a primitive too: derivatives of all orders follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np
from autograd.extend import Box, defjvp, defvjp, notrace_primitive, primitive

from .._arrays import Array
from .._functions import AVERAGE, AVERAGE_BACKWARD, MAXIMUM, MAXIMUM_BACKWARD
from .._problem import axes_pooled, normalize_size

Options: TypeAlias = Mapping[str, Any]
Shape: TypeAlias = tuple[int, ...]
_Function = TypeVar("_Function", bound=Callable[..., Any])

# As type checkers are to see them.
_primitive: Callable[[_Function], _Function] = primitive
_not_traced: Callable[[_Function], _Function] = notrace_primitive


def options_of(min_count: int = 1, **given: Any) -> dict[str, Any]:
    """Return those that are given."""
    options = {name: value for name, value in given.items() if value is not None}
    return options if min_count == 1 else {**options, "min_count": min_count}


def _only(options: Options, *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in names}


def _pooled(ndim: int, rank: int, options: Options) -> slice:
    """Return the pooled axes of an array of so many axes."""
    return axes_pooled(ndim, rank, options["data_format"])


def _cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return changes, or gradients, in the dtype of what they are of; of integers as they are."""
    return x if x.dtype == dtype or dtype.kind in "biu" else x.astype(dtype)


def average(x: Any, ndim: int, output_size: Any, options: Options) -> Any:
    """Average, unless the gradient could not know what was averaged."""
    if "lengths" in options and isinstance(options["windows"], str):
        function = f"adaptive_avg_pool{ndim}d"
        sizes = normalize_size(function, ndim, output_size)
        if None in sizes:
            raise ValueError(
                f"{function}: the gradient for lengths needs an output_size for each pooled axis, "
                f"or windows, got {output_size}"
            )
    return _average(x, ndim, output_size, options)


def _of_changes(options: Options) -> dict[str, Any]:
    """Return the options of an average of changes: windows without elements have none."""
    rest = _only(options, "data_format", "windows", "num_threads")
    counting = _only(options, "where", "lengths", "min_count")
    return {**rest, **counting, "empty": 0} if counting else rest


@_primitive
def _average(x: Array, ndim: int, output_size: Any, options: Options) -> Any:
    return AVERAGE[ndim - 1](x, output_size, **options)


@_primitive
def _average_backward(g: Array, ndim: int, shape: Shape, options: Options) -> Any:
    options = {name: value for name, value in options.items() if name != "empty"}
    return AVERAGE_BACKWARD[ndim - 1](g, shape, **options)


def _average_vjp(_y: Any, x: Any, ndim: int, _size: Any, options: Options) -> Any:
    changes = _of_changes(options)
    return lambda g: _cast(_average_backward(g, ndim, x.shape, changes), x.dtype)


def _average_jvp(t: Any, y: Any, _x: Any, ndim: int, output_size: Any, options: Options) -> Any:
    return _cast(_average(t, ndim, output_size, _of_changes(options)), y.dtype)


def _average_backward_vjp(_r: Any, g: Any, ndim: int, _shape: Shape, changes: Options) -> Any:
    sizes = g.shape[_pooled(ndim, g.ndim, changes)]
    return lambda x: _average(x, ndim, sizes, changes)


defvjp(_average, _average_vjp)
defjvp(_average, _average_jvp)
defvjp(_average_backward, _average_backward_vjp)
defjvp(_average_backward, lambda t, _r, _g, *rest: _average_backward(t, *rest))


def maximum(x: Any, ndim: int, output_size: Any, return_indices: bool, options: Options) -> Any:
    """Take maxima, and indices if they are wanted or a derivative may need them."""
    if not isinstance(x, Box):
        return MAXIMUM[ndim - 1](x, output_size, return_indices=return_indices, **options)
    y, indices = _found(x, ndim, output_size, options)
    y = _maxima(x, y, indices, ndim, _only(options, "data_format", "num_threads"))
    return (y, indices) if return_indices else y


@_not_traced
def _found(x: Array, ndim: int, output_size: Any, options: Options) -> Any:
    return MAXIMUM[ndim - 1](x, output_size, return_indices=True, **options)


@_primitive
def _maxima(_x: Array, y: Array, _indices: Array, _ndim: int, _options: Options) -> Any:
    """Return the maxima of `x` that were found."""
    return y


@_primitive
def _picked(x: Array, indices: Array, ndim: int, options: Options) -> Any:
    """Return the elements at indices, and 0 where there is none."""
    axes = _pooled(ndim, x.ndim, options)
    if 0 in indices.shape:
        return np.zeros(indices.shape, x.dtype)
    planes, places = (a.reshape(*a.shape[: axes.start], -1, *a.shape[axes.stop :])
                      for a in (x, indices))  # fmt: skip
    found = np.take_along_axis(planes, np.maximum(places, 0), axes.start)
    return np.where(places < 0, found.dtype.type(0), found).reshape(indices.shape)


@_primitive
def _added(g: Array, indices: Array, ndim: int, shape: Shape, options: Options) -> Any:
    """Return zeros to which gradients are added at indices."""
    return MAXIMUM_BACKWARD[ndim - 1](g, indices, shape, **options)


def _maxima_vjp(_y: Any, x: Any, _found: Any, indices: Array, ndim: int, options: Options) -> Any:
    return lambda g: _added(g, indices, ndim, x.shape, options)


def _picked_vjp(_y: Any, x: Any, indices: Array, ndim: int, options: Options) -> Any:
    return lambda g: _added(g, indices, ndim, x.shape, options)


def _added_vjp(_r: Any, _g: Any, indices: Array, ndim: int, _shape: Shape, options: Options) -> Any:
    return lambda x: _picked(x, indices, ndim, options)


defvjp(_maxima, _maxima_vjp)
defjvp(_maxima, lambda t, _y, _x, _found, *rest: _picked(t, *rest))
defvjp(_picked, _picked_vjp)
defjvp(_picked, lambda t, _y, _x, *rest: _picked(t, *rest))
defvjp(_added, _added_vjp)
defjvp(_added, lambda t, _r, _g, *rest: _added(t, *rest))
