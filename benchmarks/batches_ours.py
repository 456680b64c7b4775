"""Many problems in one call of this library."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from batches_data import items_of, packed_of
from cases import Case
from library import Call


def _ragged(ap: ModuleType, case: Case) -> Call:
    pool = getattr(ap, f"adaptive_{case.operation[:3]}_pool{case.ndim}d_ragged")
    items, layout = items_of(case), case.data_format
    return lambda: pool(items, case.size, data_format=layout)


def _packed(ap: ModuleType, case: Case) -> Call:
    pool = getattr(ap, f"adaptive_{case.operation[:3]}_pool1d_packed")
    (values, offsets), layout = packed_of(case), case.data_format
    return lambda: pool(values, offsets, case.size, data_format=layout)


# To add a way to give many problems: its call here, its single calls in `batches_alone.py`.
CALLS: dict[str, Callable[[ModuleType, Case], Call]] = {
    "ragged": _ragged,
    "packed": _packed,
}
