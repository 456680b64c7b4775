"""Averages: the elements of windows gathered, summed along one axis after the other, and divided.

Behind each axis a zero is added, which stands for what shorter windows do not have; no element is
multiplied by zero, so that NaN and infinities stay in their windows.

Halves are summed in float32, all others in float64, which runtimes do at half the speed. So along
the first axis float32 is summed as it is, up to 16 elements at a time: 15 roundings, of 2**-24 of
the mean of absolute values each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import onnx

from ._graph import Graph, Value
from ._layout import Layout
from ._tables import Axis, area_weights, positions

_BLOCK = 16


class _Elements(NamedTuple):
    """What is gathered along an axis."""

    table: Value  # positions of elements: (windows, elements) or (windows, blocks, elements)
    has_gaps: bool  # whether the element behind the axis is among them
    blocks: bool  # whether there are two axes to sum over
    weights: Value | None


def average_nodes(
    graph: Graph,
    x: str,
    rank: int,
    axes: Sequence[Axis],
    type_of_x: int,
    *,
    by_area: bool,
) -> str:
    """Add the nodes of an average over windows of `axes`; return its name."""
    float32, float64 = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
    is_half = type_of_x in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    wide = float32 if is_half else float64
    sums, now = x, type_of_x
    if is_half and axes:
        sums, now = graph.node("Cast", x, to=wide), wide
    layout = Layout(rank)
    for axis in axes:
        (sums,) = layout.bring(graph, axis.where, sums)
        if by_area and now != wide:
            sums, now = graph.node("Cast", sums, to=wide), wide
        elements = _elements(graph, axis, wide, in_blocks=now != wide, by_area=by_area)
        sums = _gather(graph, layout, axis, sums, elements)
        at = layout.at(axis.where)
        sums = graph.node("ReduceSum", sums, np.array([at + 1 + elements.blocks]), keepdims=0)
        if now != wide:
            sums, now = graph.node("Cast", sums, to=wide), wide
        if elements.blocks:
            sums = graph.node("ReduceSum", sums, np.array([at + 1]), keepdims=0)
    mean = layout.back(graph, sums)
    if axes and not by_area:
        number = _number_of_elements(graph, axes, rank)
        mean = graph.node("Div", mean, graph("Cast", number, to=wide))
    if now != type_of_x:
        mean = graph.node("Cast", mean, to=type_of_x)
    return mean


def _elements(graph: Graph, axis: Axis, wide: int, *, in_blocks: bool, by_area: bool) -> _Elements:
    """Return which elements are gathered for the windows of an axis."""
    longest = axis.longest(graph)
    shape: list[Value] = []
    if in_blocks and not (isinstance(longest, np.ndarray) and longest <= _BLOCK):
        # Blocks of one length, as few as there can be.
        blocks = graph("Div", graph("Add", longest, np.array(_BLOCK - 1)), np.array(_BLOCK))
        each = graph("Div", graph("Sub", graph("Add", longest, blocks), np.array(1)), blocks)
        longest = graph("Mul", blocks, each)
        shape = [np.array([-1]), *(graph("Reshape", n, np.array([1])) for n in (blocks, each))]
    steps = graph("Range", np.array(0), longest, np.array(1))
    places, held = positions(graph, axis, steps)
    table = graph("Where", held, places, axis.size)
    has_gaps = not (isinstance(held, np.ndarray) and held.all())
    if shape:
        table = graph("Reshape", table, graph("Concat", *shape, axis=0))
    weights = None
    if by_area:
        weights, size = (
            graph("Cast", n, to=wide) for n in (area_weights(graph, axis, steps), axis.size)
        )
        weights = graph("Div", weights, size)
    return _Elements(table, has_gaps, bool(shape), weights)


def _gather(graph: Graph, layout: Layout, axis: Axis, x: str, elements: _Elements) -> str:
    """Return the elements of windows, with one axis or two more behind the pooled one."""
    at, behind = layout.at(axis.where), layout.behind(axis.where)
    if elements.has_gaps:
        pads = np.zeros((2, at + 1 + behind), np.int64)
        pads[1, at] = 1
        x = graph.node("Pad", x, pads.ravel())
    gathered: str = graph.node("Gather", x, elements.table, axis=at)
    if elements.weights is None:
        return gathered
    weights = elements.weights
    if behind:
        weights = graph("Unsqueeze", weights, np.arange(2, 2 + behind))
    weighed: str = graph.node("Mul", gathered, weights)
    return weighed


def _number_of_elements(graph: Graph, axes: Sequence[Axis], rank: int) -> Value:
    """Return how many elements windows have, in a shape that broadcasts to that of their sums."""
    number: Value = np.array([1])
    for axis in axes:
        shape = np.array([-1] + [1] * (rank - 1 - axis.where))
        number = graph("Mul", number, graph("Reshape", axis.lengths(graph), shape))
    return number
