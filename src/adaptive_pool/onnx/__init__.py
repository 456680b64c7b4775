"""Adaptive pooling in ONNX: written in standard operators, for any runtime."""

from __future__ import annotations

from .._extras import needs

with needs("onnx"):
    import onnx as _onnx  # noqa: F401

from ._nodes import pool_nodes

__all__ = ["pool_nodes"]
