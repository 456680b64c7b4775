"""A plane of 5 x 8 pooled to 2 x 3: windows overlap where sizes do not divide."""

import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, arrow, cell, frame, save, window

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
for i, lines in enumerate(rows):
    for j, columns in enumerate(zip(*ap.pool_windows(W, OW), strict=True)):
        # Every other window is drawn a little smaller, so that shared borders can be told.
        window(axes, columns, lines, colours[i][j], gap=0.06 + 0.1 * ((i + j) % 2))
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
arrow(axes, W + 0.4, H / 2, "mean")
save(figure, __file__)
