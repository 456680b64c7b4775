"""Calls for Dask arrays, checked by the functions of the package before there is a graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _dtypes
from .._arrays import as_array
from .._counted import check_windows
from .._counting import counting_of
from .._extras import needs
from .._kernels.call.problem import Problem
from .._options import AllAverageTypes, AllOptionTypes, Options, options_of
from .._parts import PartsProblem
from .._problem import (
    DataFormat,
    Size,
    as_bool,
    check_data_format,
    make_problem,
    normalize_size,
    pooled_axes,
)
from .._scaled import channel_axis_of, scaled_dtype, scaling_of
from .._threads import as_threads
from .._windows import Windows, check_unweighted
from ._tasks import Call

with needs("dask"):
    import dask
    import dask.array as da
    from dask.utils import parse_bytes

# Slices of one chunk and some lines of its neighbours are not worth cutting.
_CHUNKS_PER_TASK = 2

_PLAIN = ("nan_policy", "nodata", "empty", "min_count", "return_counts")  # options but arrays


@dataclass(frozen=True)
class Checked:
    """A call that was checked: `call` is what tasks have in common, the rest is for the graph."""

    call: Call
    x: Any
    shape: tuple[int, ...]  # of the result
    kinds: tuple[np.dtype[Any], ...]  # of all results
    windows: Windows
    options: Options
    limit: int
    arrays: Mapping[str, Any] = field(default_factory=dict)  # scales, one for each channel or all


def _dask_array(function: str, name: str, x: Any) -> Any:
    """Return `x`, or raise unless it is a Dask array of arrays of NumPy with known chunks."""
    if not isinstance(x, da.Array):
        raise TypeError(
            f"{function}: {name} must be a Dask array, got {type(x).__name__}; the function of "
            "this name in adaptive_pool pools arrays in memory"
        )
    as_array(function, name, x._meta)
    if any(math.isnan(size) for axis in x.chunks for size in axis):
        raise ValueError(
            f"{function}: {name} has chunks of unknown size, got chunks {x.chunks}; call its "
            "compute_chunk_sizes() first"
        )
    return x


def _limit(function: str, given: int | str | None) -> int:
    """Return the most bytes of input that a task should have."""
    if given is None:
        return _CHUNKS_PER_TASK * int(parse_bytes(dask.config.get("array.chunk-size")))
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise TypeError(
            f"{function}: limit must be a number of bytes or a text such as '256 MiB', "
            f"got {type(given).__name__}"
        )
    try:
        limit = int(parse_bytes(given))
    except ValueError:
        limit = 0
    if limit < 1:
        raise ValueError(f"{function}: limit must be at least 1 byte, got {given!r}")
    return limit


def _options(function: str, given: Mapping[str, Any], types: type) -> Options:
    if given.get("regions") is not None:
        raise TypeError(f"{function}: regions are for arrays in memory")
    return options_of(function, given, types) or Options()


def _stand_in(function: str, options: Options) -> Options:
    """Return options with a mask that takes no memory, for checks."""
    where = options.where
    if where is None:
        return options
    if not isinstance(where, da.Array):
        where = as_array(function, "where", where)
    return options._replace(where=np.broadcast_to(np.zeros((), where.dtype), where.shape))


def _geometry(
    function: str,
    shape: tuple[int, ...],
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    dtype: np.dtype[Any],
    itemsize: int,
    options: Options,
) -> Problem | PartsProblem:
    """Check a geometry as calls in memory do; `dtype` is that of the pooled numbers."""
    others = options.without_scaling()
    if others is None:
        return make_problem(function, shape, sizes, data_format, windows, itemsize)
    problem = PartsProblem(function, shape, sizes, data_format, windows, itemsize, others)
    problem.settle(others.empty, dtype)
    return problem


def average(
    function: str,
    ndim: int,
    x: Any,
    output_size: Size,
    data_format: DataFormat,
    windows: Windows,
    dtype: npt.DTypeLike | None,
    limit: int | str | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Checked:
    """Check a call for averages."""
    options = _options(function, given, AllAverageTypes)
    x = _dask_array(function, "x", x)
    sizes = normalize_size(function, ndim, output_size)
    wanted = None if dtype is None else _dtypes.as_dtype(function, "dtype", dtype)
    _dtypes.check_dtype(function, "x", x.dtype, _dtypes.SUPPORTED)
    native = _dtypes.native(x.dtype)
    if options.scales:
        y_dtype = scaled_dtype(function, native, wanted)
    else:
        y_dtype = _dtypes.mean_dtype(function, native, wanted)
    pooled = np.dtype(np.float64) if options.scales else y_dtype
    data_format = check_data_format(function, data_format)
    seen = _stand_in(function, options)
    problem = _geometry(
        function, x.shape, sizes, data_format, windows, pooled, y_dtype.itemsize, seen
    )
    counting = counting_of(function, seen, x.shape, native)
    if problem.plane > _dtypes.LARGEST_EXACT_WINDOW and (tables := problem.cut()) is not None:
        _dtypes.check_exact_sum(function, native, int(tables.largest))
    if counting is not None and isinstance(problem, PartsProblem):
        check_windows(problem)
    arrays: dict[str, Any] = {}
    if options.scales:
        axis = channel_axis_of(ndim, x.ndim, data_format)
        arrays.update(scaling_of(function, options, x.shape, axis)._asdict())
    first = pooled_axes(function, ndim, x.shape, data_format, "x")
    call = Call(
        function, ndim, data_format, x.shape[first : first + ndim], y_dtype, None,
        as_threads(function, num_threads), True, _plain(options), output_size=sizes,
        **_few(problem, options, y_dtype),
    )  # fmt: skip
    return Checked(
        call, x, problem.output_shape, _kinds(call), windows, options, _limit(function, limit),
        arrays,
    )  # fmt: skip


def maximum(
    function: str,
    ndim: int,
    x: Any,
    output_size: Size,
    return_indices: bool,
    index_dtype: npt.DTypeLike,
    data_format: DataFormat,
    windows: Windows,
    limit: int | str | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Checked:
    """Check a call for maxima."""
    options = _options(function, given, AllOptionTypes)
    check_unweighted(function, windows)
    x = _dask_array(function, "x", x)
    sizes = normalize_size(function, ndim, output_size)
    positions = None
    if as_bool(function, "return_indices", return_indices):
        positions = _dtypes.as_dtype(function, "index_dtype", index_dtype)
    _dtypes.check_dtype(function, "x", x.dtype, _dtypes.SUPPORTED)
    native = _dtypes.native(x.dtype)
    data_format = check_data_format(function, data_format)
    if positions is not None:
        first = pooled_axes(function, ndim, x.shape, data_format, "x")
        _dtypes.check_index_dtype(function, positions, math.prod(x.shape[first : first + ndim]))
    seen = _stand_in(function, options)
    problem = _geometry(
        function, x.shape, sizes, data_format, windows, native, native.itemsize, seen
    )
    counting = counting_of(function, seen, x.shape, native)
    if counting is not None and isinstance(problem, PartsProblem):
        check_windows(problem)
    first = pooled_axes(function, ndim, x.shape, data_format, "x")
    call = Call(
        function, ndim, data_format, x.shape[first : first + ndim], native, positions,
        as_threads(function, num_threads), False, _plain(options), output_size=sizes,
        **_few(problem, options, native),
    )  # fmt: skip
    return Checked(
        call, x, problem.output_shape, _kinds(call), windows, options, _limit(function, limit)
    )


def _plain(options: Options) -> dict[str, Any]:
    """Return the options that are no arrays, and are given."""
    given = options._asdict()
    return {name: given[name] for name in _PLAIN if given[name] is not None}


def _few(problem: Problem | PartsProblem, options: Options, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return what becomes of windows with few elements, which only some problems have."""
    if not isinstance(problem, PartsProblem):
        return {}
    is_open = dtype.kind in "biu" and options.empty is None
    return {"least": problem.least, "filler": None if is_open else problem.filler}


def _kinds(call: Call) -> tuple[np.dtype[Any], ...]:
    kinds = [call.dtype]
    kinds += [] if call.index_dtype is None else [call.index_dtype]
    return (*kinds, np.dtype(np.int64)) if call.wants_counts else tuple(kinds)
