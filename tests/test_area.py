"""The rule "area": weights, and averages of all elements, against the definition."""

import functools
import math
import pickle

import numpy as np
import pytest
from cases import DTYPES, FLOATS, INTEGERS, SIZES, dtype_of, random_array
from oracle import assert_average, function, pooled_last, shape_of, tables, weights
from test_average_paths import layouts, sum_in_order

import adaptive_pool as ap
from adaptive_pool._kernels.call.tables import RULES, weigh, windows_by_rule

AREA = {"windows": "area"}
HUGE = [2**31 + 11, 2**53 + 3, 2**61 + 1, 2**62 - 57, 2**62]


def weights_by_formula(size, count):
    """What [k, k + 1) and [i*I/O, (i+1)*I/O) share, times O: a row for each window."""
    return [
        [max(0, min((i + 1) * size, (k + 1) * count) - max(i * size, k * count))
         for k in range(i * size // count, -(-(i + 1) * size // count))]
        for i in range(count)
    ]  # fmt: skip


def check_weights(size, count):
    expected = weights_by_formula(size, count)
    longest = max(map(len, expected))
    got = ap.area_weights(size, count)
    assert (got.dtype, got.shape) == (np.int64, (count, longest))
    assert got.tolist() == [row + [0] * (longest - len(row)) for row in expected]
    assert (got.sum(1) == size).all()


@pytest.mark.parametrize("size", range(1, 31))
def test_weights_of_every_small_size(size):
    for count in [*range(1, 41), 97, 360]:
        check_weights(size, count)
        assert all(
            map(np.array_equal, *(ap.pool_windows(size, count, r) for r in ("area", "torch")))
        )


@pytest.mark.parametrize(
    ("size", "count"), [(3, 20_000), (9999, 10_000), (10_000, 9999), (65_537, 257)]
)
def test_weights_of_long_axes(size, count):
    check_weights(size, count)


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 1013, 100_003])
def test_borders_of_huge_axes(size, count):
    """No product overflows. A whole table would have a column for each element of a window."""
    firsts, lasts = np.empty((2, count), np.int64)
    weigh(firsts, lasts, size)
    for i in {*range(min(count, 50)), *range(max(count - 50, 0), count)}:
        begin, end = i * size, (i + 1) * size
        assert firsts[i] == -begin % count
        assert lasts[i] == end % count


def test_weights_of_nothing():
    for size in (0, 1, 5, 2**62):
        got = ap.area_weights(size, 0)
        assert (got.dtype, got.shape) == (np.int64, (0, 0))


@pytest.mark.parametrize("sizes", [(2**62, 1), (2**61 + 1, 1000), (3, 2**31), (2**62, 2**62)])
def test_weights_that_no_memory_holds(sizes):
    with pytest.raises(MemoryError, match="^area_weights: "):
        ap.area_weights(*sizes)


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ((-1, 2), ValueError, "input_size must not be negative, got -1"),
        ((2, -1), ValueError, "output_size must not be negative, got -1"),
        ((0, 2), ValueError, "leaves window 0 empty for input size 0 and output size 2"),
        ((2**62 + 1, 2), ValueError, r"input_size must be at most 2\*\*62"),
        ((True, 2), TypeError, "input_size must be an integer"),
        ((2, np.True_), TypeError, "output_size must be an integer"),
        ((2.0, 2), TypeError, "input_size must be an integer"),
        ((2, "2"), TypeError, "output_size must be an integer"),
    ],
)
def test_bad_sizes(sizes, error, message):
    with pytest.raises(error, match=f"^area_weights: .*{message}"):
        ap.area_weights(*sizes)


def check(x, counts, data_format, **options):
    """The average of one array, called twice: the second time as a call like one before."""
    ndim = len(counts)
    last = pooled_last(x, ndim, data_format)
    sizes = last.shape[last.ndim - ndim :]
    pool = functools.partial(function("avg", ndim), data_format=data_format, **AREA, **options)
    y = pool(x, counts)
    rules = tables(sizes, counts), y.dtype, weights(sizes, counts, "area")
    assert_average(pooled_last(y, ndim, data_format), last, *rules)
    out = np.ones_like(y)
    assert pool(x, counts, out=out) is out
    assert out.tobytes() == y.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_dtypes_and_sizes(rng, ndim, sizes, counts, data_format, dtype):
    check(random_array(rng, shape_of((2,), sizes, 3, data_format), dtype), counts, data_format)


