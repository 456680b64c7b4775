"""MLX on the CPU: `mean` and the pools of `mlx.nn`."""

from importlib.metadata import version

import mlx.core as mx
import numpy as np
from mlx import nn

import adaptive_pool as ap

from .figures import Claims, about, floats, same, ulps

REQUIRES = ("mlx[cpu]==0.32.4", "numpy==2.4.6")


def claims() -> Claims:
    """Yield the statements of the page."""
    mx.set_default_device(mx.cpu)
    yield "Run with MLX 0.32.4 on the CPU", version("mlx") == "0.32.4", version("mlx")
    x = floats(1, 64, 64, 3)
    exact = ap.adaptive_avg_pool2d(x, 8, data_format="channels_last", dtype=np.float64)
    seen = ulps(np.array(nn.AvgPool2d(8, 8)(mx.array(x))), exact)
    row = '| `nn.AvgPool2d(8, 8)(x)` | `ap.adaptive_avg_pool2d(x, (H // 8, W // 8), data_format="channels_last")` | off by 4 ulp |'
    yield row, about(seen, 4), seen
    ours = ap.adaptive_max_pool2d(x, 8, data_format="channels_last")
    holds = same(np.array(nn.MaxPool2d(8, 8)(mx.array(x))), ours)
    row = '| `nn.MaxPool2d(8, 8)(x)` | `ap.adaptive_max_pool2d(x, (H // 8, W // 8), data_format="channels_last")` | equal |'
    yield row, holds, holds
    x = floats(16, 224, 224)
    exact = ap.adaptive_avg_pool2d(x, 1, dtype=np.float64)[..., 0, 0]
    seen = ulps(np.array(mx.mean(mx.array(x), (-2, -1))), exact)
    row = "| `mx.mean(x, (-2, -1))` | `ap.adaptive_avg_pool2d(x, 1)[..., 0, 0]` | 224 by 224: off by 65 ulp |"
    yield row, about(seen, 65), seen
    seen = float(mx.mean(mx.full(1_000_000, 0.1)))
    yield "a million times 0.1 has the mean 0.10096", f"{seen:.5f}" == "0.10096", seen
    seen = sorted(name for name in dir(nn) if "Adaptive" in name)
    yield "There are no adaptive pools", seen == [], seen
