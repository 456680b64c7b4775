#!/bin/sh
# Guess: means of lists in Awkward Array are as safe as numpy.mean, which sums float16 in float32,
# float32 by pairs, and integers in float64.
# True (Awkward Array 2.8.9): a mean is the sum in the type that numpy.sum has, element after
# element, divided: a million times 0.1 in float32 has the mean 0.101, and four times 2**62 in int64
# the mean 0. Lists of float16 have no sum: KeyError.
. "$(dirname "$0")/_with.sh"
run_with awkward==2.8.9 awkward-cpp==50 numpy==2.4.6 <<'PROGRAM'
import awkward as ak
import numpy as np

tenths = np.full(1_000_000, 0.1, np.float32)
mean = ak.mean(ak.unflatten(tenths, [len(tenths)]), axis=-1)[0]
print("float32:", mean, "NumPy:", tenths.mean())
assert abs(mean - 0.1) > 0.0005
assert abs(tenths.mean() - 0.1) < 1e-6
large = np.full(4, 2**62)
mean = ak.mean(ak.unflatten(large, [4]), axis=-1)[0]
print("int64:", mean, "NumPy:", large.mean())
assert mean == 0
assert large.mean() == 2.0**62
halves = ak.unflatten(np.ones(4, np.float16), [4])
try:
    print("float16:", ak.mean(halves, axis=-1))
except KeyError as error:
    print("float16: KeyError", error)
else:
    raise AssertionError("float16 has a mean now")
PROGRAM
