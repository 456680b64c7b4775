"""From a sweep's results to Markdown, to the README's table, and to the rows of the picture.

`python benchmarks/sweep_report.py RESULT.json README.md` writes the table into the README.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cases import BLOCKS, PICTURES_DRAWN, family_of
from groups import LIMIT, Figures, groups, is_below, threads_of, with_threads
from report import Row, against, cells, machine, table

SLOWEST = 20  # shown of each number of threads
NAMES = {
    "torch": "PyTorch",
    "numpy": "NumPy",
    "opencv": "OpenCV",
    "fast_image_resize": "fast_image_resize",
}
EXPLAINED = (
    "How many times longer the other library takes: above 1, adaptive_pool is faster. The mean is "
    "geometric; a cell counts as below 1 if it was below 0.95 in two runs. Cells are drawn by the "
    "seeds, half of them cold: every call takes another copy of the input."
)


def _against(group: list[dict]) -> str:
    peers = family_of(group[0]["family"]).peers
    return " or ".join(NAMES[name] for name in peers)


def figures(results: list[dict]) -> str:
    """Return the table of all groups."""
    header = ("cells", "other library", "threads", "number", "mean", "5th percentile", "least")
    rows = []
    for name, group in groups(results).items():
        for threads in threads_of(results):
            f = Figures.of(with_threads(group, threads))
            numbers = (f"{x:.2f}" for x in (f.mean, f.fifth, f.least))
            rows.append((name, _against(group), str(threads), str(f.cells), *numbers, str(f.below)))
    return table((*header, "below 1"), rows)


def slowest(results: list[dict]) -> str:
    """Return the cells that lose most, and all that are below 1."""
    rows: list[Row] = []
    for threads in threads_of(results):
        held = [r for r in results if r["threads"] == threads and r["ratio"] is not None]
        held.sort(key=lambda r: r["ratio"])
        count = max(SLOWEST, sum(map(is_below, held)))
        for r in held[:count]:
            again = f"{r['again']:.2f}" if "again" in r else ""
            ours = r["seconds"]["adaptive_pool"] * 1e6
            rows.append((r["name"], str(threads), f"{ours:.1f}", f"{r['ratio']:.2f}", again))
    return table(("cell", "threads", "adaptive_pool, us", "ratio", "second run"), rows)


def steps(data: dict) -> str:
    """Return the steps along window lengths."""
    if not data["steps"]:
        return f"None of more than {LIMIT:g}.\n"
    rows = [
        (
            f"{s['kind']}, {s['dtype']}, lanes: {s['lanes']}",
            *(f"{length}: {ns:.3g}" for length, ns in zip(s["lengths"], s["ns"], strict=True)),
            f"{s['factor']:.2f}",
        )
        for s in data["steps"]
    ]
    return table(("windows", "length: ns an element", "next", "factor"), rows)


def _drawn(data: dict) -> str:
    seeds = ", ".join(map(str, data["seeds"]))
    return f"Seeds: {seeds}; {data['cells']} cells of each, and pictures and blocks beside."


def markdown(data: dict) -> str:
    """Return the whole report."""
    results = data["results"]
    parts = ["# Results of the sweep", machine(data["machine"]), _drawn(data)]
    parts += ["## Figures", EXPLAINED, figures(results), "## Slowest cells", slowest(results)]
    parts += ["## Steps along window lengths", steps(data)]
    for name in (PICTURES_DRAWN, BLOCKS):
        family = family_of(name)
        shown = [result for result in results if result["family"] == name]
        if shown:
            title = f"## {name[0].upper()}{name[1:]}"
            parts += [title, f"Against {against(family)}. Times in microseconds."]
            parts.append(cells(family, shown))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def readme_table(data: dict) -> str:
    """Return the table of the README."""
    counts = threads_of(data["results"])
    columns = [f"{count} thread{'s' if count > 1 else ''}" for count in counts]
    header = ("cells", "other library", *(f"{c}: mean (5th percentile, least)" for c in columns))
    rows = []
    for name, group in groups(data["results"]).items():
        all_figures = [Figures.of(with_threads(group, count)) for count in counts]
        numbers = [f"{f.mean:.1f} ({f.fifth:.1f}, {f.least:.1f})" for f in all_figures]
        rows.append((f"{name} ({all_figures[0].cells})", _against(group), *numbers))
    return table(header, rows)


def readme_with(text: str, data: dict) -> str:
    """Return a README with the table of a result: the first below "## Speed"."""
    before, heading, rest = text.partition("## Speed\n")
    lines = rest.splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    last = next(i for i in range(first, len(lines)) if not lines[i].startswith("|"))
    return "".join([before, heading, *lines[:first], readme_table(data), *lines[last:]])


def picture_rows(results: list[dict]) -> list[tuple[str, dict[int, list[float]]]]:
    """Return the rows of the picture: a label, and ratios by the number of threads."""
    return [
        (
            f"{name}\nagainst {_against(group)}",
            {n: [r["ratio"] for r in with_threads(group, n)] for n in threads_of(results)},
        )
        for name, group in groups(results).items()
    ]


if __name__ == "__main__":
    result, readme = map(Path, sys.argv[1:])
    text = readme_with(readme.read_text("utf-8"), json.loads(result.read_text("utf-8")))
    readme.write_text(text, "utf-8")
