#!/bin/sh
# Guess: write_image by a factor of 2, with means of blocks, makes of 9 pixels 4 means of pairs, or 5
# with what is left, and says that they are 2 apart, the first at 0.5.
# True (ome-zarr 0.18.0): the 4 means are those of pairs, and the ninth pixel is dropped, but the
# metadata says that they are 2.25 apart and begin at 0.625: the last, at 6.5, is said to be at 7.375.
. "$(dirname "$0")/_with.sh"
run_with ome-zarr==0.18.0 zarr==3.1.6 dask==2026.8.0 numpy==2.4.6 <<'PROGRAM'
import tempfile
import warnings

import numpy as np
import zarr

warnings.simplefilter("ignore")
from ome_zarr.scale import Methods
from ome_zarr.writer import write_image

x = np.tile(np.arange(9.0), (4, 1))  # each pixel holds its place
with tempfile.TemporaryDirectory() as folder:
    write_image(x, folder, axes="yx", scale_factors=[2], method=Methods.LOCAL_MEAN)
    group = zarr.open_group(folder, mode="r")
    places = group["s1"][0]
    level = group.attrs["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"]
scale, translation = level[0]["scale"][1], level[1]["translation"][1]
said = translation + scale * np.arange(len(places))
print("places of the pixels of level 1:", places.tolist())
print("and what the metadata says:     ", said.tolist())
assert places.tolist() == [0.5, 2.5, 4.5, 6.5]
assert (scale, translation) == (2.25, 0.625)
PROGRAM
