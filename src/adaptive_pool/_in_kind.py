"""Functions that answer with arrays of the library that they are given.

The library of the first argument decides; it is recognised by the modules that are loaded already,
and none is imported.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ._arrays import Array, as_array, parts_of
from ._objects import is_a, is_from, no_memory, said

_NOTE = """

    Results are arrays of the library of the first argument: see `adaptive_pool.array_api`."""


def in_kind(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function, whose results are of the kind of its first argument."""
    name = function.__name__
    first = next(iter(inspect.signature(function).parameters))

    @functools.wraps(function)
    def answering(*args: Any, **given: Any) -> Any:
        x: Any = args[0] if args else given.get(first)
        example = next(parts_of(x), None) if is_a(x, (list, tuple)) else x
        hand_over = _hand_over_of(name, example)
        if hand_over is None:
            return function(*args, **given)
        lent = _Lent(name)
        if args:
            args = (lent.input(first, x), *args[1:])
        else:
            given[first] = lent.input(first, x)
        for dtype in ("dtype", "index_dtype"):
            if dtype in given:
                given[dtype] = _dtype_of(given[dtype])
        if given.get("out") is not None:
            given["out"] = lent.output("out", given["out"])
        return lent.back(function(*args, **given), hand_over)

    summary, _, rest = (function.__doc__ or "").partition("\n")  # there is none under -OO
    answering.__doc__ = f"{summary}{_NOTE}\n{rest}"
    answering.__module__ = f"{__package__}.array_api"
    return answering


class _Lent:
    """Arrays of the caller's, as NumPy has them for the length of a call."""

    def __init__(self, function: str) -> None:
        self.function = function
        self.pairs: list[tuple[Array, Any]] = []

    def input(self, name: str, x: Any) -> Any:
        """Return an input; lists go on as they are."""
        return x if is_a(x, (list, tuple)) else self._keep(as_array(self.function, name, x), x)

    def output(self, name: str, out: Any) -> Any:
        """Return the memory of an array to be written to, or of several."""
        if is_a(out, (list, tuple)):
            kind = list if is_a(out, list) else tuple  # a subclass may do anything
            entries = enumerate(kind.__iter__(out))
            return kind([self._writeable(f"{name}[{k}]", entry) for k, entry in entries])
        return self._writeable(name, out)

    def _writeable(self, name: str, out: Any) -> Any:
        is_numpy = is_a(out, np.ndarray) or not hasattr(type(out), "__dlpack__")
        return self._keep(out if is_numpy else _memory_of(self.function, name, out), out)

    def _keep(self, array: Array, original: Any) -> Array:
        self.pairs.append((array, original))
        return array

    def back(self, result: Any, hand_over: Callable[[Array], Any]) -> Any:
        """Return a result: what was lent as it was, and new arrays handed over."""
        if is_a(result, (list, tuple)):
            return type(result)([self.back(entry, hand_over) for entry in result])
        for array, original in self.pairs:
            if array is result:
                return original
        return hand_over(result)


def _memory_of(function: str, name: str, out: Any) -> Array:
    """Return the memory of an array of another library, to be written to."""
    if is_from(out, "torch", "Tensor"):
        return as_array(function, name, out)
    try:
        array = np.from_dlpack(out, copy=False)
    except Exception as error:  # whatever a __dlpack__ raises
        raise TypeError(f"{function}: {name} does not share its memory: {said(error)}") from error
    if not array.flags.writeable:
        raise TypeError(
            f"{function}: {name} must be writeable, got a read-only array of "
            f"{type(out).__module__}; those of JAX and MLX never change: leave {name} out"
        )
    return array


def _dtype_of(given: Any) -> Any:
    """Return the dtype of NumPy that has the name of a dtype, such as torch.float32."""
    try:
        return np.dtype(str(given).rpartition(".")[2])
    except Exception:  # noqa: BLE001 - whatever it is, it is looked at later
        return given


def _hand_over_of(function: str, x: Any) -> Callable[[Array], Any] | None:
    """Return what makes a new array of NumPy one of the library of `x`; None: it stays."""
    if is_a(x, np.ndarray):
        return None
    if is_from(x, "torch", "Tensor"):
        return _to_torch
    if is_from(x, "jax", "Array"):
        return functools.partial(_to_jax, function, x)
    if is_from(x, "mlx.core", "array"):
        return _to_mlx
    if hasattr(type(x), "__array_namespace__"):
        return functools.partial(_by_standard, function, x)
    return None


def _by_standard(function: str, x: Any, y: Array) -> Any:
    try:
        return x.__array_namespace__().from_dlpack(y)
    except MemoryError as error:
        raise no_memory(function, error) from error
    except Exception as error:  # whatever another library raises
        raise TypeError(
            f"{function}: {type(x).__module__} did not take over a result of {y.dtype}: "
            f"{said(error)}"
        ) from error


def _to_torch(y: Array) -> Any:
    torch = sys.modules["torch"]
    if y.dtype.kind == "V":  # bfloat16
        return torch.from_numpy(y.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(y)


def _to_jax(function: str, x: Any, y: Array) -> Any:
    device = min(x.devices(), key=lambda device: device.id)
    result = sys.modules["jax"].device_put(y, device)
    # It has no 64-bit types unless they are switched on, and cuts integers off without a word.
    if y.dtype.kind in "iu" and result.dtype != y.dtype and (np.asarray(result) != y).any():
        raise ValueError(
            f"{function}: a result of {y.dtype} does not fit into {result.dtype}, and JAX has "
            f"{y.dtype} only with jax_enable_x64"
        )
    return result


def _to_mlx(y: Array) -> Any:
    mlx = sys.modules["mlx.core"]
    return mlx.array(y, mlx.float64) if y.dtype == np.float64 else mlx.array(y)
