"""The public functions by the number of pooled axes, less one; adaptors choose by it.

Which of their overloads a call means, type checkers cannot know there.
"""

from __future__ import annotations

from typing import Any

from . import _average, _average_backward, _maximum, _maximum_backward

AVERAGE: Any = (
    _average.adaptive_avg_pool1d,
    _average.adaptive_avg_pool2d,
    _average.adaptive_avg_pool3d,
)
AVERAGE_BACKWARD: Any = (
    _average_backward.adaptive_avg_pool1d_backward,
    _average_backward.adaptive_avg_pool2d_backward,
    _average_backward.adaptive_avg_pool3d_backward,
)
MAXIMUM: Any = (
    _maximum.adaptive_max_pool1d,
    _maximum.adaptive_max_pool2d,
    _maximum.adaptive_max_pool3d,
)
MAXIMUM_BACKWARD: Any = (
    _maximum_backward.adaptive_max_pool1d_backward,
    _maximum_backward.adaptive_max_pool2d_backward,
    _maximum_backward.adaptive_max_pool3d_backward,
)
OF_KIND = {"avg": AVERAGE, "max": MAXIMUM}
