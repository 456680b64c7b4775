#!/bin/sh
# Guess: pyarrow.compute.mean of the decimals 1 and 2 is 1.5, or a float.
# True (pyarrow 26.0.1): it is a decimal with as many places as the input has, so that of
# decimal128(5, 0) it is 2.
. "$(dirname "$0")/_with.sh"
run_with pyarrow==26.0.1 <<'PROGRAM'
import pyarrow
from pyarrow import compute

seen = compute.mean(pyarrow.array([1, 2], pyarrow.decimal128(5, 0)))
print(seen.type, seen)
assert seen.as_py() == 2
PROGRAM
