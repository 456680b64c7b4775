"""The numbers that are pooled: the same in every process, in the layout of the case."""

from __future__ import annotations

import functools
import importlib

import numpy as np
from cases import INTEGERS, Case
from options_data import with_holes


def dtype_of(name: str) -> np.dtype:
    """Return a dtype by its name; bfloat16 is that of `ml_dtypes`."""
    if name == "bfloat16":
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    return np.dtype(name)


@functools.lru_cache(maxsize=2)  # the copies of a cold case
def _numbers(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    x = generator.random(shape, np.float32)
    x *= 2
    x -= 1
    return x


def input_of(case: Case) -> np.ndarray:
    """Integers of the dtype of the case; or float32 from -1 to 1, which a library converts."""
    return with_holes(case, _numbers(case.input_shape, case.dtype, 1).copy())


def gradient_of(case: Case) -> np.ndarray:
    """Gradient of the output."""
    return _numbers(case.output_shape, "float32", 2).copy()