# Longer than a tile; small planes, which become lanes; a few lanes, many, more than a block.
MORE = [
    ((9001,), (2,), 2), ((2, 9001), (3, 2), 1), ((4100, 3), (3, 2), 3), ((7, 8), (3, 5), 40),
    ((3, 5, 6), (2, 4, 5), 21), ((7, 40), (3, 9), 4), ((7, 40), (3, 9), 70), ((4, 5), (3, 4), 600),
    ((1, 1), (3, 5), 9), ((1, 13), (1, 5), 33), ((13, 1), (5, 2), 33),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("sizes", "counts", "channels"), MORE)
def test_paths(rng, sizes, counts, channels, data_format, dtype):
    x = random_array(rng, shape_of((2,), sizes, channels, data_format), dtype)
    check(x, counts, data_format)


@pytest.mark.parametrize("size", range(1, 13))
@pytest.mark.parametrize("dtype", ["float64", "int16", "uint64"])
def test_every_small_size(rng, size, dtype, data_format):
    x = random_array(rng, shape_of((), (size, 13 - size), 2, data_format), dtype)
    for count in range(1, 16):
        check(x, (count, 16 - count), data_format)


@pytest.mark.parametrize("result", FLOATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_results_of_any_float(rng, dtype, result, data_format):
    x = random_array(rng, (2, 9, 10, 5), dtype)
    check(x, (4, 3), data_format, dtype=dtype_of(result))


@pytest.mark.parametrize("dtype", INTEGERS[1:])
def test_results_of_the_same_integer(rng, dtype, data_format):
    """Half to even: with 2 windows of 3 elements, or 4 of them, many means lie half way."""
    for counts in ((2, 2), (4, 6), (2, 1)):
        check(random_array(rng, (2, 3, 9, 5), dtype), counts, data_format, dtype=dtype)
    x = np.array([[1, 0, 2], [3, 2, 4], [100, 101, 99]], dtype)
    y = ap.adaptive_avg_pool1d(x, 2, dtype=dtype, **AREA)
    assert y.tolist() == [[1, 1], [3, 3], [100, 100]]  # 2/3, 4/3; 8/3, 10/3; 301/3, 299/3
    x = np.array([[0, 3, 6], [3, 0, 0], [1, 1, 4], [3, 3, 0]], dtype)
    y = ap.adaptive_avg_pool1d(x, 4, dtype=dtype, **AREA)
    assert y.tolist() == [[0, 2, 4, 6], [3, 1, 0, 0], [1, 1, 2, 4], [3, 3, 2, 0]]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(
    ("sizes", "counts"), [((7,), (5,)), ((4, 9), (6, 2)), ((2, 3, 5), (3, 4, 4))]
)
def test_means_of_repeated_elements(rng, sizes, counts, dtype):
    """Each element repeated O times, and these cut into O windows of I: the same means, exactly."""
    x = random_array(rng, (3, *sizes), dtype)
    repeated = x
    for axis, count in enumerate(counts, 1):
        repeated = np.repeat(repeated, count, axis)
    for result in (None, np.float64, dtype if dtype != "bool" else np.float16):
        pool = functools.partial(function("avg", len(sizes)), output_size=counts, dtype=result)
        assert pool(x, **AREA).tobytes() == pool(repeated).tobytes()


def weighed(parts, row, whole, add):
    """(whole * what is between + first * the first) + last * the last of the first axis."""
    first, last = row[0] < whole, len(row) > 1 and row[-1] < whole
    total = np.full(parts.shape[1:], -0.0)
    if len(row) > first + last:
        total = whole * add(parts[first : len(row) - last])
    if first:
        total = total + row[0] * parts[0]
    return total + row[-1] * parts[-1] if last else total


def add_lines(lines):
    return functools.reduce(np.add, lines)


def add_columns(columns):
    return sum_in_order(np.moveaxis(columns, 0, -1))


def sums_in_order(x, counts):
    """Sums of float64 in the order that the rule has, and what each window weighs.

    By weights without a common divisor.
    """
    sizes = x.shape[1:]
    rows, wholes = [], []
    for size, count in zip(sizes, counts, strict=True):
        rows.append(
            [[w // math.gcd(size, count) for w in r] for r in weights_by_formula(size, count)]
        )
        wholes.append(count // math.gcd(size, count))
    total = math.prod(
        size // math.gcd(size, count) for size, count in zip(sizes, counts, strict=True)
    )
    y = np.empty((len(x), *counts))
    for place in np.ndindex(*counts):
        starts = [o * i // n for o, i, n in zip(place, sizes, counts, strict=True)]
        own = [r[o] for r, o in zip(rows, place, strict=True)]
        part = x[(slice(None), *(slice(s, s + len(r)) for s, r in zip(starts, own, strict=True)))]
        part = np.moveaxis(part, 0, -1)  # axes D, H, W, channels
        part = part.reshape(*(1,) * (4 - part.ndim), *part.shape)
        own, whole = [[1]] * (3 - len(own)) + own, [1] * (3 - len(own)) + wholes
        slices = np.stack([weighed(lines, own[1], whole[1], add_lines) for lines in part])
        line = weighed(slices, own[0], whole[0], add_lines)
        y[(..., *place)] = weighed(line, own[2], whole[2], add_columns)
    return y, total


ORDERS = [
    ((7,), (3,)), ((64,), (5,)), ((300,), (299,)), ((9001,), (2,)), ((3, 9001), (2, 2)),
    ((40, 50), (7, 9)), ((5, 37), (5, 3)), ((6, 64), (3, 5)), ((64, 6), (5, 3)), ((3, 11), (2, 1)),
    ((11, 3), (1, 2)), ((2, 3), (5, 7)), ((4, 5, 6), (3, 2, 4)), ((3, 4, 5), (2, 3, 5)),
    ((3, 3, 40), (2, 2, 3)), ((5, 4, 3), (3, 1, 1)), ((5, 4, 3), (1, 3, 6)),
]  # fmt: skip


@pytest.mark.parametrize(("sizes", "counts"), ORDERS)
@pytest.mark.parametrize("channels", [1, 5, 21, 70])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_order_of_summation(rng, sizes, counts, channels, dtype):
    """The sums themselves, to the bit, whichever way memory runs: as weights.h and lines.h say."""
    if np.prod(sizes) * channels > 150_000:
        channels = 2
    x = rng.standard_normal((channels, *sizes)) * 2.0 ** rng.integers(-9, 9, (channels, *sizes))
    x = x.astype(dtype)
    sums, total = sums_in_order(x.astype(np.float64), counts)
    means = sums / total
    pool = functools.partial(function("avg", len(sizes)), dtype=np.float64, **AREA)
    for other in layouts(x, len(sizes)):
        np.testing.assert_array_equal(pool(other, counts), means)
        last = np.moveaxis(other, 0, -1)
        y = np.moveaxis(pool(last, counts, data_format="channels_last"), -1, 0)
        np.testing.assert_array_equal(y, means)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("sizes", "counts"), ORDERS[4:])
def test_layouts_agree_to_the_bit(rng, sizes, counts, dtype):
    """Where sums are not to be seen in float64: of float64, and of integers, in their own type."""
    ndim = len(sizes)
    x = random_array(rng, (1 if max(sizes) > 999 else 40, *sizes), dtype)
    for result in (None, dtype if dtype in INTEGERS[1:] else np.float64):
        pool = functools.partial(function("avg", ndim), dtype=result, **AREA)
        y = pool(x, counts)
        for other in [*layouts(x, ndim), np.array(x[::-1])[::-1]]:
            assert pool(other, counts).tobytes() == y.tobytes()
            last = pool(np.moveaxis(other, 0, -1), counts, data_format="channels_last")
            assert np.moveaxis(last, -1, 0).tobytes() == y.tobytes()
        for plane in (0, len(x) - 1):
            assert pool(x[plane], counts).tobytes() == y[plane].tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
def test_threads_change_no_bit(rng, dtype, data_format):
    """Arrays large enough for five threads."""
    for sizes, counts in (((33, 35), (7, 6)), ((3, 70_000), (2, 3)), ((20, 21), (24, 25))):
        channels = -(-800_000 // (math.prod(sizes) * np.dtype(dtype).itemsize))
        x = random_array(rng, shape_of((), sizes, channels, data_format), dtype)
        pool = functools.partial(ap.adaptive_avg_pool2d, data_format=data_format, **AREA)
        y = pool(x, counts, num_threads=1)
        for threads in (2, 5):
            assert pool(x, counts, num_threads=threads).tobytes() == y.tobytes()


def test_rules_in_turn(rng):
    """A call like one before, but for its rule, is another one."""
    x = rng.standard_normal((2, 7, 9))
    pool = functools.partial(ap.adaptive_avg_pool2d, x, (3, 4))
    back = functools.partial(ap.adaptive_avg_pool2d_backward, x, (2, 10, 11))
    for call in (pool, back):
        area, torch = call(windows="area").tobytes(), call().tobytes()
        assert area != torch
        for rule in ("torch", "area", np.str_("area"), "torch", "area"):
            assert call(windows=rule).tobytes() == (torch if rule == "torch" else area)


@pytest.mark.parametrize("dtype", DTYPES)
def test_where_sizes_divide(rng, dtype, data_format):
    """No element is there in part: the windows are those of "torch", to the bit."""
    for sizes, counts, channels in [
        ((12, 40), (3, 5), 3), ((12, 40), (12, 40), 3), ((6, 7), (1, 1), 33), ((6, 8), (3, 8), 70),
        ((1, 1), (1, 1), 3), ((2, 9000), (2, 2), 1), ((4, 6, 8), (2, 1, 4), 9), ((7,), (7,), 2),
    ]:  # fmt: skip
        x = random_array(rng, shape_of((2,), sizes, channels, data_format), dtype)
        pool = functools.partial(function("avg", len(sizes)), data_format=data_format)
        assert pool(x, counts, windows="area").tobytes() == pool(x, counts).tobytes()
        assert pool(x, None, windows="area").tobytes() == pool(x, None).tobytes()


@pytest.mark.parametrize("size", [1, 2, (3, 9), 17, (13, 7), (20, 50)])
@pytest.mark.parametrize("lanes", [1, 3, 5, 9, 34])
@pytest.mark.parametrize("dtype", FLOATS)
def test_negative_zeros(dtype, lanes, size):
    x = np.full((1, 13, 40, lanes + 2), -0.0, dtype_of(dtype))
    y = ap.adaptive_avg_pool2d(x[..., 1:-1], size, data_format="channels_last", **AREA)
    assert np.signbit(y).all()
    y = ap.adaptive_avg_pool2d(np.moveaxis(x, -1, 1)[:, 1:-1], size, **AREA)
    assert np.signbit(y).all()
    x[:, 6] = 0
    y = ap.adaptive_avg_pool2d(x, (1, 3), data_format="channels_last", **AREA)
    assert not np.signbit(y).any()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("sizes", "counts"),
    [((9, 37), (2, 5)), ((6, 8), (4, 3)), ((2, 3), (5, 7)), ((3, 9001), (2, 2))],
)
def test_what_is_not_finite(rng, sizes, counts, dtype, data_format):
    """Infinities and NaNs reach the means of their windows, however little of them is inside."""
    x = random_array(rng, shape_of((3,), sizes, 4, data_format), dtype)
    for value in (np.inf, -np.inf, np.nan):
        x[rng.random(x.shape) < 8 / x.size] = value
    check(x, counts, data_format)
    last = pooled_last(
        ap.adaptive_avg_pool2d(x, counts, data_format=data_format, **AREA), 2, data_format
    )
    nan = np.isnan(last.astype(np.float64))
    assert nan.any()
    assert not nan.all()
    words = np.ascontiguousarray(last).view(f"u{x.itemsize}")
    assert np.unique(words[nan]).size == 1


@pytest.mark.parametrize("channels", [1, 9, 40])
@pytest.mark.parametrize(
    ("sizes", "counts"),
    [((9, 37), (2, 5)), ((7, 8), (3, 5)), ((2, 3), (5, 7)), ((1, 5000), (1, 3))],
)
def test_sums_that_overflow(rng, sizes, counts, channels, data_format):
    """Means of float64 are right although their sums, and products by weights, are infinite."""
    shape = shape_of((2,), sizes, channels, data_format)
    for least in (0.5, -1):
        check(rng.uniform(least, 1, shape) * np.finfo(np.float64).max, counts, data_format)
    x = np.full(shape, np.finfo(np.float64).max)
    y = ap.adaptive_avg_pool2d(x, counts, data_format=data_format, **AREA)
    assert (y == x.flat[0]).all()
    x.flat[0] = -np.inf
    check(x, counts, data_format)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_constant_keeps_its_value(ndim, data_format):
    """The weights of a window add up to what is divided by."""
    shape = shape_of((2,), (7, 9, 11)[:ndim], 3, data_format)
    for dtype in DTYPES:
        x = np.ones(shape, dtype_of(dtype))
        for counts in ((3, 5, 4), (8, 10, 12)):
            y = function("avg", ndim)(x, counts[:ndim], data_format=data_format, **AREA)
            assert (y == 1).all()


def test_the_sum_is_kept(rng):
    """Each element weighs O in all windows together, so means of means are the mean."""
    x = rng.integers(-1000, 1000, (4, 35, 26))
    for counts in ((4, 3), (36, 5), (7, 27)):
        y = ap.adaptive_avg_pool2d(x, counts, **AREA)
        # Numbers below 1000: means with one rounding, 972 additions at most of these and of x.
        np.testing.assert_allclose(y.mean((1, 2)), x.mean((1, 2)), rtol=0, atol=1000 * 2.0**-42)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
def test_windows_that_weigh_too_much(dtype):
    """2**30 is the most, in units without a common divisor; other types have no such limit."""

    def many(name, *shape):
        return np.broadcast_to(np.ones((), name), shape)

    error = r"^adaptive_avg_pool{}d: windows of {} must not have more than 1073741824 elements, "
    error += "nor weigh more by area, got one of [0-9]+$"
    with pytest.raises(ValueError, match=error.format(1, dtype)):
        ap.adaptive_avg_pool1d(many(dtype, 2**30 + 1), 2, **AREA)
    with pytest.raises(ValueError, match=error.format(2, dtype)):
        ap.adaptive_avg_pool2d(many(dtype, 2**16 + 1, 2**15), (2**16, 3), **AREA)
    largest = np.iinfo(dtype).max
    x = np.full((2**15, 2), largest, dtype)  # of 2**15 * 2**15 - 1 units at most
    y = ap.adaptive_avg_pool2d(many(dtype, 1, 2**15 + 1, 1) * largest, (2**15, 1), **AREA)
    assert (y == largest).all()
    assert (ap.adaptive_avg_pool1d(x[:, 0], 2**15 - 1, dtype=dtype, **AREA) == largest).all()


def test_what_windows_weigh():
    """Without a common divisor."""
    for sizes, counts, largest in [
        ((2**15, 2**15), (3, 5), 2**30), ((2**30 + 2,), (4,), 2**29 + 1), ((2**40,), (2,), 2**39),
        ((7, 9, 4), (5, 9, 8), 7),
    ]:  # fmt: skip
        assert windows_by_rule(0, sizes, counts, RULES["area"]).largest == largest


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_maxima_have_no_weights(ndim):
    x = np.arange(2.0 * 7**ndim).reshape(2, *(7,) * ndim)
    for call in (
        lambda: function("max", ndim)(x, 3, **AREA),
        lambda: function("max", ndim)(x, 3, windows=np.str_("area"), return_indices=True),
        lambda: function("max", ndim)(x, 3, where=x > 3, **AREA),
        lambda: getattr(ap, f"AdaptiveMaxPool{ndim}d")(3, **AREA),
    ):
        with pytest.raises(ValueError, match=f"^[Aa]daptive.*{ndim}d: .*'area'.*'torch'"):
            call()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_layers(rng, ndim, data_format):
    kind = getattr(ap, f"AdaptiveAvgPool{ndim}d")
    layer = kind(3, data_format=data_format, **AREA)
    for again in (eval(repr(layer), vars(ap)), pickle.loads(pickle.dumps(layer))):
        assert (again, hash(again), repr(again)) == (layer, hash(layer), repr(layer))
        assert again.windows == "area"
    assert layer != kind(3, data_format=data_format)
    x = rng.standard_normal((2, 7, 5, 8, 4)[: ndim + 2])
    options = {"data_format": data_format, **AREA}
    y, pullback = layer.vjp(x)
    assert y.tobytes() == function("avg", ndim)(x, 3, **options).tobytes()
    assert layer(x).tobytes() == y.tobytes()
    g = rng.standard_normal(y.shape)
    expected = function("avg", ndim, backward=True)(g, x.shape, **options)
    assert pullback(g).tobytes() == expected.tobytes()
    for given in ({"where": x > 0}, {"lengths": [2, 4]}, {"regions": [[1, *[1, 4] * ndim]]}):
        y, pullback = layer.vjp(x, empty=0, **given)
        assert y.tobytes() == function("avg", ndim)(x, 3, empty=0, **given, **options).tobytes()
        g = rng.standard_normal(y.shape)
        expected = function("avg", ndim, backward=True)(g, x.shape, **given, **options)
        assert pullback(g).tobytes() == expected.tobytes()
