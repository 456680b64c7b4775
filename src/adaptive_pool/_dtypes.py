"""Which dtypes are supported, and what results they give.

float16 and bfloat16 are known by name, so that bfloat16 works without importing `ml_dtypes`, the
package that registers it with NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._kernels.call import known
from ._objects import no_memory, shown

FLOATS = ("float16", "bfloat16", "float32", "float64")
SHORT_INTEGERS = ("bool", "int8", "uint8", "int16", "uint16")
LONG_INTEGERS = ("int32", "uint32", "int64", "uint64")
INDICES = ("int32", "int64")
SUPPORTED = FLOATS + SHORT_INTEGERS + LONG_INTEGERS

# Windows of more elements than this could overflow the exact sums of these integers.
LARGEST_EXACT_WINDOW = 2**30

WORDS: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.uint8),
    2: np.dtype(np.uint16),
    4: np.dtype(np.uint32),
    8: np.dtype(np.uint64),
}


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return `dtype` in the byte order of the machine."""
    return dtype if dtype.isnative else dtype.newbyteorder("=")


# Names by the class of a dtype, which all supported ones have to themselves. Other dtypes need not
# be hashable; structured ones, and classes made from `numpy.void`, may have any name.
_names: dict[type, str] = {}


def name_of(dtype: np.dtype[Any]) -> str:
    """Return ``dtype.name`` where it is supported, or "". NumPy takes microseconds to give it."""
    name = _names.get(type(dtype))
    if name is None:
        name = "" if dtype.kind not in "biufV" or issubclass(dtype.type, np.void) else dtype.name
        if name not in SUPPORTED:
            return ""
        _names[type(dtype)] = name
        known.learn(native(dtype))  # from now on calls with it may be known
    return name


for _name in SUPPORTED:  # bfloat16 comes with a library that need not be there
    if _name != "bfloat16":
        name_of(np.dtype(_name))


def as_dtype(function: str, name: str, value: Any) -> np.dtype[Any]:
    """Return `value` as a dtype."""
    if value is None:  # float64, to NumPy
        raise TypeError(f"{function}: {name} is not a dtype: None")
    try:
        dtype: np.dtype[Any] = np.dtype(value)
    except MemoryError as error:
        raise no_memory(f"{function}: {name}", error) from error
    except Exception as error:  # NumPy parses strings as code, and reads attributes
        hint = "; import ml_dtypes first" if shown(value) == "'bfloat16'" else ""
        raise TypeError(f"{function}: {name} is not a dtype: {shown(value)}{hint}") from error
    return dtype


def text_of(dtype: np.dtype[Any]) -> str:
    """Return a dtype as text; the text of a string dtype would show an object of the caller."""
    return dtype.name if dtype.kind == "T" else str(dtype)


def check_dtype(function: str, name: str, dtype: np.dtype[Any], supported: tuple[str, ...]) -> str:
    """Return the name of a dtype, or raise unless arrays of it can be pooled."""
    text = name_of(dtype)
    if text not in supported:
        raise TypeError(
            f"{function}: {name} must have one of the dtypes {', '.join(supported)}, "
            f"got {text_of(dtype)}{_remedy(name, dtype, supported)}"
        )
    return text


def _remedy(name: str, dtype: np.dtype[Any], supported: tuple[str, ...]) -> str:
    """Return what the owner of an array of an unsupported dtype can do, if anything is known."""
    if dtype.kind == "V" and dtype.names:
        return f"; pass one field, {name}[{shown(dtype.names[0])}]"
    if dtype.kind in "USTO":
        return "; entries must be numbers, not strings, None or other objects"
    if "float32" not in supported:
        return ""
    if dtype.type is np.void:
        # numpy.save and h5py keep the bits of such types and forget the name.
        view = f"pass numpy.asarray({name}).view"
        if dtype.itemsize == 2:
            return f"; if these are the bits of bfloat16, {view}(ml_dtypes.bfloat16)"
        if dtype.itemsize == 1:
            return (
                "; if these are the bits of a type of ml_dtypes, such as float8_e4m3fn, "
                f"{view}(ml_dtypes.float8_e4m3fn).astype(numpy.float32)"
            )
    if "float" in dtype.name and dtype.itemsize == 1:
        return f"; pass {name}.astype(numpy.float32)"
    return ""


def mean_dtype(function: str, x: np.dtype[Any], dtype: np.dtype[Any] | None) -> np.dtype[Any]:
    """Return the dtype of an average of `x`s, where the caller asks for `dtype`."""
    if dtype is None:
        if name_of(x) in FLOATS:
            return x
        return np.dtype(np.float32 if name_of(x) in SHORT_INTEGERS else np.float64)
    allowed = FLOATS if name_of(x) in FLOATS or name_of(x) == "bool" else (*FLOATS, name_of(x))
    if name_of(dtype) not in allowed or not dtype.isnative:
        raise TypeError(
            f"{function}: dtype must be one of {', '.join(allowed)} for x of dtype {x}, "
            f"got {text_of(dtype)}"
        )
    return dtype


def name_of_mean(function: str, dtype: Any) -> str:
    """Return the name of a dtype that averages of some array can have."""
    wanted = as_dtype(function, "dtype", dtype)
    if name_of(wanted) not in SUPPORTED or name_of(wanted) == "bool" or not wanted.isnative:
        raise TypeError(
            f"{function}: dtype must be one of {', '.join(FLOATS)}, or the integer type of x, "
            f"got {text_of(wanted)}"
        )
    return name_of(wanted)


def name_of_indices(function: str, dtype: Any) -> str:
    """Return the name of a dtype that indices can have."""
    wanted = as_dtype(function, "index_dtype", dtype)
    if name_of(wanted) not in INDICES or not wanted.isnative:
        raise TypeError(f"{function}: index_dtype must be int32 or int64, got {text_of(wanted)}")
    return name_of(wanted)


def check_index_dtype(function: str, dtype: np.dtype[Any], plane: int) -> None:
    """Raise unless flat indices below `plane` can be returned in `dtype`."""
    name_of_indices(function, dtype)
    if plane - 1 > np.iinfo(dtype).max:
        raise ValueError(
            f"{function}: index_dtype {dtype} is too small for {plane} elements on the pooled axes"
        )


def check_exact_sum(function: str, dtype: np.dtype[Any], largest_window: int) -> None:
    """Raise if the sum of a window might not fit the exact sums of wide integers."""
    if name_of(dtype) in LONG_INTEGERS and largest_window > LARGEST_EXACT_WINDOW:
        raise ValueError(
            f"{function}: windows of {dtype} must not have more than {LARGEST_EXACT_WINDOW} "
            f"elements, nor weigh more by area, got one of {largest_window}"
        )
