"""xarray: `coarsen`."""

import numpy as np
import xarray as xr

import adaptive_pool as ap

from .figures import Claims, about, floats, integers, same, ulps

REQUIRES = ("xarray==2026.9.0", "numpy==2.4.6")


def coarse(x, /, **blocks_):
    """Cut the axes y and x into blocks."""
    boundary = blocks_.pop("boundary", "exact")
    return xr.DataArray(x, dims=("y", "x")[-x.ndim :]).coarsen(blocks_, boundary=boundary)


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with xarray 2026.9.0", xr.__version__ == "2026.9.0", xr.__version__
    x = floats(1000, 1000)
    seen = [
        ulps(
            coarse(x, y=size, x=size).mean().values,
            ap.adaptive_avg_pool2d(x, 1000 // size, dtype=np.float64),
        )
        for size in (4, 100)
    ]
    row = "| `d.coarsen(y=4, x=6).mean()` | `ap.adaptive_avg_pool2d(x, (H // 4, W // 6))`"
    row += " | float32: off by 2 ulp for blocks of 4 by 4, 6 for 100 by 100 |"
    yield row, all(map(about, seen, (2, 6))), seen
    x = integers(60, 66)
    holds = same(
        coarse(x, y=4, x=6).mean().values, ap.adaptive_avg_pool2d(x, (15, 11), dtype=np.float64)
    )
    yield "| the same, of integers | with `dtype=np.float64` | equal |", holds, holds
    holds = same(coarse(x, y=4, x=6).max().values, ap.adaptive_max_pool2d(x, (15, 11)))
    yield (
        "| `d.coarsen(y=4, x=6).max()` | `ap.adaptive_max_pool2d(x, (H // 4, W // 6))` | equal |",
        holds,
        holds,
    )
    x = integers(51)
    theirs = coarse(x, x=10, boundary="trim").mean().values
    holds = same(theirs, ap.adaptive_avg_pool1d(x[:50], 5, dtype=np.float64))
    yield '| `boundary="trim"` | `block_windows(..., boundary="trim")` | equal |', holds, holds
    theirs = coarse(x, x=10, boundary="pad").mean().values
    holds = same(theirs, ap.adaptive_avg_pool1d(x, None, windows=[ap.block_windows(51, 10)]))
    row = '| `boundary="pad"` | the last block is shorter, see below | equal; of bytes float32 |'
    yield row, holds, theirs.dtype
    x = np.array([1, np.nan, 3, 4])
    seen = coarse(x, x=2).mean().values.tolist(), coarse(x, x=2).max().values.tolist()
    text = "NaNs are left out: 1, NaN, 3, 4 by 2 has the means 1, 3.5 and the maxima 1, 4"
    yield text, seen == ([1, 3.5], [1, 4]), seen
    seen = coarse(x, x=2).reduce(np.mean).values.tolist()
    yield "`.reduce(np.mean)` keeps them", bool(np.isnan(seen[0])) and seen[1] == 3.5, seen
