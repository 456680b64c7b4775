#!/bin/sh
# Guess: bottleneck.nanmean of a million float32 elements of 0.1 is 0.1, as numpy.nanmean says.
# True (bottleneck 1.6.0, NumPy 2.4.6): it is 0.10096, one per cent off, as one running sum is kept.
. "$(dirname "$0")/_with.sh"
run_with bottleneck==1.6.0 numpy==2.4.6 <<'PROGRAM'
import bottleneck
import numpy as np

x = np.full(1_000_000, 0.1, np.float32)
print(bottleneck.nanmean(x), np.nanmean(x))
assert f"{bottleneck.nanmean(x):.5f}" == "0.10096"
assert f"{np.nanmean(x):.5f}" == "0.10000"
PROGRAM
