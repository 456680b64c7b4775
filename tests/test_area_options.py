"""Windows by area where not all elements count, and of lengths and regions.

What counts is counted by weight, in units of 1/O along each axis.
"""

import functools
import math

import numpy as np
import pytest
from cases import DTYPES, FLOATS, INTEGERS, random_array, strided
from oracle import (
    assert_average_of_counted,
    function,
    numbers_of,
    pooled_back,
    pooled_last,
    tables,
    weights,
)
from test_area import AREA, MORE, sums_in_order

import adaptive_pool as ap

SIZES = {1: (41,), 2: (7, 10), 3: (3, 4, 6)}
COUNTS = {1: [(1,), (7,), (50,)], 2: [(3, 4), (7, 1), (9, 10)], 3: [(2, 3, 4), (4, 4, 5)]}
MASKS = {
    "of each element": lambda shape: shape,
    "for all channels": lambda shape: (shape[0], 1, *shape[2:]),
    "of one axis": lambda shape: shape[-1:],
    "of channels": lambda shape: (shape[1], *(1,) * (len(shape) - 2)),
}


def same(results, expected):
    assert [a.dtype for a in results] == [a.dtype for a in expected]
    assert [a.tobytes() for a in results] == [a.tobytes() for a in expected]


def check(x, where, counts, data_format, least=1, **options):
    """Means and counts of what a mask leaves, pooled axes last; then of other layouts."""
    ndim = len(counts)
    given, masks = (pooled_back(a, ndim, data_format) for a in (x, np.broadcast_to(where, x.shape)))
    pool = functools.partial(
        function("avg", ndim), output_size=counts, data_format=data_format, min_count=least,
        empty=1, return_counts=True, **AREA, **options,
    )  # fmt: skip
    y, numbers = pool(given, where=masks)
    sizes = x.shape[x.ndim - ndim :]
    windows, units = tables(sizes, counts), weights(sizes, counts, "area")
    counted = np.broadcast_to(where, x.shape)
    np.testing.assert_array_equal(
        pooled_last(numbers, ndim, data_format), numbers_of(counted, windows, units)
    )
    assert_average_of_counted(pooled_last(y, ndim, data_format), x, counted, windows, least, units)
    for other in (np.ascontiguousarray(given), strided(given)):
        same(pool(other, where=np.ascontiguousarray(masks)), (y, numbers))
        same(pool(other, where=strided(masks)), (y, numbers))


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_masks(rng, ndim, dtype, mask, data_format):
    x = random_array(rng, (2, 3, *SIZES[ndim]), dtype)
    where = rng.random(MASKS[mask](x.shape)) < rng.choice([0.1, 0.5, 0.9])
    for counts in COUNTS[ndim]:
        check(x, where, counts, data_format, int(rng.choice([1, 1, 5, 30])), num_threads=2)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
@pytest.mark.parametrize(("sizes", "counts", "channels"), MORE)
def test_paths(rng, sizes, counts, channels, data_format, dtype):
    x = random_array(rng, (1, min(channels, 100), *sizes), dtype)
    check(x, rng.random(x.shape) < 0.6, counts, data_format)


