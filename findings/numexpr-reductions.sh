#!/bin/sh
# Guess: numexpr max of 1, NaN, 2 is NaN as in NumPy, and the sum of int32 numbers is int64 as in
# NumPy.
# True (numexpr 2.14.2): the maximum is 2, of NaN, 1, 2 as well; four times 2**30 has the sum 0 in
# int32.
. "$(dirname "$0")/_with.sh"
run_with numexpr==2.14.2 numpy==2.4.6 <<'PROGRAM'
import numexpr
import numpy as np


def run(expression, numbers):
    return numexpr.evaluate(expression, {"a": numbers})


maxima = [float(run("max(a)", np.array(row))) for row in ([1, np.nan, 2], [np.nan, 1, 2])]
total = run("sum(a)", np.full(4, 2**30, np.int32))
print(maxima, total)
assert maxima == [2, 2]
assert total == 0
PROGRAM
