"""Many items in one call: where their results go, and how they are run, some at a time.

What is kept for an item, its windows above all, is made when its turn comes, so that memory does
not grow with the number of items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import _dtypes
from ._arrays import Array
from ._kernels.call.item_runs import run_items
from ._kernels.call.kernel import Kernel
from ._kernels.call.problem import Problem
from ._kernels.call.tables import Windows
from ._problem import check_out

AT_ONCE = 64  # items whose arrays and windows kernels have at a time


def result_of_items(
    function: str,
    name: str,
    out: object,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    count: int,
    read: Iterable[Array],
    *,
    merges: bool = True,
    any_strides: bool = False,
) -> Array:
    """Return the array for results of so many items: `out`, if nothing can fail once that is begun.

    Of more items than kernels have at a time some are stored before the others are known. And
    unless axes that are not pooled merge, as they do in an `out` without gaps, part of an item is
    stored before there is memory for the rest.
    """
    if out is None:
        return np.empty(shape, dtype)
    target = check_out(function, name, out, shape, dtype)
    is_apart = (
        target.flags.aligned
        and count <= AT_ONCE
        and merges
        and (any_strides or target.flags.c_contiguous)
        and not any(np.may_share_memory(target, x) for x in read)
    )
    return target if is_apart else np.empty(shape, dtype)


def check_exact_sums(
    function: str, name: str, dtype: np.dtype[Any], problems: Sequence[Problem]
) -> None:
    """Raise if the sum of a window of an item might not fit the exact sums of wide integers."""
    for k, problem in enumerate(problems):
        large = problem.plane > _dtypes.LARGEST_EXACT_WINDOW
        if large and (windows := problem.cut()) is not None:
            _dtypes.check_exact_sum(f"{function}: {name}[{k}]", dtype, int(windows.largest))


def largest_first(sizes: Sequence[float]) -> list[int]:
    """Return the numbers of items, those of the largest ones first."""
    return sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True)


def run_in_turn(
    kernel_for: Callable[[list[Windows]], Kernel],
    items: Sequence[int],
    arrays_of: Callable[[int], tuple[Array, ...]],
    problems: Sequence[Problem],
    threads: int,
) -> bool:
    """Run the kernel for some windows on items of these numbers; return what it found, or-ed.

    No array of any of them is empty.
    """
    found = False
    for begin in range(0, len(items), AT_ONCE):
        some = items[begin : begin + AT_ONCE]
        cut = {problems[k]: problems[k].cut() for k in some}
        tables = [windows for k in some if (windows := cut[problems[k]]) is not None]
        found |= run_items([arrays_of(k) for k in some], tables, kernel_for(tables), threads)
    return found
