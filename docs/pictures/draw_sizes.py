"""Planes of three sizes, each pooled to 2 x 3: what adaptive pooling is for."""

from matplotlib.figure import Figure
from style import BLUE, GREEN, INK, ORANGE, cell, frame, save, window

import adaptive_pool as ap

SIZES = ((4, 9), (6, 6), (3, 5))
OH, OW = 2, 3
COLOURS = ((BLUE, ORANGE, GREEN), (GREEN, BLUE, ORANGE))

figure = Figure(figsize=(9, 4.4))
grid = figure.subplots(1, len(SIZES), gridspec_kw={"width_ratios": [w for _, w in SIZES]})
height = max(h for h, _ in SIZES)
for axes, (H, W) in zip(grid, SIZES, strict=True):
    frame(axes, W, height + 5.2)
    top = height - H
    axes.text(W / 2, top - 0.3, f"{H} x {W}", ha="center", color=INK)
    for h in range(H):
        for w in range(W):
            cell(axes, w, top + h)
    left = (W - OW) / 2
    axes.annotate(
        "",
        (W / 2, height + 1.6),
        (W / 2, height + 0.2),
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.5},
    )
    for i, (h0, h1) in enumerate(zip(*ap.pool_windows(H, OH), strict=True)):
        for j, columns in enumerate(zip(*ap.pool_windows(W, OW), strict=True)):
            gap = 0.06 + 0.1 * ((i + j) % 2)
            window(axes, columns, (top + h0, top + h1), COLOURS[i][j], gap)
            cell(axes, left + j, height + 2 + i, colour=COLOURS[i][j])
    axes.text(W / 2, height + 4.8, f"{OH} x {OW}", ha="center", color=INK)
save(figure, __file__)
