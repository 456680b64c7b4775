"""This library, and the limit that reading sets to all of them."""

from __future__ import annotations

import importlib
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from batches_ours import CALLS
from cases import INTEGERS, Case
from data import dtype_of, gradient_of, input_of
from library import Call, Library
from options_data import options_of


class AdaptivePool(Library):
    """This library. The whole Python call is timed."""

    module = "adaptive_pool"
    distribution = "adaptive-pool"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.ap = importlib.import_module("adaptive_pool")
        self.ap.set_num_threads(threads)

    def with_options(self, case: Case, options: dict[str, Any]) -> Call:
        """Return a call with the input of a case, and these options."""
        dtype, shape, given = dtype_of(case.dtype), case.input_shape, {**options}
        given["data_format"] = case.data_format
        kind, backward = case.operation[:3], case.operation.endswith("backward")
        name = f"adaptive_{kind}_pool{case.ndim}d"
        pool, gradient = getattr(self.ap, name), getattr(self.ap, f"{name}_backward")
        if case.result:
            given["dtype"] = dtype_of(case.result)
        x = input_of(case).astype(dtype, copy=False)
        g = gradient_of(case).astype(dtype, copy=False) if backward else None
        if case.operation == "avg_backward":
            if {"nan_policy", "nodata"} & given.keys():
                given["x"] = x
            return lambda: gradient(g, shape, **given)
        if kind == "max" and case.dtype in INTEGERS and options:
            given["empty"] = 0
        if case.operation in ("max", "max_backward"):
            given["return_indices"] = True
        if not backward:
            return lambda: pool(x, case.size, **given)
        _, indices = pool(x, case.size, **given)
        given = {k: given[k] for k in ("data_format", "regions") if k in given}
        return lambda: gradient(g, indices, shape, **given)

    def prepare(self, case: Case) -> Call | None:
        if case.batch:
            return CALLS[case.batch](self.ap, case)
        if case.options:
            return self.with_options(case, options_of(case))
        dtype, layout = dtype_of(case.dtype), case.data_format
        size, shape = case.size, case.input_shape
        name = f"adaptive_{case.operation[:3]}_pool{case.ndim}d"
        pool, gradient = getattr(self.ap, name), getattr(self.ap, f"{name}_backward")
        if case.operation == "avg_backward":
            g = gradient_of(case).astype(dtype, copy=False)
            return lambda: gradient(g, shape, data_format=layout)
        x = input_of(case).astype(dtype, copy=False)
        if case.result:
            result = dtype_of(case.result)
            return lambda: pool(x, size, data_format=layout, dtype=result)
        if case.operation in ("avg", "max_values"):
            return lambda: pool(x, size, data_format=layout)
        if case.operation == "max":
            return lambda: pool(x, size, return_indices=True, data_format=layout)
        _, indices = pool(x, size, return_indices=True, data_format=layout)
        g = gradient_of(case).astype(dtype, copy=False)
        return lambda: gradient(g, indices, shape, data_format=layout)


class Reading(Library):
    """The practical limit: summing as many bytes as the input has, with every thread.

    PyTorch's sum where it is installed, and NumPy's of whole words, in pieces, otherwise.
    """

    module = "numpy"
    distribution = "numpy"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.torch = None
        if importlib.util.find_spec("torch"):
            self.torch = importlib.import_module("torch")
            self.torch.set_num_threads(threads)
        self.pool = ThreadPoolExecutor(threads)

    def prepare(self, case: Case) -> Call:
        if self.torch:
            return self.torch.ones(case.input_bytes // 4).sum
        words = np.ones(case.input_bytes // 8, np.uint64)
        if self.threads == 1 or words.nbytes < 1 << 20:  # a piece would cost more than it saves
            return words.sum
        pieces = np.array_split(words, self.threads)
        return lambda: sum(self.pool.map(np.sum, pieces))

    def as_numpy(self, result: object, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return []
