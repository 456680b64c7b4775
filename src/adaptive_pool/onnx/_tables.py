"""Which elements of an axis are in which window: tables that are known, or made from its size.

All is computed in int64, and no product is larger than the size of the axis or the square of the
number of windows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import _windows
from ._graph import Graph, Value


class Axis(NamedTuple):
    """A pooled axis: where it is, its windows, and what they are cut from."""

    where: int  # of the input's axes
    size: Value  # int64, shape (1,)
    outputs: int  # how many windows there are
    first: Value  # elements of windows, the last one inclusive: int64, shape (outputs, 1)
    last: Value

    def lengths(self, graph: Graph) -> Value:
        """Return how many elements each window has, in shape (outputs, 1)."""
        length: Value = graph("Add", graph("Sub", self.last, self.first), np.array([1]))
        return length

    def longest(self, graph: Graph) -> Value:
        """Return how many elements the longest window has, a scalar."""
        longest: Value = graph("ReduceMax", self.lengths(graph), keepdims=0)
        return longest


def axis_of(
    graph: Graph,
    function: str,
    x: str,
    where: int,
    size: int | None,
    outputs: int,
    windows: str | _windows.Table,
) -> Axis:
    """Return an axis of the input `x`, whose windows are known where its size is."""
    if size is not None or outputs == 0:
        if isinstance(windows, str):
            windows = _windows.cut_by_rule(function, size or 0, outputs, windows)
        first, last = _columns(windows)
        return Axis(where, np.array([size or 0]), outputs, first, last)
    length = graph.node("Shape", x, start=where, end=where + 1)
    if isinstance(windows, str):
        first, last = _cut(graph, length, outputs, windows)
    else:
        first, last = _columns(windows)
    return Axis(where, length, outputs, *_inside(graph, length, first, last))


def _columns(table: _windows.Table) -> tuple[Value, Value]:
    """Return the first and last elements of windows from starts and ends."""
    starts, ends = table
    return starts[:, np.newaxis], ends[:, np.newaxis] - 1


def _inside(graph: Graph, size: Value, first: Value, last: Value) -> tuple[Value, Value]:
    """Return windows of which those that are empty, or not in the axis, make the run fail.

    They get the second place behind the axis, where nothing can be gathered; at the first there may
    be a zero that was added.
    """
    last = graph("Max", last, first)
    outside = graph("Add", size, np.array([1]))
    first = graph("Where", graph("Less", last, size), first, outside)
    return first, graph("Max", last, first)


def _cut(graph: Graph, size: Value, count: int, rule: str) -> tuple[Value, Value]:
    """Return the first and last elements of windows by a rule of `pool_windows`."""
    edges = np.arange(count)[:, np.newaxis] + np.array([0, 1])  # of each window
    counts = np.array([count])
    quotient, rest = graph("Div", size, counts), graph("Mod", size, counts)
    if rule in ("torch", "area"):
        # edges * size / count, rounded down at starts and up at ends
        parts = graph("Add", graph("Mul", edges, rest), np.array([0, count - 1]))
        borders = graph("Add", graph("Mul", edges, quotient), graph("Div", parts, counts))
    elif rule == "split":
        borders = graph("Add", graph("Mul", edges, quotient), graph("Min", edges, rest))
    elif rule == "uniform":
        step = graph("Max", quotient, np.array([1]))
        length = graph("Sub", size, graph("Mul", step, counts - 1))
        starts = graph("Mul", np.repeat(edges[:, :1], 2, axis=1), step)
        borders = graph("Add", starts, graph("Mul", length, np.array([0, 1])))
    else:
        block = graph("Add", quotient, graph("Min", rest, np.array([1])))
        borders = graph("Min", graph("Mul", edges, block), size)
    first, ends = graph.node("Split", borders, outputs=2, axis=1, num_outputs=2)
    last: Value = graph("Sub", ends, np.array([1]))
    return first, last


def positions(graph: Graph, axis: Axis, steps: Value) -> tuple[Value, Value]:
    """Return where the elements of windows are, in shape (outputs, steps), and which there are."""
    places = graph("Add", axis.first, steps)
    return places, graph("LessOrEqual", places, axis.last)


def area_weights(graph: Graph, axis: Axis, steps: Value) -> Value:
    """Return what elements weigh by area, in shape (outputs, steps), as `area_weights` does.

    Measured from the beginning of the first element, the window lies between `offset` and
    ``offset + size``, in units in which an element has the length `count`.
    """
    count = np.array([axis.outputs])
    windows = np.arange(axis.outputs)[:, np.newaxis]
    each = np.maximum(count, 1)
    offset = graph("Mod", graph("Mul", windows, graph("Mod", axis.size, each)), each)
    begin = graph("Mul", steps, count)
    inside = graph("Min", graph("Add", offset, axis.size), graph("Add", begin, count))
    weights: Value = graph("Sub", inside, graph("Max", offset, begin))
    return weights
