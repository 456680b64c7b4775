"""Many problems in one call of this library."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
from batches_data import halvings_of, items_of, packed_of
from cases import Case
from data import dtype_of, input_of
from library import Call

REDUCTIONS = {"avg": "avg", "max_values": "max", "both": ("avg", "max")}


def _ragged(ap: ModuleType, case: Case) -> Call:
    pool = getattr(ap, f"adaptive_{case.operation[:3]}_pool{case.ndim}d_ragged")
    items, layout = items_of(case), case.data_format
    return lambda: pool(items, case.size, data_format=layout)


def _packed(ap: ModuleType, case: Case) -> Call:
    pool = getattr(ap, f"adaptive_{case.operation[:3]}_pool1d_packed")
    (values, offsets), layout = packed_of(case), case.data_format
    return lambda: pool(values, offsets, case.size, data_format=layout)


def _input(case: Case) -> np.ndarray:
    return input_of(case).astype(dtype_of(case.dtype), copy=False)


def _together(ap: ModuleType, case: Case) -> Call:
    x, size, layout = _input(case), case.size, case.data_format
    pool, indices = ap.adaptive_avg_max_pool2d, case.operation == "both_indices"
    return lambda: pool(x, size, return_indices=indices, data_format=layout)


def _sizes(ap: ModuleType, case: Case) -> Call:
    x, pool = _input(case), ap.spatial_pyramid_pool2d
    given = {"reduce": REDUCTIONS[case.operation], "data_format": case.data_format}
    return lambda: pool(x, case.sizes, **given)


def _pyramid(ap: ModuleType, case: Case) -> Call:
    x, count, reduce = _input(case), halvings_of(case) + 1, case.operation[:3]
    return lambda: ap.pyramid(x, count, reduce=reduce)[1:]  # the first is the input


# To add a way to give many problems: its call here, its single calls in `batches_alone.py`.
CALLS: dict[str, Callable[[ModuleType, Case], Call]] = {
    "ragged": _ragged,
    "packed": _packed,
    "together": _together,
    "sizes": _sizes,
    "pyramid": _pyramid,
}
