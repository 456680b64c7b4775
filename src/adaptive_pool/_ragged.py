"""Ragged batches: lists of arrays of different sizes, pooled to one array, and their gradients.

Each item is to the bit what it would be pooled alone. Without options the items are one list of
jobs for all threads (`_kernels/call/item_runs.pyx`). With options they go one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, native
from ._average import _average
from ._items import check_exact_sums, largest_first, result_of_items, run_in_turn
from ._kernels import average_kernel, maximum_kernel
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.kernel import Kernel
from ._kernels.call.problem import Problem, check_addressable
from ._maximum import Triple, _maximum, pair_of
from ._objects import is_a, no_memory
from ._options import AllRaggedAverageTypes, AllRaggedTypes, options_of
from ._problem import (
    DataFormat,
    Pair,
    Size,
    as_bool,
    check_data_format,
    check_out,
    check_room_for_axis,
    deliver,
    make_problem,
    normalize_size,
    pooled_axes,
)
from ._scaled import channel_axis_of, scaled_dtype, scaling_of, store_scaled
from ._targets import check_apart, check_targets
from ._threads import threads_for
from ._windows import Windows, check_unweighted

Arrays: TypeAlias = Sequence[npt.ArrayLike] | npt.NDArray[Any]


def as_list(function: str, name: str, given: Any, kind: str = "arrays") -> list[Any]:
    """Return the items of a list, a tuple, or an array of objects with one axis."""
    if is_a(given, list):
        return list(list.__iter__(given))
    if is_a(given, tuple):
        return list(tuple.__iter__(given))
    what = type(given).__name__
    if is_a(given, np.ndarray):
        array = np.asarray(given)
        if array.dtype.kind == "O" and array.ndim == 1:
            return list(array)
        what = f"an array of shape {array.shape} and dtype {_dtypes.text_of(array.dtype)}"
    raise TypeError(
        f"{function}: {name} must be a list or tuple of {kind}, one for each item, or an array of "
        f"such objects with one axis; got {what}"
    )


def for_each(function: str, name: str, given: Any, count: int) -> list[Any]:
    """Return what an argument says of each item; None says nothing of any."""
    if given is None:
        return [None] * count
    items = as_list(function, name, given)
    if len(items) != count:
        raise ValueError(f"{function}: {name} must have {count} items, got {len(items)}")
    return items


class _Batch(NamedTuple):
    """Items that agree but on the pooled axes."""

    items: list[Array]  # in the byte order of the machine
    shapes: list[tuple[int, ...]]
    dtype: np.dtype[Any]
    name: str  # of that dtype


def _batch_of(function: str, ndim: int, arrays: Any, data_format: DataFormat) -> _Batch:
    given = as_list(function, "arrays", arrays)
    if not given:
        raise ValueError(f"{function}: arrays must have an item at least, got none")
    data_format = check_data_format(function, data_format)
    items: list[Array] = []
    shapes: list[tuple[int, ...]] = []
    seen: set[tuple[int, ...]] = set()
    for k, item in enumerate(given):
        x = item if type(item) is np.ndarray else as_array(function, f"arrays[{k}]", item)
        x_shape, x_dtype = x.shape, x.dtype  # once, for another thread may change them
        if k == 0:
            name = _dtypes.check_dtype(function, "arrays[0]", x_dtype, _dtypes.SUPPORTED)
            shape, dtype = x_shape, _dtypes.native(x_dtype)
            first = pooled_axes(function, ndim, shape, data_format, "arrays[0]")
            check_room_for_axis(function, "arrays[0]", shape)
            last = first + ndim
        if x_dtype is not dtype:
            _dtypes.check_dtype(function, f"arrays[{k}]", x_dtype, _dtypes.SUPPORTED)
            if _dtypes.native(x_dtype) != dtype:
                raise ValueError(
                    f"{function}: arrays must have one dtype, got {_dtypes.text_of(x_dtype)} in "
                    f"arrays[{k}] and {_dtypes.text_of(dtype)} in arrays[0]"
                )
            x = native(x)
        if x_shape not in seen:
            seen.add(x_shape)
            if len(x_shape) != len(shape) or x_shape[:first] + x_shape[last:] != (
                shape[:first] + shape[last:]
            ):
                raise ValueError(
                    f"{function}: arrays must agree except on the pooled axes "
                    f"{tuple(range(first, last))}, got shape {x_shape} in arrays[{k}] and {shape} "
                    f"in arrays[0]"
                )
        items.append(x)
        shapes.append(x_shape)
    return _Batch(items, shapes, dtype, name)


class _Plan(NamedTuple):
    """How items are pooled together."""

    shape: tuple[int, ...]  # of the results
    threads: int
    order: list[int]  # of items, the largest first
    problems: list[Problem]

    def target(
        self, function: str, name: str, out: Any, dtype: np.dtype[Any], items: list[Array]
    ) -> Array:
        """Return the array to store results in."""
        merges = self.problems[0].others <= 2 or all(x.flags.c_contiguous for x in items)
        return result_of_items(
            function, name, out, self.shape, dtype, len(items), items, merges=merges
        )

    def run(self, kernel: Kernel, batch: _Batch, results: tuple[Array, ...]) -> None:
        """Pool items into results."""
        run_in_turn(
            lambda _: kernel,
            self.order,
            lambda k: (batch.items[k], *(result[k] for result in results)),
            self.problems,
            self.threads,
        )


def _plan(
    function: str,
    batch: _Batch,
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    itemsize: int,
    num_threads: int | None,
) -> _Plan:
    known: dict[tuple[int, ...], Problem] = {}
    for k, shape in enumerate(batch.shapes):
        if shape not in known:
            known[shape] = make_problem(
                f"{function}: arrays[{k}]", shape, sizes, data_format, windows, itemsize
            )
    problems = [known[shape] for shape in batch.shapes]
    if None in sizes:
        for k, problem in enumerate(problems):
            if problem.output_size != problems[0].output_size:
                raise _sizes_differ(function, k, problem.output_size, problems[0].output_size)
    results = (len(problems), *problems[0].output_shape)
    check_addressable(function, results, itemsize)
    elements = [problem.elements for problem in problems]
    threads = threads_for(function, num_threads, int(sum(elements) * batch.dtype.itemsize))
    return _Plan(results, threads, largest_first(elements), problems)


def _sizes_differ(
    function: str, k: int, size: tuple[int, ...], size_of_first: tuple[int, ...]
) -> ValueError:
    return ValueError(
        f"{function}: results must have one size, got {size} of arrays[{k}] and {size_of_first} "
        f"of arrays[0]; pass output_size"
    )


def _stacked(function: str, results: list[Array]) -> Array:
    for k, result in enumerate(results):
        if result.shape != results[0].shape:
            raise _sizes_differ(function, k, result.shape, results[0].shape)
    return np.stack(results)


def average_ragged(
    function: str,
    ndim: int,
    arrays: Any,
    output_size: Size,
    data_format: DataFormat,
    windows: Windows,
    dtype: npt.DTypeLike | None,
    out: Array | None,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Array | Pair:
    """Average each item of a list."""
    try:
        options = options_of(function, given, AllRaggedAverageTypes)
        given = _with_bool(function, given)
        batch = _batch_of(function, ndim, arrays, data_format)
        wanted = None if dtype is None else _dtypes.as_dtype(function, "dtype", dtype)
        scales = options is not None and options.scales
        dtype_of = scaled_dtype if scales else _dtypes.mean_dtype
        y_dtype = dtype_of(function, batch.dtype, wanted)
        sizes = normalize_size(function, ndim, output_size)
        if options is not None and options.without_scaling() is not None:
            return _one_by_one(  # type: ignore[no-any-return]
                function,
                lambda name, x, own: _average(
                    None,
                    name,
                    ndim,
                    x,
                    sizes,
                    data_format,
                    windows,
                    y_dtype,
                    None,
                    num_threads,
                    own,
                ),
                batch,
                given,
                out,
            )
        plan = _plan(function, batch, sizes, data_format, windows, y_dtype.itemsize, num_threads)
        check_exact_sums(function, "arrays", batch.dtype, plan.problems)
        axis = channel_axis_of(ndim, batch.items[0].ndim, data_format)
        scaling = None
        if scales and options is not None:
            scaling = scaling_of(function, options, batch.shapes[0], axis)
        y = plan.target(function, "out", out, y_dtype, batch.items)
        if y.size > 0 and scaling is not None:
            store_scaled(
                plan.order,
                lambda k: (batch.items[k], y[k]),
                plan.problems,
                scaling,
                axis,
                plan.threads,
            )
        elif y.size > 0:
            elements = (ELEMENTS[batch.name], ELEMENTS[_dtypes.name_of(y_dtype)])
            plan.run(average_kernel(*elements, False), batch, (y,))
        return y if out is None else deliver(y, out, out)
    except MemoryError as error:
        raise no_memory(function, error) from error


def _with_bool(function: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options, of which code of the caller's is run before arrays are looked at."""
    wants_counts = as_bool(function, "return_counts", given.get("return_counts", False))
    return {**given, "return_counts": wants_counts}


