"""This library, a call for each problem: what one call for all is held against."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from batches_data import halvings_of, items_of, packed_of, parts_of, pictures_of
from batches_ours import tensors_of
from cases import Case
from data import dtype_of, input_of
from library import Call, flat
from ours import AdaptivePool
from timing import SECONDS, seconds_per_call


def _each(ap: ModuleType, case: Case, items: list[np.ndarray]) -> Call:
    """Return a call for each item, with one thread: items are small."""
    pool = getattr(ap, f"adaptive_{case.operation[:3]}_pool{case.ndim}d")
    size, given = case.size, {"data_format": case.data_format, "num_threads": 1}
    return lambda: np.stack([pool(item, size, **given) for item in items])


def _each_picture(case: Case) -> Call:
    calls = [tensors_of(case, [picture]) for picture in pictures_of(case)]
    return lambda: np.concatenate([call() for call in calls])


def _pools(ap: ModuleType, case: Case) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
    """Return the single operations of a case, and what each is given."""
    average, maximum = ap.adaptive_avg_pool2d, ap.adaptive_max_pool2d
    return {
        "avg": [(average, {})],
        "max_values": [(maximum, {})],
        "both": [(average, {}), (maximum, {})],
        "both_indices": [(average, {}), (maximum, {"return_indices": True})],
    }[case.operation]


def calls_of_each(ap: ModuleType, case: Case) -> list[Call]:
    """Return a call for each operation and each size, on one input."""
    x = input_of(case).astype(dtype_of(case.dtype), copy=False)
    sizes = [(size, size) for size in case.sizes] or [case.size]
    return [
        functools.partial(pool, x, size, data_format=case.data_format, **given)
        for pool, given in _pools(ap, case)
        for size in sizes
    ]


def _all_of(calls: list[Call]) -> Call:
    return lambda: flat(call() for call in calls)


def _levels(ap: ModuleType, case: Case) -> Call:
    """Return a call for each level, all on the input; means of integers are integers."""
    x, lengths = input_of(case), case.shape[-case.ndim :]
    sizes = [tuple(n >> k for n in lengths) for k in range(1, halvings_of(case) + 1)]
    return lambda: [ap.adaptive_avg_pool2d(x, size, dtype=x.dtype) for size in sizes]


# By the name that `batches_ours.py` has for a call.
SINGLE_CALLS: dict[str, Callable[[ModuleType, Case], Call]] = {
    "ragged": lambda ap, case: _each(ap, case, items_of(case)),
    "together": lambda ap, case: _all_of(calls_of_each(ap, case)),
    "sizes": lambda ap, case: _all_of(calls_of_each(ap, case)),
    "pyramid": _levels,
    "pictures": lambda _, case: _each_picture(case),
    "packed": lambda ap, case: _each(ap, case, parts_of(case, *packed_of(case))),
}


class SlowestAlone(AdaptivePool):
    """The slowest of the single calls that one call stands for: told by samples of each."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.known: dict[Case, int] = {}  # which it is, the same for all copies of a cold case

    def prepare(self, case: Case) -> Call | None:
        if case.batch not in ("together", "sizes"):
            return None
        calls = calls_of_each(self.ap, case)
        if case not in self.known:
            samples = [[seconds_per_call(call, SECONDS / 10) for _ in range(3)] for call in calls]
            seconds = [min(taken) for taken in samples]
            self.known[case] = seconds.index(max(seconds))
        return calls[self.known[case]]

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return []  # it is a part of the result


class SingleCalls(AdaptivePool):
    """A loop over the problems. The results are the same to the bit."""

    def prepare(self, case: Case) -> Call | None:
        return SINGLE_CALLS[case.batch](self.ap, case)
