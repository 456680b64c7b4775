"""Operators of this library in ONNX's reference evaluator."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")

import onnx.parser
import onnx.reference
from oracle import function

import adaptive_pool as ap
from adaptive_pool.onnx import AdaptiveAvgPool, AdaptiveMaxPool

KINDS = {"avg": "AdaptiveAvgPool", "max": "AdaptiveMaxPool"}


def evaluator(node, results="float[N, C, A, B] y"):
    model = onnx.parser.parse_model(f"""
        <ir_version: 8, opset_import: ["" : 18, "adaptive_pool" : 1]>
        pooled (float[N, C, H, W] x) => ({results}) {{ {node} }}
    """)
    return onnx.reference.ReferenceEvaluator(model, new_ops=[AdaptiveAvgPool, AdaptiveMaxPool])


@pytest.mark.parametrize("rule", [None, "split", "ceil"])
@pytest.mark.parametrize("sizes", [[3], [3, 2], [2, -1], [1, 2, 3]])
@pytest.mark.parametrize("kind", KINDS)
def test_one_node(kind, sizes, rule, rng):
    windows = "" if rule is None else f', windows = "{rule}"'
    run = evaluator(f"y = adaptive_pool.{KINDS[kind]}<output_size = {sizes}{windows}>(x)")
    x = rng.standard_normal((2, 3, 5, 7)).astype(np.float32)
    [y] = run.run(None, {"x": x})
    expected = function(kind, len(sizes))(
        x, tuple(None if size == -1 else size for size in sizes), windows=rule or "torch"
    )
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == np.float32


def test_indices(rng):
    run = evaluator(
        "y, i = adaptive_pool.AdaptiveMaxPool<output_size = [3, 2]>(x)",
        "float[N, C, 3, 2] y, int64[N, C, 3, 2] i",
    )
    x = rng.standard_normal((2, 3, 5, 7)).astype(np.float32)
    expected = ap.adaptive_max_pool2d(x, (3, 2), return_indices=True)
    for actual, wanted in zip(run.run(None, {"x": x}), expected, strict=True):
        np.testing.assert_array_equal(actual, wanted)


def test_between_other_nodes():
    run = evaluator("a = Neg(x) b = adaptive_pool.AdaptiveAvgPool<output_size = [1]>(a) y = Neg(b)")
    x = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    assert run.run(None, {"x": x})[0].tolist() == [[[[1], [4]]]]


@pytest.mark.parametrize("attribute", ["", "<output_size = [1, 1, 1, 1]>"])
def test_without_sizes(attribute):
    run = evaluator(f"y = adaptive_pool.AdaptiveAvgPool{attribute}(x)")
    with pytest.raises(ValueError, match="AdaptiveAvgPool: output_size must be 1 to 3 integers"):
        run.run(None, {"x": np.ones((1, 1, 2, 2), np.float32)})