@pytest.mark.parametrize("dtype", INTEGERS[1:])
def test_results_of_the_same_integer(rng, dtype):
    x = random_array(rng, (2, 3, 5, 9), dtype)
    check(x, rng.random(x.shape) < 0.6, (3, 4), "channels_first", dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_of_ones_changes_no_bit(rng, dtype, data_format):
    for sizes, counts, channels in MORE:
        x = random_array(rng, (2, min(channels, 33), *sizes), dtype)
        x = pooled_back(x, len(sizes), data_format)
        pool = functools.partial(function("avg", len(sizes)), data_format=data_format, **AREA)
        for other in (x, np.ascontiguousarray(x)):
            y = pool(other, counts)
            for where in (True, np.ones(x.shape, bool)):
                assert pool(other, counts, where=where).tobytes() == y.tobytes()
            assert pool(other, counts, min_count=math.prod(sizes)).tobytes() == y.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_and_nodata(rng, dtype, data_format):
    """As a mask that leaves them out, to the bit."""
    x = rng.integers(0, 4, (2, 9, 31, 40)).astype(random_array(rng, 1, dtype).dtype)
    x[rng.random(x.shape) < 0.3] = np.nan
    x = pooled_back(x, 2, data_format)
    where = rng.random(x.shape[1:]) < 0.6
    numbers = ~np.isnan(x)
    options = {"data_format": data_format, "return_counts": True, "min_count": 80, **AREA}
    for counts in ((1, 1), (7, 9), (33, 40)):
        pool = functools.partial(ap.adaptive_avg_pool2d, output_size=counts, **options)
        y = pool(x, where=numbers)
        same(pool(x, nan_policy="omit"), y)
        same(pool(x, nodata=np.nan), y)
        same(pool(x, where=where, nan_policy="omit"), pool(x, where=numbers & where))
        same(pool(x, nan_policy="omit", nodata=3), pool(x, where=numbers & (x != 3)))
        assert np.isnan(pool(x)[0].astype(np.float64)).any()


@pytest.mark.parametrize("channels", [1, 5, 20])
@pytest.mark.parametrize(
    ("sizes", "counts"), [((9, 37), (2, 5)), ((5, 300), (3, 7)), ((3, 4, 5), (2, 3, 6))]
)
def test_the_order_of_summation(rng, sizes, counts, channels):
    """What does not count is passed over; all else keeps its place."""
    x = rng.standard_normal((channels, *sizes)) * 2.0 ** rng.integers(-9, 9, (channels, *sizes))
    x = x.astype(np.float32)
    where = rng.random(x.shape) < 0.7
    sums, total = sums_in_order(np.where(where, x, -0.0).astype(np.float64), counts)
    numbers = numbers_of(where, tables(sizes, counts), weights(sizes, counts, "area"))
    divisor = math.prod(sizes) // total
    with np.errstate(all="ignore"):
        means = sums / (numbers // divisor)
    y = function("avg", len(sizes))(x, counts, where=where, dtype=np.float64, **AREA)
    np.testing.assert_array_equal(y, means)


def test_sums_that_overflow(rng):
    """Means of what counts are finite where these are; what is left out may be anything."""
    x = np.full((2, 6, 50), np.finfo(np.float64).max)
    x[:, :, ::2] = np.inf
    for counts in ((4, 3), (7, 60)):
        y, numbers = ap.adaptive_avg_pool2d(
            x, counts, where=np.isfinite(x), return_counts=True, **AREA
        )
        assert (y == x[0, 0, 1])[numbers > 0].all()
        assert np.isnan(y[numbers == 0]).all()
    x[x == np.inf] = 1
    where = rng.random(x.shape) < 0.7
    check(x * rng.choice([-1, 1, 0.7], x.shape), where, (4, 3), "channels_first")


def test_counts_by_hand():
    """Three windows of five: 3 and 2 thirds; 1, 3 and 1; 2 and 3."""
    x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    where = np.array([True, False, True, True, True])
    options = {"return_counts": True, "empty": -1, **AREA}
    y, counts = ap.adaptive_avg_pool1d(x, 3, where=where, **options)
    assert counts.tolist() == [3, 4, 5]
    assert y.tolist() == [1, 20 / 4, 64 / 5]
    y, counts = ap.adaptive_avg_pool1d(x, 3, where=where, min_count=4, **options)
    assert counts.tolist() == [3, 4, 5]
    assert y.tolist() == [-1, 5, 64 / 5]
    assert ap.adaptive_avg_pool1d(x, 3, min_count=6, **options)[0].tolist() == [-1] * 3
    y, counts = ap.adaptive_avg_pool2d(np.array([x, x]), (4, 3), where=where, **options)
    assert counts.tolist() == [[6, 8, 10]] * 4
    assert y.tolist() == [[1, 5, 64 / 5]] * 4


@pytest.mark.parametrize("counts", [(3, 4), (5, 8), (10, 2), (7, 9)])
def test_counts_where_all_count(rng, counts):
    """Products of the lengths that windows are cut from; `min_count` is compared with these."""
    x = random_array(rng, (4, 3, 5, 8), "float32")
    options = {"output_size": counts, "return_counts": True, "empty": -9.5, **AREA}
    y, numbers = ap.adaptive_avg_pool2d(x, **options)
    assert numbers.shape == y.shape
    assert (numbers == 40).all()
    assert y.tobytes() == ap.adaptive_avg_pool2d(x, counts, **AREA).tobytes()
    same(ap.adaptive_avg_pool2d(x, where=True, **options), (y, numbers))
    same(ap.adaptive_avg_pool2d(x, min_count=40, **options), (y, numbers))
    assert (ap.adaptive_avg_pool2d(x, min_count=41, **options)[0] == -9.5).all()
    lengths = np.array([[5, 8], [2, 3], [0, 4], [1, 1]])
    regions = np.array([[0, 0, 5, 0, 8], [3, 2, 4, 5, 8], [1, 2, 2, 0, 8], [3, 4, 5, 7, 8]])
    for parts in ({"lengths": lengths}, {"regions": regions}):
        y, numbers = ap.adaptive_avg_pool2d(x, min_count=4, **parts, **options)
        expected = np.array([40, 6, 0, 1]).reshape(4, 1, 1, 1)
        np.testing.assert_array_equal(numbers, np.broadcast_to(expected, y.shape))
        np.testing.assert_array_equal(y == -9.5, numbers < 4)
        masked = ap.adaptive_avg_pool2d(x, min_count=4, where=True, **parts, **options)
        same(masked, (y, numbers))


AXES = {1: (23,), 2: (11, 14), 3: (5, 6, 9)}
REGIONS = {
    1: [[2, 3, 20], [0, 0, 23], [2, 4, 9], [1, 7, 7], [1, 22, 23]],
    2: [[2, 3, 11, 0, 5], [0, 0, 11, 0, 14], [2, 4, 9, 3, 4], [1, 2, 2, 0, 9], [1, 0, 1, 2, 9]],
    3: [[2, 0, 5, 1, 6, 0, 7], [1, 2, 4, 0, 2, 3, 3], [2, 1, 2, 0, 6, 2, 9], [0, 0, 3, 0, 4, 0, 5]],
}
PARTS = {1: (5,), 2: (3, 4), 3: (2, 7, 4)}


def lengths_as_regions(lengths):
    return [[k, *(b for n in row for b in (0, n))] for k, row in enumerate(lengths)]


def cut(a, row, data_format):
    """The slice that a region names."""
    slices = [slice(*pair) for pair in zip(row[1::2], row[2::2], strict=True)]
    return a[(row[0], *([slice(None)] * (data_format == "channels_first")), *slices)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_parts_alone(rng, ndim, dtype, data_format, threads):
    """A sample up to its length, and a region, is to the bit that slice pooled alone."""
    x = random_array(rng, (3, 4, *AXES[ndim]), dtype)
    where = rng.random((3, 1, *AXES[ndim])) < 0.6
    x, where = (pooled_back(a, ndim, data_format) for a in (x, where))
    lengths = [AXES[ndim], [n // 2 for n in AXES[ndim]], [1] * ndim]
    options = {"data_format": data_format, "return_counts": True, "empty": 1, **AREA}
    pool = functools.partial(function("avg", ndim), output_size=PARTS[ndim], **options)
    for name, parts, rows in (
        ("lengths", lengths, lengths_as_regions(lengths)),
        ("regions", REGIONS[ndim], REGIONS[ndim]),
    ):
        for least in (1, 12):
            plain = pool(x, min_count=least, num_threads=threads, **{name: parts})
            masked = pool(x, where=where, min_count=least, num_threads=threads, **{name: parts})
            for k, row in enumerate(rows):
                alone, mask = cut(x, row, data_format), cut(where, row, data_format)
                same([a[k] for a in plain], pool(alone, min_count=least))
                same([a[k] for a in masked], pool(alone, where=mask, min_count=least))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64"])
def test_threads_change_no_bit(rng, dtype, data_format):
    """Arrays large enough for five threads, by masks and by parts; gradients too."""
    channels = 800_000 // (2 * 33 * 35 * np.dtype(dtype).itemsize) + 1
    x = pooled_back(random_array(rng, (2, channels, 33, 35), dtype), 2, data_format)
    where = rng.random(x.shape) < 0.6
    options = {"data_format": data_format, **AREA}
    regions = {"regions": [[0, 0, 33, 2, 35], [1, 4, 31, 0, 35], [0, 1, 33, 0, 34]]}
    for given in ({"where": where}, {"lengths": [33, 20]}, regions, {"where": where, **regions}):
        pool = functools.partial(ap.adaptive_avg_pool2d, x, (7, 40), empty=1, **given, **options)
        y = pool(num_threads=1)
        assert all(pool(num_threads=n).tobytes() == y.tobytes() for n in (2, 5))
        if dtype in FLOATS:
            back = functools.partial(
                ap.adaptive_avg_pool2d_backward, y, x.shape, **given, **options
            )
            bits = back(num_threads=1).tobytes()
            assert all(back(num_threads=n).tobytes() == bits for n in (2, 5))


@pytest.mark.parametrize("ndim", [1, 2])
def test_what_lies_beyond_is_not_read(rng, ndim, data_format):
    x = random_array(rng, (3, 4, *AXES[ndim]), "float32")
    lengths = [[n // 2 + k for n in AXES[ndim]] for k in range(3)]
    spoiled = np.full_like(x, np.nan)
    for k, row in enumerate(lengths):
        inside = (k, slice(None), *map(slice, row))
        spoiled[inside] = x[inside]
    x, spoiled = (pooled_back(a, ndim, data_format) for a in (x, spoiled))
    pool = functools.partial(
        function("avg", ndim),
        output_size=PARTS[ndim],
        lengths=lengths,
        data_format=data_format,
        **AREA,
    )
    assert pool(spoiled).tobytes() == pool(x).tobytes()


def test_more_parts_than_are_planned_at_once(rng):
    x = random_array(rng, (700, 2, 20), "float32")
    lengths = rng.integers(0, 21, 700)
    y, counts = ap.adaptive_avg_pool1d(x, 6, lengths=lengths, return_counts=True, **AREA)
    for k, length in enumerate(lengths):
        assert (counts[k] == length).all()
        if length:
            alone = ap.adaptive_avg_pool1d(x[k, :, :length], 6, **AREA)
            assert y[k].tobytes() == alone.tobytes()


def test_an_axis_that_is_kept():
    """None has a window for each element, which is whole in it: 1, or O in units of 1/O."""
    x = np.arange(12.0).reshape(2, 2, 3)
    y, counts = ap.adaptive_avg_pool2d(
        x, (3, None), lengths=[[2, 3], [1, 2]], return_counts=True, **AREA
    )
    nan = np.nan
    assert counts[:, 0].tolist() == [[6, 6, 6], [3, 3, 0]]
    np.testing.assert_array_equal(y[0], [[0, 1, 2], [1.5, 2.5, 3.5], [3, 4, 5]])
    np.testing.assert_array_equal(y[1], [[6, 7, nan]] * 3)


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_integers_where_too_little_counts(dtype):
    """An error before anything is written, unless it is said what becomes of it."""
    x = np.arange(10, dtype=dtype).reshape(2, 5)
    where = np.array([[True] * 5, [True, True, True, False, False]])
    out = np.full((2, 3), 7, dtype)
    options = {"where": where, "dtype": dtype, "out": out, **AREA}
    with pytest.raises(ValueError, match=r"^adaptive_avg_pool1d: window \(2,\) .* has no NaN"):
        ap.adaptive_avg_pool1d(x, 3, **options)
    with pytest.raises(ValueError, match=r"window \(1,\) .* than 5"):
        ap.adaptive_avg_pool1d(x, 3, min_count=5, **options)
    assert (out == 7).all()
    assert ap.adaptive_avg_pool1d(x, 3, empty=9, **options) is out
    assert out.tolist() == [[0, 2, 4], [5, 7, 9]]


def test_windows_that_weigh_too_much_to_count():
    """In units without a common divisor."""
    x = np.broadcast_to(np.uint8(0), (2**32 + 1, 1))
    with pytest.raises(ValueError, match=r"more than 4294967295 elements .* one of 4294967297"):
        ap.adaptive_avg_pool2d(x, (2, 1), nodata=5, **AREA)
