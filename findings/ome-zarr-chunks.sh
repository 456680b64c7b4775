#!/bin/sh
# Guess: the levels that write_image makes of an image are the same however the Dask array is cut.
# True (ome-zarr 0.18.0): by default each chunk is resized by itself, with pixels mirrored at its
# borders. Of 64 by 64 random bytes in chunks of 32, a tenth of level 1 differs from that of the array
# in one chunk, by up to 10.
. "$(dirname "$0")/_with.sh"
run_with ome-zarr==0.18.0 zarr==3.1.6 dask==2026.8.0 numpy==2.4.6 <<'PROGRAM'
import tempfile
import warnings

import dask.array
import numpy as np
import zarr

warnings.simplefilter("ignore")
from ome_zarr.writer import write_image


def level_1(x, chunks):
    with tempfile.TemporaryDirectory() as folder:
        write_image(dask.array.from_array(x, chunks), folder, axes="yx", scale_factors=[2])
        return zarr.open_group(folder, mode="r")["s1"][...].astype(int)


x = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
one, four = level_1(x, 64), level_1(x, 32)
differ = np.argwhere(one != four)
print(f"{len(differ)} of {one.size} pixels differ, by up to {abs(one - four).max()}")
print("rows and columns where they do:", *np.unique(differ))
assert len(differ) > 100
assert abs(one - four).max() >= 5
assert ((abs(differ - 15.5) < 2).any(1)).all()  # all of them at the border, between 15 and 16
PROGRAM
