"""Pooling where not all elements count: from a problem and what counts to the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _kernels
from ._arrays import Array
from ._counting import Counting, lowest_of
from ._dtypes import name_of
from ._kernels.call.elements import ELEMENTS
from ._parts import PartsProblem

_LARGEST_WINDOW = 2**32 - 1  # kernels count the elements of a column in 32 bits


def check_windows(problem: PartsProblem) -> None:
    """Raise for windows of more elements, or more weight, than can be counted."""
    if problem.plane > _LARGEST_WINDOW and (largest := problem.parts.largest) > _LARGEST_WINDOW:
        raise ValueError(
            f"{problem.function}: windows must not have more than {_LARGEST_WINDOW} elements "
            f"where not all count, nor weigh more by area, got one of {largest}"
        )


def average_counted(
    problem: PartsProblem,
    x: Array,
    y: Array,
    counting: Counting,
    elements: tuple[int, int],
    threads: int,
) -> None:
    """Average what counts into `y`; raise if windows have too little, unless it is settled.

    `elements` are the codes of those of both arrays.
    """
    check_windows(problem)
    if problem.wants_counts or problem.is_open:
        problem.counted = np.empty(problem.shape, np.int64)
    where = None if counting.where is None else problem.expand(counting.where)
    _average(problem, problem.expand(x), problem.expand(y), where, counting, elements, threads)


def _average(
    problem: PartsProblem,
    x: Array,
    means: Array,
    where: Array | None,
    counting: Counting,
    elements: tuple[int, int],
    threads: int,
) -> None:
    """Average arrays with an axis for parts; count into the numbers, if there are any."""
    numbers, rest = problem.counted, (problem.parts, *elements, counting.omits, counting.nodata)
    _kernels.average_counted(x, means, where, numbers, *rest, threads)
    if numbers is not None:
        problem.check_short(numbers)


def maximum_counted(
    problem: PartsProblem,
    x: Array,
    y: Array,
    indices: Array | None,
    counting: Counting,
    element: int,
    threads: int,
) -> None:
    """Store the maxima of what counts in `y`, likewise; `element` is the code of those."""
    check_windows(problem)
    x, y = problem.expand(x), problem.expand(y)
    where = None if counting.where is None else problem.expand(counting.where)
    places = None if indices is None else problem.expand(indices)
    some_empty = _kernels.maximum_counted(
        x,
        y,
        places,
        where,
        problem.parts,
        element,
        lowest_of(problem.dtype),
        counting.omits,
        counting.nodata,
        threads,
    )
    if not (problem.wants_counts or problem.least > 1 or (some_empty and problem.is_open)):
        return
    problem.counted = numbers = np.empty(problem.shape, np.int64)
    says = x if counting.omits or counting.nodata is not None else None
    rest = (element, counting.omits, counting.nodata, False, False, threads)
    _kernels.count(where, says, numbers, problem.parts, *rest)
    problem.check_short(numbers)
    short = numbers < problem.least
    if problem.least > 1 and short.any():
        y[short] = np.frombuffer(problem.filler, problem.dtype)[0]
        if places is not None:
            places[short] = -1


def average_backward_counted(
    problem: PartsProblem,
    gradient: Array,
    result: Array,
    x: Array | None,
    counting: Counting,
    element: int,
    threads: int,
) -> None:
    """Store the gradient of averages of what counts in `result`, of elements of that code."""
    check_windows(problem)
    problem.parts.fill_short(problem.least, bytes(8))
    where = None if counting.where is None else problem.expand(counting.where)
    x = None if x is None else problem.expand(x)
    # What each window gives to what weighs 1 of its elements that count; empty ones give nothing.
    shares = problem.expand(gradient.astype(np.float64))
    x_element = 0 if x is None else ELEMENTS[name_of(x.dtype)]
    rest = (x_element, counting.omits, counting.nodata)
    divides = gradient.dtype == np.float64
    if problem.is_weighted:
        _share_by_weight(problem, shares, where, x, rest, divides, threads)
    else:
        _kernels.count(where, x, shares, problem.parts, *rest, True, divides, threads)
    _kernels.average_backward_counted(
        shares, problem.expand(result), where, x, problem.parts, element, *rest, threads
    )


def _share_by_weight(
    problem: PartsProblem,
    shares: Array,
    where: Array | None,
    x: Array | None,
    rest: tuple[int, bool, bytes | None],
    divides: bool,
    threads: int,
) -> None:
    """Divide gradients by the weight that counts in each window, which the average finds."""
    seen: Any = where if x is None else x
    weights, means = np.empty(problem.shape, np.int64), np.empty(problem.shape, np.float32)
    element, omits, nodata = rest
    if x is None:
        element = ELEMENTS["bool"]
    elements = (element, ELEMENTS["float32"])
    _kernels.average_counted(
        seen, means, where, weights, problem.parts, *elements, omits, nodata, threads
    )
    short = weights < problem.least
    weights //= problem.units()  # as kernels weigh elements
    with np.errstate(all="ignore"):
        if divides:
            shares /= weights
        else:
            shares *= 1.0 / weights
    shares += 0.0
    shares[short] = 0
