"""From results to Markdown: families, other figures, and every case."""

from __future__ import annotations

import statistics
from typing import Any

from cases import FAMILIES, FITS_CACHE, FROM_MEMORY, Family, case_of, family_of

Row = tuple[str, ...]
RATIOS = (
    "How many times longer the other library takes: above 1, adaptive_pool is faster. The mean is "
    "geometric. Where several libraries are named, the fastest of each round counts."
)


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


def against(family: Family) -> str:
    """Return the libraries that a family is held against."""
    fastest = "the fastest of " if len(family.peers) > 1 else ""
    return f"{fastest}{', '.join(family.peers)}"


def family_rows(results: list[dict]) -> list[tuple[str, dict[int, list[float]]]]:
    """Return the rows of the picture: a label, and ratios by the number of threads."""
    rows: dict[str, dict[int, list[float]]] = {}
    held = [result for result in results if result["ratio"] is not None]
    for (name, threads), group in by_family(held).items():
        label = f"{name}\nagainst {against(family_of(name))}"
        rows.setdefault(label, {})[threads] = [result["ratio"] for result in group]
    return list(rows.items())


def _family(family: Family, threads: int, group: list[dict]) -> Row | None:
    ratios = [result["ratio"] for result in group if result["ratio"] is not None]
    if not ratios:
        return None
    figures = statistics.geometric_mean(ratios), min(ratios), max(ratios)
    peers = " or ".join(family.peers)
    return family.name, peers, str(threads), str(len(ratios)), *(f"{f:.2f}" for f in figures)


def families(results: list[dict]) -> str:
    """Return the table of families: how many times longer the other library takes."""
    header = ("family", "other library", "threads", "cases", "mean", "least", "most")
    groups = by_family(results).items()
    rows = [_family(family_of(name), threads, group) for (name, threads), group in groups]
    return table(header, [row for row in rows if row])


def large_inputs(results: list[dict], operation: str, threads: int) -> list[dict]:
    """Return the cases whose input comes from memory: they are held against reading it."""
    return [
        result
        for result in results
        if (result["operation"], result["threads"]) == (operation, threads)
        and case_of(result).input_bytes >= FROM_MEMORY
    ]


def cached_inputs(results: list[dict], threads: int) -> list[dict]:
    """Return the forward cases that fit a shared cache: several threads against one."""
    least, most = FITS_CACHE
    return [
        result
        for result in results
        if result["threads"] == threads
        and result["speedup"]
        and not result["operation"].endswith("backward")
        and least <= case_of(result).input_bytes <= most
    ]


def memory_per_thread(extras: dict[str, Any]) -> dict[str, float]:
    """Return the bytes beside input and output that each thread of a call has taken."""
    return {
        f"{entry['name']}, {entry['threads']} threads": entry["bytes"] / entry["threads"]
        for entry in extras["memory"]
        if entry["bytes"] is not None
    }


def _worst(what: str, figures: dict[str, float], unit: str = "", *, worst: Any = max) -> list[Row]:
    if not figures:
        return []
    name = worst(figures, key=figures.__getitem__)
    low, high = min(figures.values()), max(figures.values())
    return [(what, f"{low:.2f} to {high:.2f}{unit}", name)]


def _of(results: list[dict], figure: str) -> dict[str, float]:
    return {result["name"]: result[figure] for result in results}


def others(data: dict) -> str:
    """Return the table of what is no comparison with another library."""
    results, rows = data["results"], []
    counts = sorted({result["threads"] for result in results})
    for operation in ("avg", "max"):
        for threads in counts:
            what = f"{operation} of 100 MB and more, time over reading, threads: {threads}"
            large = large_inputs(results, operation, threads)
            rows += _worst(what, _of(large, "over_reading"))
    for threads in counts:
        what = f"forward, inputs of 1 to 32 MB, {threads} threads over one"
        rows += _worst(what, _of(cached_inputs(results, threads), "speedup"), worst=min)
    if "extras" in data:
        extras = data["extras"]
        calls = {name: value * 1e6 for name, value in extras["tiny call"].items()}
        memory = {name: value / 2**20 for name, value in memory_per_thread(extras).items()}
        rows += _worst("a tiny call", calls, " us")
        rows.append(("import, on top of NumPy's", f"{extras['import'] * 1e3:.2f} ms", ""))
        rows += _worst("memory beside input and output, per thread", memory, " MiB")
    return table(("figure", "least to most", "worst case"), rows)


def _microseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e6:.{1 if seconds < 1e-4 else 0}f}"


def cells(family: Family, results: list[dict]) -> str:
    """Return the table of one family: times in microseconds, and ratios."""
    names = ("adaptive_pool", *family.libraries, "reading")
    names = tuple(name for name in names if any(name in r["seconds"] for r in results))
    against_reading = "reading" in names
    header = ("case", "threads", *names, "ratio", "quartiles")
    rows = []
    for result in results:
        seconds = result["seconds"]
        ratio, quartiles = result["ratio"], result["quartiles"]
        rows.append(
            (
                result["name"],
                str(result["threads"]),
                *(_microseconds(seconds.get(name)) for name in names),
                "" if ratio is None else f"{ratio:.2f}",
                "" if quartiles is None else f"{quartiles[0]:.2f} to {quartiles[1]:.2f}",
                *([f"{result['over_reading']:.2f}"] if against_reading else []),
                f"{result['speedup']:.2f}" if result["speedup"] else "",
            )
        )
    over = ("over reading",) if against_reading else ()
    return table((*header, *over, "over one thread"), rows)


def summary(data: dict) -> str:
    """Return what stands above the cases."""
    return f"{families(data['results'])}\n{others(data)}"


def machine(about: dict) -> str:
    """Return what was measured, and on which machine."""
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['processor']}, {about['cpus']} CPUs, {about['system']}, load average "
        f"{about['load']} at the start; Python {about['python']}; {versions}."
    )


def markdown(data: dict) -> str:
    """Return the whole report."""
    parts = ["# Results", machine(data["machine"]), "## Families", RATIOS]
    parts += [families(data["results"]), "## Other figures", others(data)]
    parts += ["## Cases", "Times in microseconds."]
    for family in FAMILIES:
        results = [result for result in data["results"] if result["family"] == family.name]
        if results:
            parts += [f"### {family.name}", cells(family, results)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
