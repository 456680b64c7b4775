"""Inputs of many problems in one call: the same in every process."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from cases import INTEGERS, Case
from data import dtype_of

PROPORTIONS = (1.0, 4 / 3, 3 / 2, 16 / 9)  # of photographs, upright or not
KNOTS = 40  # pixels from one to the next random number
MEAN, STD = (0.485, 0.456, 0.406, 0.5), (0.229, 0.224, 0.225, 0.25)  # ImageNet's; of a fourth


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


def _sizes_of_pictures(case: Case) -> list[tuple[int, int]]:
    """Return heights and widths: numbers of pixels by their logarithm, shapes of photographs."""
    generator, (lead, _, *longest) = np.random.default_rng(9), case.shape
    few, many = np.log(np.prod(case.least)), np.log(np.prod(longest))
    pixels = np.exp(generator.uniform(few, many, lead))
    proportions = generator.choice(PROPORTIONS, lead) ** generator.choice([-1, 1], lead)
    heights, widths = np.sqrt(pixels * proportions), np.sqrt(pixels / proportions)
    return [(max(1, round(h)), max(1, round(w))) for h, w in zip(heights, widths, strict=True)]


def _curve(generator: np.random.Generator, length: int) -> np.ndarray:
    """Return bytes up to 127 that change slowly."""
    knots = np.arange(0, length + KNOTS, KNOTS)
    values = generator.uniform(0, 127, len(knots))
    return np.interp(np.arange(length), knots, values).astype(np.uint8)


def pictures_of(case: Case) -> list[np.ndarray]:
    """Return smooth pictures of bytes with channels last: a curve of rows and one of columns."""
    generator, channels, pictures = np.random.default_rng(10), case.shape[1], []
    for height, width in _sizes_of_pictures(case):
        columns = np.stack([_curve(generator, width) for _ in range(channels)], axis=1)
        picture = _curve(generator, height)[:, np.newaxis] + columns.reshape(-1)
        pictures.append(picture.reshape(height, width, channels))
    return pictures


def normalisation_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel, of pictures from 0 to 1."""
    return np.array(MEAN[: case.shape[1]]), np.array(STD[: case.shape[1]])


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
