"""From results of many problems in one call to Markdown."""

from __future__ import annotations

import statistics

from batches_cases import TARGETS
from cases import CELLS_OF_BATCHES, FAMILIES
from groups import threads_of, with_threads
from report import Row, machine, memory_per_thread, table
from targets import MEMORY, at_most
from ways import cells, targets_table

EXPLAINED = (
    "Figures say how many times longer the other way takes: more is better. Those named *over* say "
    "how many times as long our call takes: less is better. Medians of the ratios of rounds; warm, "
    "and cold, where every call takes another copy of the input."
)
DRAWN = (
    "A loop of single calls over one call, of problems that are drawn by seeds: geometric mean, "
    "least and quartiles."
)


def targets(data: dict) -> str:
    """Return each target of times, and that of memory if it was measured."""
    times = targets_table(data["results"], TARGETS)
    if not data["memory"]:
        return times
    rows = [at_most(what, mb, MEMORY / 2**20) for what, mb in _memory(data).items()]
    memory = table(("memory beside inputs and outputs", "MB a thread", "at most", ""), rows)
    return f"{times}\n{memory}"


def _memory(data: dict) -> dict[str, float]:
    return {what: used / 2**20 for what, used in memory_per_thread(data).items()}


def random_cells(results: list[dict]) -> str:
    """Return how many times longer a loop of single calls takes, by what is drawn."""
    rows: list[Row] = []
    drawn = [result for result in results if result["family"] == CELLS_OF_BATCHES]
    for batch, operation in sorted({(result["batch"], result["operation"]) for result in drawn}):
        for threads in threads_of(drawn):
            ratios = [
                result["ratio"]
                for result in with_threads(drawn, threads)
                if (result["batch"], result["operation"]) == (batch, operation)
            ]
            low, middle, high = statistics.quantiles([*ratios, *ratios], n=4, method="inclusive")
            figures = statistics.geometric_mean(ratios), min(ratios), low, middle, high
            numbers = (f"{figure:.2f}" for figure in figures)
            rows.append((batch, operation, str(threads), str(len(ratios)), *numbers))
    quartiles = ("lower quartile", "median", "upper quartile")
    header = ("what", "operation", "threads", "cells", "mean", "least", *quartiles)
    return table(header, rows)


def markdown(data: dict) -> str:
    """Return the whole report."""
    results = data["results"]
    parts = ["# Results of many problems in one call", machine(data["machine"]), EXPLAINED]
    parts += ["## Targets", targets(data)]
    for family in FAMILIES:
        shown = [result for result in results if result["family"] == family.name]
        if shown and family.name != CELLS_OF_BATCHES:
            parts += [f"## {family.name[0].upper()}{family.name[1:]}", cells(shown)]
    if data["seeds"]:
        seeds = ", ".join(map(str, data["seeds"]))
        drawn = f"{DRAWN} Seeds: {seeds}; {data['cells']} cells of each."
        parts += ["## Random cells", drawn, random_cells(results)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
