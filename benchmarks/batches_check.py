"""Results of many problems in one call are compared before they are timed.

With a call of this library for each problem they agree to the bit. With others they agree within
the tolerances of `check.py`, which are those of the longest windows. Pictures are held against
exact means over the windows of each library, levels of pyramids against exact means of blocks.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from batches_data import halvings_of, normalisation_of, pictures_of
from batches_pyramids import TensorStoreLevels
from cases import Case
from check import FLOAT32, means_of, same, tolerance
from data import input_of
from peers import LIBRARIES


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return (a.shape, a.dtype) == (b.shape, b.dtype) and a.tobytes() == b.tobytes()


def _is_ours(library: str) -> bool:
    return issubclass(LIBRARIES[library], LIBRARIES["adaptive_pool"])


@functools.lru_cache(maxsize=3)  # a rule for each library, and the same for any number of threads
def _exact(case: Case, rule: str) -> np.ndarray:
    """Return exact means of pictures, in the layout of the case."""
    pictures, size = pictures_of(case), [count for _, count in case.pooled]
    means = np.stack([means_of(picture, 0, rule, size) for picture in pictures])
    return np.moveaxis(means, -1, 1) if case.data_format == "channels_first" else means


def _is_normalised(case: Case, library: str, y: np.ndarray) -> bool:
    """Whether pictures are means over the windows of a library, normalised.

    Those that resize to bytes are off by as many levels as `levels` says. In float32 a mean, a
    scale, an offset, a product and a sum are rounded: the mean, of exact sums, up to twice.
    """
    kind, rule = LIBRARIES[library], "area" if _is_ours(library) else LIBRARIES[library].windows
    exact = _exact(dataclasses.replace(case, cold=False), rule)
    along = (-1, 1, 1) if case.data_format == "channels_first" else (-1,)
    mean, std = (numbers.reshape(along) for numbers in normalisation_of(case))
    bytes_off = kind.levels if kind.windows in ("area", "box") else 0
    bound = 6 * FLOAT32 * (exact / 255 + mean) / std + bytes_off / 255 / std
    expected = (exact / 255 - mean) / std
    return y.shape == expected.shape and bool((np.abs(y - expected) <= bound).all())


@functools.lru_cache(maxsize=1)
def _sums(case: Case) -> list[np.ndarray]:
    """Return the exact sums of the blocks of each level: of 16 bits, up to eight levels."""
    levels = [input_of(case).astype(np.uint32)]
    for _ in range(halvings_of(case)):
        x = levels[-1]
        rows = x[..., ::2, :] + x[..., 1::2, :]
        levels.append(rows[..., ::2] + rows[..., 1::2])
    return levels[1:]


def _are_levels(case: Case, library: str, levels: list[np.ndarray]) -> bool:
    """Whether each level is as near to the means of its blocks as a library's rounding allows.

    Level k of the level before has rounded k times.
    """
    kind = LIBRARIES[library]
    for k, (sums, level) in enumerate(zip(_sums(case), levels, strict=True), 1):
        if sums.shape != level.shape or level.dtype != case.dtype:
            return False
        off = np.abs(sums / 4**k - level).max()
        if off > kind.levels * (k if kind is TensorStoreLevels else 1):
            return False
    return True


def _parts(case: Case) -> list[Case]:
    """Return the problem that each array of a result solves."""
    operations = {"both": ("avg", "max"), "both_indices": ("avg", "max", "max")}
    sizes = [(size, size) for size in case.sizes] or [case.size]
    return [
        dataclasses.replace(case, operation=operation, size=size)
        for operation in operations.get(case.operation, (case.operation,))
        for size in sizes
    ]


def _is_right(case: Case, library: str, y: list[np.ndarray], ours: list[np.ndarray]) -> bool:
    if len(y) != len(ours):
        return False
    if _is_ours(library) and not all(map(_same_bits, ours, y)):
        return False
    if case.batch == "pictures":
        return _is_normalised(case, library, y[0])
    if case.batch == "pyramid":
        return _are_levels(case, library, y)
    return all(
        same(a, b, *tolerance(part)) for a, b, part in zip(ours, y, _parts(case), strict=True)
    )


def check_batch(case: Case, results: dict[str, list[np.ndarray]]) -> None:
    """Raise if a library does not compute what the case says; a baseline may have no results."""
    ours = results["adaptive_pool"]
    for library, theirs in results.items():
        if theirs and not _is_right(case, library, theirs, ours):
            raise ValueError(f"{case.name}: {library} does not compute it")
