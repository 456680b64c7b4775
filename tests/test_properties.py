"""Properties that hold for any array: hypothesis looks for one that breaks them."""

import numpy as np
import pytest
from cases import ALL_RULES, RULES
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracle import assert_average, assert_maximum, function, pooled_back, pooled_last, tables

import adaptive_pool as ap
from adaptive_pool import _reference

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


@given(st.integers(1, 2**62), st.integers(1, 3000), st.sampled_from(ALL_RULES))
@settings(max_examples=300, deadline=None)
def test_windows_cover_the_axis(size, count, rule):
    assume(rule in ("torch", "area") or count <= size)
    assume(rule != "ceil" or (count - 1) * -(-size // count) < size)
    starts, ends = (t.tolist() for t in ap.pool_windows(size, count, rule))
    assert (starts[0], ends[-1]) == (0, size)
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert all(start <= end for start, end in zip(starts[1:], ends[:-1], strict=True))
    if rule in ("split", "ceil"):
        assert starts[1:] == ends[:-1]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_tables_of_windows(data):
    """Unsorted, nested, repeated, with gaps: forward and backward are the definition."""
    ndim = data.draw(st.integers(1, 3))
    sizes = [data.draw(st.sampled_from([1, 2, 5, 9, 40] + [2300] * (k == 0))) for k in range(ndim)][
        ::-1
    ]
    windows = []
    for size in sizes:
        pairs = st.tuples(st.integers(0, size - 1), st.integers(1, size)).filter(
            lambda p: p[0] < p[1]
        )
        starts, ends = zip(*data.draw(st.lists(pairs, min_size=1, max_size=6)), strict=True)
        windows.append((np.array(starts), np.array(ends)))
    channels = data.draw(st.sampled_from([1, 3, 9, 70]))
    data_format = data.draw(st.sampled_from(["channels_first", "channels_last"]))
    dtype = data.draw(st.sampled_from(["float16", "float32", "float64", "uint8"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x = rng.integers(0, 50, (channels, *sizes)).astype(dtype)  # ties, and sums that are exact
    given_x = np.ascontiguousarray(pooled_back(x, ndim, data_format))
    options = {"data_format": data_format, "windows": windows}
    y = function("avg", ndim)(given_x, None, **options)
    assert_average(pooled_last(y, ndim, data_format), x, windows, y.dtype)
    values, indices = function("max", ndim)(given_x, None, return_indices=True, **options)
    last = [pooled_last(r, ndim, data_format) for r in (values, indices)]
    assert_maximum(*last, x, windows)
    assert function("max", ndim)(given_x, None, **options).tobytes() == values.tobytes()
    if dtype == "uint8":
        return
    g = rng.integers(-8, 9, values.shape).astype(dtype)
    result = function("max", ndim, backward=True)(
        g, indices, given_x.shape, data_format=data_format
    )
    last = [pooled_last(r, ndim, data_format) for r in (g, indices, result)]
    np.testing.assert_array_equal(last[2], _reference.maximum_backward(*last[:2], sizes))
    result = function("avg", ndim, backward=True)(g, given_x.shape, **options)
    expected = _reference.average_backward(last[0].astype(np.float64), sizes, windows)
    # At most 6**3 windows hold an element, each adds a rounding in float64 to a sum below 216 * 8;
    # the result is rounded once.
    bound = 216 * 2.0**-53 * 216 * 8 + np.spacing(np.abs(expected).astype(dtype)).astype(np.float64)
    assert (np.abs(pooled_last(result, ndim, data_format) - expected) <= bound).all()
