"""The picture of a result: `python benchmarks/plot.py RESULT.json PICTURE.png` (or .svg).

A line for each family, or group of a sweep, and number of threads: a dot for each case, a bar at
the geometric mean. It is drawn on nothing, in colours that are read on light and on dark pages.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from report import family_rows
from sweep_report import picture_rows

COLOURS = ("#3f87d1", "#e07b00", "#2f9e57", "#9467bd")
INK = "#7b828c"
SPREAD = 0.34  # between the lines of a family


def _line(axes: Axes, y: float, ratios: list[float], colour: str) -> None:
    alpha = max(0.15, 0.55 - len(ratios) / 500)  # dots of many cases lie over each other
    axes.plot(ratios, [y] * len(ratios), "o", ms=4.5, mew=0, alpha=alpha, color=colour, zorder=3)
    mean = statistics.geometric_mean(ratios)
    axes.plot([mean], [y], "|", ms=15, mew=2.6, color=colour, zorder=4)


def _legend(axes: Axes, threads: list[int]) -> None:
    def mark(marker: str, colour: str, label: str, size: float) -> Line2D:
        return Line2D([], [], ls="", marker=marker, ms=size, mew=2, color=colour, label=label)

    handles = [
        mark("o", colour, f"{count} thread{'s' if count > 1 else ''}", 4)
        for count, colour in zip(threads, COLOURS, strict=False)
    ]
    handles.append(mark("|", INK, "geometric mean", 13))
    axes.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.4, 1.0),
        ncol=len(handles),
        frameon=False,
        labelcolor=INK,
    )


def _axes(axes: Axes, labels: list[str]) -> None:
    axes.set_xscale("log")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    low, high = axes.get_xlim()
    ticks = [
        t
        for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
        if low <= t <= high
    ]
    axes.set_xticks(ticks, [f"{t:g}x" for t in ticks])
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.axvline(1, color=INK, lw=1.5, zorder=1)
    axes.grid(axis="x", color=INK, alpha=0.35, lw=0.8)
    axes.set_axisbelow(True)
    for i in range(0, len(labels), 2):  # every other family on grey
        axes.axhspan(i - 0.5, i + 0.5, color=INK, alpha=0.1, lw=0, zorder=0)
    axes.tick_params(colors=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(INK)
    axes.set_xlabel(
        "time of the other library over that of adaptive_pool\n(above 1x: adaptive_pool is faster)",
        color=INK,
    )


def draw(rows: list[tuple[str, dict[int, list[float]]]], path: Path) -> None:
    """Draw rows: a label, and ratios by the number of threads."""
    threads = sorted({count for _, ratios in rows for count in ratios})
    figure = Figure(figsize=(9.5, 1.3 + 0.52 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for y, (_, by_threads) in enumerate(rows):
        for count, ratios in by_threads.items():
            i = threads.index(count)
            offset = SPREAD * (i - (len(threads) - 1) / 2)
            _line(axes, y + offset, ratios, COLOURS[i % len(COLOURS)])
    _axes(axes, [label for label, _ in rows])
    _legend(axes, threads)
    figure.savefig(path, dpi=150, transparent=True)


if __name__ == "__main__":
    data = json.loads(Path(sys.argv[1]).read_text())
    rows = picture_rows if "seeds" in data else family_rows
    draw(rows(data["results"]), Path(sys.argv[2]))
