"""Parts of a graph that may be a pool: one tensor goes in, one comes out.

Nodes of three kinds are followed: those that move elements, those that add them up and divide by
what is known (a linear function of what goes in), and those that compare them (maxima of some of
it). A part of the first kind and one other is an average or a maximum over some elements; which
ones, and with what weights, is for `_impulses.py` to find out.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import onnx

from ._exported import Exported

_MOVES = {
    "Concat", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Identity", "Pad",
    "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
_SELECTS = {"Gather", "GatherElements", "GatherND", "Slice", "Split"}
_ADDS = {
    "Add", "AveragePool", "Conv", "Div", "GlobalAveragePool", "Mul", "ReduceMean", "ReduceSum",
    "Sum",
}  # fmt: skip
_COMPARES = {"GlobalMaxPool", "Max", "MaxPool", "ReduceMax"}
_SCALES = {"Div", "Mul"}
# Which inputs may hold elements; of others only the first.
_ALL_INPUTS = {"Add", "Concat", "Max", "Sum"}


class Region(NamedTuple):
    """Nodes, in their order, which make `y` of `x` and of what is known."""

    x: str
    y: str
    nodes: tuple[int, ...]
    kind: str  # "avg" or "max"
    is_compound: bool  # whether it is more than one ordinary pool, however that is turned


def _inputs_followed(exported: Exported, node: onnx.NodeProto) -> list[str] | None:
    """Return the inputs that hold elements, or None for a node that is not followed."""
    operator = node.op_type
    if node.domain not in ("", "ai.onnx") or operator not in _MOVES | _ADDS | _COMPARES | {"Cast"}:
        return None
    inputs = list(node.input)
    followed = [name for name in inputs if name and not exported.is_known(name)]
    if operator in _ALL_INPUTS:
        return followed if len(followed) == len(inputs) else None
    if operator == "Where":
        return followed if inputs[0] not in followed else None
    if operator == "Mul":
        return followed if len(followed) == 1 else None
    if operator == "Cast":  # to the type it has
        types = exported.element(node.input[0]), exported.element(node.output[0])
        return followed if types[0] and types[0] == types[1] else None
    if operator == "Conv" and not _is_box(exported, node):
        return None
    if operator == "MaxPool" and any(map(exported.is_used, node.output[1:])):
        return None
    return followed if followed == inputs[:1] else None


def _is_box(exported: Exported, node: onnx.NodeProto) -> bool:
    """Return whether a convolution adds up elements of each channel by itself."""
    weights = exported.constant(node.input[1])
    if len(node.input) > 2 or weights is None or weights.dims[1] != 1:
        return False
    array = onnx.numpy_helper.to_array(weights)
    return bool(array.size and (array == array.flat[0]).all())


def regions_before(exported: Exported, y: str) -> Iterator[Region]:
    """Yield the parts of a graph that end in `y`, from the smallest to the largest.

    There is none if the node that makes `y` makes something else that is needed.
    """
    made_with_it = set(exported.graph.node[exported.maker[y]].output) - {y}
    if any(map(exported.is_used, made_with_it)):
        return
    found: list[int] = []
    frontier: dict[int, set[str]] = {}  # by the nodes that make them
    order: list[int] = []
    sources: set[str] = set()  # which no node makes

    def reach(name: str) -> None:
        if name not in exported.maker:
            sources.add(name)
            return
        k = exported.maker[name]
        if k not in frontier:
            heapq.heappush(order, -k)
        frontier.setdefault(k, set()).add(name)

    reach(y)
    operators: set[str] = set()
    while order:
        k = -order[0]
        node = exported.graph.node[k]
        followed = _inputs_followed(exported, node)
        if followed is None:
            return
        heapq.heappop(order)
        del frontier[k]
        found.append(k)
        operators.add(node.op_type)
        for name in followed:
            reach(name)
        if len(sources) + sum(map(len, frontier.values())) != 1:
            continue
        kinds = bool(operators & _ADDS), bool(operators & _COMPARES)
        if kinds == (True, True):
            return
        if any(kinds):
            [x] = sources or next(iter(frontier.values()))
            reducing = (_ADDS | _COMPARES) - _SCALES
            pools = [j for j in found if exported.graph.node[j].op_type in reducing]
            yield Region(
                x,
                y,
                tuple(reversed(found)),
                "avg" if kinds[0] else "max",
                len(pools) > 1 or bool(pools and operators & _SELECTS),
            )


def region_nodes(
    exported: Exported, region: Region
) -> tuple[list[onnx.NodeProto], list[onnx.NodeProto], dict[str, onnx.TensorProto]]:
    """Return the nodes of a region, those that make what it needs besides, and constants.

    Of what only its shape is needed, that is left out, but for `Shape` itself.
    """
    constants: dict[str, onnx.TensorProto] = {}
    besides: dict[int, dict[int, onnx.NodeProto]] = {}
    inside = [exported.graph.node[k] for k in region.nodes]
    made = {name for node in inside for name in node.output} | {region.x}
    waiting = [(exported, name) for node in inside for name in node.input if name not in made]
    while waiting:
        where, name = waiting.pop()
        while where.outer is not None and name not in where.maker and name not in where.constants:
            where = where.outer
        if name in where.constants:
            constants[name] = where.constants[name]
        elif name in where.maker:
            k = where.maker[name]
            nodes = besides.setdefault(_depth(where), {})
            if k not in nodes:
                nodes[k] = where.graph.node[k]
                if nodes[k].op_type != "Shape" or where.is_known(nodes[k].input[0]):
                    waiting += [(where, given) for given in nodes[k].input if given]
    return (
        inside,
        [nodes[k] for _, nodes in sorted(besides.items()) for k in sorted(nodes)],
        constants,
    )


def _depth(exported: Exported) -> int:
    return 0 if exported.outer is None else 1 + _depth(exported.outer)
