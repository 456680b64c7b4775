#!/bin/sh
# Guess: maximum_filter makes NaN every window that holds one, as numpy.max does.
# True (SciPy 1.17.1): 1, NaN, 3, 4, 5, 6 with windows of 3 gives 1, 3, 4, 5, 6, 6, without any NaN.
. "$(dirname "$0")/_with.sh"
run_with scipy==1.17.1 numpy==2.4.6 <<'PROGRAM'
import numpy as np
from scipy import ndimage

seen = ndimage.maximum_filter1d(np.array([1, np.nan, 3, 4, 5, 6]), 3)
print(seen)
assert seen.tolist() == [1, 3, 4, 5, 6, 6]
PROGRAM
