#!/bin/sh
# Guess: sums along the last of three axes, divided by constants, are the same in every runtime.
# True (openvino 2026.4.1, CPU): the sums alone are right. With a division behind them they are
# divided by the wrong numbers, and the last row is 0.
. "$(dirname "$0")/_with.sh"
run_with openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import onnx
import openvino

node, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
SUMS = node("ReduceSum", ["x", "last"], ["sums"], keepdims=0)
MEANS = node("Div", ["sums", "divisor"], ["means"])


def run(*nodes):
    graph = onnx.helper.make_graph(
        nodes,
        "pooled",
        [tensor("x", onnx.TensorProto.FLOAT, (3, 2, 3))],
        [tensor(nodes[-1].output[0], onnx.TensorProto.FLOAT, (3, 2))],
        [
            onnx.numpy_helper.from_array(np.array([2]), "last"),
            onnx.numpy_helper.from_array(np.array([1, 2], np.float32), "divisor"),
        ],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8
    )
    onnx.checker.check_model(model, full_check=True)
    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(model.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    return compiled([x])[0]


x = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
sums, means = run(SUMS), run(SUMS, MEANS)
print(sums.tolist(), (sums / [1, 2]).tolist(), means.tolist())
assert (sums == x.sum(-1)).all()
assert (means != sums / [1, 2]).any()
assert means[2].tolist() == [0, 0]
PROGRAM
