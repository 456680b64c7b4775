"""Whether the arithmetic of the kernels in use is what was promised: small calls, known results.

A build with a flag such as -ffast-math loads and runs, and some of its results are wrong. Each call
below has another result in such a build.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from . import _kernels
from ._average import adaptive_avg_pool1d, adaptive_avg_pool1d_backward
from ._maximum import adaptive_max_pool1d
from ._problem import Array, DataFormat

_NAN, _INF = float("nan"), float("inf")

# A dtype, values, and their mean in that dtype.
_MEANS = (
    ("float64", [1.7e308] * 4, 1.7e308),
    ("float64", [1e16, 1.0, -1e16, 1.0], 0.5),
    ("float64", [-0.0, -0.0], -0.0),
    ("float64", [1e-310] * 4, 1e-310),
    ("float64", [_INF, -_INF], _NAN),
    ("float32", [3e38] * 4, float(np.float32(3e38))),
    ("float32", [-0.0, -0.0], -0.0),
    ("float32", [1e-40] * 4, float(np.float32(1e-40))),
    ("float32", [_NAN, 1.0], _NAN),
    ("float16", [6e-8] * 4, float(np.float16(6e-8))),
    ("uint8", [1, 2], 2.0),
    ("int16", [-1, -2, -2], -2.0),
    ("uint64", [2**63, 2**63 - 2], float(2**63 - 1)),
)
# A dtype, values, and their maximum.
_MAXIMA = (
    ("float64", [_NAN, 7.0], _NAN),
    ("float32", [_NAN, 7.0], _NAN),
    ("float32", [7.0, _NAN], _NAN),
    ("float32", [-_INF, -_INF], -_INF),
    ("float16", [_NAN, 7.0], _NAN),
)
# A gradient of one mean of three values, and the gradient of each.
_THIRDS = (("float64", 5.0, 5.0 / 3.0), ("float64", 1e-310, 1e-310 / 3.0))


_LAYOUTS: tuple[DataFormat, ...] = ("channels_first", "channels_last")
_PLANES = 8


def arithmetic() -> str:
    """Return "exact", or what is wrong."""
    return "; ".join([*_changed_process(), *_wrong_results()]) or "exact"


def _changed_process() -> Iterator[str]:
    if _kernels.changed_subnormals:
        yield "importing adaptive_pool makes this process flush subnormals to zero"
    elif sys.float_info.min / 2 == 0:
        yield "other code has made this thread flush subnormals to zero"


def _wrong_results() -> Iterator[str]:
    for layout in _LAYOUTS:
        for dtype, values, expected in _MEANS:
            x = _planes(values, dtype, layout)
            found = adaptive_avg_pool1d(x, 1, dtype=dtype, data_format=layout)
            yield from _compare(f"mean of {values}", dtype, layout, found, expected)
        for dtype, values, expected in _MAXIMA:
            found = adaptive_max_pool1d(_planes(values, dtype, layout), 1, data_format=layout)
            yield from _compare(f"maximum of {values}", dtype, layout, found, expected)
        for dtype, gradient, expected in _THIRDS:
            g = _planes([gradient], dtype, layout)
            shape = (3, _PLANES) if layout == "channels_last" else (_PLANES, 3)
            found = adaptive_avg_pool1d_backward(g, shape, data_format=layout)
            yield from _compare(f"a third of {gradient}", dtype, layout, found, expected)


def _planes(values: Sequence[float], dtype: str, layout: DataFormat) -> Array:
    x = np.array([values] * _PLANES, dtype)
    return np.ascontiguousarray(x.T) if layout == "channels_last" else x


def _compare(
    what: str, dtype: str, layout: DataFormat, found: Array, expected: float
) -> Iterator[str]:
    wrong = {repr(value) for value in map(float, found.ravel())} - {repr(float(expected))}
    if wrong:  # by repr, which tells -0.0 from 0.0 and takes NaN for equal
        yield f"{what} ({dtype}, {layout}) is {', '.join(sorted(wrong))} and not {expected!r}"
