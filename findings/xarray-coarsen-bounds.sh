#!/bin/sh
# Guess: coarsen(x=2).mean() of a Dataset with x_bnds, the bounds of cells, gives those of larger
# cells, which meet as those before did: 0 to 2 and 2 to 4.
# True (xarray 2026.9.0): bounds are averaged like data, also where a coordinate names them in its
# attribute `bounds`: 0.5 to 1.5 and 2.5 to 3.5, with gaps between cells.
. "$(dirname "$0")/_with.sh"
run_with xarray==2026.9.0 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import xarray

edges = np.arange(5.0)
ds = xarray.Dataset(
    {"t": ("x", np.ones(4))},
    {
        "x": ("x", edges[:-1] + 0.5, {"bounds": "x_bnds"}),
        "x_bnds": (("x", "nv"), np.stack([edges[:-1], edges[1:]], axis=1)),
    },
)
coarse = ds.coarsen(x=2).mean()
print(coarse.x.values, coarse.x_bnds.values.tolist())
assert coarse.x.values.tolist() == [1, 3]
assert coarse.x_bnds.values.tolist() == [[0.5, 1.5], [2.5, 3.5]]
as_data = ds.reset_coords("x_bnds").coarsen(x=2).mean()
assert as_data.x_bnds.values.tolist() == [[0.5, 1.5], [2.5, 3.5]]
PROGRAM
