"""OpenVINO: AdaptiveAvgPool and AdaptiveMaxPool on the CPU."""

import numpy as np
import openvino
import openvino.opset14 as op

import adaptive_pool as ap

from .figures import RANDOM, Claims, about, floats, same, ulps

REQUIRES = ("openvino==2026.4.1", "numpy==2.4.6")


def run(name, x, shape, **attributes):
    """Run one operator, in float32."""
    parameter = op.parameter(list(x.shape), x.dtype.type)
    node = getattr(op, name)(parameter, op.constant(np.array(shape, np.int64)), **attributes)
    model = openvino.Model(node.outputs(), [parameter], "m")
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled([x])
    return [np.array(found[place]) for place in range(len(node.outputs()))]


def average(x, shape):
    """Run AdaptiveAvgPool."""
    return run("adaptive_avg_pool", x, shape)[0]


def maximum(x, shape):
    """Run AdaptiveMaxPool."""
    return run("adaptive_max_pool", x, shape, index_element_type="i32")


def claims() -> Claims:
    """Yield the statements of the page."""
    version = openvino.__version__
    yield "Run with OpenVINO 2026.4.1", version.startswith("2026.4.1"), version
    seen = [
        ulps(average(x, (count, count)), ap.adaptive_avg_pool2d(x, count, dtype=np.float64))
        for size, count in ((224, 7), (4000, 8))
        for x in [floats(1, 1, size, size)]
    ]
    row = "| `AdaptiveAvgPool` | `ap.adaptive_avg_pool2d` (1d, 3d) | the same windows; float32: off by 18 ulp for 224 to 7, 290 for 4000 to 8 |"
    yield row, all(map(about, seen, (18, 290))), seen
    holds = True
    for height, width, *count in RANDOM.integers(1, 30, (60, 4)).tolist():
        x = floats(1, 2, height, width)
        theirs, at = maximum(x, count)
        ours, index = ap.adaptive_max_pool2d(x, count, return_indices=True)
        holds &= same(theirs, ours) and np.array_equal(at, index)
        holds &= ulps(average(x, count), ap.adaptive_avg_pool2d(x, count, dtype=np.float64)) < 9
    row = "| `AdaptiveMaxPool` | `ap.adaptive_max_pool2d` (1d, 3d), `return_indices=True` | equal, indices too |"
    yield row, holds, holds
    x = np.array([1, np.nan, 3, 4], np.float32).reshape(1, 1, 1, 4)
    seen = maximum(x, (1, 2))[0].ravel().tolist()
    yield "passed by in maxima: 1, NaN, 3, 4 to 2 gives 1, 4", seen == [1, 4], seen
    x = np.array([16777216, 16777217], np.int32).reshape(1, 1, 1, 2)
    seen = maximum(x, (1, 1))[0].ravel().tolist()
    yield (
        "Integers are compared as float32: the maximum of 16777216 and 16777217 is 16777216",
        seen == [16777216],
        seen,
    )
    x = np.array([1, 2, 2, 3], np.int32).reshape(1, 1, 1, 4)
    seen = average(x, (1, 2)).ravel().tolist(), average(x[..., :2], (1, 1)).ravel().tolist()
    text = "Means of int32 are rounded half to even, but cut towards zero for an output of 1"
    yield text, seen == ([2, 2], [1]), seen
