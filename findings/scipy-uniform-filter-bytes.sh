#!/bin/sh
# Guess: uniform_filter of bytes gives the mean of each window to the nearest integer.
# True (SciPy 1.17.1): it is cut off, so that 2, 2, 1, whose mean is 1.67, gives 1, and pictures get
# a third of a level darker with each pass.
. "$(dirname "$0")/_with.sh"
run_with scipy==1.17.1 numpy==2.4.6 <<'PROGRAM'
import numpy as np
from scipy import ndimage

x = np.random.default_rng(0).integers(0, 256, 100_000, np.uint8)
wide = np.pad(x.astype(int), 1, "symmetric")
exact = (wide[:-2] + wide[1:-1] + wide[2:]) / 3
seen = ndimage.uniform_filter1d(x, 3)
print("on average", (seen - exact).mean(), "at worst", (seen - exact).min())
assert np.array_equal(seen, np.floor(exact))
assert ndimage.uniform_filter1d(np.array([2, 2, 1], np.uint8), 3)[1] == 1
PROGRAM
