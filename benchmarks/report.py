"""From results to Markdown: targets, goals, and every cell."""

from __future__ import annotations

import statistics
from typing import Any

from cases import FAMILIES, FITS_CACHE, FROM_MEMORY, GOALS, Family, case_of

Row = tuple[str, ...]


def table(header: Row, rows: list[Row]) -> str:
    """Return a Markdown table."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def by_family(results: list[dict]) -> dict[tuple[str, int], list[dict]]:
    """Group results by family and number of threads, in the order of the families."""
    groups: dict[tuple[str, int], list[dict]] = {}
    for family in FAMILIES:
        for result in results:
            if result["family"] == family.name:
                groups.setdefault((family.name, result["threads"]), []).append(result)
    return groups


def verdict(met: bool) -> str:
    """Say whether a target is met."""
    return "met" if met else "**missed**"


def _target(family: Family, threads: int, group: list[dict]) -> Row | None:
    ratios = [result["ratio"] for result in group if result["ratio"] is not None]
    if not ratios:
        return None
    mean, least = statistics.geometric_mean(ratios), min(ratios)
    row = (family.name, " or ".join(family.peers), str(threads), str(len(ratios)))
    if family.mean is None or family.least is None:
        return (*row, f"{mean:.2f}", "", f"{least:.2f}", "", "no target")
    met = mean >= family.mean and least >= family.least
    return (
        *row,
        f"{mean:.2f}",
        f"{family.mean:g}",
        f"{least:.2f}",
        f"{family.least:g}",
        verdict(met),
    )


def targets(results: list[dict]) -> str:
    """Return the table of families: measured beside aimed at."""
    header = ("family", "peer", "threads", "cells", "mean", "target", "least", "target", "")
    groups = by_family(results)
    rows = [
        _target(family, threads, groups[name, threads])
        for family in FAMILIES
        for name, threads in groups
        if name == family.name
    ]
    return table(header, [row for row in rows if row])


def _goal(what: str, worst: str, value: float, goal: float, unit: str, met: bool) -> Row:
    return what, worst, f"{value:.2f}{unit}", f"{goal:g}{unit}", verdict(met)


def _reading(results: list[dict], operation: str) -> list[Row]:
    """The slowest large input, of each number of threads, against the time of reading it."""
    goal, rows = GOALS[f"{operation} over reading"], []
    for threads in sorted({result["threads"] for result in results}):
        large = [
            result
            for result in results
            if result["threads"] == threads
            and result["operation"] == operation
            and case_of(result).input_bytes >= FROM_MEMORY
        ]
        if large:
            worst = max(large, key=lambda result: result["over_reading"])
            value = worst["over_reading"]
            what = f"{operation} of 100 MB and more, over reading, {threads} threads, worst"
            rows.append(_goal(what, worst["name"], value, goal, "", value <= goal))
    return rows


def _speedup(results: list[dict]) -> list[Row]:
    """The cached forward case that gains least from several threads."""
    least, most = FITS_CACHE
    rows = []
    for threads in sorted({result["threads"] for result in results if result["speedup"]}):
        cached = [
            result
            for result in results
            if result["threads"] == threads
            and not result["operation"].endswith("backward")
            and least <= case_of(result).input_bytes <= most
        ]
        if cached:
            worst = min(cached, key=lambda result: result["speedup"])
            mean = statistics.geometric_mean(result["speedup"] for result in cached)
            what = f"{threads} threads over one, inputs of 1 to 32 MB, least (mean {mean:.2f})"
            met = worst["speedup"] >= GOALS["two threads"]
            rows.append(_goal(what, worst["name"], worst["speedup"], GOALS["two threads"], "", met))
    return rows


def _extras(extras: dict[str, Any]) -> list[Row]:
    """A tiny call, the import, memory."""
    goal, rows = GOALS["tiny call"], []
    for name, value in extras["tiny call"].items():
        rows.append(_goal("a tiny call", name, value * 1e6, goal * 1e6, " us", value <= goal))
    value, goal = extras["import"], GOALS["import over NumPy"]
    rows.append(_goal("import over NumPy's", "", value * 1e3, goal * 1e3, " ms", value <= goal))
    measured = [entry for entry in extras["memory"] if entry["bytes"] is not None]
    if measured:
        worst = max(measured, key=lambda entry: entry["bytes"] / entry["threads"])
        value, goal = worst["bytes"] / worst["threads"], GOALS["memory per thread"]
        what = f"memory beside input and output, per thread, worst of {len(measured)}"
        case = f"{worst['name']}, {worst['threads']} threads"
        rows.append(_goal(what, case, value / 2**20, goal / 2**20, " MiB", value <= goal))
    return rows


def goals(data: dict) -> str:
    """Return the table of further goals."""
    results = data["results"]
    rows = [*_reading(results, "avg"), *_reading(results, "max"), *_speedup(results)]
    if "extras" in data:
        rows += _extras(data["extras"])
    return table(("goal", "measured on", "measured", "goal", ""), rows)


def _microseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:.{1 if seconds < 1e-4 else 0}f}"


def cells(family: Family, results: list[dict]) -> str:
    """Return the table of one family: times in microseconds, and ratios."""
    peers = [name for name in family.libraries if any(name in r["seconds"] for r in results)]
    header = ("case", "threads", "adaptive_pool", *peers, "reading", "ratio", "quartiles")
    rows = []
    for result in results:
        seconds = result["seconds"]
        ratio, quartiles = result["ratio"], result["quartiles"]
        rows.append(
            (
                result["name"],
                str(result["threads"]),
                *(_microseconds(seconds.get(name)) for name in ("adaptive_pool", *peers)),
                _microseconds(seconds["reading"]),
                "" if ratio is None else f"{ratio:.2f}",
                "" if quartiles is None else f"{quartiles[0]:.2f} to {quartiles[1]:.2f}",
                f"{result['over_reading']:.2f}",
                f"{result['speedup']:.2f}" if result["speedup"] else "",
            )
        )
    return table((*header, "over reading", "over one thread"), rows)


def summary(data: dict) -> str:
    """Return targets and goals."""
    return f"{targets(data['results'])}\n{goals(data)}"


def _machine(machine: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cpus']} CPUs, {machine['system']}, load average "
        f"{machine['load']} at the start; Python {machine['python']}; {versions}."
    )


def markdown(data: dict) -> str:
    """Return the whole report."""
    parts = ["# Results", _machine(data["machine"]), "## Targets", targets(data["results"])]
    parts += ["## Goals", goals(data), "## Cells", "Times in microseconds."]
    for family in FAMILIES:
        results = [result for result in data["results"] if result["family"] == family.name]
        if results:
            parts += [f"### {family.name}", cells(family, results)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
