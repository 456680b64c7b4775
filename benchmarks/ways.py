"""Calls held against other ways to the same result: what is aimed at, and tables of cases."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from cases import family_of
from groups import threads_of, with_threads
from report import Row, table

# Whose time ours is divided by: less work, or other ways. Of all others the time is over ours.
BASELINES = ("plain", "valid alone", "one by one", "sum", "bytes alone", "slowest alone")


@dataclass(frozen=True)
class Target:
    """For operations of a family: at most so many times a baseline, or at least so much faster.

    In the worst of its cases, or in the mean of all.
    """

    family: str
    operations: tuple[str, ...]
    library: str
    bound: float
    is_mean: bool = False
    threads: int = 1  # at least, for the target to hold


def figure(library: str, ratio: float) -> float:
    """Return what is shown of a ratio, their time over ours."""
    return 1 / ratio if library in BASELINES else ratio


def title(library: str) -> str:
    """Return what a column or a row of such figures is called."""
    return f"over {library}" if library in BASELINES else library


def _figures(target: Target, results: list[dict], threads: int, *, cold: bool) -> list[float]:
    return [
        figure(target.library, result["ratios"][target.library])
        for result in with_threads(results, threads)
        if result["family"] == target.family
        and result["operation"] in target.operations
        and target.library in result["ratios"]
        and result["cold"] == cold
    ]


def targets_table(results: list[dict], targets: Iterable[Target]) -> str:
    """Return each target, and the worst of its cases, or their mean."""
    rows: list[Row] = []
    for target in targets:
        is_most = target.library in BASELINES
        worst = statistics.geometric_mean if target.is_mean else max if is_most else min
        for threads in threads_of(results):
            found = [_figures(target, results, threads, cold=cold) for cold in (False, True)]
            reached = [worst(figures) for figures in found if figures]
            if not reached or threads < target.threads:
                continue
            met = max(reached) <= target.bound if is_most else min(reached) >= target.bound
            bound = f"{'at most' if is_most else 'at least'} {target.bound:g}"
            what = f"{target.family}: {' and '.join(target.operations)}, {title(target.library)}"
            what += ", mean" if target.is_mean else ""
            verdict = "met" if met else "**missed**"
            shown = (f"{worst(figures):.2f}" if figures else "" for figures in found)
            rows.append((what, str(threads), *shown, bound, verdict))
    return table(("figure", "threads", "warm", "cold", "target", "verdict"), rows)


def cells(results: list[dict]) -> str:
    """Return the table of one family."""
    libraries = [
        name
        for name in family_of(results[0]["family"]).libraries
        if any(name in result["ratios"] for result in results)
    ]
    rows = []
    for result in results:
        ratios = {name: figure(name, ratio) for name, ratio in result["ratios"].items()}
        shown = (f"{ratios[name]:.2f}" if name in ratios else "" for name in libraries)
        time = f"{result['seconds']['adaptive_pool'] * 1e6:.1f}"
        rows.append((result["name"], str(result["threads"]), time, *shown))
    return table(("case", "threads", "adaptive_pool, us", *map(title, libraries)), rows)
