"""Several results of one array: each to the bit that of a call alone, and the array is read once.

`_kernels/call/result_runs.pyx` works through the jobs of all results. Maxima of windows that are
made of other windows are taken from the maxima of those (`_nested.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import _dtypes
from ._arrays import Array, native
from ._kernels import average_kernel, maximum, maximum_kernel
from ._kernels.call.elements import ELEMENTS
from ._kernels.call.kernel import Kernel
from ._kernels.call.problem import Problem
from ._kernels.call.result_runs import run_results
from ._kernels.call.tables import windows_given
from ._nested import is_settled, ranges_of, tables_of
from ._problem import DataFormat, make_problem, result_array
from ._targets import check_targets
from ._threads import threads_for
from ._windows import Windows, check_unweighted

REDUCTIONS = ("avg", "max")

_CANDIDATES = 8  # that windows are looked for in
_SMALL = 2097152  # bytes of an array that stays in the cache from one call to the next


class Wanted(NamedTuple):
    """A result: what windows are pooled, and to what."""

    reduce: str  # one of "avg" and "max"
    problem: Problem
    dtype: np.dtype[Any]
    positions: np.dtype[Any] | None  # the dtype of indices, which maxima may have

    @property
    def dtypes(self) -> tuple[np.dtype[Any], ...]:
        return (self.dtype,) if self.positions is None else (self.dtype, self.positions)

    def kernel(self, x: np.dtype[Any]) -> Kernel:
        element = ELEMENTS[_dtypes.name_of(x)]
        if self.reduce == "avg":
            return average_kernel(element, ELEMENTS[_dtypes.name_of(self.dtype)], True)
        return maximum_kernel(element, self.positions is not None)


def wanted_of(
    function: str,
    reduce: str,
    shape: tuple[int, ...],
    x_dtype: np.dtype[Any],
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: Windows,
    dtype: np.dtype[Any] | None,
    positions: np.dtype[Any] | None = None,
) -> Wanted:
    """Describe a result of an array of that shape and dtype, or raise."""
    if reduce == "avg":
        y_dtype = _dtypes.mean_dtype(function, x_dtype, dtype)
        itemsize = y_dtype.itemsize
    else:
        check_unweighted(function, windows)
        y_dtype = x_dtype
        itemsize = max(y_dtype.itemsize, 0 if positions is None else positions.itemsize)
    problem = make_problem(function, shape, sizes, data_format, windows, itemsize)
    if positions is not None:
        _dtypes.check_index_dtype(function, positions, problem.plane)
    return Wanted(reduce, problem, y_dtype, positions)


def is_small(x: Array) -> bool:
    """Whether results of an array are sooner made by a call for each."""
    return x.nbytes <= _SMALL


def pool_together(
    function: str,
    x: Array,
    wanted: Sequence[Wanted],
    out: Sequence[Any] | None,
    num_threads: int | None,
    empty: Callable[[tuple[int, ...], np.dtype[Any]], Array] = np.empty,
) -> list[Array]:
    """Return all results: of each the values, and the indices if wanted.

    `out` has an array for each of these. They are taken themselves only where nothing can fail once
    they are written to; the caller delivers the others. `empty` makes arrays for results.
    """
    x_dtype = _dtypes.native(x.dtype)
    tables = [each.problem.cut() for each in wanted]
    for each, windows in zip(wanted, tables, strict=True):
        if each.reduce == "avg" and each.problem.plane > _dtypes.LARGEST_EXACT_WINDOW and windows:
            _dtypes.check_exact_sum(function, x_dtype, int(windows.largest))
    work = sum(each.problem.elements for each in wanted) * x_dtype.itemsize
    threads = threads_for(function, num_threads, int(work))
    x = native(x)
    made_of = _made_of(function, wanted)
    kinds = [(each.problem, dtype) for each in wanted for dtype in each.dtypes]
    if out is None or made_of:
        results = [empty(problem.output_shape, dtype) for problem, dtype in kinds]
    else:
        results = [
            result_array(function, f"out[{k}]", target, problem.output_shape, dtype, problem, x)
            for k, (target, (problem, dtype)) in enumerate(zip(out, kinds, strict=True))
        ]
    if out is not None:
        check_targets(function, out, results)
    each_of = iter(results)
    arrays = [tuple([next(each_of) for _ in each.dtypes]) for each in wanted]

    def run(numbers: list[int]) -> None:
        some = [(k, windows) for k in numbers if (windows := tables[k]) is not None]
        if some:
            run_results(
                [(x, *arrays[k]) for k, _ in some],
                [windows for _, windows in some],
                tuple([wanted[k].kernel(x_dtype) for k, _ in some]),
                threads,
            )

    run([k for k in range(len(wanted)) if k not in made_of])
    element = ELEMENTS[_dtypes.name_of(x_dtype)]
    for k, (other, ranges) in made_of.items():
        fine, problem = arrays[other][0], wanted[other].problem
        if other not in made_of and not is_settled(fine):
            run([*made_of])
            break
        windows = windows_given(problem.first_axis, problem.output_size, ranges)
        few = threads_for(function, num_threads, fine.nbytes)
        maximum(fine, arrays[k][0], None, windows, element, few)
    return results


def _made_of(function: str, wanted: Sequence[Wanted]) -> dict[int, tuple[int, tuple[Any, ...]]]:
    """Find maxima that are made of others: of which, and of which windows of these.

    They are in such an order that those come first.
    """
    numbers = [
        k
        for k, each in enumerate(wanted)
        if each.reduce == "max" and each.positions is None and each.problem.computes
    ]
    if len(numbers) < 2:
        return {}
    numbers.sort(key=lambda k: wanted[k].problem.elements, reverse=True)
    tables = {k: tables_of(function, wanted[k].problem) for k in numbers}
    made_of: dict[int, tuple[int, tuple[Any, ...]]] = {}
    for place, k in enumerate(numbers):
        for other in reversed(numbers[max(place - _CANDIDATES, 0) : place]):  # the coarsest
            ranges = ranges_of(tables[other], tables[k])
            if ranges is not None:
                made_of[k] = (other, ranges)
                break
    return made_of
