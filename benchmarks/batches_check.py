"""Results of many problems in one call are compared before they are timed.

With a call of this library for each problem they agree to the bit. With others they agree within
the tolerances of `check.py`, which are those of the longest windows. Levels of pyramids are held
against exact means of blocks.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from batches_data import halvings_of
from batches_pyramids import TensorStoreLevels
from cases import Case
from check import same, tolerance
from data import input_of
from peers import LIBRARIES


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return (a.shape, a.dtype) == (b.shape, b.dtype) and a.tobytes() == b.tobytes()


def _is_ours(library: str) -> bool:
    return issubclass(LIBRARIES[library], LIBRARIES["adaptive_pool"])


@functools.lru_cache(maxsize=1)
def _sums(case: Case) -> list[np.ndarray]:
    """Return the exact sums of the blocks of each level of a pyramid of integers."""
    levels = [input_of(case).astype(np.uint64)]
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
