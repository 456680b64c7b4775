"""One library in a process of its own, which does what it is told on standard input.

Each line is a JSON object: {"prepare": case} makes the input and saves the result for checking;
{"time": seconds} answers with seconds per call, measured over about so many seconds.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Case

Call = Callable[[], Any]


def input_of(case: Case) -> np.ndarray:
    """The same numbers in every process, in the layout of the case, as float32."""
    x = np.random.default_rng(1).standard_normal(case.stored_shape, np.float32)
    return x if case.dtype == "float32" else x.round(2)


class AdaptivePool:
    """This library."""

    def __init__(self, threads: int) -> None:
        self.ap = importlib.import_module("adaptive_pool")
        self.ap.set_num_threads(threads)

    def prepare(self, case: Case) -> Call:
        dtype = np.dtype(case.dtype) if case.dtype != "bfloat16" else self._bfloat16()
        x = input_of(case).astype(dtype)
        options = {"data_format": case.data_format}
        kind = case.operation.partition("_")[0]
        pool = getattr(self.ap, f"adaptive_{kind}_pool{case.ndim}d")
        if case.operation == "avg":
            return lambda: pool(x, case.size, **options)
        if case.operation == "max":
            return lambda: pool(x, case.size, return_indices=True, **options)
        backward = getattr(self.ap, f"adaptive_{kind}_pool{case.ndim}d_backward")
        if kind == "avg":
            g = np.ones_like(pool(x, case.size, **options))
            return lambda: backward(g, x.shape, **options)
        y, indices = pool(x, case.size, return_indices=True, **options)
        g = np.ones_like(y)
        return lambda: backward(g, indices, x.shape, **options)

    @staticmethod
    def _bfloat16() -> np.dtype:
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)

    @staticmethod
    def as_numpy(result: Any, case: Case) -> list[np.ndarray]:
        results = result if isinstance(result, tuple) else (result,)
        return [r if r.dtype.kind in "iu" else r.astype(np.float32) for r in results]


class Torch:
    """PyTorch's CPU kernels; backward calls its raw operators, without autograd."""

    def __init__(self, threads: int) -> None:
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)

    def prepare(self, case: Case) -> Call:
        torch = self.torch
        x = torch.from_numpy(input_of(case)).to(getattr(torch, case.dtype))
        if case.data_format == "channels_last":  # its own layout: a view with strides
            x = torch.movedim(x, -1, 1)
        kind = case.operation.partition("_")[0]
        pool = getattr(torch.nn.functional, f"adaptive_{kind}_pool{case.ndim}d")
        if case.operation == "avg":
            return lambda: pool(x, case.size)
        if case.operation == "max":
            return lambda: pool(x, case.size, return_indices=True)
        if kind == "avg":
            g = torch.ones_like(pool(x, case.size))
            backward = getattr(torch.ops.aten, f"_adaptive_avg_pool{case.ndim}d_backward")
            return lambda: backward(g, x)
        y, indices = pool(x, case.size, return_indices=True)
        g = torch.ones_like(y)
        backward = getattr(torch.ops.aten, f"adaptive_max_pool{case.ndim}d_backward")
        return lambda: backward(g, x, indices)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        results = result if isinstance(result, tuple) else (result,)
        if case.data_format == "channels_last":
            results = tuple(self.torch.movedim(r, 1, -1) for r in results)
        return [(r.float() if r.is_floating_point() else r).numpy() for r in results]


LIBRARIES = {"adaptive_pool": AdaptivePool, "torch": Torch}


def seconds_per_call(call: Call, budget: float) -> float:
    """Repeat a call for about `budget` seconds."""
    start = time.perf_counter()
    call()
    count = max(1, int(budget / max(time.perf_counter() - start, 1e-7)))
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def main() -> None:
    """Serve until standard input ends."""
    library = LIBRARIES[sys.argv[1]](int(sys.argv[2]))
    call: Call | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            case = Case(
                **{k: tuple(v) if isinstance(v, list) else v for k, v in request["prepare"].items()}
            )
            call = library.prepare(case)
            np.savez(request["save"], *library.as_numpy(call(), case))
            print("ready", flush=True)
        elif call is not None:
            print(seconds_per_call(call, request["time"]), flush=True)


if __name__ == "__main__":
    main()
