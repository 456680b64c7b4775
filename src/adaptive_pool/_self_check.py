"""Whether the arithmetic of the kernels in use is what was promised: small calls, known results.

A build with a flag such as -ffast-math loads and runs, and some of its results are wrong. Each call
below has another result in such a build.

The caller's thread may round in another way, flush subnormals, or trap. The kernels do not care,
so nothing here depends on it either: values are converted exactly, and subnormals are written and
read as bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from . import _kernels
from ._average import adaptive_avg_pool1d
from ._average_backward import adaptive_avg_pool1d_backward
from ._dtypes import WORDS
from ._maximum import adaptive_max_pool1d
from ._problem import Array, DataFormat

_NAN, _INF = float("nan"), float("inf")
_LARGE = float.fromhex("0x1.8p127")

# A dtype, values, and their mean in that dtype.
_MEANS = (
    ("float64", [1.7e308] * 4, 1.7e308),
    ("float64", [1e16, 1.0, -1e16, 1.0], 0.5),
    ("float64", [-0.0, -0.0], -0.0),
    ("float64", [_INF, -_INF], _NAN),
    ("float32", [_LARGE] * 4, _LARGE),
    ("float32", [-0.0, -0.0], -0.0),
    ("float32", [_NAN, 1.0], _NAN),
    ("uint8", [1, 2], 2),
    ("int16", [-1, -2, -2], -2),
    ("uint64", [2**63, 2**63 - 2], 2**63 - 1),
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
_THIRDS = (("float64", 5.0, float.fromhex("0x1.aaaaaaaaaaaabp+0")),)
# Of each, subnormals are counted in steps of the smallest, which are their bits.
_SUBNORMALS = ("float16", "float32", "float64")


_LAYOUTS: tuple[DataFormat, ...] = ("channels_first", "channels_last")
_PLANES = 8


def arithmetic() -> str:
    """Return "exact", or what is wrong."""
    return "; ".join([*_changed_process(), *_wrong_results()]) or "exact"


def _changed_process() -> Iterator[str]:
    if _kernels.changed_subnormals:
        yield "importing adaptive_pool makes this process flush subnormals to zero"
    elif not _kernels.subnormals_are_kept():
        yield "other code has made this thread flush subnormals to zero"


def _wrong_results() -> Iterator[str]:
    for layout in _LAYOUTS:
        for dtype, values, expected in _MEANS:
            found = _mean(_planes(values, dtype, layout), layout)
            yield from _compare(f"mean of {values}", dtype, layout, found, expected)
        for dtype, values, expected in _MAXIMA:
            found = adaptive_max_pool1d(_planes(values, dtype, layout), 1, data_format=layout)
            yield from _compare(f"maximum of {values}", dtype, layout, found, expected)
        for dtype, gradient, expected in _THIRDS:
            found = _thirds(_planes([gradient], dtype, layout), layout)
            yield from _compare(f"a third of {gradient}", dtype, layout, found, expected)
        for dtype in _SUBNORMALS:
            bits = WORDS[np.dtype(dtype).itemsize]
            found = _mean(_planes([2, 4], bits, layout).view(dtype), layout).view(bits)
            yield from _compare("mean of [2, 4] subnormal steps", dtype, layout, found, 3)
            found = _thirds(_planes([9], bits, layout).view(dtype), layout).view(bits)
            yield from _compare("a third of 9 subnormal steps", dtype, layout, found, 3)


def _mean(x: Array, layout: DataFormat) -> Array:
    return adaptive_avg_pool1d(x, 1, dtype=x.dtype, data_format=layout)


def _thirds(gradient: Array, layout: DataFormat) -> Array:
    shape = (3, _PLANES) if layout == "channels_last" else (_PLANES, 3)
    return adaptive_avg_pool1d_backward(gradient, shape, data_format=layout)


def _planes(values: Sequence[float], dtype: npt.DTypeLike, layout: DataFormat) -> Array:
    x = np.array([values] * _PLANES, dtype)
    return np.ascontiguousarray(x.T) if layout == "channels_last" else x


def _compare(
    what: str, dtype: str, layout: DataFormat, found: Array, expected: float
) -> Iterator[str]:
    wrong = set(map(repr, found.ravel().tolist())) - {repr(expected)}
    if wrong:  # by repr, which tells -0.0 from 0.0 and takes NaN for equal
        yield f"{what} ({dtype}, {layout}) is {', '.join(sorted(wrong))} and not {expected!r}"
