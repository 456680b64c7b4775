#!/bin/sh
# Guess: d.coarsen(x=2).sum(min_count=2) takes min_count, as d.sum(min_count=2) does.
# True (xarray 2026.9.0): coarsen raises a TypeError for it, and the sum of a block without a number
# is 0, so it cannot be told from one whose numbers add up to 0.
. "$(dirname "$0")/_with.sh"
run_with xarray==2026.9.0 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import xarray

d = xarray.DataArray([1.0, 2.0, np.nan, np.nan], dims="x")
print(d.sum(min_count=5).item(), d.coarsen(x=2).sum().values)
assert np.isnan(d.sum(min_count=5).item())
assert d.coarsen(x=2).sum().values.tolist() == [3, 0]
try:
    d.coarsen(x=2).sum(min_count=1)
except TypeError as error:
    print(error)
    assert "min_count" in str(error)
else:
    raise AssertionError("it takes min_count now")
PROGRAM
