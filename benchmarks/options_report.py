"""From results of calls with options to Markdown."""

from __future__ import annotations

import statistics

from cases import AREA_PICTURES, CELLS_WITH_OPTIONS
from groups import threads_of, with_threads
from options_cases import GROUPS, TARGETS
from report import Row, machine, table
from ways import cells, targets_table

EXPLAINED = (
    "What is named *over plain*, *over valid alone* and *over one by one* says how many times as "
    "long a call takes as this library does without options, on the elements that count, alone in "
    "one array, or with a call for each region: less is better. All others say how many times "
    "longer the other way takes: more is better. Medians of the ratios of rounds; warm, and cold, "
    "where every call takes another copy of the input."
)


def targets(results: list[dict]) -> str:
    """Return each target, and the worst of its cases, or their mean."""
    return targets_table(results, TARGETS)


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
