#!/bin/sh
# Guess: zoom by 0.5 rounds odd lengths one way: 3, 5, 7, 9 become 1, 2, 3, 4 or 2, 3, 4, 5.
# True (SciPy 1.17.1): they become 2, 2, 4, 4, as n / 2 is rounded half to even.
. "$(dirname "$0")/_with.sh"
run_with scipy==1.17.1 numpy==2.4.6 <<'PROGRAM'
import numpy as np
from scipy import ndimage

seen = [ndimage.zoom(np.zeros(length), 0.5).size for length in (3, 5, 7, 9)]
print(seen)
assert seen == [2, 2, 4, 4]
PROGRAM
