#!/bin/sh
# Guess: the "max" of downsample is NaN where a block holds a NaN, as its "mean" is.
# True (tensorstore 0.1.86): NaNs are passed over, wherever they stand, and a block of nothing but
# NaNs has the maximum -inf.
. "$(dirname "$0")/_with.sh"
run_with tensorstore==0.1.86 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import tensorstore as ts


def blocks(x, method):
    return ts.downsample(ts.array(np.float32(x)), [2], method).read().result().tolist()


nan = np.nan
maxima = blocks([nan, 1, 2, nan, nan, nan], "max")
means = blocks([nan, 1, 2, nan, nan, nan], "mean")
print(maxima, means)
assert maxima == [1, 2, -np.inf]
assert all(mean != mean for mean in means)
PROGRAM
