"""What a call must give.

Good: results within the bounds of the definition, the same bits as the plain call's, nothing
written but the elements of `out`. Bad: an error of the contract that names the function, nothing
written at all, and the next good call right.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from arrays import FILLER
from call import Arrays, Call, Ready
from faults import FAULTS
from oracle import (
    assert_average,
    assert_average_backward,
    assert_average_backward_of_counted,
    assert_average_of_counted,
    assert_maximum,
    assert_maximum_backward,
    assert_unpooled,
    maximum_of_counted,
    numbers_of,
    pooled_last,
)

import adaptive_pool as ap
from adaptive_pool import _together


class Part(NamedTuple):
    """A part of the input: its sample, its place and sizes on the pooled axes, its windows."""

    sample: int
    place: tuple[slice, ...]
    sizes: list[int]
    windows: list[tuple[np.ndarray, np.ndarray]]
    weights: list[np.ndarray] | None


def assert_right(call: Call, plain: Ready, results: Arrays) -> None:
    """The results are the definition's."""
    if call.has_options:
        assert_right_parts(call, plain, results)
        return
    last = [pooled_last(y, call.ndim, call.data_format) for y in results]
    x = pooled_last(plain.arguments[call.array_name], call.ndim, call.data_format)
    if call.backward and call.operation == "avg":
        assert_average_backward(last[0], x, call.pooled_from, call.tables, call.weights)
    elif call.backward:
        indices = pooled_last(plain.arguments["indices"], call.ndim, call.data_format)
        check = assert_unpooled if call.operation == "unpool" else assert_maximum_backward
        check(last[0], x, indices, call.pooled_from)
    elif call.operation == "avg":
        assert_average(last[0], x, call.tables, results[0].dtype, call.weights)
    else:
        assert_maximum(last[0], last[1] if len(last) == 2 else None, x, call.tables)
    if call.dtype is not None:
        assert results[0].dtype.name == call.dtype
    if call.index_dtype is not None:
        assert results[1].dtype.name == call.index_dtype


def whole(sizes: Sequence[int]) -> list[int]:
    """Starts and ends of axes from their beginning on."""
    return [border for size in sizes for border in (0, size)]


def parts_of(call: Call, counts: Sequence[int]) -> list[Part]:
    """The parts of a call: samples, places on the pooled axes, and windows over them."""
    pooled = call.pooled_from if call.backward else call.pooled
    rows = call.parts
    if rows is None:
        rows = [(0, *whole(pooled))]
    elif call.are_lengths:
        each = [row * call.ndim if len(row) == 1 else row for row in rows]
        rows = [(k, *whole(row)) for k, row in enumerate(each)]
    parts = []
    for sample, *borders in rows:
        place = tuple(slice(a, b) for a, b in zip(borders[::2], borders[1::2], strict=True))
        sizes = [b - a for a, b in zip(borders[::2], borders[1::2], strict=True)]
        if isinstance(call.windows, str):
            windows = [
                ap.pool_windows(size, count, call.windows) if size else (np.zeros(count, int),) * 2
                for size, count in zip(sizes, counts, strict=True)
            ]
        else:
            windows = [
                (np.minimum(s, size), np.minimum(e, size))
                for (s, e), size in zip(call.tables, sizes, strict=True)
            ]
        weights = None
        if call.windows == "area":
            weights = [
                ap.area_weights(size, count) if size else np.zeros((count, 0), int)
                for size, count in zip(sizes, counts, strict=True)
            ]
        parts.append(Part(sample, place, sizes, windows, weights))
    return parts


def what_counts(call: Call, plain: Ready) -> np.ndarray:
    """Which elements of the input count, pooled axes last."""
    x = plain.arguments.get("x")
    counted = np.broadcast_to(plain.arguments.get("where", np.True_), call.input_shape)
    if call.omit and x.dtype.kind not in "biu":
        counted = counted & ~np.isnan(x)
    return pooled_last(counted, call.ndim, call.data_format)


