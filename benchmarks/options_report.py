"""From results of calls with options to Markdown."""

from __future__ import annotations

import statistics

from cases import AREA_PICTURES, CELLS_WITH_OPTIONS, family_of
from groups import threads_of, with_threads
from options_cases import BASELINES, GROUPS, TARGETS
from report import Row, machine, table

EXPLAINED = (
    "What is named *over plain*, *over valid alone* and *over one by one* says how many times as "
    "long a call takes as this library does without options, on the elements that count, alone in "
    "one array, or with a call for each region: less is better. All others say how many times "
    "longer the other way takes: more is better. Medians of the ratios of rounds; warm, and cold, "
    "where every call takes another copy of the input."
)


def _figure(library: str, ratio: float) -> float:
    return 1 / ratio if library in BASELINES else ratio


def _title(library: str) -> str:
    return f"over {library}" if library in BASELINES else library


def targets(results: list[dict]) -> str:
    """Return each target, and the worst of its cases, or their mean."""
    rows: list[Row] = []
    for target in TARGETS:
        is_most = target.library in BASELINES
        worst = statistics.geometric_mean if target.is_mean else max if is_most else min
        for threads in threads_of(results):
            found = {
                state: [
                    _figure(target.library, result["ratios"][target.library])
                    for result in with_threads(results, threads)
                    if result["family"] == target.family
                    and result["operation"] in target.operations
                    and target.library in result["ratios"]
                    and result["cold"] == state
                ]
                for state in (False, True)
            }
            if not found[False]:
                continue
            warm, cold = (worst(figures) for figures in found.values())
            met = max(warm, cold) <= target.bound if is_most else min(warm, cold) >= target.bound
            bound = f"{'at most' if is_most else 'at least'} {target.bound:g}"
            what = f"{target.family}: {' and '.join(target.operations)}, {_title(target.library)}"
            what += ", mean" if target.is_mean else ""
            verdict = "met" if met else "**missed**"
            rows.append((what, str(threads), f"{warm:.2f}", f"{cold:.2f}", bound, verdict))
    return table(("figure", "threads", "warm", "cold", "target", "verdict"), rows)


def random_cells(results: list[dict]) -> str:
    """Return how many times as long random cells take as their baseline, by option."""
    rows: list[Row] = []
    drawn = [result for result in results if result["family"] == CELLS_WITH_OPTIONS]
    kinds = sorted({(result["options"], result["operation"]) for result in drawn})
    for options, operation in kinds:
        for threads in threads_of(results):
            ratios = [
                1 / result["ratio"]  # over the one baseline that a cell has
                for result in with_threads(drawn, threads)
                if (result["options"], result["operation"]) == (options, operation)
                and result["ratio"]
            ]
            if ratios:
                figures = statistics.geometric_mean(ratios), max(ratios)
                numbers = (f"{figure:.2f}" for figure in figures)
                rows.append((options, operation, str(threads), str(len(ratios)), *numbers))
    return table(("option", "operation", "threads", "cells", "mean", "most"), rows)


def cells(results: list[dict]) -> str:
    """Return the table of one family."""
    libraries = [
        name
        for name in family_of(results[0]["family"]).libraries
        if any(name in result["ratios"] for result in results)
    ]
    rows = []
    for result in results:
        ratios = {name: _figure(name, ratio) for name, ratio in result["ratios"].items()}
        shown = (f"{ratios[name]:.2f}" if name in ratios else "" for name in libraries)
        time = f"{result['seconds']['adaptive_pool'] * 1e6:.1f}"
        rows.append((result["name"], str(result["threads"]), time, *shown))
    return table(("case", "threads", "adaptive_pool, us", *map(_title, libraries)), rows)


def tiny(calls: dict[str, float]) -> str:
    """Return what a call without options takes."""
    rows = [(name, f"{seconds * 1e6:.2f}") for name, seconds in calls.items()]
    return table(("call on 16 numbers, without options", "us"), rows)


def markdown(data: dict) -> str:
    """Return the whole report."""
    results = data["results"]
    parts = ["# Results of calls with options", machine(data["machine"]), EXPLAINED]
    parts += ["## Targets", targets(results)]
    for family in dict.fromkeys([*(group.family for group in GROUPS), AREA_PICTURES]):
        if shown := [result for result in results if result["family"] == family]:
            parts += [f"## {family[0].upper()}{family[1:]}", cells(shown)]
    parts += ["## Tiny calls without options", tiny(data["tiny call"])]
    seeds = ", ".join(map(str, data["seeds"]))
    drawn = f"Over plain; regions over one by one. Seeds: {seeds}; {data['cells']} cells of each."
    parts += ["## Random cells", drawn, random_cells(results)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
