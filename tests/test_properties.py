"""Properties that hold for any array: hypothesis looks for one that breaks them."""

import numpy as np
import pytest
from cases import RULES
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracle import assert_average, assert_maximum, function, pooled_back, pooled_last, tables

import adaptive_pool as ap

DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
          "float16", "float32", "float64"]  # fmt: skip


@st.composite
def problems(draw, dtypes=DTYPES, **elements):
    """An array of any rank, strides and dtype, sizes to pool it to, its layout and a rule."""
    ndim = draw(st.integers(1, 3))
    sizes = draw(st.tuples(*[st.integers(1, 12)] * ndim))
    counts = draw(st.tuples(*[st.integers(1, 14)] * ndim))
    rule = draw(st.sampled_from(RULES))
    for size, count in zip(sizes, counts, strict=True):
        assume(rule == "torch" or count <= size)
        assume(rule != "ceil" or (count - 1) * -(-size // count) < size)
    lead = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3))
    dtype = draw(st.sampled_from(dtypes))
    x = draw(hnp.arrays(dtype, (*lead, *sizes), **elements))
    data_format = (
        draw(st.sampled_from(["channels_first", "channels_last"])) if lead else "channels_first"
    )
    x = pooled_back(x, ndim, data_format)
    if draw(st.booleans()):
        x = np.ascontiguousarray(x)
    if draw(st.booleans()):
        x = np.flip(x, draw(st.integers(0, x.ndim - 1)))
    return x, counts, data_format, rule


@given(problems())
@settings(max_examples=300, deadline=None)
def test_forward_is_the_definition(problem):
    x, counts, data_format, rule = problem
    ndim = len(counts)
    options = {"data_format": data_format, "windows": rule}
    last = pooled_last(x, ndim, data_format)
    windows = tables(last.shape[last.ndim - ndim :], counts, rule)
    values, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    assert_maximum(
        pooled_last(values, ndim, data_format),
        pooled_last(indices, ndim, data_format),
        last,
        windows,
    )
    assert function("max", ndim)(x, counts, **options).tobytes() == values.tobytes()
    y = function("avg", ndim)(x, counts, **options)
    if x.dtype.kind in "biu" or np.isfinite(x).all():
        assert_average(pooled_last(y, ndim, data_format), last, windows, y.dtype)


@given(problems(["float32", "float64"], elements={"min_value": -1e3, "max_value": 1e3}))
@settings(max_examples=200, deadline=None)
def test_average_lies_between_minimum_and_maximum(problem):
    x, counts, data_format, rule = problem
    pool = function("max", len(counts))
    options = {"data_format": data_format, "windows": rule}
    y = function("avg", len(counts))(x, counts, **options)
    assert (y <= pool(x, counts, **options)).all()
    assert (y >= -pool(-x, counts, **options)).all()


@given(problems(["float32", "float16"], elements={"min_value": -1e3, "max_value": 1e3}))
@settings(max_examples=200, deadline=None)
def test_gradients_keep_their_sum(problem):
    """What all windows hand out is what all inputs receive, up to the rounding of the results."""
    x, counts, data_format, rule = problem
    ndim = len(counts)
    options = {"data_format": data_format}
    y, indices = function("max", ndim)(x, counts, return_indices=True, windows=rule, **options)
    g = y.astype(np.float64)
    average = function("avg", ndim, backward=True)(g, x.shape, windows=rule, **options)
    maximum = function("max", ndim, backward=True)(g, indices, x.shape, **options)
    # Sums of at most 14**3 * 27 numbers of at most 1e3, in float64.
    for result in (average, maximum):
        assert result.sum() == pytest.approx(g.sum(), abs=1e-6)


@given(st.integers(1, 2**62), st.integers(1, 3000), st.sampled_from(RULES))
@settings(max_examples=300, deadline=None)
def test_windows_cover_the_axis(size, count, rule):
    assume(rule == "torch" or count <= size)
    assume(rule != "ceil" or (count - 1) * -(-size // count) < size)
    starts, ends = (t.tolist() for t in ap.pool_windows(size, count, rule))
    assert (starts[0], ends[-1]) == (0, size)
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert all(start <= end for start, end in zip(starts[1:], ends[:-1], strict=True))
    if rule in ("split", "ceil"):
        assert starts[1:] == ends[:-1]