def assert_right_gradient_of_parts(call: Call, plain: Ready, result: np.ndarray) -> None:
    """The gradient of averages of what counts of each part."""
    counted = what_counts(call, plain)
    g, last = (
        pooled_last(a, call.ndim, call.data_format)
        for a in (plain.arguments["grad_output"], result)
    )
    if call.parts is None:
        g, counted, last = g[np.newaxis], counted[np.newaxis], last[np.newaxis]
    assert_average_backward_of_counted(last, g, counted, parts_of(call, call.pooled), call.least)


def assert_right_parts(call: Call, plain: Ready, results: Arrays) -> None:
    """The results of each part are the definition's, for what counts of it."""
    if call.backward:
        assert_right_gradient_of_parts(call, plain, *results)
        return
    counted = what_counts(call, plain)
    x = pooled_last(plain.arguments["x"], call.ndim, call.data_format)
    last = [pooled_last(y, call.ndim, call.data_format) for y in results]
    if call.parts is None:
        x, counted = x[np.newaxis], counted[np.newaxis]
        last = [y[np.newaxis] for y in last]
    counts = [len(starts) for starts, _ in call.tables]
    for k, (sample, place, sizes, windows, weights) in enumerate(parts_of(call, counts)):
        own = [y[k] for y in last]
        part = x[sample][(..., *place)], counted[sample][(..., *place)]
        if call.counted:
            np.testing.assert_array_equal(own[-1], numbers_of(part[1], windows, weights))
        if call.operation == "avg":
            assert_average_of_counted(own[0], *part, windows, call.least, weights)
            continue
        value, index = maximum_of_counted(*part, windows, call.least)
        words = f"u{x.dtype.itemsize}"
        np.testing.assert_array_equal(own[0].view(words), value.view(words))
        if call.index_dtype is not None:
            # As one axis: unravel_index of NumPy 2.3 and 2.4 is wrong where the last has length 1.
            flat = np.maximum(index, 0).ravel()
            found = np.unravel_index(flat, [max(n, 1) for n in sizes])
            inside = [i + s.start for i, s in zip(found, place, strict=True)]
            places = np.ravel_multi_index(inside, call.pooled, mode="clip").reshape(index.shape)
            np.testing.assert_array_equal(own[1], np.where(index < 0, -1, places))


def assert_same_bits(results: Arrays, expected: Arrays) -> None:
    assert [y.dtype for y in results] == [y.dtype for y in expected]
    assert [y.shape for y in results] == [y.shape for y in expected]
    assert [y.tobytes() for y in results] == [y.tobytes() for y in expected]


def check_good(call: Call, expected: Arrays) -> None:
    """As the call is described: any strides, `out`, threads."""
    ready = call.ready(expected)
    inputs = [raw.copy() for raw in ready.inputs]
    frames = [raw.copy() for raw in ready.frames]
    results = call.run(ready)
    assert_same_bits(results, expected)
    out = ready.arguments.get("out")
    if out is not None:
        given = out if isinstance(out, tuple) else (out,)
        returned = results[: len(given)]
        assert all(y is o for y, o in zip(returned, given, strict=True)), "out is not returned"
    if call.out_overlaps is None:
        assert_unchanged(ready.inputs, inputs)
    for y in results[: len(ready.frames)]:
        words = y.view(f"u{y.itemsize}")
        words[...] = np.full(y.itemsize, FILLER, np.uint8).view(words.dtype)[0]
    assert_unchanged(ready.frames, frames)  # but for its elements, with what they held back in them


def check_bad(call: Call, expected: Arrays) -> None:
    ready = call.ready(expected)
    fault = FAULTS[call.fault]
    fault.spoil(ready.arguments, call, random.Random(call.seed))
    before = [raw.copy() for raw in ready.inputs + ready.frames]
    with pytest.raises(fault.errors, match=f"^{call.name}: "):
        call.run(ready)
    assert_unchanged(ready.inputs + ready.frames, before)


