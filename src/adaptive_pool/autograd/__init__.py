"""Adaptive pooling that autograd differentiates, backward and forward, as often as you like.

The functions have the names of those of `adaptive_pool` and compute the same bits.
"""

from .._extras import needs

with needs("autograd"):
    from ._average import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
    from ._maximum import adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]
