"""Turn arguments into arrays of NumPy, in place if possible, or raise a clear error.

Libraries are recognised by the modules that are loaded already; none is imported. What an object
says of itself is compared with what it hands over: NumPy has no bfloat16 of its own, so some
libraries hand over the bits as integers, and a mean of bits is no mean.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ._lazy import refuse_lazy
from ._objects import is_a, is_from, no_memory, said, shown

Array: TypeAlias = npt.NDArray[Any]

# No array of NumPy has more axes, so lists are not nested deeper.
MOST_AXES = 64

# Names of float types; compiled when it is first needed, which takes milliseconds.
_FLOAT = r"b?float\w*|bf16|fp(4|6|8|16)\w*|\b(nf4|hf8|f[468]_?e\d+m\d+\w*)"
_PLAIN = ("", "float16", "float32", "float64")  # known to NumPy


def as_array(function: str, name: str, x: object) -> Array:
    """Return `x` as an array of NumPy, without copying if that can be."""
    if type(x) is np.ndarray:
        return x
    is_list = is_a(x, (list, tuple))
    if not is_list:
        _refuse_mask(function, name, x)
        if is_a(x, np.ndarray):
            return np.asarray(x)
        refuse_lazy(function, name, x)
        _refuse_what_is_no_array(function, name, x)
    else:
        for part in parts_of(x):  # type: ignore[arg-type]
            refuse_lazy(function, name, part)
    try:
        given = x if is_list else _handed_over(x)
        array = np.asarray(given)
    except MemoryError as error:
        raise no_memory(f"{function}: {name}", error) from error
    except Exception as error:  # whatever an __array__ raises
        raise _unreadable(function, name, x, error) from error
    if array.ndim == 0 and array.dtype.kind == "O":
        raise TypeError(f"{function}: {name} must be an array of numbers, got {type(x).__name__}")
    if is_list:
        for part in parts_of(x):  # type: ignore[arg-type]
            _refuse_mask(function, name, part)
            _refuse_other_numbers(function, name, part, None)
    else:
        _refuse_mask(function, name, given)
        _refuse_other_numbers(function, name, x, array.dtype)
    return array


def native(x: Array) -> Array:
    """Return `x` in the byte order of the machine: the one conversion that copies a whole array."""
    return x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("="))


def readable(x: Array) -> Array:
    """Return `x`, or a copy in the byte order of the machine that kernels can read in place."""
    x = native(x)
    return x if x.flags.aligned else x.copy()


def _handed_over(x: Any) -> Any:
    """Return the array that `x` hands over, of a subclass if it is of one."""
    # A bfloat16 array as integers is the same memory, which these libraries share with NumPy.
    if is_from(x, "torch", "Tensor"):
        torch = sys.modules["torch"]
        if x.dtype is torch.bfloat16 and not _obstacles(x):
            return x.view(torch.int16).numpy().view(np.dtype("bfloat16"))
    elif is_from(x, "mlx.core", "array"):
        mlx = sys.modules["mlx.core"]
        if x.dtype == mlx.bfloat16:
            return np.asarray(x.view(mlx.uint16)).view(np.dtype("bfloat16"))
    elif is_from(x, "jax", "Array") and _obstacles(x):
        raise TypeError("NumPy would copy it to the CPU without a word")
    elif not hasattr(x, "__array__") and hasattr(x, "__dlpack__"):
        return np.from_dlpack(x)
    return np.asanyarray(x)


def _refuse_mask(function: str, name: str, x: object) -> None:
    """Raise for an array with a mask, of NumPy or another library."""
    for kind in type(x).__mro__:
        if kind.__name__.startswith("Masked"):
            hint = (
                ", and filled values would count like all others; the notes of adaptive_avg_pool2d "
                "show how to leave elements out of a mean"
            )
            raise TypeError(
                f"{function}: {name} must not be a {kind.__name__}: masks are not supported"
                f"{hint if name == 'x' and 'avg' in function.lower() else ''}"
            )


def _refuse_what_is_no_array(function: str, name: str, x: Any) -> None:
    """Raise for what NumPy would make something else of than the caller has in mind."""
    if x is None or is_a(x, (str, bytes)) or hasattr(type(x), "__fspath__"):
        hint = "" if x is None else "; if that is a file, read it into an array first"
        raise TypeError(f"{function}: {name} must be an array of numbers, got {shown(x)}{hint}")


def _refuse_other_numbers(function: str, name: str, x: Any, dtype: np.dtype[Any] | None) -> None:
    """Raise where the numbers that `x` hands over, of `dtype`, are not those it stands for."""
    if is_from(x, "PIL.Image", "Image") and x.mode in ("P", "PA"):
        raise TypeError(
            f"{function}: {name} is a picture of mode {x.mode}: its numbers are places in a "
            "palette, not colours; pass picture.convert('RGB')"
        )
    if dtype is not None and dtype.kind == "f" and dtype.itemsize > 2:
        return  # bits do not come as a wider float
    claim = _float_by_name(x)
    if not claim:
        return
    handed = _dtype_of(x) if dtype is None else dtype
    if _are_bits(claim, handed):
        view = f", or take numpy.asarray({name}).view(ml_dtypes.bfloat16)"
        raise TypeError(
            f"{function}: {name} says that it is {claim} but hands over {handed}: its bits, "
            f"not its numbers; convert it to float32 first"
            f"{view if claim == 'bfloat16' and dtype is not None else ''}"
        )


def _are_bits(claim: str, dtype: np.dtype[Any]) -> bool:
    """Whether what calls itself a float comes as integers, or a bfloat16 as the other half."""
    if "float" in dtype.name:
        return claim.startswith("b") and dtype.name == "float16"
    return dtype.kind in "biuV"


def _dtype_of(part: object) -> np.dtype[Any]:
    try:
        return np.asarray(part).dtype
    except Exception:  # noqa: BLE001 - it could be read a moment ago
        return np.dtype(object)


def parts_of(x: list[Any] | tuple[Any, ...], depth: int = 1) -> Iterator[object]:
    """Yield what a list holds, and the lists in it; but nothing of rows of plain numbers."""
    for entry in (list if is_a(x, list) else tuple).__iter__(x):  # type: ignore[arg-type]
        if type(entry) in (float, int, bool):
            return
        if is_a(entry, (list, tuple)) and depth < MOST_AXES:
            yield from parts_of(entry, depth + 1)
        else:
            yield entry


def _float_by_name(x: Any) -> str:
    """Return the float type that the dtype of `x` names, or ""."""
    try:
        dtype = x.dtype
        name = getattr(dtype, "name", "")
        text = name if is_a(dtype, np.dtype) else f"{dtype} {name}"
        found = re.search(_FLOAT, text[:500], re.IGNORECASE)
    except Exception:  # noqa: BLE001 - it has none, or its own code fails
        return ""
    return found.group().lower() if found else ""


# What keeps an array of another library from being read: a test, what it means, and what helps.
_Obstacle: TypeAlias = tuple[Callable[[Any], bool], str, str]
_OBSTACLES: tuple[tuple[str, str, tuple[_Obstacle, ...]], ...] = (
    (
        "torch",
        "Tensor",
        (
            (lambda x: x.requires_grad, "requires grad", "detach()"),
            (lambda x: x.device.type != "cpu", "is not on the CPU", "cpu()"),
            (lambda x: x.is_quantized, "is quantized", "dequantize()"),
            (lambda x: x.layout is not sys.modules["torch"].strided, "is not dense", "to_dense()"),
            (lambda x: x.is_neg(), "is negated lazily", "resolve_neg()"),
            (
                lambda x: x.dtype.itemsize == 1 and x.is_floating_point(),
                "has a dtype that NumPy has not",
                "float()",
            ),
        ),
    ),
    ("cupy", "ndarray", ((lambda _: True, "is not on the CPU", "get()"),)),
    (
        "jax",
        "Array",
        (
            (
                lambda x: any(device.platform != "cpu" for device in x.devices()),
                "is not on the CPU",
                "to_device(jax.devices('cpu')[0])",
            ),
        ),
    ),
)


def _obstacles(x: Any) -> list[tuple[str, str]]:
    return [
        (reason, call)
        for module, name, rows in _OBSTACLES
        if is_from(x, module, name)
        for test, reason, call in rows
        if test(x)
    ]


def _unreadable(function: str, name: str, x: Any, error: Exception) -> Exception:
    """Return the error for what is not an array, with what would make it one if that is known."""
    where = f"{function}: {name}"
    is_tensor = is_from(x, "torch", "Tensor")
    try:
        is_meta, is_nested = (x.is_meta, x.is_nested) if is_tensor else (False, False)
        obstacles = [] if is_meta or is_nested else _obstacles(x)
    except Exception:  # noqa: BLE001 - a subclass may do anything
        is_nested, is_meta, obstacles = False, False, []
    if is_meta:
        return TypeError(f"{where} is on the meta device: it has a shape and no numbers")
    if is_nested:
        return TypeError(f"{where} is nested: pool the parts, {name}.unbind()")
    if obstacles:
        reasons, calls = zip(*obstacles, strict=True)
        return TypeError(f"{where} {' and '.join(reasons)}: pass {name}.{'.'.join(calls)}")
    is_bfloat16 = _float_by_name(x) == "bfloat16"
    is_read_by_bits = is_tensor or is_from(x, "mlx.core", "array")
    if is_read_by_bits and is_bfloat16 and "ml_dtypes" not in sys.modules:
        return TypeError(
            f"{where} is a bfloat16 {type(x).__name__.lower()}: import ml_dtypes first, from which "
            f"NumPy has this type, or convert it to float32 first"
        )
    text = said(error)
    if type(error) is ValueError and "inhomogeneous" in text:
        return ValueError(
            f"{where} is ragged: its parts differ in length or depth, so they are no array"
            f"{'; pool them one by one' if name == 'x' else ''}"
        )
    parts = parts_of(x) if is_a(x, (list, tuple)) else (x,)
    claim = next((c for part in parts if (c := _float_by_name(part)) not in _PLAIN), "")
    hint = f"; {claim} must be converted to float32 first" if claim else ""
    is_exported = not hasattr(type(x), "__array__") and hasattr(type(x), "__dlpack__")
    kind = ValueError if type(error) is ValueError else TypeError
    return kind(f"{where} is not an array{' on the CPU' * is_exported}: {text}{hint}")
