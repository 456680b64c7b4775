#!/bin/sh
# Guess: numpy.nanmean of an array without NaNs is numpy.mean of it.
# True (NumPy 2.4.6): of a million float16 elements of 0.1 numpy.mean is 0.1, and numpy.nanmean is
# inf (with a warning of an overflow), since only the first sums in float32.
. "$(dirname "$0")/_with.sh"
run_with numpy==2.4.6 <<'PROGRAM'
import numpy as np

x = np.full(1_000_000, 0.1, np.float16)
print(np.mean(x), np.nanmean(x))
assert np.mean(x) == np.float16(0.1)
assert np.nanmean(x) == np.inf
PROGRAM
