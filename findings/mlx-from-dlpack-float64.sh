#!/bin/sh
# Guess: mlx.core.from_dlpack keeps the dtype of a NumPy array, float64 too, as MLX has it on the
# CPU, or else refuses.
# True (mlx 0.32.4, CPU): it gives float32 without a word, so that 1e300 becomes inf; array(x) and
# asarray(x) do so too, and array(x, float64) keeps all numbers.
. "$(dirname "$0")/_with.sh"
run_with "mlx[cpu]==0.32.4" numpy==2.4.6 <<'PROGRAM'
import mlx.core as mx
import numpy as np

x = np.array([1e300, 1 / 3])
seen = [convert(x) for convert in (mx.from_dlpack, mx.array, mx.asarray)]
print(seen)
assert all(y.dtype == mx.float32 and y.tolist()[0] == np.inf for y in seen)
assert np.array_equal(np.asarray(mx.array(x, mx.float64)), x)
PROGRAM
