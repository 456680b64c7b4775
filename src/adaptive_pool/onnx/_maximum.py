"""Maxima: the elements of windows gathered and compared, along one axis after the other.

Runtimes lose NaNs in maxima. So NaNs are flags of their own, whose maximum says which windows hold
one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from .._problem import Array
from ._graph import Graph, Value
from ._layout import Layout
from ._tables import Axis, positions

_LOWEST = np.array(-(2**31), np.int32)


def maximum_nodes(
    graph: Graph,
    x: str,
    shape: Sequence[int | None],
    ndim: int,
    axes: Sequence[Axis],
    type_of_x: int,
    *,
    with_indices: bool,
) -> tuple[str, ...]:
    """Add the nodes of a maximum over windows of `axes`; return its name, and its indices'."""
    is_half = type_of_x in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    if not axes and not with_indices:
        return (x,)
    wide = onnx.TensorProto.FLOAT if is_half else type_of_x
    values = graph.node("Cast", x, to=wide) if is_half else x
    if with_indices:
        maxima, indices = _with_indices(graph, values, shape, ndim, axes, wide)
    else:
        maxima, indices = _without_indices(graph, values, len(shape), axes, wide), ""
    if is_half:
        maxima = graph.node("Cast", maxima, to=type_of_x)
    return (maxima, indices) if with_indices else (maxima,)


def _constant(number: float, type_of_it: int) -> Array:
    constant: Array = np.array(number, onnx.helper.tensor_dtype_to_np_dtype(type_of_it))
    return constant


def _table(graph: Graph, axis: Axis) -> Value:
    """Return the positions of elements; shorter windows hold their last one several times."""
    steps = graph("Range", np.array(0), axis.longest(graph), np.array(1))
    places, _ = positions(graph, axis, steps)
    table: Value = graph("Min", places, axis.last)
    return table


def _without_indices(graph: Graph, x: str, rank: int, axes: Sequence[Axis], wide: int) -> str:
    """Return the largest elements of windows; of a flag for each element that is NaN, likewise."""
    values, flags = x, graph.node("Cast", graph.node("IsNaN", x), to=wide)
    layout = Layout(rank)
    for axis in axes:
        values, flags = layout.bring(graph, axis.where, values, flags)
        at, table = layout.at(axis.where), _table(graph, axis)
        values, flags = (
            graph.node(
                "ReduceMax",
                graph.node("Gather", held, table, axis=at),
                np.array([at + 1]),
                keepdims=0,
            )
            for held in (values, flags)
        )
    has_nan = graph.node("Cast", flags, to=onnx.TensorProto.BOOL)
    maxima = graph.node("Where", has_nan, _constant(np.nan, wide), values)
    return layout.back(graph, maxima)


def _with_indices(
    graph: Graph,
    x: str,
    shape: Sequence[int | None],
    ndim: int,
    axes: Sequence[Axis],
    wide: int,
) -> tuple[str, str]:
    """Return the largest elements, or NaN, and their flat indices.

    With each element goes its place in the plane, counted from 1, and negative unless it is NaN.
    The maximum of the places of the largest is that of the first of them. NaNs stand as infinities;
    those are no larger, and of their places that of the last NaN is the largest.
    """
    planes = _places(graph, x, shape, ndim)
    is_nan = graph.node("IsNaN", x)
    places = graph.node("Where", is_nan, planes, graph.node("Neg", planes))
    values = graph.node("Where", is_nan, _constant(np.inf, wide), x)
    layout = Layout(len(shape))
    for axis in axes:
        values, places = layout.bring(graph, axis.where, values, places)
        at, table = layout.at(axis.where), _table(graph, axis)
        held = graph.node("Gather", values, table, axis=at)
        largest = graph.node("ReduceMax", held, np.array([at + 1]), keepdims=1)
        wins = graph.node("Equal", held, largest)
        places = graph.node("Gather", places, table, axis=at)
        places = graph.node("Where", wins, places, _LOWEST)
        places = graph.node("ReduceMax", places, np.array([at + 1]), keepdims=0)
        values = graph.node("Squeeze", largest, np.array([at + 1]))
    has_nan = graph.node("Greater", places, np.array(0, np.int32))
    maxima = graph.node("Where", has_nan, _constant(np.nan, wide), values)
    counted = graph.node("Cast", graph.node("Abs", places), to=onnx.TensorProto.INT64)
    indices = graph.node("Sub", counted, np.array(1))
    return layout.back(graph, maxima), layout.back(graph, indices)


def _places(graph: Graph, x: str, shape: Sequence[int | None], ndim: int) -> str:
    """Return the places of a plane, counted from 1; made by the runtime, as they may be many."""
    pooled = shape[len(shape) - ndim :]
    sizes: str | Array = np.array(pooled)
    if None in pooled:
        sizes = graph.node("Shape", x, start=len(shape) - ndim)
    end = graph("Add", graph("ReduceProd", sizes, keepdims=0), np.array(1))
    places = graph.node("Range", np.array(1), end, np.array(1))
    places = graph.node("Cast", places, to=onnx.TensorProto.INT32)
    plane: str = graph.node("Reshape", places, sizes)
    return plane
