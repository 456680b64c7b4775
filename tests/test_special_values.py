"""NaN, infinities, signed zeros, ties, the ends of every type."""

from fractions import Fraction

import numpy as np
import pytest
from cases import DTYPES, FLOATS, dtype_of
from oracle import assert_maximum, function, pooled_last, tables

import adaptive_pool as ap

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [NAN, -INF, INF])
def test_full_of_one_value(ndim, dtype, value):
    """An index in range, and a gradient that goes there."""
    shape = (1, 1, *(3,) * ndim)
    x = np.full(shape, value, dtype_of(dtype))
    y, indices = function("max", ndim)(x, 1, return_indices=True)
    np.testing.assert_array_equal(y.astype(float).ravel(), [value])
    assert indices.ravel().tolist() == [3**ndim - 1 if np.isnan(value) else 0]
    g = function("max", ndim, backward=True)(np.ones_like(y), indices, shape)
    assert np.flatnonzero(g).tolist() == indices.ravel().tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_least_value_of_the_type(dtype):
    """What a search starts from must not win, nor leave the index unset."""
    dtype = dtype_of(dtype)
    least = {"b": False, "i": None, "u": 0}.get(dtype.kind, -INF)
    least = np.iinfo(dtype).min if least is None else least
    x = np.full((3, 4), least, dtype)
    y, indices = ap.adaptive_max_pool2d(x, 1, return_indices=True)
    assert y[0, 0] == least
    assert indices.tolist() == [[0]]


def test_last_nan_wins():
    """As in PyTorch."""
    y, indices = ap.adaptive_max_pool2d([[NAN, NAN, 3.0, 3.0]], 1, return_indices=True)
    assert np.isnan(y[0, 0])
    assert indices.tolist() == [[1]]


@pytest.mark.parametrize("channels", [1, 3, 16, 33])
@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_anywhere(rng, channels, dtype, data_format):
    """The vector body and the tail of a loop agree; so do both layouts, and both paths."""
    shape = (2, channels, 9, 21) if data_format == "channels_first" else (2, 9, 21, channels)
    x = rng.standard_normal(shape).astype(dtype_of(dtype))
    x[rng.random(shape) < 0.1] = NAN
    x[rng.random(shape) < 0.1] = -INF
    last = pooled_last(x, 2, data_format)
    for counts in ((1, 1), (3, 4), (9, 2)):
        values, indices = ap.adaptive_max_pool2d(
            x, counts, return_indices=True, data_format=data_format
        )
        assert_maximum(
            pooled_last(values, 2, data_format),
            pooled_last(indices, 2, data_format),
            last,
            tables((9, 21), counts),
        )
        alone = ap.adaptive_max_pool2d(x, counts, data_format=data_format)
        assert alone.tobytes() == values.tobytes()
        average = ap.adaptive_avg_pool2d(x, counts, data_format=data_format)
        holds_nan = np.isnan(pooled_last(values, 2, data_format).astype(float))
        assert np.isnan(pooled_last(average, 2, data_format).astype(float))[holds_nan].all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_first_of_two_zeros(dtype):
    """The sign of the maximum is that of the element at the index, with indices or not."""
    for row, sign in (([-0.0, 0.0], True), ([0.0, -0.0], False), ([-1.0, -0.0, 0.0], True)):
        x = np.array([row], dtype_of(dtype))
        y, indices = ap.adaptive_max_pool2d(x, 1, return_indices=True)
        assert np.signbit(y[0, 0]) == sign
        assert indices[0, 0] == len(row) - 2
        assert np.signbit(ap.adaptive_max_pool2d(x, 1)[0, 0]) == sign


