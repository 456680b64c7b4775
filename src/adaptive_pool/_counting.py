"""Which elements count: what `where`, `nan_policy` and `nodata` say, checked."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from . import _dtypes
from ._arrays import Array, as_array, native
from ._dtypes import text_of
from ._objects import is_a, shown
from ._options import Options

_NAN_POLICIES = ("propagate", "omit")


class Counting(NamedTuple):
    """What does not count, as kernels are told."""

    where: Array | None  # bools in the shape of x; elements where it is False do not count
    omits: bool  # NaN
    nodata: bytes | None  # an element that does not count


def counting_of(
    function: str, options: Options, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Counting | None:
    """Return what does not count of an array of that shape and dtype, or None if all does."""
    where = None if options.where is None else mask_of(function, options.where, shape)
    is_real = dtype.kind not in "biu"
    omits = _omits_nan(function, options.nan_policy) and is_real
    nodata = None
    if options.nodata is not None:
        number = as_number(function, "nodata", options.nodata)
        if is_real and number != number:
            omits = True
        else:
            nodata = _nodata(function, number, dtype)
    if where is None and not omits and nodata is None:
        return None
    return Counting(where, omits, nodata)


def counting_of_gradient(
    function: str, options: Options, shape: tuple[int, ...]
) -> tuple[Counting | None, Array | None]:
    """Return what does not count of an input of that shape, and the input, if that says so."""
    x = None if options.x is None else as_array(function, "x", options.x)
    dtype = np.dtype(np.bool_)
    if x is not None:
        dtype = x.dtype
        _dtypes.check_dtype(function, "x", dtype, _dtypes.SUPPORTED)
        if x.shape != shape:
            raise ValueError(f"{function}: x must have the input shape {shape}, got {x.shape}")
    elif options.nodata is not None or _omits_nan(function, options.nan_policy):
        raise TypeError(
            f"{function}: nan_policy='omit' and nodata need x, the input, which says what counts"
        )
    counting = counting_of(function, options, shape, _dtypes.native(dtype))
    if x is None or counting is None or not (counting.omits or counting.nodata is not None):
        return counting, None
    return counting, native(x)


def _omits_nan(function: str, policy: object) -> bool:
    name = str.__str__(policy) if is_a(policy, str) else ""
    if name not in _NAN_POLICIES:
        raise ValueError(
            f"{function}: nan_policy must be 'propagate' or 'omit', got {shown(policy)}"
        )
    return name == "omit"


def mask_of(function: str, given: Any, shape: tuple[int, ...], name: str = "x") -> Array:
    """Return bools in the shape of the array of that name."""
    where = as_array(function, "where", given)
    if where.dtype != np.bool_:
        raise TypeError(f"{function}: where must be bool, got dtype {text_of(where.dtype)}")
    try:
        return np.broadcast_to(where, shape)
    except ValueError:
        raise ValueError(
            f"{function}: where of shape {where.shape} does not broadcast to {name} of shape "
            f"{shape}"
        ) from None


def as_number(function: str, name: str, given: object) -> Any:
    """Return a real number as one of Python."""
    number: Any = given
    if is_a(given, np.generic) and number.dtype.kind in "biufV":  # bfloat16 is one of V
        number = number.item()
    if not is_a(number, (int, float, np.floating)):
        raise TypeError(f"{function}: {name} must be a real number, got {shown(given)}")
    return number


def bytes_of(number: Any, dtype: np.dtype[Any]) -> bytes | None:
    """Return a number as an element, as it is in memory; None if it is out of range."""
    if dtype.kind in "biu":
        least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        if not least <= number <= most or number != int(number):
            return None
        return np.array(int(number), dtype).tobytes()
    try:
        number = float(number)
    except OverflowError:
        return None
    with np.errstate(all="ignore"):
        element = np.array(number).astype(dtype)
    if math.isinf(float(element)) and not math.isinf(number):
        return None
    return element.tobytes()


def lowest_of(dtype: np.dtype[Any]) -> bytes:
    """Return the lowest element of a dtype, as it is in memory."""
    number = False if dtype.kind == "b" else -np.inf
    return np.array(np.iinfo(dtype).min if dtype.kind in "iu" else number).astype(dtype).tobytes()


def _nodata(function: str, number: Any, dtype: np.dtype[Any]) -> bytes:
    """Return the element that stands for no data; it must be one exactly."""
    if dtype.kind == "b":
        raise TypeError(f"{function}: there is no nodata among bools")
    element = bytes_of(number, dtype)
    nearest = number if element is None else np.frombuffer(element, dtype)[0].item()
    if element is None or nearest != number:
        hint = "" if element is None else f"; the nearest is {nearest!r}"
        raise ValueError(f"{function}: no {dtype} is nodata {shown(number)}{hint}")
    return element
