"""Packed values in NumPy: reductions of items by their offsets, and the limit that reading sets."""

from __future__ import annotations

from typing import Any

import numpy as np
from batches_data import packed_of
from cases import Case
from library import Call, Library


class ReduceatOfItems(Library):
    """`reduceat` over the offsets; of means, divided by the lengths of the items."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "packed" or case.size != (1,) or case.data_format != "channels_last":
            return None
        values, offsets = packed_of(case)
        starts = offsets[:-1]
        if case.operation != "avg":
            return lambda: np.maximum.reduceat(values, starts, axis=0)
        lengths = np.diff(offsets)[:, np.newaxis].astype(np.float32)
        return lambda: np.add.reduceat(values, starts, axis=0) / lengths

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.reshape(case.output_shape)]


class Sum(Library):
    """The sum of all packed values, which reads each of them once. NumPy has one thread."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "packed":
            return None
        values, _ = packed_of(case)
        return lambda: np.add.reduce(values, axis=None)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return []  # it is another result
