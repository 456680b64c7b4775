"""A plane of 4 x 6 with holes, pooled to 2 x 3: only what counts is averaged."""

import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, arrow, cell, frame, save, window

import adaptive_pool as ap

H, W = 4, 6
OH, OW = 2, 3
HOLES = ((0, 1), (0, 2), (2, 2), (2, 4), (2, 5), (3, 2), (3, 3), (3, 4), (3, 5))
x = np.arange(H * W, dtype=np.float64).reshape(H, W)
counts_here = np.ones((H, W), bool)
counts_here[tuple(zip(*HOLES, strict=True))] = False
y, numbers = ap.adaptive_avg_pool2d(x, (OH, OW), where=counts_here, return_counts=True)
colours = [[BLUE, ORANGE, GREEN], [GREEN, BLUE, ORANGE]]

figure = Figure(figsize=(10, 3.6))
axes = figure.subplots()
frame(axes, W + 2.2 + 1.9 * OW, H)
for h in range(H):
    for w in range(W):
        if counts_here[h, w]:
            cell(axes, w, h, int(x[h, w]))
        else:
            cell(axes, w, h, "\N{MULTIPLICATION SIGN}", colour="none")
for i, lines in enumerate(zip(*ap.pool_windows(H, OH), strict=True)):
    for j, columns in enumerate(zip(*ap.pool_windows(W, OW), strict=True)):
        window(axes, columns, lines, colours[i][j], gap=0.08)
        mean = f"{y[i, j]:.4g}".replace("nan", "NaN")
        place = W + 2 + 1.9 * j, H / 2 - OH / 2 * 1.3 + 1.3 * i
        text = f"{mean}\n{numbers[i, j]} of 4"
        cell(axes, *place, text, colours[i][j], width=1.8, height=1.2, ink="white")
arrow(axes, W + 0.4, H / 2, "mean")
save(figure, __file__)
