"""Nodes of standard operators that pool, for any graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx

from .._problem import Size
from .._windows import Windows
from ._average import average_nodes
from ._geometry import Geometry, geometry_of
from ._graph import Graph
from ._maximum import maximum_nodes
from ._tables import axis_of

_FEWEST_AXES = 3


def pool_nodes(
    kind: str,
    x: str,
    outputs: Sequence[str],
    output_size: Size,
    *,
    shape: Sequence[int | None],
    ndim: int | None = None,
    windows: Windows = "torch",
    dtype: npt.DTypeLike = np.float32,
    prefix: str = "adaptive_pool",
    function: str = "pool_nodes",
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes that pool the last axes of a tensor, and the constants that they need.

    They are in the order in which they run, and valid from opset 18 on. `shape` is that of the
    tensor `x`, with None for what is not known. `outputs` names the results: one, or for maxima
    their indices too. All other names begin with `prefix`. Errors begin with `function`.
    """
    if ndim is None:
        ndim = len(output_size)  # type: ignore[arg-type]
    with_indices = len(outputs) > 1
    geometry = geometry_of(
        function, kind, output_size, ndim, shape, windows, dtype, with_indices=with_indices
    )
    return nodes_of(function, geometry, x, outputs, prefix)


def nodes_of(
    function: str, geometry: Geometry, x: str, outputs: Sequence[str], prefix: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return the same for what was checked."""
    graph = Graph(prefix)
    # With fewer axes OpenVINO 2026.4 divides sums by the wrong numbers, and loses rows.
    added = max(_FEWEST_AXES - len(geometry.shape), 0)
    planes = graph.node("Unsqueeze", x, np.arange(added)) if added else x
    shape = (1,) * added + geometry.shape
    first = len(shape) - geometry.ndim
    axes = [
        axis_of(graph, function, planes, first + k, shape[first + k], size, windows)
        for k, (size, windows) in enumerate(zip(geometry.sizes, geometry.windows, strict=True))
        if size is not None
    ]
    if geometry.kind == "avg":
        by_area = geometry.windows[0] == "area"
        names: tuple[str, ...] = (
            average_nodes(graph, planes, len(shape), axes, geometry.element, by_area=by_area),
        )
    else:
        names = maximum_nodes(
            graph, planes, shape, geometry.ndim, axes, geometry.element,
            with_indices=geometry.with_indices,
        )  # fmt: skip
    for name, output in zip(names, outputs, strict=True):
        graph.call(graph.node("Squeeze", name, np.arange(added)) if added else name, output)
    return graph.nodes, graph.initializers
