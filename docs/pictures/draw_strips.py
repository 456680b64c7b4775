"""Two results of one array: strips of the array, the jobs that each has, and two threads."""

from matplotlib.figure import Figure
from style import BLUE, INK, ORANGE, PALE, cell, frame, save

STRIPS = 6
ROWS = (("averages", 18), ("maxima", 12), ("one for each plane", 3))  # how many jobs
THREADS = (BLUE, ORANGE, BLUE, ORANGE, ORANGE, BLUE)  # which takes each strip
WIDTH, LEFT = 18, 6.2

figure = Figure(figsize=(9, 2.9))
axes = figure.subplots()
frame(axes, LEFT + WIDTH, 6.2)
axes.text(LEFT - 0.4, 1, "the array", ha="right", va="center", color=INK)
for strip in range(STRIPS):
    size = WIDTH / STRIPS
    cell(axes, LEFT + strip * size, 0.5, f"strip {strip + 1}", PALE, size)
for row, (name, jobs) in enumerate(ROWS):
    top = 2 + 1.4 * row
    axes.text(LEFT - 0.4, top + 0.5, name, ha="right", va="center", color=INK)
    for job in range(jobs):
        size = WIDTH / jobs
        # The strip in which the last of what a job reads lies, as the kernels share jobs out.
        strip = next(s for s in range(STRIPS) if (s + 1) * jobs // STRIPS > job)
        cell(axes, LEFT + job * size, top, "", THREADS[strip], size)
for strip in range(1, STRIPS):
    x = LEFT + strip * WIDTH / STRIPS
    axes.plot([x, x], [0.2, 6], color=INK, lw=0.8, ls=":")
save(figure, __file__)
