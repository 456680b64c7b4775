#!/bin/sh
# Guess: coarsen(x=2).mean() of numbers whose dimension x has text labels gives the means, without
# labels, as d.mean("x") does.
# True (xarray 2026.9.0): it is a TypeError about the dtypes of a sum, since the labels are averaged
# too.
. "$(dirname "$0")/_with.sh"
run_with xarray==2026.9.0 numpy==2.4.6 <<'PROGRAM'
import xarray

d = xarray.DataArray([1.0, 2.0, 3.0, 4.0], {"x": list("abcd")})
print(d.mean("x").item(), d.drop_vars("x").coarsen(x=2).mean().values)
assert d.mean("x").item() == 2.5
try:
    d.coarsen(x=2).mean()
except TypeError as error:
    print(error)
    assert "add" in str(error)
else:
    raise AssertionError("text labels are no obstacle now")
PROGRAM
