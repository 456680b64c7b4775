"""Nodes of a graph replaced by an adaptive pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx

from ._exported import Exported
from ._nodes import pool_nodes
from ._regions import Region, region_nodes


class Replacement(NamedTuple):
    """A region, and what is pooled in its place."""

    region: Region
    axes: tuple[int, ...]
    output_size: tuple[int, ...]


def splice(
    graph: onnx.GraphProto,
    exported: Exported,
    replacements: Sequence[Replacement],
    prefixes: Iterator[str],
) -> list[int]:
    """Replace regions of a graph; return how many nodes each was made of.

    What other nodes, or the caller, still use stays. `exported` is the index of the graph.
    """
    new: dict[int, list[onnx.NodeProto]] = {}
    removed: set[int] = set()
    needed = exported.results | {replacement.region.x for replacement in replacements}
    counts = []
    for replacement in replacements:
        region = replacement.region
        nodes, constants = pool_of(exported, replacement, next(prefixes))
        new[exported.maker[region.y]] = nodes
        graph.initializer.extend(constants)
        before = len(removed)
        removed |= _unused(exported, region, removed, needed)
        counts.append(len(removed) - before)
        _set_sizes(graph, replacement)
    kept = []
    for k, node in enumerate(graph.node):
        kept += new.get(k, [])
        if k not in removed:
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
    was_used = {name for k in removed for name in exported.graph.node[k].input}
    made = {name for k in removed for name in exported.graph.node[k].output}
    del graph.node[:]
    graph.node.extend(kept)
    index = Exported(exported.model, graph, exported.outer)
    gone = {name for name in was_used if name not in index.users and name not in index.results}
    _keep(graph.initializer, (t for t in graph.initializer if t.name not in gone))
    gone |= {name for name in made if name not in index.maker}
    _keep(graph.value_info, (value for value in graph.value_info if value.name not in gone))
    return counts


def _keep(entries: Any, kept: Iterable[Any]) -> None:
    copies = [type(entry).FromString(entry.SerializeToString()) for entry in kept]
    del entries[:]
    entries.extend(copies)


def pool_of(
    exported: Exported, replacement: Replacement, prefix: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes that pool, with the pooled axes brought to the end where they are not there."""
    region, axes, output_size = replacement
    shape = [size if isinstance(size, int) else None for size in exported.shape(region.x) or ()]
    rank = len(shape)
    order = [k for k in range(rank) if k not in axes] + list(axes)
    turned = order != list(range(rank))
    x, y = (f"{prefix}_x", f"{prefix}_y") if turned else (region.x, region.y)
    nodes, constants = pool_nodes(
        region.kind,
        x,
        [y],
        output_size,
        shape=[shape[k] for k in order],
        dtype=np.dtype(onnx.helper.tensor_dtype_to_np_dtype(exported.element(region.x))),
        prefix=prefix,
        function="repair",
    )
    if turned:
        there = onnx.helper.make_node("Transpose", [region.x], [x], name=x, perm=order)
        back = [order.index(k) for k in range(rank)]
        nodes = [there, *nodes, onnx.helper.make_node("Transpose", [y], [region.y], perm=back)]
    return nodes, constants


def _unused(exported: Exported, region: Region, removed: set[int], needed: set[str]) -> set[int]:
    """Return the nodes that nothing needs once a region is replaced."""
    _, besides, _ = region_nodes(exported, region)
    made = {name for node in besides for name in node.output}
    nodes = {*region.nodes, *(exported.maker[name] for name in made if name in exported.maker)}
    unused = {exported.maker[region.y]}
    for k in sorted(nodes, reverse=True):
        outputs = exported.graph.node[k].output
        if not needed.intersection(outputs) and all(
            user in unused or user in removed
            for name in outputs
            for user in exported.users.get(name, [])
        ):
            unused.add(k)
    return unused


def _set_sizes(graph: onnx.GraphProto, replacement: Replacement) -> None:
    """Note the sizes of the result, in the place of names that stood for them."""
    values = (*graph.output, *graph.value_info)
    given = {dim.dim_param for value in graph.input for dim in value.type.tensor_type.shape.dim}
    size_of: dict[str, int] = {}
    for value in values:
        if value.name != replacement.region.y or not value.type.tensor_type.HasField("shape"):
            continue
        dims = value.type.tensor_type.shape.dim
        for k, size in zip(replacement.axes, replacement.output_size, strict=True):
            if dims[k].dim_param not in {"", *given}:
                size_of[dims[k].dim_param] = size
            dims[k].dim_value = size
    for value in values:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in size_of:
                dim.dim_value = size_of[dim.dim_param]
