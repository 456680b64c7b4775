#!/bin/sh
# Guess: the mean of a blosc2 array of a million float16 or float32 elements of 0.1 is about 0.1,
# along an axis as over all.
# True (blosc2 4.14.1): of float16 it is NaN (with a warning); of float32 it is 0.1 over all
# elements, and 0.10096 in each column of an array of two.
. "$(dirname "$0")/_with.sh"
run_with blosc2==4.14.1 numpy==2.4.6 <<'PROGRAM'
import blosc2
import numpy as np

single = np.full(1_000_000, 0.1, np.float32)
half = blosc2.asarray(single.astype(np.float16)).mean()
whole = blosc2.asarray(single).mean()
columns = blosc2.asarray(np.stack([single, single], 1)).mean(axis=0)[:]
print("float16", half, "float32", whole, columns)
assert np.isnan(half)
assert abs(whole - 0.1) < 1e-5
assert all(f"{value:.5f}" == "0.10096" for value in columns)
PROGRAM