def assert_unchanged(memory: list[np.ndarray], before: list[np.ndarray]) -> None:
    for raw, old in zip(memory, before, strict=True):
        assert raw.tobytes() == old.tobytes(), "memory was written to"


def check_items(call: Call, expected: Arrays) -> None:
    """Samples may be items as well: of a list; of one axis, one behind the other."""
    if call.has_options or call.operation == "unpool" or call.first == 0 or len(expected[0]) == 0:
        return
    arguments = {**call.plain().arguments, "num_threads": call.num_threads}
    del arguments[call.array_name]
    name, array = call.name.removesuffix("_backward"), call.ready().arguments[call.array_name]
    if call.backward and call.operation == "avg":
        arguments["input_shapes"] = [arguments.pop("input_shape")[1:]] * len(array)
        items = getattr(ap, f"{name}_ragged_backward")(array, **arguments)
        assert_same_bits((np.stack(items),), expected)
    if call.backward:
        return
    y = getattr(ap, f"{name}_ragged")(list(array), **arguments)
    assert_same_bits(y if isinstance(y, tuple) else (y,), expected)
    if call.ndim == 1 and call.output_size not in (None, (None,)) and call.pooled[0] > 0:
        offsets = np.arange(len(array) + 1) * call.pooled[0]
        values = np.concatenate(list(array), axis=call.first - 1)
        y = getattr(ap, f"{name}_packed")(values, offsets, **arguments)
        y, *indices = y if isinstance(y, tuple) else (y,)
        starts = offsets[:-1].reshape(-1, *[1] * (y.ndim - 1))
        indices = [(i - starts).astype(i.dtype) for i in indices]
        assert_same_bits((y, *indices), expected)


def check_together(call: Call, expected: Arrays) -> None:
    """Results may come with others: averages with maxima, a size beside other sizes."""
    if call.has_options or call.backward or call.operation == "unpool" or call.windows == "area":
        return
    small = _together._SMALL
    try:
        _together._SMALL = call.seed % 2 * small - 1  # small arrays by a call for each, or not
        _check_together(call, expected)
    finally:
        _together._SMALL = small


def _check_together(call: Call, expected: Arrays) -> None:
    arguments = {**call.plain().arguments, "num_threads": call.num_threads}
    both = dict(arguments)
    if call.operation == "avg":
        means, _ = getattr(ap, f"adaptive_avg_max_pool{call.ndim}d")(**both)
        assert_same_bits((means,), expected)
    else:
        _, *maxima = getattr(ap, f"adaptive_avg_max_pool{call.ndim}d")(**both)
        assert_same_bits(tuple(maxima), expected)
    size, windows = arguments.pop("output_size"), arguments.pop("windows", "torch")
    indexed = arguments.get("return_indices", False)
    results = getattr(ap, f"spatial_pyramid_pool{call.ndim}d")(
        **arguments, sizes=[size, size], windows=[windows] * 2, reduce=call.operation
    )
    for k in range(2):
        each = (results[0][k], results[1][k]) if indexed else (results[k],)
        assert_same_bits(each, expected)


def check_scaled(call: Call) -> None:
    """Means may be scaled as they are stored."""
    if call.has_options or call.backward or call.operation != "avg":
        return
    arguments = {**call.plain().arguments, "num_threads": call.num_threads}
    pool = getattr(ap, call.name)
    means = pool(**{**arguments, "dtype": np.float64})
    with np.errstate(all="ignore"):
        expected = (means * 0.37 - 2.5).astype(np.float32)
        expected[np.isnan(expected)] = np.nan
    y = pool(**{**arguments, "dtype": np.float32}, scale=0.37, offset=-2.5)
    assert_same_bits((y,), (expected,))


def check(call: Call) -> None:
    """Run a call every way, and compare all that it must give."""
    plain = call.plain()
    expected = call.run(plain)
    assert_right(call, plain, expected)
    check_items(call, expected)
    check_together(call, expected)
    check_scaled(call)
    if call.fault is not None:
        check_bad(call, expected)
    check_good(call, expected)
