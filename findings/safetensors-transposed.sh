#!/bin/sh
# Guess: safetensors.numpy.save of a transposed array stores its values in order, or refuses it.
# True (safetensors 0.8.0, NumPy 2.4.6): it stores the bytes as they lie in memory with the new
# shape, so that other values come back without a word.
. "$(dirname "$0")/_with.sh"
run_with safetensors==0.8.0 numpy==2.4.6 <<'PROGRAM'
import numpy as np
from safetensors.numpy import load, save

x = np.arange(6.0).reshape(2, 3).T
seen = load(save({"x": x}))["x"]
print(x.tolist(), "became", seen.tolist())
assert seen.tolist() == [[0, 1], [2, 3], [4, 5]]
assert x.tolist() == [[0, 3], [1, 4], [2, 5]]
PROGRAM
