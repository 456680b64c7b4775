"""Many problems in PyTorch: a call for each, or its reductions of segments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from batches_data import items_of, packed_of, parts_of
from cases import INTEGERS, Case
from data import input_of
from library import Call, flat
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
        if case.batch not in ("ragged", "packed") or case.dtype in (
            "float16",
            "bfloat16",
        ):  # NumPy's, and none of PyTorch's
            return None
        arrays = items_of(case) if case.batch == "ragged" else parts_of(case, *packed_of(case))
        items, pool, stack = self.tensors(arrays, case), self.pool(case), self.torch.stack
        return lambda: stack([pool(item) for item in items])


class TorchCalls(TorchBatch):
    """A call for each operation and each size, on one input."""

    def prepare(self, case: Case) -> Call | None:
        if case.batch not in ("together", "sizes"):
            return None
        x = self._tensor(input_of(case), case)
        pools = self.torch.nn.functional
        average, maximum = pools.adaptive_avg_pool2d, pools.adaptive_max_pool2d
        chosen = {"avg": [average], "max_values": [maximum], "both": [average, maximum]}
        chosen["both_indices"] = [average, functools.partial(maximum, return_indices=True)]
        sizes = [(size, size) for size in case.sizes] or [case.size]
        calls = [(pool, size) for pool in chosen[case.operation] for size in sizes]

        def pool_all() -> tuple[Any, ...]:
            given = x.float() if case.dtype in INTEGERS else x
            return tuple(flat(pool(given, size) for pool, size in calls))

        return pool_all


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
