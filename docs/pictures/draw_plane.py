"""A plane of 5 x 8 pooled to 2 x 3: windows overlap where sizes do not divide."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from style import BLUE, GREEN, INK, ORANGE, cell, frame, save

import adaptive_pool as ap

H, W = 5, 8
OH, OW = 2, 3
x = np.arange(H * W, dtype=np.float32).reshape(H, W)
y = ap.adaptive_avg_pool2d(x, (OH, OW))
colours = [[BLUE, ORANGE, GREEN], [GREEN, BLUE, ORANGE]]

figure = Figure(figsize=(10, 4.2))
axes = figure.subplots()
frame(axes, W + 2.2 + 1.6 * OW, H)
for h in range(H):
    for w in range(W):
        cell(axes, w, h, int(x[h, w]))
rows = zip(*ap.pool_windows(H, OH), strict=True)
for i, (h0, h1) in enumerate(rows):
    for j, (w0, w1) in enumerate(zip(*ap.pool_windows(W, OW), strict=True)):
        # Windows in the middle are drawn a little smaller, so that shared borders can be told.
        gap = 0.06 + 0.1 * ((i + j) % 2)
        axes.add_patch(
            FancyBboxPatch(
                (w0 + gap, h0 + gap),
                w1 - w0 - 2 * gap,
                h1 - h0 - 2 * gap,
                boxstyle="round,pad=0,rounding_size=0.15",
                facecolor=(*(int(colours[i][j][k : k + 2], 16) / 255 for k in (1, 3, 5)), 0.16),
                edgecolor=colours[i][j],
                lw=2,
            )
        )
        cell(
            axes,
            W + 2 + 1.6 * j,
            H / 2 - OH / 2 * 1.2 + 1.2 * i,
            y[i, j],
            colours[i][j],
            width=1.5,
            height=1.1,
            ink="white",
        )
axes.annotate(
    "",
    (W + 1.7, H / 2),
    (W + 0.4, H / 2),
    arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.5},
)
axes.text(W + 1.05, H / 2 - 0.35, "mean", ha="center", color=INK)
save(figure, __file__)
