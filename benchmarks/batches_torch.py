"""Many problems in PyTorch: a call for each, or its reductions of segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from batches_data import items_of, packed_of, parts_of
from cases import INTEGERS, Case
from library import Call
from peers_torch import Torch


class TorchBatch(Torch):
    """PyTorch on arrays of the dtypes that it pools, and on integers made float32 in every call."""

    def tensors(self, items: list[np.ndarray], case: Case) -> list[Any]:
        """Return views with channels first; channels last is a matter of strides."""
        last = case.data_format == "channels_last"
        tensors = [self.torch.from_numpy(item) for item in items]
        return [tensor.movedim(-1, 0) if last else tensor for tensor in tensors]

    def pool(self, case: Case) -> Callable[[Any], Any]:
        """Return what pools one tensor."""
        name = f"adaptive_{case.operation[:3]}_pool{case.ndim}d"
        pool, size = getattr(self.torch.nn.functional, name), case.size
        if case.dtype in INTEGERS:
            return lambda x: pool(x.float(), size)
        return lambda x: pool(x, size)


class TorchLoop(TorchBatch):
    """A call for each item."""

    def prepare(self, case: Case) -> Call | None:
        if case.dtype in ("float16", "bfloat16"):  # NumPy's, and none of PyTorch's
            return None
        arrays = items_of(case) if case.batch == "ragged" else parts_of(case, *packed_of(case))
        items, pool, stack = self.tensors(arrays, case), self.pool(case), self.torch.stack
        return lambda: stack([pool(item) for item in items])


class TorchSegments(TorchBatch):
    """`segment_reduce` of packed values: it takes them channels last, to one number an item."""

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "packed" or case.size != (1,) or case.data_format != "channels_last":
            return None
        if case.dtype not in ("float32", "float64"):
            return None
        values, offsets = map(self.torch.from_numpy, packed_of(case))
        kind = "mean" if case.operation == "avg" else "max"
        reduce = self.torch.segment_reduce
        return lambda: reduce(values, kind, offsets=offsets, axis=0)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.numpy().reshape(case.output_shape)]
