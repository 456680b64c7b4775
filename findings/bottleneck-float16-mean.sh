#!/bin/sh
# Guess: bottleneck.nanmean of a million float16 elements of 0.1 is 0.1, as numpy.nanmean says.
# True (bottleneck 1.6.0, NumPy 2.4.6): it is inf, since the sum is kept in float16; of float32 it
# is 0.10096, one per cent off.
. "$(dirname "$0")/_with.sh"
run_with bottleneck==1.6.0 numpy==2.4.6 <<'PROGRAM'
import bottleneck
import numpy as np

half = bottleneck.nanmean(np.full(1_000_000, 0.1, np.float16))
single = bottleneck.nanmean(np.full(1_000_000, 0.1, np.float32))
print("float16", half, "float32", single)
assert half == np.inf
assert f"{single:.5f}" == "0.10096"
PROGRAM
