"""Adaptive pooling for arrays of JAX, on the CPU: jit, vmap, and derivatives of any order.

The functions have the names of those of `adaptive_pool`, compute the same bits, and run where XLA
runs them: they read its arrays in place, and write to its results. Derivatives go forward
(`jax.jvp`) and backward (`jax.grad`), and again through each other. `jax.vmap` over leading axes,
or over the last one of "channels_first", copies nothing; over others JAX moves the axis.
"""

from .._extras import needs

with needs("jax"):
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
