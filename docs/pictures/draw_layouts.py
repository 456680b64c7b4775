"""One picture of 2 x 2 pixels and three channels, as both layouts lie in memory."""

import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, INK, ORANGE, cell, frame, save

C, H, W = 3, 2, 2
COLOURS = (ORANGE, GREEN, BLUE)

pixel = np.array([[f"{c}{h}{w}" for w in range(W)] for c in range(C) for h in range(H)])
channels_first = pixel.reshape(C, H, W)
layouts = {
    'shape (C, H, W), "channels_first"': channels_first,
    'shape (H, W, C), "channels_last"': np.ascontiguousarray(np.moveaxis(channels_first, 0, -1)),
}

figure = Figure(figsize=(8, 3))
grid = figure.subplots(len(layouts), 1)
for axes, (title, array) in zip(grid, layouts.items(), strict=True):
    frame(axes, C * H * W, 1)
    axes.set_title(title, loc="left", color=INK)
    for k, label in enumerate(array.ravel()):
        c, h, w = label
        cell(axes, k, 0, f"c{c}\nh{h} w{w}", COLOURS[int(c)], ink="white")
save(figure, __file__)
