"""Nodes of standard operators that pool, for any graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from .. import _windows
from .._objects import shown
from .._problem import Size, check_counts, normalize_size
from ._average import average_nodes
from ._graph import Graph
from ._maximum import maximum_nodes
from ._tables import axis_of

_TYPES = ("float16", "bfloat16", "float32", "float64")
_LARGEST_PLANE = 2**31 - 2
_FEWEST_AXES = 3


def pool_nodes(
    kind: str,
    x: str,
    outputs: Sequence[str],
    output_size: Size,
    *,
    shape: Sequence[int | None],
    ndim: int | None = None,
    windows: _windows.Windows = "torch",
    dtype: npt.DTypeLike = np.float32,
    prefix: str = "adaptive_pool",
    function: str = "pool_nodes",
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes that pool a tensor of a graph, and the constants that they need."""
    if kind not in ("avg", "max"):
        raise ValueError(f"{function}: kind must be 'avg' or 'max', got {shown(kind)}")
    ndim = len(output_size) if ndim is None else ndim  # type: ignore[arg-type]
    sizes = normalize_size(function, ndim, output_size)
    with_indices = len(outputs) > 1
    element = np.dtype(dtype)
    if element.name not in _TYPES:
        raise TypeError(f"{function}: dtype must be one of {list(_TYPES)}, got {element.name}")
    rank = len(shape)
    if rank < ndim:
        raise ValueError(f"{function}: shape must have {ndim} axes at least, got {shown(shape)}")
    pooled = shape[rank - ndim :]
    given = _windows.rule_or_pairs(function, ndim, windows)
    if kind == "max":
        _windows.check_unweighted(function, given)
    known = [n for n in pooled if n is not None]
    if with_indices and len(known) == ndim and np.prod(known, dtype=float) > _LARGEST_PLANE:
        raise ValueError(
            f"{function}: indices are of planes of at most {_LARGEST_PLANE} elements, "
            f"got shape {tuple(shape)}"
        )
    rules: Sequence[Any] = (given,) * ndim
    if not isinstance(given, str):
        rules = tuple(
            _windows.explicit_table(function, axis, 2**62 if size is None else size, pair)
            for axis, (size, pair) in enumerate(zip(pooled, given, strict=True))
        )
        sizes = check_counts(function, sizes, rules)
    graph = Graph(prefix)
    # OpenVINO 2026.4 mistakes what is done with tensors of fewer axes for something else.
    added = max(_FEWEST_AXES - rank, 0)
    planes = graph.node("Unsqueeze", x, np.arange(added)) if added else x
    shape = (1,) * added + tuple(shape)
    axes = [
        axis_of(graph, function, planes, len(shape) - ndim + k, size, count, rule)
        for k, (size, count, rule) in enumerate(zip(pooled, sizes, rules, strict=True))
        if count is not None
    ]
    type_of_x = onnx.helper.np_dtype_to_tensor_dtype(element)
    if kind == "avg":
        by_area = given == "area"
        names: tuple[str, ...] = (
            average_nodes(graph, planes, len(shape), axes, type_of_x, by_area=by_area),
        )
    else:
        names = maximum_nodes(
            graph, planes, shape, ndim, axes, type_of_x, with_indices=with_indices
        )
    for name, output in zip(names, outputs, strict=True):
        graph.call(graph.node("Squeeze", name, np.arange(added)) if added else name, output)
    return graph.nodes, graph.initializers
