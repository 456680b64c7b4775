#!/bin/sh
# Guess: the rolling mean of 1 and inf is inf, as Series.mean and groupby say.
# True (pandas 3.1.1): it is NaN, as rolling counts an infinity as a missing number.
. "$(dirname "$0")/_with.sh"
run_with pandas==3.1.1 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import pandas

row = pandas.Series([1, np.inf, 3, 4, 5])
rolling = row.rolling(2).mean()
print(rolling.tolist(), row[:2].mean())
assert row[:2].mean() == np.inf
assert rolling.isna().tolist() == [True, True, True, False, False]
PROGRAM
