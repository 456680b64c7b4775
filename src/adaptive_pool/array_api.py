"""The functions of this package for arrays of other libraries, which answer in kind.

Tensors of PyTorch give tensors of PyTorch, and arrays of JAX give arrays of JAX. So it is with MLX,
and with all arrays that have ``__array_namespace__``, as the array API standard describes it. All
else gives arrays of NumPy, as in the package itself. The first argument decides; others may be of
any kind.

Parameters
----------
x, grad_output, values, ... : array or list of arrays
    The first argument, in the memory of the CPU. It is read in place, and never written.
dtype, index_dtype : dtype, optional
    A dtype of NumPy or of the library, such as ``torch.float32``.
out : array, optional
    A tensor of PyTorch, or an array of NumPy or of another library whose memory can be written to.
    It is written in place, and returned. Arrays of JAX and MLX never change: they are refused.

Returns
-------
array, or tuple or list of arrays
    New arrays, which belong to nobody else. Tensors of PyTorch can be written to and take their
    memory from NumPy, without a copy, bfloat16 too. JAX takes over memory that starts at a multiple
    of 64 bytes, and copies the rest. MLX copies. What is no new array is returned as it was given:
    `out`, and level 0 of a pyramid.

Raises
------
TypeError
    If an array is on another device, requires gradients, is lazy, or is traced by ``jax.jit``: the
    message says what to do. If `out` cannot be written to.
ValueError
    If JAX is without 64-bit types, and integers of a result do not fit into 32 bits.

Notes
-----
While ``jax_enable_x64`` is off JAX has no 64-bit types: indices and counts come as int32 then, and
means that would be float64 as float32, rounded once more. bfloat16 tensors of PyTorch and MLX need
``ml_dtypes`` imported.
"""

import sys as _sys

from ._in_kind import in_kind as _in_kind

__all__ = [
    "adaptive_avg_max_pool1d",
    "adaptive_avg_max_pool1d_backward",
    "adaptive_avg_max_pool2d",
    "adaptive_avg_max_pool2d_backward",
    "adaptive_avg_max_pool3d",
    "adaptive_avg_max_pool3d_backward",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool1d_backward",
    "adaptive_avg_pool1d_packed",
    "adaptive_avg_pool1d_packed_backward",
    "adaptive_avg_pool1d_ragged",
    "adaptive_avg_pool1d_ragged_backward",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool2d_backward",
    "adaptive_avg_pool2d_ragged",
    "adaptive_avg_pool2d_ragged_backward",
    "adaptive_avg_pool3d",
    "adaptive_avg_pool3d_backward",
    "adaptive_avg_pool3d_ragged",
    "adaptive_avg_pool3d_ragged_backward",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_backward",
    "adaptive_max_pool1d_packed",
    "adaptive_max_pool1d_packed_backward",
    "adaptive_max_pool1d_ragged",
    "adaptive_max_pool1d_ragged_backward",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_backward",
    "adaptive_max_pool2d_ragged",
    "adaptive_max_pool2d_ragged_backward",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_backward",
    "adaptive_max_pool3d_ragged",
    "adaptive_max_pool3d_ragged_backward",
    "adaptive_max_unpool1d",
    "adaptive_max_unpool2d",
    "adaptive_max_unpool3d",
    "pyramid",
    "spatial_pyramid_pool1d",
    "spatial_pyramid_pool1d_backward",
    "spatial_pyramid_pool2d",
    "spatial_pyramid_pool2d_backward",
    "spatial_pyramid_pool3d",
    "spatial_pyramid_pool3d_backward",
]

_core = _sys.modules[__package__]

