"""Many problems in one call of this library."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType

import numpy as np
from batches_data import halvings_of, items_of, normalisation_of, packed_of, pictures_of
from cases import Case
from data import dtype_of, input_of
from library import Call

REDUCTIONS = {"avg": "avg", "max_values": "max", "both": ("avg", "max")}


def tensors_of(case: Case, pictures: list[np.ndarray]) -> Call:
    """Return a call that makes one tensor of pictures."""
    to_tensor = importlib.import_module("adaptive_pool.pictures").to_tensor
    layout = "NCHW" if case.data_format == "channels_first" else "NHWC"
    mean, std = (numbers.tolist() for numbers in normalisation_of(case))
    return lambda: to_tensor(pictures, case.size, mean=mean, std=std, layout=layout)


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


def _pictures(_: ModuleType, case: Case) -> Call:
    return tensors_of(case, pictures_of(case))


# To add a way to give many problems: its call here, its single calls in `batches_alone.py`.
CALLS: dict[str, Callable[[ModuleType, Case], Call]] = {
    "ragged": _ragged,
    "packed": _packed,
    "pictures": _pictures,
    "together": _together,
    "sizes": _sizes,
    "pyramid": _pyramid,
}
