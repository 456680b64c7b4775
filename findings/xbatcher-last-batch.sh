#!/bin/sh
# Guess: BatchGenerator of 10 elements by 4 gives three batches, the last one shorter.
# True (xbatcher 0.4.0): it gives two, and the last two elements are dropped without a word.
. "$(dirname "$0")/_with.sh"
run_with xbatcher==0.4.0 xarray==2026.9.0 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import xarray
import xbatcher

row = xarray.DataArray(np.arange(10), dims="x")
seen = [batch.values.tolist() for batch in xbatcher.BatchGenerator(row, {"x": 4})]
print(seen)
assert seen == [[0, 1, 2, 3], [4, 5, 6, 7]]
PROGRAM
