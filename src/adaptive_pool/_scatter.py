"""What stands at indices: gradients of maxima added there, or the maxima themselves put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, readable
from ._kernels import any_outside, maximum_backward, maximum_unpool
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.known import Signature
from ._kernels.call.problem import Problem
from ._objects import no_memory
from ._options import RegionTypes, options_of
from ._parts import PartsProblem
from ._problem import (
    DataFormat,
    check_gradient,
    deliver,
    keep,
    normalize_shape,
    result_array,
)
from ._threads import threads_for


def outside_error(
    function: str, positions: Array, plane: int, shape: tuple[int, ...], names: tuple[str, str]
) -> ValueError:
    bad = positions[(positions < -1) | (positions >= plane)]
    return ValueError(
        f"{function}: indices must lie in 0:{plane} for {names[1].replace('_', ' ')} "
        f"{shape}, or be -1 for windows without elements, got "
        f"{bad.flat[0] if bad.size else 'another, changed during the call'}"
    )


def _scatter(
    signature: Signature | None,
    function: str,
    ndim: int,
    values: npt.ArrayLike,
    indices: npt.ArrayLike,
    target_shape: Sequence[int],
    data_format: DataFormat,
    out: Array | None,
    num_threads: int | None,
    given: Mapping[str, Any],
    types: type = RegionTypes,
    *,
    names: tuple[str, str],
    supported: tuple[str, ...],
    kernel: Callable[..., bool],
) -> Array:
    try:
        options = options_of(function, given, types)
        values = as_array(function, names[0], values)
        positions = as_array(function, "indices", indices)
        target_shape = normalize_shape(function, target_shape, names[1])
        shape, dtype = values.shape, values.dtype  # once, for another thread may change them
        places_shape, places_dtype = positions.shape, positions.dtype
        name = _dtypes.check_dtype(function, names[0], dtype, supported)
        _dtypes.check_dtype(function, "indices", places_dtype, _dtypes.INDICES)
        dtype = _dtypes.native(dtype)
        itemsize = dtype.itemsize
        first = check_gradient(
            function,
            ndim,
            shape,
            target_shape,
            data_format,
            itemsize,
            names,
            samples=options is None,
        )
        if places_shape != shape:
            raise ValueError(
                f"{function}: indices must have the shape of {names[0]} {shape}, got {places_shape}"
            )
        counts = shape[first : first + ndim]
        parts = None
        if options is not None:
            parts = PartsProblem(
                function, target_shape, counts, data_format, "torch", itemsize, options, names[1]
            )
            parts.check_gradient(shape, names[0])
        # With regions, that of the indices: their windows do not matter.
        pooled_from = target_shape if parts is None else (*shape[:1], *target_shape[1:])
        problem = Problem(function, pooled_from, first, counts, None, itemsize)
        work = int(problem.elements * itemsize) // 2  # writing takes half the time of reading
        threads = threads_for(function, num_threads, work)
        values, positions = readable(values), readable(positions)
        tables = problem.cut()

        # A new array can be thrown away; the caller's is not written to before all is known.
        throwaway = out is None and 0 not in target_shape
        if (
            tables is not None
            and not throwaway
            and any_outside(positions, tables, problem.plane, threads)
        ):
            raise outside_error(function, positions, problem.plane, target_shape, names)
        if out is None:
            result = np.empty(target_shape, dtype)
        else:
            result = result_array(
                function, "out", out, target_shape, dtype, parts or problem, values, positions
            )
        if tables is None or 0 in target_shape:
            result[...] = 0
        elif kernel(
            values,
            positions,
            result,
            tables if parts is None else parts.cut(),
            ELEMENTS[name],
            threads,
        ):
            raise outside_error(function, positions, problem.plane, target_shape, names)
        elif throwaway and parts is None:
            rest = (tables, ELEMENTS[name])
            inputs = ((shape, dtype), (places_shape, places_dtype))
            keep(signature, problem, kernel, inputs, ((target_shape, dtype),), rest, work)
        return result if out is None else deliver(result, out, out)
    except MemoryError as error:
        raise no_memory(function, error) from error


def maximum_backward_at(*arguments: Any) -> Array:
    """Add gradients at indices; the arguments are those of `_scatter` before the names."""
    names = ("grad_output", "input_shape")
    return _scatter(*arguments, names=names, supported=_dtypes.FLOATS, kernel=maximum_backward)


def unpool_at(*arguments: Any) -> Array:
    """Put values at indices, likewise."""
    names = ("values", "output_shape")
    return _scatter(*arguments, names=names, supported=_dtypes.SUPPORTED, kernel=maximum_unpool)
