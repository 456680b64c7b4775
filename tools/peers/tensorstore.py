"""tensorstore: `downsample`."""

from importlib.metadata import version

import numpy as np
import tensorstore as ts

import adaptive_pool as ap

from .figures import Claims, about, floats, integers, same, ulps

REQUIRES = ("tensorstore==0.1.86", "numpy==2.4.6")


def down(x, factors, method="mean"):
    """Downsample an array."""
    return np.asarray(ts.downsample(ts.array(x), factors, method).read().result())


def pairs_equal():
    """Return for how many pairs of length and block the maxima are equal, and all pairs."""
    pairs = [(size, block) for size in range(1, 20) for block in range(1, size + 1)]
    equal = 0
    for size, block in pairs:
        x = floats(size)
        ours = ap.adaptive_max_pool1d(x, None, windows=[ap.block_windows(size, block)])
        equal += same(down(x, [block], "max"), ours)
    return equal, len(pairs)


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with tensorstore 0.1.86", version("tensorstore") == "0.1.86", version("tensorstore")
    seen = pairs_equal()
    row = '| `ts.downsample(t, [3, 5], "max")` | `ap.adaptive_max_pool2d(x, None, windows=...)` | equal |'
    yield row, seen == (190, 190), seen
    windows = [ap.block_windows(64, 3), ap.block_windows(66, 5)]
    holds = all(
        same(down(x, [3, 5]), ap.adaptive_avg_pool2d(x, None, windows=windows, dtype=dtype))
        for dtype in (np.uint8, np.int8, np.uint16, np.int32, np.int64)
        for x in [integers(64, 66, dtype=dtype)]
    )
    row = '| `ts.downsample(t, [3, 5], "mean")`, integers | `ap.adaptive_avg_pool2d(x, None, windows=..., dtype=x.dtype)` | equal |'
    yield row, holds, holds
    x = floats(1000, 1000)
    seen = [
        ulps(down(x, [size] * 2), ap.adaptive_avg_pool2d(x, 1000 // size, dtype=np.float64))
        for size in (10, 100)
    ]
    text = "off by 9 ulp for blocks of 10 by 10, 70 for 100 by 100"
    yield text, all(map(about, seen, (9, 70))), seen
    seen = float(down(np.full(1_000_000, 0.1, np.float32), [1_000_000])[0])
    yield "a million times 0.1 has the mean 0.10096", f"{seen:.5f}" == "0.10096", seen
    x = np.array([1, 2, np.nan, 4], np.float32)
    seen = down(x, [2], "max").tolist(), down(x, [2]).tolist()
    holds = seen[0] == [2, 4] and np.isnan(seen[1][1])
    yield "NaN is passed by in maxima and kept in means", holds, seen
    t = ts.array(np.arange(10.0))
    seen = np.asarray(ts.downsample(t[2:], [4], "mean").read().result()).tolist()
    text = "`t[2:]` of 0 to 9 by 4 gives 2.5, 5.5, 8.5"
    yield text, seen == [2.5, 5.5, 8.5], seen
