"""A padded batch of three texts, each pooled to 3 over its own tokens."""

from matplotlib.figure import Figure
from style import BLUE, GREEN, INK, ORANGE, arrow, cell, frame, save, window

import adaptive_pool as ap

LENGTHS = (10, 16, 2)
WIDTH = max(LENGTHS)
PARTS = 3
COLOURS = (BLUE, ORANGE, GREEN)
PITCH = 1.7  # from one text to the next

figure = Figure(figsize=(11, 3.1))
axes = figure.subplots()
frame(axes, WIDTH + 2.1 + PARTS, PITCH * len(LENGTHS) - 0.2)
for n, length in enumerate(LENGTHS):
    top = PITCH * n + 0.4
    axes.text(0, top - 0.15, f"text {n}, length {length}", color=INK)
    for t in range(WIDTH):
        if t < length:
            cell(axes, t, top, t)
        else:
            cell(axes, t, top, "pad", colour="none")
    for i, columns in enumerate(zip(*ap.pool_windows(length, PARTS), strict=True)):
        # Every other window is drawn a little smaller, so that shared borders can be told.
        window(axes, columns, (top, top + 1), COLOURS[i], gap=0.05 + 0.1 * (i % 2))
        cell(axes, WIDTH + 2 + i, top, colour=COLOURS[i])
    arrow(axes, WIDTH + 0.4, top + 0.5, "mean" if n == 0 else "")
save(figure, __file__)
