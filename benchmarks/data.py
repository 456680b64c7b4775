"""The numbers that are pooled: the same in every process, in the layout of the case."""

from __future__ import annotations

import numpy as np
from cases import Case


def _numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).random(shape, np.float32)
    x *= 2
    x -= 1
    return x


def input_of(case: Case) -> np.ndarray:
    """Float32 from -1 to 1, for a library to convert to the dtype of the case; or uint8."""
    if case.dtype == "uint8":
        return np.random.default_rng(1).integers(0, 256, case.input_shape, np.uint8)
    return _numbers(case.input_shape, 1)


def gradient_of(case: Case) -> np.ndarray:
    """Gradient of the output."""
    return _numbers(case.output_shape, 2)
