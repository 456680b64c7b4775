"""This library, a call for each problem: what one call for all is held against."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
from batches_data import items_of, packed_of, parts_of
from cases import Case
from library import Call
from ours import AdaptivePool


def _each(ap: ModuleType, case: Case, items: list[np.ndarray]) -> Call:
    """Return a call for each item, with one thread: items are small."""
    pool = getattr(ap, f"adaptive_{case.operation[:3]}_pool{case.ndim}d")
    size, given = case.size, {"data_format": case.data_format, "num_threads": 1}
    return lambda: np.stack([pool(item, size, **given) for item in items])


# By the name that `batches_ours.py` has for a call.
SINGLE_CALLS: dict[str, Callable[[ModuleType, Case], Call]] = {
    "ragged": lambda ap, case: _each(ap, case, items_of(case)),
    "packed": lambda ap, case: _each(ap, case, parts_of(case, *packed_of(case))),
}


class SingleCalls(AdaptivePool):
    """A loop over the problems. The results are the same to the bit."""

    def prepare(self, case: Case) -> Call | None:
        return SINGLE_CALLS[case.batch](self.ap, case)
