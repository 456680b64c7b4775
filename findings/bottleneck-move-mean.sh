#!/bin/sh
# Guess: a moving mean depends on the elements of its window alone: move_mean of 1e16, 1, 1, 1, 1
# with windows of 2 ends with 1, 1, 1.
# True (bottleneck 1.6.0): it ends with 0, 0, 0, since one running sum is kept, and after an inf all
# that follows is NaN.
. "$(dirname "$0")/_with.sh"
run_with bottleneck==1.6.0 numpy==2.4.6 <<'PROGRAM'
import bottleneck
import numpy as np

large = bottleneck.move_mean(np.array([1e16, 1, 1, 1, 1]), 2)
infinite = bottleneck.move_mean(np.array([1, np.inf, 3, 4, 5]), 2)
print(large, infinite)
assert large[2:].tolist() == [0, 0, 0]
assert np.isnan(infinite[3:]).all()
PROGRAM
