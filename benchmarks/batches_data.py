"""Inputs of many problems in one call: the same in every process."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from cases import INTEGERS, Case
from data import dtype_of


def _numbers(generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Integers of a dtype, or numbers from -1 to 1."""
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    x = generator.random(shape, np.float32)
    x *= 2
    x -= 1
    return x.astype(dtype_of(dtype), copy=False)


def lengths_of_items(case: Case) -> np.ndarray:
    """Return the lengths of each item, evenly spread, on each pooled axis."""
    longest = np.array(case.shape[2:])
    return np.random.default_rng(7).integers(case.least, longest + 1, (case.shape[0], case.ndim))


def items_of(case: Case) -> list[np.ndarray]:
    """Return arrays of many sizes, in the layout of the case, each in memory of its own."""
    generator, channels = np.random.default_rng(8), case.shape[1:2]
    first = case.data_format == "channels_first"
    shapes = [tuple(lengths) for lengths in lengths_of_items(case).tolist()]
    stored = [channels + shape if first else shape + channels for shape in shapes]
    return [_numbers(generator, shape, case.dtype) for shape in stored]


def packed_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return items one after the other, tokens first or last, and where each begins and ends."""
    offsets = np.concatenate([[0], np.cumsum(lengths_of_items(case)[:, 0])])
    shape = (int(offsets[-1]), case.shape[1])
    if case.data_format == "channels_first":
        shape = shape[::-1]
    return _numbers(np.random.default_rng(8), shape, case.dtype), offsets


def halvings_of(case: Case) -> int:
    """Return how often a pyramid halves its axes: from their lengths to those of the last level."""
    length, last = case.pooled[0]
    return (length // last).bit_length() - 1


def parts_of(case: Case, values: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    """Return the items of packed values, as views."""
    if case.data_format == "channels_first":
        return [values[:, start:end] for start, end in pairwise(offsets.tolist())]
    return [values[start:end] for start, end in pairwise(offsets.tolist())]