def options_of_each(
    function: str, given: Mapping[str, Any], names: tuple[str, ...], count: int
) -> list[dict[str, Any]]:
    """Return the options of each item; those of these names are lists."""
    lists = {name: for_each(function, name, given.get(name), count) for name in names}
    return [
        {**given, **{name: entries[k] for name, entries in lists.items()}} for k in range(count)
    ]


def _one_by_one(
    function: str,
    pool: Callable[[str, Array, dict[str, Any]], Any],
    batch: _Batch,
    given: Mapping[str, Any],
    out: Any,
) -> Any:
    """Pool items one by one, each with its options; return what the public function does."""
    options = options_of_each(function, given, ("where",), len(batch.items))
    each: list[tuple[Array, ...]] = []
    for k, x in enumerate(batch.items):
        result = pool(f"{function}: arrays[{k}]", x, options[k])
        each.append(result if isinstance(result, tuple) else (result,))
    stacked = tuple([_stacked(function, list(results)) for results in zip(*each, strict=True)])
    results, counts = (stacked[:-1], stacked[-1:]) if given["return_counts"] else (stacked, ())
    if out is not None and len(results) == 1:
        check_out(function, "out", out, results[0].shape, results[0].dtype)
    elif out is not None:
        check_targets(function, pair_of(function, out), results)
    answer = _delivered(results, out)
    if not counts:
        return answer
    return (*answer, *counts) if isinstance(answer, tuple) else (answer, *counts)


