"""What the sweep's results are summed up by, and the figures of a group.

Cells of PyTorch's own dtypes count in the row of all, in that of what is not in the cache, and in
those of their operation, rank and dtype. Those of integers, which PyTorch has to convert first,
count in the rows of their dtypes alone.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable

from cases import BLOCKS, CELLS, CELLS_OF_INTEGERS, FIRST, LAST, PICTURES_DRAWN
from drawn import DTYPES, RANKS

# A ratio below it, in two runs, is below 1 beyond noise.
NOISE = 0.95

# Neighbouring window lengths make a step if their times differ by more: see `smoothness.py`.
LIMIT = 1.5

TITLES = {
    "avg": "average",
    "max": "max with indices",
    "max_values": "max, values only",
    "avg_backward": "average backward",
    "max_backward": "max backward",
}
ALL, COLD = "all random cells", "input not in the cache"
PICTURES = "uint8 pictures"
Result = dict
Groups = dict[str, list[Result]]


@dataclasses.dataclass(frozen=True)
class Figures:
    """How many times longer the other library takes, over a group."""

    cells: int
    mean: float
    fifth: float
    least: float
    below: int

    @classmethod
    def of(cls, group: list[Result]) -> Figures:
        """Return the figures of a group."""
        ratios = sorted(result["ratio"] for result in group)
        below = sum(is_below(result) for result in group)
        mean, fifth = statistics.geometric_mean(ratios), ratios[len(ratios) // 20]
        return cls(len(ratios), mean, fifth, ratios[0], below)


def is_below(result: Result) -> bool:
    """Whether a cell is slower than the other library beyond noise: in both of its runs."""
    return max(result["ratio"], result.get("again", 1.0)) < NOISE


def _rules() -> list[tuple[str, Callable[[Result], bool]]]:
    def cell(r: Result) -> bool:
        return r["family"] == CELLS

    def kind(operation: str, layout: str) -> Callable[[Result], bool]:
        return lambda r: cell(r) and (r["operation"], r["data_format"]) == (operation, layout)

    def rank(ndim: int) -> Callable[[Result], bool]:
        return lambda r: cell(r) and len(r["size"]) == ndim

    def of_dtype(dtype: str) -> Callable[[Result], bool]:
        return lambda r: r["family"] in (CELLS, CELLS_OF_INTEGERS) and r["dtype"] == dtype

    def family(name: str) -> Callable[[Result], bool]:
        return lambda r: r["family"] == name

    return [
        (ALL, cell),
        (COLD, lambda r: cell(r) and r["cold"]),
        *(
            (f"{title}, {layout.replace('_', ' ')}", kind(operation, layout))
            for operation, title in TITLES.items()
            for layout in (FIRST, LAST)
        ),
        *((f"{ndim}d", rank(ndim)) for ndim in sorted(set(RANKS))),
        *((dtype, of_dtype(dtype)) for dtype in DTYPES),
        (PICTURES, family(PICTURES_DRAWN)),
        (BLOCKS, family(BLOCKS)),
    ]


def groups(results: list[Result]) -> Groups:
    """Return the groups that have results, with all numbers of threads."""
    held = [result for result in results if result["ratio"] is not None]
    found = {name: [result for result in held if rule(result)] for name, rule in _rules()}
    return {name: group for name, group in found.items() if group}


def with_threads(group: list[Result], threads: int) -> list[Result]:
    """Return the results of a group with one number of threads."""
    return [result for result in group if result["threads"] == threads]


def threads_of(results: list[Result]) -> list[int]:
    """Return the numbers of threads that were measured."""
    return sorted({result["threads"] for result in results})
