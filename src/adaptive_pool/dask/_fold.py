"""Windows that are larger than a task should be: pooled slab by slab, with the same bits.

A slab is some lines of the slice that a block is pooled from, and slabs come in row-major order.
What is carried from one to the next is, of averages, the sums of lines that
docs/design/summation.md adds first; of maxima, the largest so far and where it stands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._arrays import Array, native
from .._average import _average
from .._counting import Counting, counting_of
from .._dtypes import SHORT_INTEGERS, name_of
from .._kernels import SPARE_SUMS, add_lines, means_of_sums
from .._kernels.call.elements import ELEMENTS
from .._options import Options
from ._cut import Range, Span
from ._tasks import Block, Call, first_pooled, join, pool_block

_RUNNING = 4  # sums along W: column k goes to sum k % 4
_POSITIVE, _NEGATIVE, _NAN = 1, 2, 4


@dataclass(frozen=True)
class Sums:
    """What lines of a window add up to."""

    planes: tuple[int, ...]  # the shape without pooled axes, channels last
    sums: Array  # (2, planes, columns + SPARE_SUMS), 8 bytes each
    counts: Array  # (planes, columns) of elements that count; planes may be 1
    unusual: Array | None  # of float64: which infinities and NaN there were
    done: int  # columns, where these are numbered through


def is_numbered(call: Call, spans: Sequence[Span]) -> bool:
    """Whether the elements of a window are numbered through: it is all of W, or a single line."""
    return call.is_whole or all(span.size == 1 for span in spans[:-1])


def _planes_of(call: Call, x: Array) -> Array:
    """Return an array as (planes, lines, columns), the last two one run."""
    if call.data_format == "channels_last":
        x = np.moveaxis(x, -1, -1 - call.ndim)
    lead = x.shape[: x.ndim - call.ndim]
    lines = math.prod(x.shape[x.ndim - call.ndim : -1])
    return np.ascontiguousarray(x).reshape(math.prod(lead), lines, x.shape[-1])


def _shape_of_planes(call: Call, x: Array) -> tuple[int, ...]:
    first = first_pooled(call, x.ndim)
    return x.shape[:first] + x.shape[first + call.ndim :]


def _what_counts(x: Array, counting: Counting) -> Array:
    """Return bools in the shape of `x`."""
    counted = np.ones(x.shape, np.bool_) if counting.where is None else counting.where.copy()
    if counting.omits:
        counted &= x == x
    if counting.nodata is not None:
        counted &= x != np.frombuffer(counting.nodata, x.dtype)[0]
    return counted


def _nothing(dtype: np.dtype[Any]) -> Any:
    """Return what adds nothing."""
    return np.array(0 if dtype.kind in "iu" else -0.0).astype(dtype)


def _number_through(x: Array, done: int) -> list[Array]:
    """Cut numbered elements into lines of running sums; what is missing of a line adds nothing."""
    planes, n = len(x), x.shape[1] * x.shape[2]
    x = x.reshape(planes, n)
    head = min(-done % _RUNNING, n)
    body = (n - head) // _RUNNING * _RUNNING
    first = np.full((planes, 1, _RUNNING), _nothing(x.dtype))
    last = first.copy()
    begin = done % _RUNNING
    first[:, 0, begin : begin + head] = x[:, :head]
    last[:, 0, : n - head - body] = x[:, head + body :]
    middle = x[:, head : head + body].reshape(planes, body // _RUNNING, _RUNNING)
    return [first, middle, last]


def _unusual(x: Array) -> Array | None:
    """Return which infinities and NaN there are in each column, or None if there are none."""
    if np.isfinite(x).all():
        return None
    found = np.zeros((len(x), x.shape[2]), np.uint8)
    for flag, what in ((_POSITIVE, x == np.inf), (_NEGATIVE, x == -np.inf), (_NAN, x != x)):
        found |= (flag * what.any(axis=1)).astype(np.uint8)
    return found


def add_slab(call: Call, numbered: bool, sums: Sums | None, x: Any, where: Any, axis: int) -> Sums:
    """Add the lines of a slab to those before."""
    x = native(join(x, axis))
    where = None if where is None else join(where, axis)
    planes, done = _shape_of_planes(call, x), 0 if sums is None else sums.done
    picks = {k: call.options[k] for k in ("nan_policy", "nodata") if k in call.options}
    counting = counting_of(call.function, Options(where=where, **picks), x.shape, x.dtype)
    name = name_of(x.dtype)
    if counting is None:
        lines = _planes_of(call, x)
        counts = np.full((1, lines.shape[2]), lines.shape[1])
    else:
        counted = _what_counts(x, counting)
        counts = _planes_of(call, counted).sum(axis=1, dtype=np.int64)
        lines = _planes_of(call, np.where(counted, x, _nothing(x.dtype)))
    if name in SHORT_INTEGERS:
        lines, name = lines.astype(np.int32), "int32"
    unusual = _unusual(lines) if name == "float64" else None
    if numbered:
        done += lines.shape[1] * lines.shape[2]
        parts = _number_through(lines, 0 if sums is None else sums.done)
        counts = counts.sum(axis=1, keepdims=True)
        unusual = None if unusual is None else np.bitwise_or.reduce(unusual, 1, keepdims=True)
    else:
        parts = [lines]
    if sums is None:
        wide = np.dtype(np.int64 if x.dtype.kind in "biu" else np.float64)
        total = np.zeros((2, len(lines), parts[0].shape[2] + SPARE_SUMS), wide)
        total[0] = _nothing(wide)
    else:
        total, counts = sums.sums.copy(), counts + sums.counts
        if unusual is None:
            unusual = sums.unusual
        elif sums.unusual is not None:
            unusual = unusual | sums.unusual
    for part in parts:
        words = part.view(f"u{part.itemsize}")  # bfloat16 has no buffers
        add_lines(words, total, ELEMENTS[name])
    return Sums(planes, total, counts, unusual, done)


def average_of_sums(
    call: Call, numbered: bool, element: np.dtype[Any], block: Block, sums: Sums
) -> Any:
    """Return the means of a block whose lines have been added, and counts if they are wanted."""
    w = block.spans[-1]
    windows = w.windows or ()
    scales = "scale" in block.arrays
    dtype = np.dtype(np.float64) if scales else call.dtype
    name = "int32" if name_of(element) in SHORT_INTEGERS else name_of(element)
    planes = sums.sums.shape[1]
    means = np.empty((w.count, planes), dtype)
    counts = np.empty((w.count, planes), np.int64)
    for o, (start, end) in enumerate(zip(*windows[:2], strict=True)):
        columns = (0, min(_RUNNING, sums.done)) if numbered else (int(start), int(end))
        here = slice(0, 1) if numbered else slice(*columns)
        counts[o] = sums.counts[:, here].sum(axis=1)
        numbers = np.maximum(counts[o], 1).astype(np.float64)
        _store_means(sums.sums, columns, numbers, means[o], name)
        if element == np.float64:
            _mend(call, sums, here, columns, numbers, means[o])
    _fill_short(call, means, counts)
    results: list[Any] = [_arranged(call, sums.planes, block.spans, y) for y in (means, counts)]
    if scales:
        each = [(np.arange(n), np.arange(1, n + 1)) for n in (span.count for span in block.spans)]
        results[0] = _average(
            None, call.function, call.ndim, results[0], None, call.data_format, each, call.dtype,
            None, call.num_threads, block.arrays,
        )  # fmt: skip
    return tuple(results) if call.wants_counts else results[0]


def _store_means(sums: Array, columns: Range, numbers: Array, means: Array, name: str) -> None:
    words = means.view(f"u{means.itemsize}")
    codes = ELEMENTS[name], ELEMENTS[name_of(means.dtype)]
    means_of_sums(sums, *columns, numbers, words, *codes)


def _mend(
    call: Call, sums: Sums, here: slice, columns: Range, numbers: Array, means: Array
) -> None:
    """Store the means of windows that hold infinities or NaN; raise if a sum overflows."""
    wide = np.empty(len(means))
    _store_means(sums.sums, columns, numbers, wide, "float64")
    bad = ~np.isfinite(wide)
    if not bad.any():
        return
    flags = np.zeros(len(means), np.uint8)
    if sums.unusual is not None:
        flags = np.bitwise_or.reduce(sums.unusual[:, here], axis=1)
    if (bad & (flags == 0)).any():
        raise OverflowError(
            f"{call.function}: the sum of a window overflows float64, and it is pooled slab by "
            "slab; pass a larger limit, so that it is pooled at once"
        )
    means[flags == _POSITIVE] = np.inf
    means[flags == _NEGATIVE] = -np.inf
    means[flags > _NEGATIVE] = np.nan


def _fill_short(call: Call, y: Array, counts: Array) -> None:
    """Store what windows with few elements become."""
    short = counts < call.least
    if not short.any():
        return
    if call.filler is None:
        raise ValueError(
            f"{call.function}: a window has fewer elements that count than {call.least}, and "
            f"{call.dtype} has no NaN for it; say with empty what it becomes"
        )
    y[short] = np.frombuffer(call.filler, y.dtype)[0]


def _arranged(call: Call, planes: tuple[int, ...], spans: Sequence[Span], y: Array) -> Array:
    """Return results (windows, planes) in the shape of a block."""
    counts = tuple(span.count for span in spans)
    y = np.moveaxis(y, 0, -1).reshape(*planes, *counts)
    if call.data_format == "channels_last":
        y = np.moveaxis(y, len(planes) - 1, -1)
    return np.ascontiguousarray(y)


@dataclass(frozen=True)
class Largest:
    """The maxima of what came before, where they stand, and how many elements counted."""

    values: Array
    indices: Array  # -1 where none counted
    counts: Array


def compare_slab(
    call: Call, block: Block, before: Largest | None, x: Any, where: Any, axis: int
) -> Largest:
    """Compare the maxima of a slab, of which the spans of `block` are, with those before.

    The first of equal elements wins, and the last NaN.
    """
    options = {**call.options, "min_count": 1, "return_counts": True, "empty": 0}
    of_slab = replace(call, index_dtype=np.dtype(np.int64), options=options)
    now = Largest(*pool_block(of_slab, block, axis, x, where))
    if before is None:
        return now
    a, b = before.values, now.values
    with np.errstate(invalid="ignore"):  # halves that are NaN
        wins = (b != b) | ((a == a) & (b > a))
    wins = (now.indices >= 0) & (wins | (before.indices < 0))
    return Largest(
        np.where(wins, b, a),
        np.where(wins, now.indices, before.indices),
        before.counts + now.counts,
    )


def maximum_of_slabs(call: Call, largest: Largest) -> Any:
    """Return the results of a block all of whose slabs were compared."""
    y, indices = largest.values.copy(), largest.indices.copy()
    _fill_short(call, y, largest.counts)
    indices[largest.counts < call.least] = -1
    results = [y]
    if call.index_dtype is not None:
        results.append(indices.astype(call.index_dtype))
    if call.wants_counts:
        results.append(largest.counts)
    return tuple(results) if len(results) > 1 else y
