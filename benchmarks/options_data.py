"""What options are, by name, and inputs with what they leave out: the same in every process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Case

NODATA = 1  # which every dtype has
HOLES = 0.2  # of an input
COUNTED = 0.75  # of what a mask says here and there
SHORTEST = 32  # lengths are from this part of an axis on


def with_holes(case: Case, x: np.ndarray) -> np.ndarray:
    """Return an input with NaN, or a number that stands for no data, where elements are missing."""
    if case.options in ("holes", "nodata"):
        missing = np.random.default_rng(3).random(x.shape, np.float32) < HOLES
        x[missing] = np.nan if case.options == "holes" else NODATA
    return x


def lengths_of(case: Case) -> np.ndarray:
    """Return the lengths of each sample, evenly spread, on each pooled axis."""
    sizes = np.array([size for size, _ in case.pooled])
    least = np.maximum(sizes // SHORTEST, 1)
    return np.random.default_rng(4).integers(least, sizes + 1, (case.shape[0], case.ndim))


def _stored(case: Case, mask: np.ndarray) -> np.ndarray:
    if case.data_format == "channels_last":
        mask = np.moveaxis(mask, 1, -1)
    return np.ascontiguousarray(mask)


def _mask(case: Case) -> np.ndarray:
    """Return the mask that says the same as lengths, for all channels."""
    mask = np.ones((case.shape[0], 1, *case.shape[2:]), bool)
    for axis, lengths in enumerate(lengths_of(case).T, 2):
        within = np.arange(mask.shape[axis]) < lengths[:, np.newaxis]
        shape = [1] * mask.ndim
        shape[0], shape[axis] = within.shape
        mask &= within.reshape(shape)
    return _stored(case, mask)


def _scattered(case: Case, channels: int) -> np.ndarray:
    shape = (case.shape[0], channels, *case.shape[2:])
    return _stored(case, np.random.default_rng(5).random(shape, np.float32) < COUNTED)


def _regions(case: Case) -> np.ndarray:
    """Return regions of any size anywhere, none of them empty."""
    generator, count = np.random.default_rng(6), case.regions
    columns = [generator.integers(0, case.shape[0], count)]
    for size, _ in case.pooled:
        starts = generator.integers(0, size, count)
        columns += [starts, generator.integers(starts + 1, size + 1)]
    return np.stack(columns, axis=1)


# To add options: what a call is given for a case, by name.
OPTIONS: dict[str, Callable[[Case], dict[str, Any]]] = {
    "lengths": lambda case: {"lengths": lengths_of(case)},
    "mask": lambda case: {"where": _mask(case)},
    "gaps": lambda case: {"where": _scattered(case, 1)},
    "where": lambda case: {"where": _scattered(case, case.shape[1])},
    "holes": lambda case: {"nan_policy": "omit"},  # noqa: ARG005
    "nodata": lambda case: {"nodata": NODATA},  # noqa: ARG005
    "regions": lambda case: {"regions": _regions(case)},
    "area": lambda case: {"windows": "area"},  # noqa: ARG005
}


def options_of(case: Case) -> dict[str, Any]:
    """Return what a call is given, in the layout of the case."""
    return OPTIONS[case.options](case)
