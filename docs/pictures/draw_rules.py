"""The windows of the five rules, where sizes do not divide."""

from typing import get_args

from matplotlib.figure import Figure
from style import BLUE, INK, ORANGE, cell, frame, save

import adaptive_pool as ap
from adaptive_pool._windows import Rule, Table

INPUT_SIZE = 10
OUTPUT_SIZES = (4, 7)


def table_or_reason(output_size: int, rule: Rule) -> Table | str:
    """Return the windows, or why there are none."""
    try:
        return ap.pool_windows(INPUT_SIZE, output_size, rule)
    except ValueError as error:
        return str(error).partition(" leaves ")[2].partition(" for ")[0]


results = {
    rule: [table_or_reason(output_size, rule) for output_size in OUTPUT_SIZES]
    for rule in get_args(Rule)
}
heights = [
    1.2 + 0.6 * max(len(result[0]) for result in row if not isinstance(result, str))
    for row in results.values()
]

figure = Figure(figsize=(11, 12.5))
grid = figure.subplots(
    len(results),
    len(OUTPUT_SIZES),
    gridspec_kw={"height_ratios": heights, "hspace": 0.2, "wspace": 0.1},
)
for axes_row, (rule, row), height in zip(grid, results.items(), heights, strict=True):
    for axes, output_size, result in zip(axes_row, OUTPUT_SIZES, row, strict=True):
        frame(axes, INPUT_SIZE + 2.6, height)
        axes.set_title(f'"{rule}", {INPUT_SIZE} to {output_size}', loc="left", color=INK)
        for k in range(INPUT_SIZE):
            cell(axes, k, 0, k)
        if isinstance(result, str):
            axes.text(0, 1.9, f"an error: it would leave {result}", color=ORANGE, va="center")
            continue
        borders, form = result, "{}:{}"
        if rule == "area":  # elements on borders are there in part
            cuts = [i * INPUT_SIZE / output_size for i in range(output_size + 1)]
            borders, form = (cuts[:-1], cuts[1:]), "{:.3g} to {:.3g}"
        for i, (start, end) in enumerate(zip(*borders, strict=True)):
            y = 1.2 + 0.6 * i
            colour = (BLUE, ORANGE)[i % 2]
            cell(axes, start, y, i, colour, width=end - start, height=0.55, ink="white")
            axes.text(INPUT_SIZE + 0.3, y + 0.3, form.format(start, end), va="center", color=INK)
save(figure, __file__)
