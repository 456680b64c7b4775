"""The windows of the four rules, where sizes do not divide."""

from typing import get_args

from matplotlib.figure import Figure
from style import BLUE, INK, ORANGE, cell, frame, save

import adaptive_pool as ap
from adaptive_pool._windows import Rule

INPUT_SIZE = 10
OUTPUT_SIZES = (4, 7)

figure = Figure(figsize=(11, 11))
grid = figure.subplots(
    len(get_args(Rule)), len(OUTPUT_SIZES), gridspec_kw={"hspace": 0.2, "wspace": 0.1}
)
for row, rule in zip(grid, get_args(Rule), strict=True):
    for axes, output_size in zip(row, OUTPUT_SIZES, strict=True):
        frame(axes, INPUT_SIZE + 2.6, 1.2 + 0.6 * max(OUTPUT_SIZES))
        axes.set_title(f'"{rule}", {INPUT_SIZE} to {output_size}', loc="left", color=INK)
        for k in range(INPUT_SIZE):
            cell(axes, k, 0, k)
        try:
            starts, ends = ap.pool_windows(INPUT_SIZE, output_size, rule)
        except ValueError as error:
            reason = str(error).partition(" leaves ")[2].partition(" for ")[0]
            axes.text(0, 1.9, f"an error: it would leave {reason}", color=ORANGE, va="center")
            continue
        for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
            y = 1.2 + 0.6 * i
            colour = (BLUE, ORANGE)[i % 2]
            cell(axes, start, y, i, colour, width=end - start, height=0.55, ink="white")
            axes.text(INPUT_SIZE + 0.3, y + 0.3, f"{start}:{end}", va="center", color=INK)
save(figure, __file__)
