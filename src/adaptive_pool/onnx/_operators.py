"""Operators of this library for the reference evaluator of ONNX."""

from __future__ import annotations

from typing import Any

import onnx.reference.op_run

from .._functions import AVERAGE, MAXIMUM
from .._problem import Array

DOMAIN = "adaptive_pool"


class _Pool(onnx.reference.op_run.OpRun):  # type: ignore[misc]
    """Attributes that both operators have."""

    op_domain = DOMAIN

    def _arguments(self) -> tuple[tuple[int | None, ...], dict[str, Any]]:
        """Return sizes, of which -1 keeps an axis, and what else is given."""
        sizes = getattr(self, "output_size", None)
        if not isinstance(sizes, list) or not 1 <= len(sizes) <= 3:
            raise ValueError(
                f"{type(self).__name__}: output_size must be 1 to 3 integers, got {sizes}"
            )
        given = {name: getattr(self, name) for name in ("windows",) if hasattr(self, name)}
        return tuple(None if size == -1 else size for size in sizes), given


class AdaptiveAvgPool(_Pool):
    """The operator ``AdaptiveAvgPool`` of the domain ``adaptive_pool``.

    The last axes of its input are averaged over, one for each entry of the attribute
    ``output_size``, in which -1 keeps an axis. The attribute ``windows`` names a rule of
    `pool_windows`, "torch" by default.

    Pass the class to ``onnx.reference.ReferenceEvaluator``, in ``new_ops``.

    Examples
    --------
    >>> import numpy as np
    >>> import onnx.parser
    >>> import onnx.reference
    >>> from adaptive_pool.onnx import AdaptiveAvgPool, AdaptiveMaxPool
    >>> model = onnx.parser.parse_model('''
    ...     <ir_version: 8, opset_import: ["" : 18, "adaptive_pool" : 1]>
    ...     pooled (float[N, W] x) => (float[N, 2] y) {
    ...         doubled = Add(x, x)
    ...         y = adaptive_pool.AdaptiveAvgPool<output_size = [2], windows = "split">(doubled)
    ...     }''')
    >>> run = onnx.reference.ReferenceEvaluator(model, new_ops=[AdaptiveAvgPool, AdaptiveMaxPool])
    >>> run.run(None, {"x": np.array([[1, 2, 3, 4, 5]], np.float32)})
    [array([[4., 9.]], dtype=float32)]
    """

    def _run(self, x: Array, **_: Any) -> tuple[Array, ...]:
        sizes, given = self._arguments()
        return (AVERAGE[len(sizes) - 1](x, sizes, **given),)


class AdaptiveMaxPool(_Pool):
    """The operator ``AdaptiveMaxPool`` of the domain ``adaptive_pool``.

    Likewise, for maxima; its second result, if the node has one, is where they are: flat indices
    within the pooled axes, int64.

    See Also
    --------
    AdaptiveAvgPool : says what attributes there are, with an example.
    """

    def _run(self, x: Array, **_: Any) -> tuple[Array, ...]:
        sizes, given = self._arguments()
        maximum = MAXIMUM[len(sizes) - 1]
        return tuple(maximum(x, sizes, return_indices=True, **given))[: len(self.onnx_node.output)]
