"""ONNX Runtime: pools and ReduceMean on the CPU."""

import numpy as np
import onnxruntime
from onnx import helper
from onnx.helper import np_dtype_to_tensor_dtype

import adaptive_pool as ap

from .figures import Claims, about, floats, integers, same, ulps

REQUIRES = ("onnxruntime==1.32.0", "onnx==1.23.2", "numpy==2.4.6")


def run(operator, x, outputs=1, **attributes):
    """Run one operator of operator set 17."""
    kind = np_dtype_to_tensor_dtype(x.dtype)
    node = helper.make_node(operator, ["x"], ["y", "indices"][:outputs], **attributes)
    results = [
        helper.make_tensor_value_info("y", kind, None),
        helper.make_tensor_value_info(
            "indices", np_dtype_to_tensor_dtype(np.dtype(np.int64)), None
        ),
    ]
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", kind, x.shape)], results[:outputs]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(None, {"x": x})
    return found if outputs > 1 else found[0]


def pool(operator, x, block, outputs=1):
    """Run a pool of blocks."""
    return run(operator, x, outputs, kernel_shape=[block] * 2, strides=[block] * 2)


def refuses(operator, x):
    """Whether an operator has no build for a dtype."""
    attributes = {} if operator == "GlobalAveragePool" else {"kernel_shape": [2, 2]}
    try:
        run(operator, x, **attributes)
    except Exception as error:  # noqa: BLE001 - its own classes
        return "NOT_IMPLEMENTED" in str(error) or "INVALID_GRAPH" in str(error)
    return False


def claims() -> Claims:
    """Yield the statements of the page."""
    version = onnxruntime.__version__
    yield "Run with ONNX Runtime 1.32.0", version == "1.32.0", version
    x = floats(1, 1, 224, 224)
    one = ap.adaptive_avg_pool2d(x, 1, dtype=np.float64)
    seen = ulps(run("GlobalAveragePool", x), one)
    yield (
        "| `GlobalAveragePool` | `ap.adaptive_avg_pool2d(x, 1)` | 224 by 224: off by 8 ulp |",
        about(seen, 8),
        seen,
    )
    seen = ulps(run("ReduceMean", x, axes=[2, 3]), one)
    yield (
        "| `ReduceMean` of the last two axes | the same | 224 by 224: off by 4 ulp |",
        about(seen, 4),
        seen,
    )
    seen = ulps(pool("AveragePool", x, 32), ap.adaptive_avg_pool2d(x, 7, dtype=np.float64))
    row = "| `AveragePool`, kernel and stride 32 | `ap.adaptive_avg_pool2d(x, (H // 32, W // 32))` | 224 by 224: off by 13 ulp |"
    yield row, about(seen, 13), seen
    theirs, at = pool("MaxPool", x, 32, 2)
    ours, index = ap.adaptive_max_pool2d(x, 7, return_indices=True)
    y = integers(1, 2, 64, 64)
    holds = same(theirs, ours) and np.array_equal(at, index)
    holds &= same(pool("MaxPool", y, 32), ap.adaptive_max_pool2d(y, 2))
    row = "| `MaxPool`, kernel and stride 32 | `ap.adaptive_max_pool2d(x, (H // 32, W // 32))` | equal |"
    yield row, holds, holds
    two = floats(1, 2, 8, 8)
    at, index = (
        pool("MaxPool", two, 4, 2)[1],
        ap.adaptive_max_pool2d(two, 2, return_indices=True)[1],
    )
    seen = np.unique((at - index)[0, 1]), np.unique((at - index)[0, 0])
    text = "Indices count through the whole tensor there, and through each plane here"
    yield text, seen[0].tolist() == [64] and seen[1].tolist() == [0], seen
    x = floats(1, 1, 7, 7)
    theirs = run("AveragePool", x, kernel_shape=[3, 3], strides=[3, 3], ceil_mode=1)
    seen = ulps(
        theirs,
        ap.adaptive_avg_pool2d(x, None, windows=[ap.block_windows(7, 3)] * 2, dtype=np.float64),
    )
    yield (
        "with `ceil_mode=1` the last blocks are shorter, as with `block_windows`",
        theirs.shape[2] == 3 and seen < 3,
        seen,
    )
    x = np.full((1, 1, 1000, 1000), 0.1, np.float32)
    seen = float(run("ReduceMean", x, axes=[2, 3])[0, 0, 0, 0])
    yield "`ReduceMean` of a million times 0.1 is 0.0999", 0.0998 < seen < 0.09995, seen
    seen = [
        refuses(name, floats(1, 1, 8, 8, dtype=np.float64))
        for name in ("AveragePool", "GlobalAveragePool")
    ]
    yield "Averages of float64 have no kernel", all(seen), seen
    seen = [refuses(name, integers(1, 1, 8, 8)) for name in ("AveragePool", "GlobalAveragePool")]
    yield "averages of integers are not in the standard", all(seen), seen
    x = np.full((1, 1, 2, 2), -np.inf, np.float32)
    seen = [
        float(run("MaxPool", x, kernel_shape=[2, 2], strides=[stride] * 2)[0, 0, 0, 0])
        for stride in (1, 2)
    ]
    text = "`MaxPool` of a window of nothing but -inf is -3.4e38 with strides of 1, and -inf with 2"
    yield text, seen == [np.finfo(np.float32).min, -np.inf], seen
