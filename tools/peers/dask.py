"""dask: `coarsen`, `map_blocks` and `mean`."""

import dask
import dask.array as da
import numpy as np

import adaptive_pool as ap

from .figures import Claims, about, floats, integers, same, ulps

REQUIRES = ("dask[array]==2026.8.0", "numpy==2.4.6")


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with dask 2026.8.0", dask.__version__ == "2026.8.0", dask.__version__
    x = floats(60, 66)
    theirs = da.coarsen(np.mean, da.from_array(x, chunks=(20, 22)), {0: 4, 1: 6}).compute()
    seen = ulps(theirs, ap.adaptive_avg_pool2d(x, (15, 11), dtype=np.float64))
    row = "| `da.coarsen(np.mean, d, {0: 4, 1: 6})` | `ap.adaptive_avg_pool2d(x, (H // 4, W // 6))`"
    yield f"{row} | float32: off by 2 ulp |", about(seen, 2), seen
    x = integers(60, 66)
    theirs = da.coarsen(np.max, da.from_array(x, chunks=(20, 22)), {0: 4, 1: 6}).compute()
    holds = same(theirs, ap.adaptive_max_pool2d(x, (15, 11)))
    row = "| `da.coarsen(np.max, d, {0: 4, 1: 6})` | `ap.adaptive_max_pool2d(x, (H // 4, W // 6))`"
    yield f"{row} | equal |", holds, holds
    x = integers(51)
    d = da.from_array(x, chunks=17)
    try:
        da.coarsen(np.mean, d, {0: 10})
        refused = False
    except ValueError:
        refused = True
    theirs = da.coarsen(np.mean, d, {0: 10}, trim_excess=True).compute()
    holds = refused and same(theirs, ap.adaptive_avg_pool1d(x[:50], 5, dtype=np.float64))
    yield "| `trim_excess=True` | whole blocks alone | equal |", holds, theirs
    x = floats(40, 16)
    theirs = da.from_array(x, chunks=(20, 16)).map_blocks(
        lambda block: ap.adaptive_avg_pool2d(block, (5, 4)), chunks=(5, 4)
    )
    holds = same(theirs.compute(), ap.adaptive_avg_pool2d(x, (10, 4)))
    yield (
        "`d.map_blocks(lambda block: ap.adaptive_avg_pool2d(block, (5, 4)), chunks=(5, 4))`",
        holds,
        holds,
    )
    x = np.full(1_000_000, 0.1, np.float16)
    seen = float(da.from_array(x, chunks=100_000).mean().compute()), ap.adaptive_avg_pool1d(x, 1)
    holds = np.isnan(seen[0]) and seen[1][0] == np.float16(0.1)
    yield "float16: a million times 0.1 has the mean NaN there, and 0.1 here", holds, seen
