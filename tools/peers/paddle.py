"""Paddle: adaptive pools on the CPU."""

import numpy as np
import paddle
import paddle.nn.functional as F

import adaptive_pool as ap

from .figures import RANDOM, Claims, about, floats, same, ulps

REQUIRES = ("paddlepaddle==3.3.1", "numpy==2.4.6")


def maximum(x, shape):
    """Return maxima and indices."""
    found = F.adaptive_max_pool2d(paddle.to_tensor(x), shape, return_mask=True)
    return [tensor.numpy() for tensor in found]


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with Paddle 3.3.1 on the CPU", paddle.__version__ == "3.3.1", paddle.__version__
    seen = [
        ulps(
            F.adaptive_avg_pool2d(paddle.to_tensor(x), count).numpy(),
            ap.adaptive_avg_pool2d(x, count, dtype=np.float64),
        )
        for size, count in ((224, 7), (4000, 8))
        for x in [floats(1, 1, size, size)]
    ]
    row = "| `F.adaptive_avg_pool2d(x, 7)` | `ap.adaptive_avg_pool2d(x, 7)` | off by 15 ulp for 224 to 7, 255 for 4000 to 8 |"
    yield row, all(map(about, seen, (15, 255))), seen
    holds = True
    for height, width, *count in RANDOM.integers(1, 30, (60, 4)).tolist():
        x = floats(1, 2, height, width)
        theirs, at = maximum(x, count)
        ours, index = ap.adaptive_max_pool2d(x, count, return_indices=True)
        holds &= same(theirs, ours) and np.array_equal(at, index)
    row = "| `F.adaptive_max_pool2d(x, 7, return_mask=True)` | `ap.adaptive_max_pool2d(x, 7, return_indices=True)` | equal, indices too |"
    yield row, holds, holds
    x = np.array([1, np.nan, 3, 4], np.float32).reshape(1, 1, 1, 4)
    seen = maximum(x, (1, 2))[0].ravel().tolist()
    yield "NaNs are passed by in maxima there: 1, NaN, 3, 4 to 2 gives 1, 4", seen == [1, 4], seen
    x = np.full((1, 1, 1, 4), -np.inf, np.float32)
    values, at = maximum(x, (1, 2))
    holds = bool(np.all(values == np.finfo(np.float32).min) and np.all(at == -1))
    yield "Windows of nothing but -inf give -3.4e38 and the index -1", holds, (values, at)
    seen = np.asarray(paddle.to_tensor([1, 2, 3, 4.5], dtype="bfloat16"))
    text = "`numpy.asarray` of a bfloat16 tensor gives its bits as uint16 (1, 2 are 16256, 16384)"
    yield text, seen.dtype == np.uint16 and seen[:2].tolist() == [16256, 16384], seen