def maximum_ragged(
    function: str,
    ndim: int,
    arrays: Any,
    output_size: Size,
    return_indices: bool,
    index_dtype: npt.DTypeLike,
    data_format: DataFormat,
    windows: Windows,
    out: Any,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Array | Pair | Triple:
    """Store the maxima of each item of a list."""
    try:
        options = options_of(function, given, AllRaggedTypes)
        given = _with_bool(function, given)
        check_unweighted(function, windows)
        batch = _batch_of(function, ndim, arrays, data_format)
        wanted = as_bool(function, "return_indices", return_indices)
        positions = _dtypes.as_dtype(function, "index_dtype", index_dtype) if wanted else None
        sizes = normalize_size(function, ndim, output_size)
        if options is not None:
            indexed = (wanted, np.int64 if positions is None else positions)
            return _one_by_one(  # type: ignore[no-any-return]
                function,
                lambda name, x, own: _maximum(
                    None, name, ndim, x, sizes, *indexed, data_format, windows, None, num_threads,
                    own,
                ),
                batch,
                given,
                out,
            )  # fmt: skip
        itemsize = max(batch.dtype.itemsize, 0 if positions is None else positions.itemsize)
        plan = _plan(function, batch, sizes, data_format, windows, itemsize, num_threads)
        if positions is not None:
            largest = max(problem.plane for problem in plan.problems)
            _dtypes.check_index_dtype(function, positions, largest)
        values: Any
        places: Any
        if positions is None:
            y = plan.target(function, "out", out, batch.dtype, batch.items)
            results: tuple[Array, ...] = (y,)
        else:
            values, places = (None, None) if out is None else pair_of(function, out)
            y = plan.target(function, "out[0]", values, batch.dtype, batch.items)
            results = (y, plan.target(function, "out[1]", places, positions, batch.items))
            if out is not None:
                check_apart(function, [values, places])
        if y.size > 0:
            plan.run(maximum_kernel(ELEMENTS[batch.name], positions is not None), batch, results)
        return _delivered(results, out)  # type: ignore[no-any-return]
    except MemoryError as error:
        raise no_memory(function, error) from error


def _delivered(results: tuple[Array, ...], out: Any) -> Any:
    """Return results, in `out` if that is given: an array, or a pair of them."""
    if out is None:
        return results[0] if len(results) == 1 else results
    for result, target in zip(results, (out,) if len(results) == 1 else out, strict=True):
        deliver(result, target, None)
    return out