adaptive_avg_max_pool1d = _in_kind(_core.adaptive_avg_max_pool1d)
adaptive_avg_max_pool1d_backward = _in_kind(_core.adaptive_avg_max_pool1d_backward)
adaptive_avg_max_pool2d = _in_kind(_core.adaptive_avg_max_pool2d)
adaptive_avg_max_pool2d_backward = _in_kind(_core.adaptive_avg_max_pool2d_backward)
adaptive_avg_max_pool3d = _in_kind(_core.adaptive_avg_max_pool3d)
adaptive_avg_max_pool3d_backward = _in_kind(_core.adaptive_avg_max_pool3d_backward)
adaptive_avg_pool1d = _in_kind(_core.adaptive_avg_pool1d)
adaptive_avg_pool1d_backward = _in_kind(_core.adaptive_avg_pool1d_backward)
adaptive_avg_pool1d_packed = _in_kind(_core.adaptive_avg_pool1d_packed)
adaptive_avg_pool1d_packed_backward = _in_kind(_core.adaptive_avg_pool1d_packed_backward)
adaptive_avg_pool1d_ragged = _in_kind(_core.adaptive_avg_pool1d_ragged)
adaptive_avg_pool1d_ragged_backward = _in_kind(_core.adaptive_avg_pool1d_ragged_backward)
adaptive_avg_pool2d = _in_kind(_core.adaptive_avg_pool2d)
adaptive_avg_pool2d_backward = _in_kind(_core.adaptive_avg_pool2d_backward)
adaptive_avg_pool2d_ragged = _in_kind(_core.adaptive_avg_pool2d_ragged)
adaptive_avg_pool2d_ragged_backward = _in_kind(_core.adaptive_avg_pool2d_ragged_backward)
adaptive_avg_pool3d = _in_kind(_core.adaptive_avg_pool3d)
adaptive_avg_pool3d_backward = _in_kind(_core.adaptive_avg_pool3d_backward)
adaptive_avg_pool3d_ragged = _in_kind(_core.adaptive_avg_pool3d_ragged)
adaptive_avg_pool3d_ragged_backward = _in_kind(_core.adaptive_avg_pool3d_ragged_backward)
adaptive_max_pool1d = _in_kind(_core.adaptive_max_pool1d)
adaptive_max_pool1d_backward = _in_kind(_core.adaptive_max_pool1d_backward)
adaptive_max_pool1d_packed = _in_kind(_core.adaptive_max_pool1d_packed)
adaptive_max_pool1d_packed_backward = _in_kind(_core.adaptive_max_pool1d_packed_backward)
adaptive_max_pool1d_ragged = _in_kind(_core.adaptive_max_pool1d_ragged)
adaptive_max_pool1d_ragged_backward = _in_kind(_core.adaptive_max_pool1d_ragged_backward)
adaptive_max_pool2d = _in_kind(_core.adaptive_max_pool2d)
adaptive_max_pool2d_backward = _in_kind(_core.adaptive_max_pool2d_backward)
adaptive_max_pool2d_ragged = _in_kind(_core.adaptive_max_pool2d_ragged)
adaptive_max_pool2d_ragged_backward = _in_kind(_core.adaptive_max_pool2d_ragged_backward)
adaptive_max_pool3d = _in_kind(_core.adaptive_max_pool3d)
adaptive_max_pool3d_backward = _in_kind(_core.adaptive_max_pool3d_backward)
adaptive_max_pool3d_ragged = _in_kind(_core.adaptive_max_pool3d_ragged)
adaptive_max_pool3d_ragged_backward = _in_kind(_core.adaptive_max_pool3d_ragged_backward)
adaptive_max_unpool1d = _in_kind(_core.adaptive_max_unpool1d)
adaptive_max_unpool2d = _in_kind(_core.adaptive_max_unpool2d)
adaptive_max_unpool3d = _in_kind(_core.adaptive_max_unpool3d)
pyramid = _in_kind(_core.pyramid)
spatial_pyramid_pool1d = _in_kind(_core.spatial_pyramid_pool1d)
spatial_pyramid_pool1d_backward = _in_kind(_core.spatial_pyramid_pool1d_backward)
spatial_pyramid_pool2d = _in_kind(_core.spatial_pyramid_pool2d)
spatial_pyramid_pool2d_backward = _in_kind(_core.spatial_pyramid_pool2d_backward)
spatial_pyramid_pool3d = _in_kind(_core.spatial_pyramid_pool3d)
spatial_pyramid_pool3d_backward = _in_kind(_core.spatial_pyramid_pool3d_backward)
