#!/bin/sh
# Guess: a picture of bytes written to netCDF without a fill value is read back as it was, white
# pixels too.
# True (netCDF4 1.7.5.1.post1): 255 comes back masked, so that the mean of 0, 1, 254, 255 is 85
# instead of 127.5.
. "$(dirname "$0")/_with.sh"
run_with netCDF4==1.7.5.1.post1 numpy==2.4.6 <<'PROGRAM'
import numpy as np
from netCDF4 import Dataset

with Dataset("a.nc", "w", memory=1000) as file:
    file.createDimension("x", 4)
    file.createVariable("picture", "u1", ("x",))[:] = np.array([0, 1, 254, 255], np.uint8)
    seen = file["picture"][:]
print(seen, seen.mean())
assert seen.mask.tolist() == [False, False, False, True]
assert seen.mean() == 85
PROGRAM
