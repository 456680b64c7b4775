"""Turn arguments into one canonical problem, or raise a clear error.

Whatever the number of pooled and leading axes, and whichever the layout, the kernels see arrays of
six axes, ``(batch, channel, D, H, W, lanes)``, and one window table for each of D, H and W; in 1d
and 2d the missing axes have length 1. `_kernels/call/canonical.pyx` finds these axes in
memory. Nothing below this module knows how many dimensions the user had, and nothing in it knows
what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from . import _windows
from ._arrays import MOST_AXES, as_array
from ._arrays import Array as Array  # others take it from here
from ._kernels.call import known
from ._kernels.call.problem import Problem, check_addressable
from ._kernels.call.tables import are_sizes
from ._objects import is_a, no_memory, said, shown
from ._threads import BYTES_PER_THREAD, threads_for

if TYPE_CHECKING:
    from ._parts import PartsProblem

DataFormat: TypeAlias = Literal["channels_first", "channels_last"]
_Answer = TypeVar("_Answer")
Pair: TypeAlias = tuple[Array, Array]
Size: TypeAlias = int | Sequence[int | None] | npt.NDArray[Any] | None

_DATA_FORMATS = ("channels_first", "channels_last")

known.prepare(np.ndarray, np.empty, threads_for, 2 * BYTES_PER_THREAD)

# Only in arrays of up to so many elements are interleaved axes told from overlapping ones.
_INTERLEAVED = 1 << 16


def normalize_size(
    function: str, ndim: int, output_size: Size, name: str = "output_size"
) -> tuple[int | None, ...]:
    """Return `output_size` as a tuple of `ndim` entries, each evaluated once."""
    if type(output_size) is int:
        return (_windows.as_size(function, name, output_size),) * ndim
    if are_sizes(output_size, True) and len(output_size) == ndim:  # type: ignore[arg-type]
        return output_size  # type: ignore[return-value]
    if output_size is None:
        return (None,) * ndim
    if is_a(output_size, np.ndarray):
        array = as_array(function, name, output_size)  # a subclass may do anything
        entries: Any = array.item() if array.ndim == 0 else list(array[: ndim + 1])
    else:
        entries = output_size
    if is_a(entries, Sequence) and not is_a(entries, (str, bytes, bytearray, memoryview)):
        taken = _windows.first_entries(f"{function}: {name}", entries, ndim + 1)
        if len(taken) != ndim:
            raise ValueError(
                f"{function}: {name} must be an int or have {ndim} elements, got {shown(entries)}"
            )
        return tuple(
            None if entry is None else _windows.as_size(function, name, entry) for entry in taken
        )
    return (_windows.as_size(function, name, entries),) * ndim


def as_bool(function: str, name: str, value: object) -> bool:
    """Return `value` as a bool."""
    if value is False or value is True:
        return value
    try:
        return bool(value)
    except MemoryError as error:
        raise no_memory(f"{function}: {name}", error) from error
    except Exception as error:  # whatever a __bool__ raises: an array of several elements
        raise TypeError(f"{function}: {name} must be true or false: {said(error)}") from error


def check_data_format(function: str, data_format: object) -> DataFormat:
    """Return the name of a layout, as a plain string, or raise unless `data_format` is one."""
    name = str.__str__(data_format) if is_a(data_format, str) else ""
    if name not in _DATA_FORMATS:
        raise ValueError(
            f"{function}: data_format must be 'channels_first' or 'channels_last', "
            f"got {shown(data_format)}"
        )
    return name  # type: ignore[return-value]


def axes_pooled(ndim: int, rank: int, data_format: str) -> slice:
    """Return the pooled axes of an array of so many axes."""
    last = rank - (data_format == "channels_last")
    return slice(last - ndim, last)


def pooled_axes(
    function: str, ndim: int, shape: tuple[int, ...], data_format: str, name: str
) -> int:
    """Return the first of the pooled axes, which only `data_format` decides."""
    letters = "DHW"[3 - ndim :]
    trailing = 0 if data_format == "channels_first" else 1
    if len(shape) < ndim + trailing:
        expected = "(..., " + ", ".join(letters) + (", C)" if trailing else ")")
        raise ValueError(
            f"{function}: {name} must have shape {expected} for data_format {data_format!r}, "
            f"got shape {shape}"
        )
    return axes_pooled(ndim, len(shape), data_format).start  # type: ignore[no-any-return]


def check_room_for_axis(function: str, name: str, shape: tuple[int, ...]) -> None:
    """Raise if an array of that shape cannot have an axis more."""
    if len(shape) == MOST_AXES:
        raise ValueError(
            f"{function}: {name} must have fewer than {MOST_AXES} axes, got shape {shape}"
        )


def make_problem(
    function: str,
    input_shape: tuple[int, ...],
    sizes: tuple[int | None, ...],
    data_format: DataFormat,
    windows: _windows.Windows,
    itemsize: int,
    name: str = "x",
) -> Problem:
    """Check the geometry of a call and describe it; `itemsize` is that of the largest result."""
    data_format = check_data_format(function, data_format)
    ndim = len(sizes)
    first = pooled_axes(function, ndim, input_shape, data_format, name)
    given = _windows.rule_or_pairs(function, ndim, windows)
    if isinstance(given, str):
        return Problem(function, input_shape, first, sizes, given, itemsize)
    tables = tuple(
        [
            _windows.given_table(function, axis, input_shape[first + axis], pair)
            for axis, pair in enumerate(given)
        ]
    )
    counts = check_counts(function, sizes, tables)
    return Problem(function, input_shape, first, counts, tables, itemsize)


def check_counts(
    function: str, sizes: tuple[int | None, ...], tables: tuple[_windows.GivenTable, ...]
) -> tuple[int, ...]:
    """Return the numbers of windows in tables, or raise unless sizes agree with them."""
    counts = tuple([len(table[0]) for table in tables])
    for count, wanted in zip(counts, sizes, strict=True):
        if wanted is not None and wanted != count:
            raise ValueError(
                f"{function}: output_size {sizes} does not agree with "
                f"windows for {counts} outputs; pass None to take it from them"
            )
    return counts


def normalize_shape(
    function: str, shape: Sequence[int], name: str = "input_shape"
) -> tuple[int, ...]:
    """Return a shape as a tuple of integers, each evaluated once."""
    if are_sizes(shape, False):
        return shape  # type: ignore[return-value]
    if is_a(shape, (str, bytes)) or not is_a(shape, Sequence):
        raise TypeError(
            f"{function}: {name} must be a sequence of integers, such as x.shape, "
            f"got {type(shape).__name__}"
        )
    taken = _windows.first_entries(f"{function}: {name}", shape, MOST_AXES + 1)
    if len(taken) > MOST_AXES:
        raise ValueError(f"{function}: {name} must have at most {MOST_AXES} elements")
    return tuple([_windows.as_size(function, name, size) for size in taken])


def check_gradient(
    function: str,
    ndim: int,
    gradient_shape: tuple[int, ...],
    input_shape: tuple[int, ...],
    data_format: DataFormat,
    itemsize: int,
    names: tuple[str, str] = ("grad_output", "input_shape"),
    *,
    samples: bool = True,
) -> int:
    """Check `input_shape` against the gradient of the output; return the first pooled axis.

    Unless gradients are of `samples`, the first axis may have any length.
    """
    data_format = check_data_format(function, data_format)
    first = pooled_axes(function, ndim, input_shape, data_format, names[1])
    last, begin = first + ndim, 0 if samples else 1
    if len(input_shape) != len(gradient_shape) or (
        input_shape[begin:first] + input_shape[last:]
        != gradient_shape[begin:first] + gradient_shape[last:]
    ):
        raise ValueError(
            f"{function}: {names[1]} {input_shape} and {names[0]} of shape {gradient_shape} must "
            f"agree except on the pooled axes {tuple(range(first, last))}"
        )
    check_addressable(function, input_shape, itemsize)
    return first


def check_out(
    function: str, name: str, out: object, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    """Return `out` as a plain array, or raise unless it can take the result."""
    if type(out) is not np.ndarray:
        if not issubclass(type(out), np.ndarray):
            raise TypeError(f"{function}: {name} must be a NumPy array, got {type(out).__name__}")
        if is_a(out, np.ma.MaskedArray):
            raise TypeError(
                f"{function}: {name} must not be a MaskedArray: masks are not supported"
            )
        out = np.asarray(out)  # a subclass may say anything of itself
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(
            f"{function}: {name} must have shape {shape} and dtype {dtype}, "
            f"got shape {out.shape} and dtype {out.dtype}"
        )
    flags = out.flags
    if not flags.writeable:
        raise ValueError(f"{function}: {name} must be writeable, got a read-only array")
    if not flags.forc and _overlaps_itself(out):
        raise ValueError(f"{function}: elements of {name} share memory, strides {out.strides}")
    return out


def _overlaps_itself(x: Array) -> bool:
    """Whether two elements of `x` share memory; in doubt, for large arrays, yes."""
    extent = x.itemsize
    for stride, size in sorted(
        (abs(s), n) for s, n in zip(x.strides, x.shape, strict=True) if n > 1
    ):
        if stride < extent:
            return x.size > _INTERLEAVED or (x.size > 0 and _places_collide(x))
        extent += stride * (size - 1)
    return False


def _places_collide(x: Array) -> bool:
    offsets = np.zeros(1, np.int64)
    for stride, size in zip(x.strides, x.shape, strict=True):
        offsets = np.add.outer(offsets, stride * np.arange(size)).ravel()
    return bool((np.diff(np.sort(offsets)) < x.itemsize).any())


def result_array(
    function: str,
    name: str,
    out: object,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    problem: Problem | PartsProblem,
    *read: Array,
) -> Array:
    """Return the array for a kernel to write to while it reads `read`, where there is an `out`.

    That is `out` itself wherever possible. A kernel cannot write to a misaligned array, nor to one
    that overlaps what it reads; and with three or more axes that are not pooled nor merge, or many
    parts, it writes some results before it has memory for the others. Then it gets a new array,
    which `deliver` copies to `out`.
    """
    target = check_out(function, name, out, shape, dtype)
    if not target.flags.aligned:
        return np.empty(shape, dtype)
    if not problem.at_once:
        return np.empty(shape, dtype)
    if problem.others > 2 and not all(a.flags.c_contiguous for a in (target, *read)):
        return np.empty(shape, dtype)
    for x in read:
        if np.may_share_memory(target, x):
            return np.empty(shape, dtype)
    return target


def keep(
    signature: known.Signature | None,
    problem: Problem,
    kernel: Callable[..., object],
    inputs: tuple[tuple[tuple[int, ...], np.dtype[Any]], ...],
    results: tuple[tuple[tuple[int, ...], np.dtype[Any]] | None, ...],
    rest: tuple[object, ...],
    work: int,
    shared: tuple[tuple[int | None, ...], int, int] | None = None,
) -> None:
    """Let a signature remember what its call came to; tables of the caller's may change."""
    if signature is not None and not isinstance(problem.windows, tuple):
        windows = sum(problem.output_size)
        signature.keep(kernel, inputs, results, rest, windows, work, shared, problem)


def share_memory(a: Array, b: Array) -> bool:
    """Whether two arrays share memory; in doubt, yes."""
    try:
        # Of subclasses, which may answer what they like, only the memory.
        return np.shares_memory(np.asarray(a), np.asarray(b), max_work=100_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def deliver(result: Array, out: Array, answer: _Answer) -> _Answer:
    """Return `answer` when `result` has been copied to the `out` that it is for."""
    if out is not result:
        target = np.asarray(out)  # a subclass may do anything when it is assigned to
        if not np.may_share_memory(result, target):
            target[...] = result
    return answer
