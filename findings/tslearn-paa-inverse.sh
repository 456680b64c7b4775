#!/bin/sh
# Guess: PAA of 10 points in 4 segments takes 2 points each and drops the last two, so that
# inverse_transform gives 8 points back.
# True (tslearn 0.10.0): the last two are dropped, and inverse_transform gives 10 points, the last
# two 0. So 101 to 110 come back as 101.5, 101.5, ..., 107.5, 107.5, 0, 0.
. "$(dirname "$0")/_with.sh"
run_with tslearn==0.10.0 numpy==2.3.5 <<'PROGRAM'
import numpy as np
from tslearn.piecewise import PiecewiseAggregateApproximation

series = np.arange(101.0, 111).reshape(1, 10, 1)
paa = PiecewiseAggregateApproximation(4)
means = paa.fit_transform(series)
back = paa.inverse_transform(means)
print(means.ravel(), back.ravel())
assert means.ravel().tolist() == [101.5, 103.5, 105.5, 107.5]
assert back.ravel().tolist() == [101.5, 101.5, 103.5, 103.5, 105.5, 105.5, 107.5, 107.5, 0, 0]
PROGRAM
