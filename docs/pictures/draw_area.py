"""An axis of 7 elements cut into 3 windows by area: what each element weighs in each window."""

from matplotlib.figure import Figure
from style import BLUE, GREEN, INK, ORANGE, cell, frame, save

import adaptive_pool as ap

INPUT_SIZE, OUTPUT_SIZE = 7, 3
COLOURS = (BLUE, ORANGE, GREEN)

weights = ap.area_weights(INPUT_SIZE, OUTPUT_SIZE)

figure = Figure(figsize=(9, 4.2))
axes = figure.subplots()
bottom = 1.2 + 0.9 * OUTPUT_SIZE
frame(axes, INPUT_SIZE + 2.2, bottom + 0.7)
for k in range(INPUT_SIZE):
    cell(axes, k, 0, k)
borders = [i * INPUT_SIZE for i in range(OUTPUT_SIZE + 1)]  # times OUTPUT_SIZE
for i, row in enumerate(weights):
    top = 1.3 + 0.9 * i
    left = borders[i] / OUTPUT_SIZE
    for weight in row[row > 0]:
        width = weight / OUTPUT_SIZE
        cell(axes, left, top, weight, COLOURS[i], width=width, height=0.75, ink="white")
        left += width
    text = f"{i}: from {borders[i]}/{OUTPUT_SIZE} to {borders[i + 1]}/{OUTPUT_SIZE}"
    axes.text(INPUT_SIZE + 0.3, top + 0.38, text, va="center", color=INK)
for border in borders:
    axes.plot([border / OUTPUT_SIZE] * 2, [-0.1, bottom], color=INK, lw=1, ls=(0, (3, 3)))
text = f"weights in units of 1/{OUTPUT_SIZE}: a whole element weighs {OUTPUT_SIZE}"
axes.text(0, bottom + 0.55, text, color=INK)
save(figure, __file__)
