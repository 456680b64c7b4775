#!/bin/sh
# Guess: Paddle2ONNX exports AdaptiveMaxPool2D(4) of 10 x 10, whose windows have two lengths, right
# or not at all.
# True (paddle2onnx 2.1.0 with paddlepaddle 3.3.1): it writes an ordinary MaxPool, windows of 4 with
# stride 2, without a word; other elements are compared, and a maximum is not found. 10 to 3 is
# right, as its windows happen to have one length and one stride.
. "$(dirname "$0")/_with.sh"
run_with paddlepaddle==3.3.1 paddle2onnx==2.1.0 onnx==1.17.0 onnxruntime==1.32.0 setuptools <<'PROGRAM'
import os
import tempfile

import numpy as np
import onnxruntime
import paddle


class Pool(paddle.nn.Layer):
    def __init__(self, count):
        super().__init__()
        self.pool = paddle.nn.AdaptiveMaxPool2D(count)
        self.one = self.create_parameter([1], default_initializer=paddle.nn.initializer.Constant(1))

    def forward(self, x):
        return self.pool(x * self.one)


x = np.arange(100, dtype=np.float32).reshape(1, 1, 10, 10)
are_equal = {}
with tempfile.TemporaryDirectory() as folder:
    for count in 3, 4:
        model = Pool(count)
        model.eval()
        path = os.path.join(folder, f"model{count}")
        spec = paddle.static.InputSpec(x.shape, "float32", "x")
        paddle.onnx.export(model, path, input_spec=[spec], opset_version=17)
        [exported] = onnxruntime.InferenceSession(path + ".onnx").run(None, {"x": x})
        expected = model(paddle.to_tensor(x)).numpy()
        print(count, "in Paddle:", expected[0, 0, 0], "exported:", exported[0, 0, 0])
        are_equal[count] = np.array_equal(exported, expected)
assert are_equal == {3: True, 4: False}
PROGRAM
