"""Several output sizes at once, as a list or flat, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array
from ._average import _average
from ._average_backward import _average_backward
from ._kernels.call.known import call
from ._kernels.call.problem import check_addressable
from ._maximum import _maximum
from ._objects import is_a, no_memory, shown
from ._options import OptionTypes, options_of
from ._problem import (
    DataFormat,
    as_bool,
    check_out,
    deliver,
    make_problem,
    normalize_shape,
    normalize_size,
)
from ._scatter import maximum_backward_at
from ._summed import sum_of_gradients
from ._targets import deliver_all
from ._threads import as_threads
from ._together import REDUCTIONS, is_small, pool_together, wanted_of
from ._windows import check_unweighted, first_entries

_MOST = 1000  # sizes, windows or reductions of a call


class _Pooling(NamedTuple):
    """What one result is: how windows are reduced, and which they are."""

    reduce: str
    sizes: tuple[int | None, ...]
    windows: Any


def _sequence(function: str, name: str, given: Any) -> tuple[Any, ...]:
    """Return the entries of a sequence that may be of any length."""
    if is_a(given, (str, bytes)) or not hasattr(type(given), "__iter__"):
        raise TypeError(f"{function}: {name} must be a sequence, got {type(given).__name__}")
    entries = first_entries(f"{function}: {name}", given, _MOST + 1)
    if not 0 < len(entries) <= _MOST:
        got = "none" if not entries else "more"
        raise ValueError(f"{function}: {name} must have 1 to {_MOST} entries, got {got}")
    return entries


def _reductions(function: str, given: Any) -> tuple[str, ...]:
    entries = (given,)
    if hasattr(type(given), "__iter__") and not is_a(given, str):
        entries = _sequence(function, "reduce", given)
    names = tuple([str.__str__(entry) if is_a(entry, str) else "" for entry in entries])
    if not set(names) <= set(REDUCTIONS) or len(set(names)) != len(names):
        raise ValueError(
            f"{function}: reduce must be 'avg', 'max' or a sequence of both, got {shown(given)}"
        )
    return names


def _poolings(function: str, ndim: int, sizes: Any, reduce: Any, windows: Any) -> list[_Pooling]:
    """Return what each result is, in their order."""
    names = _reductions(function, reduce)
    if is_a(windows, str):
        if sizes is None:
            raise ValueError(f"{function}: sizes must be given where windows is a rule")
        each = [(size, windows) for size in _sequence(function, "sizes", sizes)]
    else:
        given = _sequence(function, "windows", windows)
        entries = (None,) * len(given) if sizes is None else _sequence(function, "sizes", sizes)
        if len(entries) != len(given):
            raise ValueError(
                f"{function}: windows must be a rule or have an entry for each of {len(entries)} "
                f"sizes, got {len(given)}"
            )
        each = list(zip(entries, given, strict=True))
    cuts = [
        (normalize_size(function, ndim, size, f"sizes[{k}]"), cut)
        for k, (size, cut) in enumerate(each)
    ]
    if "max" in names:
        for _, cut in cuts:
            check_unweighted(function, cut)
    return [_Pooling(name, size, cut) for name in names for size, cut in cuts]


def _flat_lengths(function: str, ndim: int, shapes: list[tuple[int, ...]]) -> list[int]:
    """Return how long results of these shapes are along the one axis that theirs become."""
    _check_room_for_channels(function, ndim, shapes[0])
    return [math.prod(shape[-ndim - 1 :]) for shape in shapes]


def _check_room_for_channels(function: str, ndim: int, shape: tuple[int, ...]) -> None:
    if len(shape) <= ndim:
        raise ValueError(
            f"{function}: flatten needs a channel axis, {ndim + 1} axes at least, got shape {shape}"
        )


def pool_sizes(
    function: str,
    ndim: int,
    x: npt.ArrayLike,
    sizes: Any,
    reduce: Any,
    flatten: bool,
    return_indices: bool,
    index_dtype: npt.DTypeLike,
    data_format: DataFormat,
    windows: Any,
    dtype: npt.DTypeLike | None,
    out: Any,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> Any:
    try:
        options = options_of(function, given, OptionTypes)
        x = as_array(function, "x", x)
        poolings = _poolings(function, ndim, sizes, reduce, windows)
        flat = as_bool(function, "flatten", flatten)
        indexed = as_bool(function, "return_indices", return_indices)
        positions = _dtypes.as_dtype(function, "index_dtype", index_dtype) if indexed else None
        means = None if dtype is None else _dtypes.as_dtype(function, "dtype", dtype)
        if indexed and out is not None:
            raise TypeError(f"{function}: pass out or return_indices, not both")
        num_threads = as_threads(function, num_threads)  # once, for it may have code of its own
        x_shape, x_dtype = x.shape, x.dtype  # likewise, for another thread may change them
        _dtypes.check_dtype(function, "x", x_dtype, _dtypes.SUPPORTED)
        if flat:
            _check_room_for_channels(function, ndim, x_shape)
        targets = None if out is None or flat else _targets_of(function, out, len(poolings))
        if options is None and not is_small(x):
            wanted = [
                wanted_of(
                    function, each.reduce, x_shape, _dtypes.native(x_dtype), each.sizes,
                    data_format, each.windows, means,
                    positions if each.reduce == "max" else None,
                )
                for each in poolings
            ]  # fmt: skip
            arrays = pool_together(function, x, wanted, targets, num_threads)
        else:
            arrays = []
            for each in poolings:
                rest = (data_format, each.windows)
                if each.reduce == "avg":
                    answer: Any = call(
                        _average,
                        function,
                        ndim,
                        x,
                        each.sizes,
                        *rest,
                        means,
                        None,
                        num_threads,
                        given,
                    )
                else:
                    chosen = np.int64 if positions is None else positions
                    answer = call(
                        _maximum, function, ndim, x, each.sizes, indexed, chosen, *rest, None,
                        num_threads, given,
                    )  # fmt: skip
                arrays += answer if isinstance(answer, tuple) else [answer]
        return _answer(function, ndim, poolings, arrays, flat, indexed, targets or out)
    except MemoryError as error:
        raise no_memory(function, error) from error


def _targets_of(function: str, out: Any, count: int) -> tuple[Any, ...]:
    targets = _sequence(function, "out", out)
    if len(targets) != count:
        raise ValueError(f"{function}: out must have {count} arrays, got {len(targets)}")
    return targets


def _answer(
    function: str,
    ndim: int,
    poolings: list[_Pooling],
    arrays: list[Array],
    flat: bool,
    indexed: bool,
    out: Any,
) -> Any:
    """Return what the public function does, of values that may be followed by their indices."""
    results: list[Array] = []
    indices: list[Array] = []
    each_of = iter(arrays)
    for pooling in poolings:
        results.append(next(each_of))
        if indexed and pooling.reduce == "max":
            indices.append(next(each_of))
    answer: Any = results
    if flat:
        dtypes = {y.dtype for y in results}
        if len(dtypes) > 1:
            raise TypeError(
                f"{function}: means and maxima that are flattened must have one dtype, got "
                f"{' and '.join(sorted(map(_dtypes.text_of, dtypes)))}; pass dtype"
            )
        lengths = _flat_lengths(function, ndim, [y.shape for y in results])
        lead = results[0].shape[: -ndim - 1]
        check_addressable(function, (*lead, sum(lengths)), results[0].itemsize)
        parts = [y.reshape(*lead, length) for y, length in zip(results, lengths, strict=True)]
        answer = np.concatenate(parts, axis=-1)
        if out is not None:
            check_out(function, "out", out, answer.shape, answer.dtype)
            answer = deliver(answer, out, out)
    elif out is not None:
        deliver_all(function, results, out)
        answer = list(out)
    return (answer, indices) if indexed else answer


def pool_sizes_backward(
    function: str,
    ndim: int,
    grad_outputs: Any,
    input_shape: Sequence[int],
    sizes: Any,
    reduce: Any,
    indices: Any,
    flatten: bool,
    data_format: DataFormat,
    windows: Any,
    out: Array | None,
    num_threads: int | None,
) -> Array:
    try:
        poolings = _poolings(function, ndim, sizes, reduce, windows)
        shape = normalize_shape(function, input_shape)
        num_threads = as_threads(function, num_threads)  # before there are views
        gradients = _gradients(function, ndim, grad_outputs, shape, poolings, flatten, data_format)
        maxima = [each.reduce for each in poolings].count("max")
        places: tuple[Any, ...] = ()
        if maxima:
            if indices is None:
                raise TypeError(f"{function}: maxima need indices, which return_indices gives")
            places = _sequence(function, "indices", indices)
            if len(places) != maxima:
                raise ValueError(
                    f"{function}: indices must have {maxima} arrays, one for the maxima of each "
                    f"size, got {len(places)}"
                )
        each_of = iter(places)

        def backward(k: int, pooling: _Pooling) -> Callable[[], Array]:
            name, gradient = f"{function}: grad_outputs[{k}]", gradients[k]
            if pooling.reduce == "max":
                place = next(each_of)
                return lambda: maximum_backward_at(
                    None, name, ndim, gradient, place, shape, data_format, None, num_threads, {}
                )
            return lambda: _average_backward(
                None, name, ndim, gradient, shape, data_format, pooling.windows, None,
                num_threads, {},
            )  # fmt: skip

        parts = [backward(k, pooling) for k, pooling in enumerate(poolings)]
        return sum_of_gradients(function, parts, out)
    except MemoryError as error:
        raise no_memory(function, error) from error


def _gradients(
    function: str,
    ndim: int,
    given: Any,
    shape: tuple[int, ...],
    poolings: list[_Pooling],
    flatten: bool,
    data_format: DataFormat,
) -> list[Any]:
    """Return the gradients of each result, of the shape that the result has."""
    shapes = [
        make_problem(
            function, shape, each.sizes, data_format, each.windows, 8, "input_shape"
        ).output_shape
        for each in poolings
    ]
    if not as_bool(function, "flatten", flatten):
        given = _sequence(function, "grad_outputs", given)
        if len(given) != len(poolings):
            raise ValueError(
                f"{function}: grad_outputs must have {len(poolings)} arrays, got {len(given)}"
            )
        gradients = [as_array(function, f"grad_outputs[{k}]", g) for k, g in enumerate(given)]
        for k, (gradient, wanted) in enumerate(zip(gradients, shapes, strict=True)):
            _check_shape(function, f"grad_outputs[{k}]", gradient, wanted, shape)
        return gradients
    flat = as_array(function, "grad_outputs", given)
    lengths = _flat_lengths(function, ndim, shapes)
    _check_shape(function, "grad_outputs", flat, (*shapes[0][: -ndim - 1], sum(lengths)), shape)
    parts = np.split(flat, np.cumsum(lengths)[:-1], axis=-1)
    return [part.reshape(one) for part, one in zip(parts, shapes, strict=True)]


def _check_shape(
    function: str, name: str, x: Array, wanted: tuple[int, ...], input_shape: tuple[int, ...]
) -> None:
    if x.shape != wanted:
        raise ValueError(
            f"{function}: {name} must have shape {wanted} for input_shape {input_shape}, got "
            f"{x.shape}"
        )
