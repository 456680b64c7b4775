"""scikit-image: `block_reduce`, `downscale_local_mean`, `resize_local_mean`."""

import numpy as np
import skimage
from skimage.measure import block_reduce
from skimage.transform import downscale_local_mean, resize_local_mean

import adaptive_pool as ap

from .figures import Claims, about, by_area, floats, integers, same, ulps

REQUIRES = ("scikit-image==0.26.0", "numpy==2.4.6")


def ceil_has_blocks(size, block):
    """Whether the rule "ceil" cuts an axis into these blocks."""
    try:
        table = ap.pool_windows(size, -(-size // block), "ceil")
    except ValueError:  # it would leave windows empty
        return False
    return all(map(np.array_equal, table, ap.block_windows(size, block)))


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with scikit-image 0.26.0", skimage.__version__ == "0.26.0", skimage.__version__
    x, bytes_ = floats(60, 60), integers(60, 60)
    exact = ap.adaptive_avg_pool2d(x, (20, 12), dtype=np.float64)
    seen = ulps(block_reduce(x, (3, 5), np.mean), exact)
    holds = about(seen, 1.6) and same(
        downscale_local_mean(x, (3, 5)), block_reduce(x, (3, 5), np.mean)
    )
    row = "| `block_reduce(x, (3, 5), np.mean)` or `downscale_local_mean(x, (3, 5))`"
    row += " | `ap.adaptive_avg_pool2d(x, (H // 3, W // 5))` | float32: off by 2 ulp |"
    yield row, holds, seen
    ours = ap.adaptive_avg_pool2d(bytes_, (20, 12), dtype=np.float64)
    holds = same(block_reduce(bytes_, (3, 5), np.mean), ours)
    yield "| the same, of integers | with `dtype=np.float64` | equal |", holds, holds
    holds = all(
        same(block_reduce(y, (3, 5), np.max), ap.adaptive_max_pool2d(y, (20, 12)))
        for y in (x, bytes_)
    )
    row = "| `block_reduce(x, (3, 5), np.max)` | `ap.adaptive_max_pool2d(x, (H // 3, W // 5))` | equal |"
    yield row, holds, holds

    pairs = [(size, block) for size in range(1, 65) for block in range(1, size + 1)]
    seen = sum(not ceil_has_blocks(*pair) for pair in pairs)
    text = "For 1,428 of the 2,080 pairs of length and block up to 64"
    yield text, (seen, len(pairs)) == (1428, 2080), seen
    table = ap.pool_windows(51, 6, "ceil")
    yield (
        '51 elements in blocks of 10 are 6 blocks, and `"ceil"` makes 5 windows of 9 and one of 6',
        (table[1][0] == 9),
        table,
    )
    equal = True
    for size, block in pairs:
        y = 1 + floats(size)
        ours = ap.adaptive_max_pool1d(y, None, windows=[ap.block_windows(size, block)])
        equal &= same(block_reduce(y, block, np.max), ours)
    yield "equal in all 2,080 cases for the maximum of positive numbers", equal, equal

    y = floats(60, 60)
    seen = max(
        ulps(resize_local_mean(y, shape), ap.adaptive_avg_pool2d(y, shape, dtype=np.float64))
        for shape in ((20, 12), (30, 30), (6, 6))
    )
    row = '| `resize_local_mean(x, (h, w))` | `ap.adaptive_avg_pool2d(x, (h, w), windows="area")` |'
    yield f"{row} whole factors: off by 3 ulp", about(seen, 3), seen
    y = floats(480, 640)
    seen = ulps(resize_local_mean(y, (224, 224)), by_area(y, (224, 224)) / y.size)
    yield "480 by 640 to 224 by 224: 377 ulp", about(seen, 377), seen
    y = floats(10, 12)
    seen = np.abs(resize_local_mean(y, (15, 20)) - by_area(y, (15, 20)) / y.size).max()
    yield "It also enlarges by area", seen < 1e-5, seen
    seen = resize_local_mean(np.array([[0, 0, 0, 30, 30.0]]), (1, 2)).tolist()
    yield (
        "`resize_local_mean` makes 0 and 24 of 0, 0, 0, 30, 30",
        np.allclose(seen, [[0, 24]]),
        seen,
    )
    scaled = resize_local_mean(bytes_, (20, 12))
    holds = np.abs(scaled * 255 - ours_of(bytes_)).max() < 1e-9
    yield "divides bytes by 255 unless told `preserve_range=True`", holds, scaled[0, :3]
    y = floats(6, 6)
    y[0, 0] = np.nan
    seen = int(np.isnan(resize_local_mean(y, (3, 3))).sum())
    yield "one NaN makes all of the picture NaN (here: one result)", seen == 9, seen


def ours_of(x):
    """Return the means of blocks of 3 by 5, as float64."""
    return ap.adaptive_avg_pool2d(x, (x.shape[0] // 3, x.shape[1] // 5), dtype=np.float64)
