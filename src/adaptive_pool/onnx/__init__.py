"""Adaptive pooling in ONNX, written in standard operators, for any runtime."""

from __future__ import annotations

from .._extras import needs

with needs("onnx"):
    import onnx as _onnx  # noqa: F401

from ._compare import Difference, compare
from ._model import model
from ._operators import AdaptiveAvgPool, AdaptiveMaxPool
from ._repair import ExportedPool, repair
from ._translation import translation_table

__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "Difference",
    "ExportedPool",
    "compare",
    "model",
    "repair",
    "translation_table",
]
