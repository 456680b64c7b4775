"""PyTorch."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from cases import INTEGERS, Case
from data import gradient_of, input_of
from library import Call, Library, flat


class Torch(Library):
    """PyTorch's CPU kernels; backward calls its raw operators, without autograd.

    It pools no integers of up to 16 bits: they are made float32 in every call, as users do. In one
    dimension it has no backward passes: autograd takes those of two, with an axis of 1.
    """

    module = "torch"
    distribution = "torch"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)
        self.torch.set_grad_enabled(False)

    def _tensor(self, array: np.ndarray, case: Case) -> Any:
        """Channels last is its own memory format: a view with strides."""
        tensor = self.torch.from_numpy(array).to(getattr(self.torch, case.dtype))
        return tensor if case.data_format == "channels_first" else tensor.movedim(-1, 1)

    def prepare(self, case: Case) -> Call | None:
        if case.result:
            return None
        size, kind = case.size, case.operation[:3]
        if case.operation == "avg_backward":  # of the input, only the shape is used
            x = self._tensor(np.empty(case.input_shape, np.float32), case)
        else:
            x = self._tensor(input_of(case), case)
        pool = getattr(self.torch.nn.functional, f"adaptive_{kind}_pool{case.ndim}d")
        if case.operation == "max":
            if case.dtype in INTEGERS:
                return lambda: pool(x.float(), size, return_indices=True)
            return lambda: pool(x, size, return_indices=True)
        if case.operation in ("avg", "max_values"):
            if case.dtype in INTEGERS:
                return lambda: pool(x.float(), size)
            return lambda: pool(x, size)
        g = self._tensor(gradient_of(case), case)
        indices = pool(x, size, return_indices=True)[1] if kind == "max" else None
        if case.ndim == 1:
            x, g, indices = (t if t is None else t.unsqueeze(2) for t in (x, g, indices))
        prefix, ndim = "_" if kind == "avg" else "", max(2, case.ndim)
        name = f"{prefix}adaptive_{kind}_pool{ndim}d_backward"
        backward = getattr(self.torch.ops.aten, name)
        if indices is None:
            return lambda: backward(g, x)
        return lambda: backward(g, x, indices)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        results = flat([result])
        results = [r.squeeze(2) if r.dim() > 2 + case.ndim else r for r in results]
        if case.data_format == "channels_last":
            results = [r.movedim(1, -1) for r in results]
        return [(r.float() if r.dtype.itemsize == 2 else r).numpy() for r in results]
