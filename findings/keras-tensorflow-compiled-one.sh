#!/bin/sh
# Guess: a layer that works when it is called works in a compiled function and in `predict` as well:
# AdaptiveAveragePooling2D(1) is the mean of each channel.
# True (Keras 3.15.1 on TensorFlow 2.21.0): called, it is. In a tf.function, and so in an export, it
# raises a ValueError about a negative dimension for every input size: it also makes windows one
# longer than the axis, which are not used. Output size 2 works in both.
. "$(dirname "$0")/_with.sh"
run_with keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6 <<'PROGRAM'
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

x = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
one, two = (keras.layers.AdaptiveAveragePooling2D(k) for k in (1, 2))
print("called:", np.ravel(one(x)), np.ravel(two(x)))
assert np.ravel(one(x)).tolist() == [17.5]
print("compiled:", np.ravel(tf.function(two)(x)))
try:
    print(np.ravel(tf.function(one)(x)))
except ValueError as error:
    print(type(error).__name__, str(error)[:200])
    assert "Negative dimension size" in str(error)
else:
    raise AssertionError("output size 1 can be compiled now")
PROGRAM
