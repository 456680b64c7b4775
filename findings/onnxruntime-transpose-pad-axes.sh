#!/bin/sh
# Guess: a Pad that names its axes (opset 18) runs behind any node.
# True (onnxruntime 1.32.0, CPU): behind a Transpose it fails with "indices element out of data
# bounds": the optimiser, which is on by default, moves the Transpose and reorders the two pads as
# if there were some for every axis. Without optimisations it runs.
. "$(dirname "$0")/_with.sh"
run_with onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import onnx
import onnxruntime as ort

node, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
graph = onnx.helper.make_graph(
    [
        node("Transpose", ["x"], ["turned"], perm=[2, 0, 1]),
        node("Pad", ["turned", "pads", "", "axes"], ["padded"]),
        node("Transpose", ["padded"], ["y"], perm=[1, 2, 0]),
    ],
    "padded",
    [tensor("x", onnx.TensorProto.FLOAT, (2, 3, 4))],
    [tensor("y", onnx.TensorProto.FLOAT, (2, 3, 5))],
    [
        onnx.numpy_helper.from_array(np.array([0, 1]), "pads"),
        onnx.numpy_helper.from_array(np.array([0]), "axes"),
    ],
)
model = onnx.helper.make_model(
    graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8
)
onnx.checker.check_model(model, full_check=True)


def shape_or_error(level):
    options = ort.SessionOptions()
    options.graph_optimization_level, options.log_severity_level = level, 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options)
        return session.run(None, {"x": np.ones((2, 3, 4), np.float32)})[0].shape
    except Exception as error:
        return str(error)


plain = shape_or_error(ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
optimised = shape_or_error(ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
print(plain, optimised)
assert plain == (2, 3, 5)
assert "indices element out of data bounds" in optimised
PROGRAM
