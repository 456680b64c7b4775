"""Adaptive pools found in a graph: by what parts of it compute, and by what PyTorch noted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnx

from .._objects import shown
from .._problem import Size, normalize_size
from .._windows import pool_windows
from ._exported import Dim, Exported, Intent, intent_of
from ._impulses import is_pool, keeps_ones
from ._regions import Region, region_nodes, regions_before
from ._splice import Replacement, pool_of

_POOLS = {"AveragePool": "avg", "MaxPool": "max"}
_MOST_AXES = 3
_RIGHT = "right at its one size, and short"
_PADDLE = "p2o.pd_op."  # what Paddle2ONNX names tensors by


class Found(NamedTuple):
    """A region that is, or may be, an adaptive pool over some axes."""

    region: Region
    axes: tuple[int, ...]
    output_size: tuple[int, ...] | None
    replaced: bool
    note: str


class _Shapes(NamedTuple):
    axes: tuple[int, ...]
    input_size: tuple[Dim, ...]
    output_size: tuple[int, ...]


def find(exported: Exported, wanted: dict[str, Size]) -> list[Found]:
    """Return the pools of a graph, in its order; take those out of `wanted` that are there."""
    found = [_as_wanted(exported, y, wanted.pop(y)) for y in list(wanted) if y in exported.maker]
    taken = {k for pool in found for k in pool.region.nodes}
    left: list[Found] = []
    tried: set[str] = set()
    for y in reversed(list(exported.maker)):
        if exported.maker[y] in taken or y in tried:
            continue
        for pool in _ending_in(exported, y):
            if pool.replaced or pool.note == _RIGHT:
                found.append(pool)
                taken |= set(pool.region.nodes)
                break
            left.append(pool)
            tried |= _partial_results(exported, pool.region)
    ends = {exported.maker[pool.region.y] for pool in found}
    for pool in (*left, *_fixed_windows(exported, taken)):
        # What holds a pool that was found is explained by that, as is what is held by another.
        if not ends.intersection(pool.region.nodes) and exported.maker[pool.region.y] not in taken:
            found.append(pool)
            taken |= set(pool.region.nodes)
    return sorted(found, key=lambda pool: exported.maker[pool.region.y])


def _partial_results(exported: Exported, region: Region) -> set[str]:
    """Return the tensors that a region adds up, compares or joins, and does nothing else with."""
    return {
        name
        for k in region.nodes
        if exported.graph.node[k].op_type in ("Add", "Sum", "Max", "Concat")
        for name in exported.graph.node[k].input
        if len(exported.users[name]) == 1
    }


def _ending_in(exported: Exported, y: str) -> Iterator[Found]:
    """Yield what parts of a graph that end in `y` are: the largest first, and pools at the end."""
    regions = [region for region in regions_before(exported, y) if region.is_compound]
    for region in reversed(regions):
        shapes = _pooled(exported, region)
        if shapes is None:
            continue
        axes, input_size, output_size = shapes
        known = [size for size in input_size if isinstance(size, int)]
        if len(known) == len(axes):
            note = is_pool(exported, region, axes, known, output_size, {})
            replaced = not note and _is_shorter(exported, Replacement(region, axes, output_size))
            right = "unrolled for its size" if replaced else _RIGHT
            if not note or all(o <= i for i, o in zip(known, output_size, strict=True)):
                yield Found(region, axes, output_size, replaced, note or right)
        else:
            yield _of_any_size(exported, region, shapes)


def _is_shorter(exported: Exported, replacement: Replacement) -> bool:
    """Return whether a pool has fewer nodes than a region that it would replace."""
    inside, besides, _ = region_nodes(exported, replacement.region)
    nodes, _ = pool_of(exported, replacement, "")
    return len(nodes) < len(inside) + len(besides)


def _pooled(exported: Exported, region: Region) -> _Shapes | None:
    """Return the axes along which sizes change, if these can be the axes of a pool."""
    before, after = exported.shape(region.x), exported.shape(region.y)
    if before is None or after is None or len(before) != len(after):
        return None
    changed = [k for k, size in enumerate(after) if isinstance(size, int) and size != before[k]]
    if not changed:
        return None
    rank, axes = len(before), tuple(range(changed[0], changed[-1] + 1))
    output_size = [after[k] for k in axes]
    if len(axes) > _MOST_AXES or axes[-1] < rank - 2 or 0 in (*before, *after):
        return None
    if not all(isinstance(size, int) for size in output_size):
        return None
    return _Shapes(axes, before[axes[0] : axes[-1] + 1], tuple(output_size))  # type: ignore[arg-type]


def _intent(exported: Exported, region: Region) -> Intent | None:
    """Return the adaptive pool that all nodes of a region were made of that do not only turn it."""
    nodes = [exported.graph.node[k] for k in region.nodes]
    turning = ("Transpose", "Unsqueeze", "Squeeze", "Identity")
    intents = {intent_of(node) for node in nodes if node.op_type not in turning}
    intent = intents.pop() if len(intents) == 1 else None
    return intent if intent is not None and intent.kind == region.kind else None


def _of_any_size(exported: Exported, region: Region, shapes: _Shapes) -> Found:
    """Return what a region is whose sizes only a run knows."""
    axes, input_size, output_size = shapes
    if _intent(exported, region) is None:
        note = f"nothing says that it is meant for all sizes: output_sizes={{{region.y!r}: ...}}"
        return Found(region, axes, output_size, False, note)
    note = ""
    for tried in _sizes_to_try(exported, region, shapes):
        sizes = {
            name: size
            for name, size in zip(input_size, tried, strict=True)
            if isinstance(name, str)
        }
        if any(
            sizes.get(name) != size  # type: ignore[arg-type]
            for name, size in zip(input_size, tried, strict=True)
            if not isinstance(name, int)
        ):
            continue
        note = is_pool(exported, region, axes, tried, output_size, sizes)
        if not note:
            return Found(region, axes, output_size, True, f"unrolled for sizes such as {tried}")
    return Found(region, axes, output_size, False, note or "its sizes have no names")


def _sizes_to_try(exported: Exported, region: Region, shapes: _Shapes) -> Iterator[tuple[int, ...]]:
    """Yield sizes at which PyTorch's decomposition may be right.

    It takes the elements of windows one by one, as many as the longest window had at the size that
    it was made with: `size // count + 2` of them, one less or two less.
    """
    lengths: dict[int, int] = {}
    for k in region.nodes:
        node = exported.graph.node[k]
        index = exported.constant(node.input[1]) if node.op_type == "Gather" else None
        if index is not None and not index.dims:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            place = int(onnx.numpy_helper.to_array(index))
            lengths[axis] = max(lengths.get(axis, 0), place + 1)
    each = [lengths[axis] for axis in sorted(lengths)][-len(shapes.axes) :]
    choices = []
    for k, (size, count) in enumerate(zip(shapes.input_size, shapes.output_size, strict=True)):
        tried = [count + 1, 2 * count]
        if len(each) == len(shapes.axes):
            n = each[k]
            tried = [(n - 2) * count + 1, (n - 1) * count + 1, n * count]
        choices.append([size] if isinstance(size, int) else [n for n in tried if n > 0])
    yield from itertools.product(*choices)


def _as_wanted(exported: Exported, y: str, size: Size) -> Found:
    """Return the pool that makes `y`, with the output size that a caller says.

    That is an ordinary pool, or else the largest part that is one of some windows, be they right or
    wrong; if sizes are not known, the smallest.
    """
    is_ordinary = exported.graph.node[exported.maker[y]].op_type in _POOLS
    chosen = None
    for region in regions_before(exported, y):
        axes = _all_pooled(exported, region)
        if axes is None:
            continue
        shape = exported.shape(region.x) or ()
        if is_ordinary or not all(isinstance(shape[k], int) for k in axes):
            chosen = chosen or (region, axes)
            break
        if region.kind == "max" or keeps_ones(exported, region):
            chosen = region, axes
    if chosen is None:
        raise ValueError(f"repair: output_sizes must name results of pools, got {shown(y)}")
    sizes = normalize_size("repair", len(chosen[1]), size, f"output_sizes[{y!r}]")
    output_size = tuple(n for n in sizes if n is not None)
    if len(output_size) < len(sizes):
        raise ValueError(f"repair: output_sizes[{y!r}] must be sizes, got {shown(size)}")
    return Found(*chosen, output_size, True, "as asked for")


def _all_pooled(exported: Exported, region: Region) -> tuple[int, ...] | None:
    """Return all axes but those of batch and channels, which must be the same before and after."""
    before, after = exported.shape(region.x), exported.shape(region.y)
    if before is None or after is None or len(before) != len(after) or len(before) < 3:
        return None
    same = [
        a == b or not (isinstance(a, int) or isinstance(b, int))
        for a, b in zip(before, after, strict=True)
    ]
    rank = len(before)
    if same[0] and same[1]:
        return tuple(range(2, rank))
    return tuple(range(1, rank - 1)) if same[0] and same[-1] else None


def _fixed_windows(exported: Exported, taken: set[int]) -> Iterator[Found]:
    """Yield ordinary pools that were made of adaptive ones, as far as one can tell."""
    for k, node in enumerate(exported.graph.node):
        if node.op_type not in _POOLS or k in taken or not node.input:
            continue
        x, y = node.input[0], node.output[0]
        region = Region(x, y, (k,), _POOLS[node.op_type], False)
        shape = exported.shape(x)
        if shape is None or len(shape) < 3:
            continue
        axes = tuple(range(2, len(shape)))
        ask = f"output_sizes={{{y!r}: ...}}"
        if _intent(exported, region) and not all(isinstance(n, int) for n in shape[2:]):
            note = f"windows of one length at every size; the output size is not there: {ask}"
            yield Found(region, axes, None, False, note)
        elif (
            any(name.startswith(_PADDLE) for name in (x, y))
            and (windows := _uneven(node, shape[2:])) is not None
        ):
            note = f"{windows}, which Paddle2ONNX writes for adaptive pools, too: {ask}"
            yield Found(region, axes, None, False, note)


def _uneven(node: onnx.NodeProto, sizes: tuple[Dim, ...]) -> str | None:
    """Describe windows of one length and stride that are not those of an adaptive pool.

    Only if they are what Paddle2ONNX makes of one: those of the rule "uniform".
    """
    given = {a.name: list(a.ints) for a in node.attribute}
    kernel, strides = given.get("kernel_shape", []), given.get("strides", [])
    if any(given.get("pads", [])) or any(d != 1 for d in given.get("dilations", [])):
        return None
    if not len(kernel) == len(strides) == len(sizes):
        return None
    differ = False
    for size, length, stride in zip(sizes, kernel, strides, strict=True):
        if not isinstance(size, int):
            return None
        starts = np.arange(0, size - length + 1, stride)
        uniform = pool_windows(size, len(starts), "uniform")
        if not np.array_equal(uniform, (starts, starts + length)):
            return None
        differ |= not np.array_equal(uniform, pool_windows(size, len(starts)))
    return f"windows of {tuple(kernel)} with strides {tuple(strides)}" if differ else None
