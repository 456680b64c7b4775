"""Adaptive average and max pooling for NumPy arrays on the CPU."""

from . import pictures as pictures
from ._average import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from ._average_backward import (
    adaptive_avg_pool1d_backward,
    adaptive_avg_pool2d_backward,
    adaptive_avg_pool3d_backward,
)
from ._average_maximum import (
    adaptive_avg_max_pool1d,
    adaptive_avg_max_pool1d_backward,
    adaptive_avg_max_pool2d,
    adaptive_avg_max_pool2d_backward,
    adaptive_avg_max_pool3d,
    adaptive_avg_max_pool3d_backward,
)
from ._average_ragged import (
    adaptive_avg_pool1d_ragged,
    adaptive_avg_pool1d_ragged_backward,
    adaptive_avg_pool2d_ragged,
    adaptive_avg_pool2d_ragged_backward,
    adaptive_avg_pool3d_ragged,
    adaptive_avg_pool3d_ragged_backward,
)
from ._c_interface import _C_API as _C_API
from ._c_interface import get_include
from ._config import __version__ as __version__
from ._config import config, show_config
from ._layers import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
)
from ._maximum import adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d
from ._maximum_backward import (
    adaptive_max_pool1d_backward,
    adaptive_max_pool2d_backward,
    adaptive_max_pool3d_backward,
)
from ._maximum_ragged import (
    adaptive_max_pool1d_ragged,
    adaptive_max_pool1d_ragged_backward,
    adaptive_max_pool2d_ragged,
    adaptive_max_pool2d_ragged_backward,
    adaptive_max_pool3d_ragged,
    adaptive_max_pool3d_ragged_backward,
)
from ._packed import (
    adaptive_avg_pool1d_packed,
    adaptive_avg_pool1d_packed_backward,
    adaptive_max_pool1d_packed,
    adaptive_max_pool1d_packed_backward,
)
from ._pyramid import pyramid
from ._spatial_pyramid import (
    spatial_pyramid_pool1d,
    spatial_pyramid_pool1d_backward,
    spatial_pyramid_pool2d,
    spatial_pyramid_pool2d_backward,
    spatial_pyramid_pool3d,
    spatial_pyramid_pool3d_backward,
)
from ._threads import get_num_threads, num_threads, set_num_threads
from ._unpool import adaptive_max_unpool1d, adaptive_max_unpool2d, adaptive_max_unpool3d
from ._windows import area_weights, block_windows, pool_windows

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
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
    "area_weights",
    "block_windows",
    "config",
    "get_include",
    "get_num_threads",
    "num_threads",
    "pool_windows",
    "pyramid",
    "set_num_threads",
    "show_config",
    "spatial_pyramid_pool1d",
    "spatial_pyramid_pool1d_backward",
    "spatial_pyramid_pool2d",
    "spatial_pyramid_pool2d_backward",
    "spatial_pyramid_pool3d",
    "spatial_pyramid_pool3d_backward",
]