def test_first_zero_in_row_major_order():
    """Where columns and rows disagree about which zero comes first."""
    x = np.array([[-1.0, -0.0], [0.0, -1.0]])
    y, indices = ap.adaptive_max_pool2d(x, 1, return_indices=True)
    assert (np.signbit(y[0, 0]), indices[0, 0]) == (True, 1)
    assert np.signbit(ap.adaptive_max_pool2d(x, 1)[0, 0])
    y, indices = ap.adaptive_max_pool2d(-x * 0.0, 1, return_indices=True)
    assert (np.signbit(y[0, 0]), indices[0, 0]) == (np.signbit((-x * 0.0)[0, 0]), 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_go_to_the_first(dtype, data_format):
    """In row-major order of the window."""
    x = np.ones((1, 6, 6, 6), dtype_of(dtype))
    _, indices = ap.adaptive_max_pool2d(x, 3, return_indices=True, data_format=data_format)
    expected = np.array([[0, 2, 4], [12, 14, 16], [24, 26, 28]])
    np.testing.assert_array_equal(
        pooled_last(indices, 2, data_format), np.broadcast_to(expected, (1, 6, 3, 3))
    )


def test_indices_of_overlapping_windows():
    """Indices count in the plane, not in the window."""
    x = np.arange(25.0).reshape(5, 5)
    y, indices = ap.adaptive_max_pool2d(x, (3, 3), return_indices=True)
    expected = [[6, 8, 9], [16, 18, 19], [21, 23, 24]]
    assert (y.tolist(), indices.tolist()) == (expected, expected)


@pytest.mark.parametrize("count", [1, 3])
def test_indices_past_float32(count):
    """Exact in a plane of more elements than float32 can count."""
    x = np.zeros((2**24 + 2, 1), np.float32)
    x[-1] = 1
    for array, data_format in ((x.T[None], "channels_first"), (x[None], "channels_last")):
        _, indices = ap.adaptive_max_pool1d(
            array, count, return_indices=True, data_format=data_format
        )
        assert indices.ravel()[-1] == 2**24 + 1


@pytest.mark.parametrize(
    ("values", "mean"),
    [([INF, -INF], NAN), ([INF, 1.0], INF), ([-INF, 1.0], -INF), ([NAN, 1.0], NAN), ([-0.0], -0.0)],
)
@pytest.mark.parametrize("dtype", FLOATS)
def test_average_of_special_values(values, mean, dtype):
    """And no warning, whatever NumPy was told to do."""
    with np.errstate(all="raise"):
        y = ap.adaptive_avg_pool1d(np.array(values, dtype_of(dtype)), 1)
    assert y.dtype == dtype_of(dtype)
    np.testing.assert_array_equal(y.astype(float), [mean])
    assert np.signbit(y[0].astype(float)) == np.signbit(mean) or np.isnan(mean)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", [(40,), (5, 8), (100, 100), (3000,)])
def test_sums_that_overflow(dtype, sizes):
    """The largest finite value everywhere: its mean is itself."""
    dtype = dtype_of(dtype)
    largest = {
        "float16": 65504.0,
        "bfloat16": (2 - 2.0**-7) * 2.0**127,
        "float32": (2 - 2.0**-23) * 2.0**127,
        "float64": (2 - 2.0**-52) * 2.0**1023,
    }[dtype.name]
    x = np.full((2, *sizes), largest, dtype)
    x[1] *= dtype.type(-1)
    y = function("avg", len(sizes))(x, 1)
    assert y.astype(float).ravel().tolist() == [largest, -largest]
    x.reshape(2, -1)[:, ::2] *= dtype.type(-1)
    assert (function("avg", len(sizes))(x, 1).astype(float) == 0).all()


def test_overflow_in_some_windows_only(data_format):
    big = np.finfo(np.float64).max
    x = np.ones((4, 6))
    x[:2, :2] = big
    x[2:, 2:4] = np.inf
    x[2:, :2] = [[big, -big], [big, np.nan]]
    x = x if data_format == "channels_first" else x[..., None]
    y = ap.adaptive_avg_pool2d(x, (2, 3), data_format=data_format).reshape(2, 3)
    np.testing.assert_array_equal(y, [[big, 1, 1], [np.nan, np.inf, 1]])


@pytest.mark.parametrize(
    ("values", "dtype", "mean"),
    [
        ([2**63 - 1, 2**63 - 1], "int64", 2.0**63),
        ([2**64 - 1] * 3, "uint64", 2.0**64),
        ([-(2**63), 2**63 - 1], "int64", -0.5),
        ([-(2**63)] * 3, "int64", -(2.0**63)),
        ([2**53 + 1, 2**53 + 1, 2**53 + 4], "int64", 2.0**53 + 2),
        ([2**32 - 1] * 5, "uint32", 2.0**32 - 1),
        ([-(2**31), -(2**31), 1], "int32", (1 - 2**32) / 3),
    ],
)
def test_average_of_large_integers(values, dtype, mean):
    """The sum does not wrap around; the mean is rounded once."""
    x = np.array(values, dtype)
    assert ap.adaptive_avg_pool1d(x, 1).tolist() == [mean]
    assert ap.adaptive_avg_pool1d(x, 1, dtype=dtype).tolist() == [
        round(Fraction(sum(values), len(values)))
    ]


def test_int8_rounds_half_to_even():
    """Exact as float32; rounded once as int8."""
    x = np.arange(16, dtype=np.int8).reshape(4, 4)
    y = ap.adaptive_avg_pool2d(x, 3)
    assert y.dtype == np.float32
    assert y.tolist() == [[2.5, 3.5, 4.5], [6.5, 7.5, 8.5], [10.5, 11.5, 12.5]]
    y = ap.adaptive_avg_pool2d(x, 3, dtype=np.int8)
    assert y.tolist() == [[2, 4, 4], [6, 8, 8], [10, 12, 12]]


@pytest.mark.parametrize(
    ("dtype", "least"), [("float32", 2.0**-149), ("float16", 2.0**-24), ("float64", 5e-324)]
)
def test_subnormals(dtype, least):
    """Not flushed to zero."""
    x = np.full(2, least, dtype)
    assert ap.adaptive_avg_pool1d(x, 1).tolist() == [least]
    assert ap.adaptive_max_pool1d(x, 1).tolist() == [least]
    g = ap.adaptive_avg_pool1d_backward(np.full(1, 4 * least, dtype), (2,))
    assert g.tolist() == [2 * least] * 2


def test_sum_whose_error_overflows():
    """The sum stays finite, but what its rounding lost does not."""
    values = [-1.5 * 2.0**971, np.finfo(np.float64).max]
    exact = sum(map(Fraction, values)) / 2
    for x in (values, values[::-1]):
        y = [
            ap.adaptive_avg_pool1d(np.array(x), 1)[0],
            ap.adaptive_avg_pool2d(np.array(x)[:, None], 1)[0, 0],
        ]
        for mean in y:
            assert abs(Fraction(float(mean)) - exact) <= Fraction(2) ** 970


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_nan_for_all(dtype):
    """The bits of a NaN that comes out of arithmetic depend on nothing that went in."""
    x = np.zeros((5, 9), np.float64)
    x[0], x[1], x[2, :4] = -np.float64(NAN), NAN, np.inf
    x[3, :4] = -np.inf
    x = x.astype(dtype_of(dtype))
    first = ap.adaptive_avg_pool1d(np.ascontiguousarray(x.T), 1)
    last = ap.adaptive_avg_pool1d(x, 1, data_format="channels_last")
    assert first.tobytes() == last.tobytes()
    assert len({y.tobytes() for y in last}) == 1
    assert not np.signbit(last.astype(np.float64)).any()
    g = ap.adaptive_avg_pool1d_backward(np.ascontiguousarray(x.T), (9, 2))
    last = ap.adaptive_avg_pool1d_backward(x, (2, 9), data_format="channels_last")
    assert g.T.tobytes() == last.tobytes()


def test_any_byte_but_zero_is_true():
    x = np.frombuffer(bytes([0, 2, 3, 1]), np.bool_)
    assert ap.adaptive_avg_pool1d(x, 1).tolist() == [0.75]
    y, indices = ap.adaptive_max_pool1d(x, 1, return_indices=True)
    assert (y.tolist(), indices.tolist()) == ([True], [1])
    assert y.view(np.uint8).tolist() == [1]
