"""What is aimed at, and what a result reaches: `python benchmarks/targets.py RESULT.json`.

For those who work on the kernels, of results of the sweep and of the named cells.
`docs/design/targets.md` says why some are missed.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from cases import BLOCKS
from groups import ALL, COLD, LIMIT, PICTURES, Figures, groups, threads_of, with_threads
from report import Row, by_family, cached_inputs, large_inputs, memory_per_thread, table

# Of groups of the sweep, for each number of threads.
GROUP_TARGETS = {
    ALL: {"mean": 4, "fifth": 1.5, "below": 0},
    COLD: {"mean": 3.5},
    PICTURES: {"mean": 1.3, "least": 1.0},
    BLOCKS: {"mean": 3, "least": 1.0},
}
FIGURES = {"mean": "mean", "fifth": "5th percentile", "below": "cells below 1", "least": "least"}
STEPS = 0  # above LIMIT, along window lengths

# Of each family of named cells: the geometric mean of the ratios, and the least of them.
FAMILY_TARGETS = {
    "average, channels first": (5, 1.5),
    "max, channels first": (8, 3),
    "output size 1, channels first": (1.2, 1.0),
    "average and max, channels last": (1.5, 1.0),
    "channels last, 1 to 4 channels": (8, 4),
    "average backward, channels first": (3, 1.2),
    "average backward, channels last": (1.5, 1.0),
    "max backward, channels first": (1.3, 1.0),
    "max backward, channels last": (1.1, 1.0),
    "1d and 3d": (4, 1.2),
    "float16 and bfloat16": (4, 1.5),
    "uint8 pictures": (3, 1.0),
    "arrays under 64 KB": (3, 1.5),
}
OVER_READING = {"avg": 1.3, "max": 1.5}
SEVERAL_THREADS = 1.7
TINY_CALL = 2.5e-6  # seconds
IMPORT = 25e-3  # seconds on top of NumPy's
MEMORY = 1 << 20  # bytes for each thread


def _row(what: str, value: float, target: float, *, met: bool) -> Row:
    return what, f"{value:.3g}", f"{target:g}", "met" if met else "**missed**"


def at_least(what: str, value: float, target: float) -> Row:
    """Return the row of a target that is a lower bound."""
    return _row(what, value, target, met=value >= target)


def at_most(what: str, value: float, target: float) -> Row:
    """Return the row of a target that is an upper bound."""
    return _row(what, value, target, met=value <= target)


def of_groups(results: list[dict]) -> list[Row]:
    """Return the figures of each group of the sweep that has a target."""
    rows, found = [], groups(results)
    for name, targets in GROUP_TARGETS.items():
        for threads in threads_of(found.get(name, [])):
            figures = Figures.of(with_threads(found[name], threads))
            for figure, target in targets.items():
                compare = at_most if figure == "below" else at_least
                what = f"{name}, threads: {threads}, {FIGURES[figure]}"
                rows.append(compare(what, getattr(figures, figure), target))
    return rows


def of_families(results: list[dict]) -> list[Row]:
    """Return the mean and the least ratio of each family that has a target."""
    rows = []
    for (name, threads), group in by_family(results).items():
        ratios = [result["ratio"] for result in group if result["ratio"] is not None]
        if ratios and name in FAMILY_TARGETS:
            mean, least = FAMILY_TARGETS[name]
            what = f"{name}, threads: {threads}"
            rows.append(at_least(f"{what}, mean", statistics.geometric_mean(ratios), mean))
            rows.append(at_least(f"{what}, least", min(ratios), least))
    return rows


def of_machine(results: list[dict]) -> list[Row]:
    """Return the worst against the speed of memory, and of several threads against one."""
    rows = []
    for threads in sorted({result["threads"] for result in results}):
        for operation, target in OVER_READING.items():
            if large := large_inputs(results, operation, threads):
                worst = max(result["over_reading"] for result in large)
                what = f"{operation} of 100 MB and more, over reading, threads: {threads}"
                rows.append(at_most(what, worst, target))
        if cached := cached_inputs(results, threads):
            worst = min(result["speedup"] for result in cached)
            what = f"{threads} threads over one, inputs of 1 to 32 MB"
            rows.append(at_least(what, worst, SEVERAL_THREADS))
    return rows


def of_extras(extras: dict) -> list[Row]:
    """Return a tiny call, the import, memory."""
    rows = [at_most("a tiny call, s", max(extras["tiny call"].values()), TINY_CALL)]
    rows.append(at_most("import on top of NumPy's, s", extras["import"], IMPORT))
    if memory := memory_per_thread(extras):
        rows.append(at_most("memory per thread, bytes", max(memory.values()), MEMORY))
    return rows


def targets(data: dict) -> str:
    """Return the table of all targets."""
    results = data["results"]
    if "seeds" in data:  # of the sweep
        rows = of_groups(results)
        rows.append(at_most(f"steps above {LIMIT:g}", len(data["steps"]), STEPS))
    else:
        rows = [*of_families(results), *of_machine(results)]
    if "extras" in data:
        rows += of_extras(data["extras"])
    return table(("figure", "measured", "target", "verdict"), rows)


if __name__ == "__main__":
    print(targets(json.loads(Path(sys.argv[1]).read_text())))
