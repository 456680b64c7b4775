"""Adaptive pooling of PyTorch as standard operators, while PyTorch exports a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import onnx

from ._nodes import pool_nodes

_KINDS = {
    "adaptive_avg_pool1d": "avg",
    "adaptive_avg_pool2d": "avg",
    "adaptive_avg_pool3d": "avg",
    "_adaptive_avg_pool2d": "avg",
    "_adaptive_avg_pool3d": "avg",
    "adaptive_max_pool1d": "max",
    "adaptive_max_pool2d": "max",
    "adaptive_max_pool3d": "max",
}


def translation_table() -> dict[Any, Callable[..., Any]]:
    """Say how ``torch.onnx.export`` writes adaptive pooling, so that it is right for every size.

    Returns
    -------
    dict
        For the argument ``custom_translation_table`` of ``torch.onnx.export``, with
        ``dynamo=True``: what stands for adaptive average and max pooling in one, two and three
        dimensions. Entries of your own may be added.

    Raises
    ------
    ImportError
        If ``torch`` or ``onnxscript`` is not installed.

    See Also
    --------
    model : what stands for a pool, and what it does.

    Notes
    -----
    Output sizes must be integers, or None for an axis that stays as it is; other sizes that are
    known only when the model runs are a ValueError of the export.

    Examples
    --------
    >>> import torch
    >>> import adaptive_pool.onnx
    >>> program = torch.onnx.export(
    ...     torch.nn.AdaptiveAvgPool2d(7),
    ...     (torch.ones(1, 3, 10, 10),),
    ...     dynamo=True,
    ...     dynamic_shapes=({2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC},),
    ...     custom_translation_table=adaptive_pool.onnx.translation_table(),
    ...     verbose=False,
    ... )  # doctest: +SKIP
    """
    try:
        import onnxscript
        import torch
    except ImportError as error:
        raise ImportError(
            f"translation_table: {error.name} is not installed: pip install torch onnxscript",
            name=error.name,
            path=error.path,
        ) from error
    return {
        getattr(torch.ops.aten, name).default: _translation(onnxscript.opset18, name, kind)
        for name, kind in _KINDS.items()
    }


def _translation(op: Any, name: str, kind: str) -> Callable[..., Any]:
    """Return what is called for an operator of PyTorch, with its arguments."""

    def translate(self, output_size):  # type: ignore[no-untyped-def]  # which the exporter reads
        return _translate(op, name, kind, self, output_size)

    return translate


def _translate(op: Any, name: str, kind: str, x: Any, output_size: Sequence[Any]) -> Any:
    """Return what a pool of PyTorch gives; `op` are the operators of a graph that is being made."""
    first = len(x.shape) - len(output_size)
    sizes = [_size(name, size, x, first + k) for k, size in enumerate(output_size)]
    shape = [size if isinstance(size, int) else None for size in x.shape]

    def pooled(result: str, results: list[str]) -> Any:
        nodes, initializers = pool_nodes(
            kind, "x", results, sizes, shape=shape, dtype=x.dtype.numpy(), function=name
        )
        return _copy(op, nodes, initializers, {"x": x})[result]

    if kind == "avg":
        return pooled("y", ["y"])
    # Maxima alone are less work; what nobody uses is not exported.
    return pooled("y", ["y"]), pooled("indices", ["also y", "indices"])


def _size(name: str, size: Any, x: Any, axis: int) -> int | None:
    """Return an output size, None for that of the axis itself, which is known at a run."""
    if isinstance(size, int):
        return size
    squeezed = size.producer()
    source = squeezed.inputs[0].producer() if squeezed and squeezed.op_type == "Squeeze" else None
    if source is not None and source.op_type == "Shape":
        start = source.attributes["start"].as_int()
        if source.inputs[0].shape[start] == x.shape[axis]:
            return None
    raise ValueError(
        f"{name}: output_size must be integers, or None for an axis that is kept, got {size} for "
        f"axis {axis} of shape {x.shape}"
    )


def _copy(
    op: Any,
    nodes: Sequence[onnx.NodeProto],
    initializers: Sequence[onnx.TensorProto],
    tensors: dict[str, Any],
) -> dict[str, Any]:
    """Make nodes again, by calling their operators; return all tensors by their names."""
    for constant in initializers:
        tensors[constant.name] = op.Constant(value=constant)
    for node in nodes:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        results = getattr(op, node.op_type)(*(tensors[i] for i in node.input), **attributes)
        results = results if len(node.output) > 1 else [results]
        tensors.update(zip(node.output, results, strict=True))
    return tensors
