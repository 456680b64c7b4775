"""What a call must give.

Good: results within the bounds of the definition, the same bits as the plain call's, nothing
written but the elements of `out`. Bad: an error of the contract that names the function, nothing
written at all, and the next good call right.
"""

import random

import numpy as np
import pytest
from arrays import FILLER
from call import Arrays, Call, Ready
from faults import FAULTS
from oracle import (
    assert_average,
    assert_average_backward,
    assert_maximum,
    assert_maximum_backward,
    assert_unpooled,
    pooled_last,
)


def assert_right(call: Call, plain: Ready, results: Arrays) -> None:
    """The results are the definition's."""
    last = [pooled_last(y, call.ndim, call.data_format) for y in results]
    x = pooled_last(plain.arguments[call.array_name], call.ndim, call.data_format)
    if call.backward and call.operation == "avg":
        assert_average_backward(last[0], x, call.pooled_from, call.tables)
    elif call.backward:
        indices = pooled_last(plain.arguments["indices"], call.ndim, call.data_format)
        check = assert_unpooled if call.operation == "unpool" else assert_maximum_backward
        check(last[0], x, indices, call.pooled_from)
    elif call.operation == "avg":
        assert_average(last[0], x, call.tables, results[0].dtype)
    else:
        assert_maximum(last[0], last[1] if len(last) == 2 else None, x, call.tables)
    if call.dtype is not None:
        assert results[0].dtype.name == call.dtype
    if call.index_dtype is not None:
        assert results[1].dtype.name == call.index_dtype


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
        assert all(y is o for y, o in zip(results, given, strict=True)), "out is not returned"
    if call.out_overlaps is None:
        assert_unchanged(ready.inputs, inputs)
    for y in results if ready.frames else ():
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


def check(call: Call) -> None:
    """Run a call every way, and compare all that it must give."""
    plain = call.plain()
    expected = call.run(plain)
    assert_right(call, plain, expected)
    if call.fault is not None:
        check_bad(call, expected)
    check_good(call, expected)
