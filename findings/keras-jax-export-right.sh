#!/bin/sh
# Guess: what Keras exports to ONNX computes what Keras computes: where AdaptiveAveragePooling2D(7)
# of 49 x 49 gives NaN on the backend JAX, the exported model is as wrong.
# True (Keras 3.15.1 on JAX 0.10.2, jax2onnx 0.17.1, ONNX Runtime 1.32.0): it is right. The borders
# of windows are computed in float32 by either; JAX multiplies by 1/7 and ONNX Runtime divides by 7.
. "$(dirname "$0")/_with.sh"
run_with keras==3.15.1 jax==0.10.2 jax2onnx==0.17.1 onnxruntime==1.32.0 numpy==2.4.6 <<'PROGRAM'
import os
import tempfile

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
import onnxruntime

inputs = keras.Input((49, 49, 1))
model = keras.Model(inputs, keras.layers.AdaptiveAveragePooling2D(7)(inputs))
x = np.random.default_rng(0).random((1, 49, 49, 1), np.float32)
expected = x.reshape(7, 7, 7, 7).mean((1, 3))
in_keras = np.asarray(model(x))[0, :, :, 0]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.onnx")
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    [exported] = session.run(None, {session.get_inputs()[0].name: x})
print("NaN in Keras:", np.isnan(in_keras).sum(), "of 49")
print("largest difference of the exported model:", abs(exported[0, :, :, 0] - expected).max())
assert np.isnan(in_keras).any()
assert np.allclose(exported[0, :, :, 0], expected, atol=1e-6)
PROGRAM
