"""Elements that do not count: what `where`, `nan_policy` and `nodata` leave out."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from cases import DTYPES, FLOATS, random_array, strided
from oracle import assert_close, function, pooled_back, pooled_last, tables

import adaptive_pool as ap
from adaptive_pool import _reference

SIZES = {1: (300,), 2: (21, 34), 3: (4, 9, 12)}
COUNTS = {1: [(1,), (7,)], 2: [(1, 1), (5, 6), (21, 1)], 3: [(2, 3, 4)]}
# What masks may look like beside x of shape (2, 6, *sizes).
SHAPES = {
    "as large as x": lambda x: x.shape,
    "for all channels": lambda x: (x.shape[0], 1, *x.shape[2:]),
    "for all samples": lambda x: x.shape[1:],
    "of the pooled axes": lambda x: x.shape[2:],
    "of one axis": lambda x: x.shape[-1:],
    "of channels": lambda x: (x.shape[1], *(1,) * (x.ndim - 2)),
    "one for all": lambda x: (),
}


def exact(x, counted, windows, dtype):
    """Means and numbers of what counts, pooled axes last: of integers from fractions."""
    ndim = len(windows)
    counts = tuple(len(starts) for starts, _ in windows)
    y = np.full((*x.shape[: x.ndim - ndim], *counts), np.nan, np.longdouble)
    scale = np.zeros(y.shape)
    numbers = np.zeros(y.shape, np.int64)
    for position, window in _reference.each_window(windows):
        part = x[(..., *window)].reshape(*x.shape[: x.ndim - ndim], -1)
        kept = np.broadcast_to(counted, x.shape)[(..., *window)].reshape(part.shape)
        numbers[(..., *position)] = n = kept.sum(-1)
        for lead in np.ndindex(*n.shape):
            values = part[lead][kept[lead]]
            if x.dtype.kind in "biu" and len(values):
                mean = Fraction(sum(map(int, values)), len(values))
                y[(*lead, *position)] = float(mean) if dtype.kind == "f" else round(mean)
            elif len(values):
                with np.errstate(all="ignore"):
                    wide = values.astype(np.longdouble)
                    y[(*lead, *position)] = wide.sum() / len(values)
                    scale[(*lead, *position)] = np.abs(wide).sum() / len(values)
    return y, numbers, scale


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("mask", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_averages_of_what_counts(rng, ndim, dtype, mask, data_format, threads):
    x = random_array(rng, (2, 6, *SIZES[ndim]), dtype)
    where = rng.random(SHAPES[mask](x)) < rng.choice([0.1, 0.5, 0.9])
    given = pooled_back(x, ndim, data_format)
    masks = pooled_back(np.broadcast_to(where, x.shape), ndim, data_format)
    for counts in COUNTS[ndim]:
        windows = tables(SIZES[ndim], counts, "torch")
        options = {"data_format": data_format, "num_threads": threads, "return_counts": True}
        y, numbers = function("avg", ndim)(given, counts, where=masks, **options)
        last, wanted = pooled_last(y, ndim, data_format), y.dtype
        expected, n, scale = exact(x, where, windows, wanted)
        np.testing.assert_array_equal(pooled_last(numbers, ndim, data_format), n)
        np.testing.assert_array_equal(np.isnan(last.astype(np.float64)), n == 0)
        if dtype in FLOATS:
            assert_close(
                np.where(n == 0, 0, last).astype(wanted), np.where(n == 0, 0, expected), scale, 1
            )
        else:
            np.testing.assert_array_equal(last, expected.astype(np.float64).astype(wanted))
        contiguous = function("avg", ndim)(
            np.ascontiguousarray(given), counts, where=np.ascontiguousarray(masks), **options
        )
        gaps = function("avg", ndim)(strided(given), counts, where=strided(masks), **options)
        for again in (contiguous, gaps):
            assert [a.tobytes() for a in again] == [y.tobytes(), numbers.tobytes()]


@pytest.mark.parametrize("mask", ["as large as x", "for all channels", "of one axis"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("channels", "sizes", "counts"),
    [
        (37, (14, 14), (7, 7)),  # small planes, which are turned with their masks
        (11, (3, 4, 5), (2, 2, 5)),
        (20, (7, 7), (1, 1)),  # windows that are whole planes, copied side by side
        (2, (3, 300), (3, 1)),
        (1, (270, 300), (1, 1)),  # and more of one than is copied at a time, or bytes count
        (600, (5, 6), (1, 1)),  # in channels_last more lanes than a tile has
        (2, (601, 30), (1, 4)),  # more lines than bytes count
        (3, (9, 4000), (4, 300)),
        (2, (3, 5, 1100), (2, 2, 40)),  # lines that are added piece by piece, depth by depth,
        (70, (9, 40), (4, 7)),  # also of many lanes
    ],
)
def test_sizes_of_averages(rng, channels, sizes, counts, dtype, mask, data_format):
    ndim, shape = len(sizes), (2, channels, *sizes)
    x = random_array(rng, shape, dtype)
    where = rng.choice(np.array([0, 1, 2, 255], np.uint8), SHAPES[mask](x)).view(bool)
    counted = np.broadcast_to(where.view(np.uint8) != 0, shape)
    given = pooled_back(x, ndim, data_format)
    masks = pooled_back(np.broadcast_to(where, shape), ndim, data_format)
    options = {"data_format": data_format, "return_counts": True, "empty": 0}
    y, numbers = function("avg", ndim)(given, counts, where=masks, **options)
    expected, n, scale = exact(x, counted, tables(sizes, counts, "torch"), y.dtype)
    np.testing.assert_array_equal(pooled_last(numbers, ndim, data_format), n)
    expected, last = np.where(n == 0, 0, expected), pooled_last(y, ndim, data_format)
    if dtype in FLOATS:
        assert_close(last, expected, scale, 1)
    else:
        np.testing.assert_array_equal(last, expected.astype(np.float64).astype(y.dtype))
    for threads, copy in ((1, np.ascontiguousarray), (3, np.ascontiguousarray), (2, strided)):
        again = function("avg", ndim)(
            copy(given), counts, where=copy(masks), num_threads=threads, **options
        )
        assert [a.tobytes() for a in again] == [y.tobytes(), numbers.tobytes()]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_mask_of_ones_changes_no_bit(rng, ndim, dtype, data_format):
    x = pooled_back(random_array(rng, (2, 33, *SIZES[ndim]), dtype), ndim, data_format)
    for layout, counts in itertools.product((x, np.ascontiguousarray(x)), COUNTS[ndim]):
        y = function("avg", ndim)(layout, counts, data_format=data_format)
        for where in (True, np.ones(x.shape, bool), np.ones(x.shape[-1:], bool)):
            same = function("avg", ndim)(layout, counts, where=where, data_format=data_format)
            assert same.tobytes() == y.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_that_is_left_out(rng, dtype, data_format):
    """As a mask that leaves it out, to the bit; so is `nodata`, and both with a mask."""
    x = pooled_back(random_array(rng, (2, 9, 31, 40), dtype), 2, data_format)
    word = np.dtype(f"u{x.itemsize}")
    missing = rng.random(x.shape) < 0.3
    x.view(word)[missing & (rng.random(x.shape) < 0.5)] |= word.type(1)  # NaNs of several kinds
    x[missing] = np.nan
    where = rng.random(x.shape[1:]) < 0.6
    options = {"data_format": data_format, "return_counts": True}
    for counts in ((1, 1), (7, 9)):
        y = ap.adaptive_avg_pool2d(x, counts, where=~missing, **options)
        same = ap.adaptive_avg_pool2d(x, counts, nan_policy="omit", **options)
        assert [a.tobytes() for a in same] == [a.tobytes() for a in y]
        same = ap.adaptive_avg_pool2d(x, counts, nodata=np.nan, **options)
        assert [a.tobytes() for a in same] == [a.tobytes() for a in y]
        both = ap.adaptive_avg_pool2d(x, counts, where=~missing & where, **options)
        same = ap.adaptive_avg_pool2d(x, counts, where=where, nan_policy="omit", **options)
        assert [a.tobytes() for a in same] == [a.tobytes() for a in both]
    # NaN that counts makes NaN, whatever else is left out.
    y = ap.adaptive_avg_pool2d(x, 1, where=where, data_format=data_format)
    axes = (-1, -2) if data_format == "channels_first" else (1, 2)
    expected = (missing & where).any(axis=axes)
    np.testing.assert_array_equal(np.isnan(y.astype(np.float64)).reshape(expected.shape), expected)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
def test_nodata(rng, dtype):
    x = random_array(rng, (3, 40, 50), dtype)
    x[rng.random(x.shape) < 0.3] = 7
    for nodata in (7, np.int8(7), 7.0):
        options = {"return_counts": True, "num_threads": 2}
        y = ap.adaptive_avg_pool2d(x, (4, 5), nodata=nodata, **options)
        same = ap.adaptive_avg_pool2d(x, (4, 5), where=x != 7, **options)
        assert [a.tobytes() for a in same] == [a.tobytes() for a in y]
    if dtype in FLOATS:
        x[0, :2] = np.nan
        y = ap.adaptive_avg_pool2d(x, 1, nodata=7)
        assert np.isnan(y.astype(np.float64)).ravel().tolist() == [True, False, False]
        zeros = np.array([0.0, -0.0, 1.0]).astype(x.dtype)
        assert ap.adaptive_avg_pool1d(zeros, 1, nodata=0).tolist() == [1]


def largest(x, counted, windows):
    """Maxima of what counts and their places, -1 where nothing does, pooled axes last."""
    ndim = len(windows)
    counts = tuple(len(starts) for starts, _ in windows)
    y = np.ones((*x.shape[: x.ndim - ndim], *counts), x.dtype)
    places = np.full(y.shape, -1)
    plane = _reference.flat_indices(x.shape[x.ndim - ndim :])
    counted = np.broadcast_to(counted, x.shape)
    for position, window in _reference.each_window(windows):
        for lead in np.ndindex(x.shape[: x.ndim - ndim]):
            kept = counted[lead][window]
            if kept.any():
                values = x[lead][window][kept][np.newaxis]
                whole = [(np.array([0]), np.array([values.size]))]
                value, place = _reference.maximum(values, whole)
                y[(*lead, *position)] = value[0, 0]
                places[(*lead, *position)] = plane[window][kept][place[0, 0]]
    return y, places


@pytest.mark.parametrize("mask", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_maxima_of_what_counts(rng, ndim, dtype, mask, data_format):
    """The lowest numbers are elements like all others, and so is NaN if it counts."""
    x = random_array(rng, (2, 6, *SIZES[ndim]), dtype)
    if dtype in FLOATS:
        x[rng.random(x.shape) < 0.4] = -np.inf
        x[rng.random(x.shape) < 0.02] = np.nan
    elif dtype != "bool":
        x[rng.random(x.shape) < 0.7] = np.iinfo(x.dtype).min
    where = rng.random(SHAPES[mask](x)) < rng.choice([0.05, 0.5, 0.9])
    given = pooled_back(x, ndim, data_format)
    masks = pooled_back(np.broadcast_to(where, x.shape), ndim, data_format)
    word = f"u{x.itemsize}"
    for counts in COUNTS[ndim]:
        expected, places = largest(x, where, tables(SIZES[ndim], counts, "torch"))
        for layout, threads in ((given, 1), (np.ascontiguousarray(given), 3), (strided(given), 2)):
            options = {"where": masks, "empty": 1, "num_threads": threads}
            y, found = function("max", ndim)(
                layout, counts, return_indices=True, data_format=data_format, **options
            )
            last = pooled_last(y, ndim, data_format)
            np.testing.assert_array_equal(last.view(word), expected.view(word))
            np.testing.assert_array_equal(pooled_last(found, ndim, data_format), places)
            only = function("max", ndim)(layout, counts, data_format=data_format, **options)
            assert only.tobytes() == y.tobytes()


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("channels", "sizes", "counts"),
    [
        (1, (60, 70), (3, 9)),  # tall windows, whose rows are compared first:
        (2, (120, 900), (2, 300)),  # more of them than are copied at a time,
        (3, (4, 24, 40), (2, 3, 7)),  # of several depths,
        (1, (61, 5000), (7, 400)),  # and wide, so that what comes next is asked for
        (70, (6, 14), (3, 7)),  # small planes, whose rows are copied together
        (33, (5, 4, 6), (2, 2, 3)),
        (40, (600,), (4,)),
    ],
)
def test_sizes_of_maxima(rng, channels, sizes, counts, dtype, indexed, data_format):
    """What counts has the maxima of an array in which the rest is as low as can be."""
    ndim, shape = len(sizes), (2, channels, *sizes)
    x = random_array(rng, shape, dtype)
    lowest = np.iinfo(dtype).min if x.dtype.kind in "iu" else -np.inf
    x[x == lowest] = 1
    where = rng.choice(np.array([0, 1, 2, 255], np.uint8), (2, *shape[1:])).view(bool)
    counted = where.view(np.uint8) != 0
    counted[..., : sizes[-1] // 3] = False
    where[..., : sizes[-1] // 3] = False
    low = np.where(counted, x, x.dtype.type(lowest))
    x, where, low, counted = (pooled_back(a, ndim, data_format) for a in (x, where, low, counted))
    operation, options = function("max", ndim), {"data_format": data_format}
    values, places = operation(low, counts, return_indices=True, **options)
    some = operation(counted, counts, **options)
    for threads in (1, 3):
        result = operation(
            x, counts, where=where, empty=7, num_threads=threads, return_indices=indexed, **options
        )
        if indexed:
            assert np.array_equal(result[1], np.where(some, places, -1))
            result = result[0]
        expected = np.where(some, values, x.dtype.type(7))
        assert np.array_equal(result, expected, equal_nan=x.dtype.kind == "f")


@pytest.mark.parametrize("dtype", DTYPES)
def test_maxima_with_a_mask_of_ones(rng, dtype, data_format):
    x = pooled_back(random_array(rng, (2, 33, 20, 31), dtype), 2, data_format)
    for layout, size in itertools.product((x, np.ascontiguousarray(x)), COUNTS[2]):
        counts = min(size[0], 20), min(size[1], 31)
        options = {"data_format": data_format, "return_indices": True}
        plain = ap.adaptive_max_pool2d(layout, counts, **options)
        masked = ap.adaptive_max_pool2d(layout, counts, where=True, **options)
        assert [a.tobytes() for a in masked] == [a.tobytes() for a in plain]


@pytest.mark.parametrize("dtype", FLOATS)
def test_maxima_without_nan(rng, dtype):
    x = random_array(rng, (3, 30, 40), dtype)
    x[rng.random(x.shape) < 0.3] = np.nan
    options = {"return_indices": True, "return_counts": True}
    y = ap.adaptive_max_pool2d(x, (3, 40), nan_policy="omit", **options)
    same = ap.adaptive_max_pool2d(x, (3, 40), where=x == x, **options)
    assert [a.tobytes() for a in y] == [a.tobytes() for a in same]
    assert y[2].sum() == (x == x).sum()
    marked = np.where(x == x, x, x.dtype.type(99))
    same = ap.adaptive_max_pool2d(marked, (3, 40), nodata=99, **options)
    assert [a.tobytes() for a in y] == [a.tobytes() for a in same]
    few = ap.adaptive_max_pool2d(x, (3, 40), nan_policy="omit", min_count=8, **options)
    short = y[2] < 8
    np.testing.assert_array_equal(np.isnan(few[0].astype(np.float64)), short)
    np.testing.assert_array_equal(few[1], np.where(short, -1, y[1]))
    g = random_array(rng, y[0].shape, dtype)
    back = ap.adaptive_max_pool2d_backward(g, few[1], x.shape)
    assert (back[np.isnan(x)] == 0).all()


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_maxima_of_integers_where_nothing_counts(dtype):
    x = np.ones((2, 4), dtype)
    where = np.array([[True, True, True, True], [True, True, False, False]])
    out = (np.zeros((2, 2), dtype), np.full((2, 2), 7))
    with pytest.raises(ValueError, match=r"window \(1,\) .* has no NaN for it"):
        ap.adaptive_max_pool1d(x, 2, where=where, return_indices=True, out=out)
    assert not out[0].any()
    assert (out[1] == 7).all()
    y, indices = ap.adaptive_max_pool1d(x, 2, where=where, return_indices=True, out=out, empty=0)
    assert (y is out[0], indices is out[1]) == (True, True)
    assert (y.tolist(), indices.tolist()) == ([[1, 1], [1, 0]], [[0, 2], [0, -1]])
    assert ap.adaptive_max_pool1d(x, 2, where=where, empty=0).tolist() == [[1, 1], [1, 0]]
    y = ap.adaptive_max_pool1d(x[:1], 2, where=where[:1], out=np.zeros((1, 2), dtype))
    assert y.tolist() == [[1, 1]]


def test_maxima_with_lengths_and_regions(rng, data_format):
    x = random_array(rng, (4, 5, 33), "float32")
    where = rng.random((4, 1, 33)) < 0.6
    x, where = (pooled_back(a, 1, data_format) for a in (x, where))
    common = {"data_format": data_format, "return_indices": True, "empty": 0.5}
    rows = [[3, 5, 20], [0, 0, 33], [3, 7, 9], [2, 4, 4]]
    y, places = ap.adaptive_max_pool1d(x, 3, where=where, regions=rows, **common)
    for k, (sample, begin, end) in enumerate(rows[:3]):
        part = np.s_[sample, :, begin:end]
        if data_format == "channels_last":
            part = np.s_[sample, begin:end]
        cut = x[part], where[part]
        value, place = ap.adaptive_max_pool1d(cut[0], 3, where=cut[1], **common)
        assert y[k].tobytes() == value.tobytes()
        np.testing.assert_array_equal(places[k], np.where(place < 0, -1, place + begin))
    assert (y[3] == 0.5).all()
    assert (places[3] == -1).all()


def test_sums_that_overflow(rng):
    """Means of what counts are finite where these are; what is left out may be anything."""
    x = np.full((2, 6, 50), 1.5e308)
    x[:, :, ::2] = np.inf
    where = np.isfinite(x)
    y = ap.adaptive_avg_pool2d(x, (2, 3), where=where)
    assert (y == 1.5e308).all()
    assert np.isinf(ap.adaptive_avg_pool2d(x, (2, 3))).all()
    x[0, 0, 1] = np.inf
    y = ap.adaptive_avg_pool2d(x, (2, 1), where=where)
    assert np.isinf(y).ravel().tolist() == [True, False, False, False]


def test_the_order_of_summation():
    """What does not count is passed over; all else keeps its place in the four running sums."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((5, 4096)) * 10.0 ** rng.integers(-8, 8, (5, 4096))
    x = x.astype(np.float32)
    where = rng.random(x.shape) < 0.5
    lines = np.zeros(4096)
    for row, kept in zip(x, where, strict=True):
        lines = np.where(kept, lines + row.astype(np.float64), lines)
    sums = np.zeros(4)
    for k, column in enumerate(lines[:4000]):
        sums[k % 4] += column
    n = where[:, :4000].sum()
    mean = np.float32(((sums[0] + sums[2]) + (sums[1] + sums[3])) * (1 / n))
    windows = [([0], [5]), ([0], [4000])]
    assert ap.adaptive_avg_pool2d(x, None, windows=windows, where=where).item() == mean


def test_with_lengths_and_regions(rng, data_format):
    """A part with its mask is that part pooled alone with that part of the mask."""
    x = random_array(rng, (4, 5, 33), "float32")
    where = rng.random((4, 1, 33)) < 0.6
    x, where = (pooled_back(a, 1, data_format) for a in (x, where))
    x[rng.random(x.shape) < 0.1] = np.nan
    lengths = [33, 0, 8, 20]
    common = {"data_format": data_format, "nan_policy": "omit", "return_counts": True}
    got = ap.adaptive_avg_pool1d(x, 3, where=where, lengths=lengths, **common)
    rows = [[3, 5, 20], [0, 0, 33], [3, 7, 9], [2, 4, 4]]
    regions = ap.adaptive_avg_pool1d(x, 3, where=where, regions=rows, min_count=2, **common)

    def cut(a, sample, begin, end):
        return a[sample, :, begin:end] if data_format == "channels_first" else a[sample, begin:end]

    for k, length in enumerate(lengths):
        if length:
            alone = ap.adaptive_avg_pool1d(
                cut(x, k, 0, length), 3, where=cut(where, k, 0, length), **common
            )
            assert [a[k].tobytes() for a in got] == [a.tobytes() for a in alone]
        else:
            assert np.isnan(got[0][k]).all()
            assert not got[1][k].any()
    for k, row in enumerate(rows[:3]):
        alone = ap.adaptive_avg_pool1d(
            cut(x, *row), 3, where=cut(where, *row), min_count=2, **common
        )
        assert [a[k].tobytes() for a in regions] == [a.tobytes() for a in alone]
    assert not regions[1][3].any()


def test_min_count_and_empty():
    x = np.arange(12.0).reshape(2, 6)
    where = np.array([True, False, False, True, True, True])
    options = {"where": where, "return_counts": True}
    y, counts = ap.adaptive_avg_pool1d(x, 2, min_count=2, empty=-1.0, **options)
    assert counts.tolist() == [[1, 3]] * 2
    assert y.tolist() == [[-1, 4], [-1, 10]]
    y, counts = ap.adaptive_avg_pool2d(x, (2, 1), **options)
    assert (y.tolist(), counts.tolist()) == ([[3], [9]], [[4], [4]])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_empty_windows_of_integers(dtype):
    """An error before anything is written, unless it is said what they become."""
    x = np.arange(8, dtype=dtype).reshape(2, 4)
    where = np.array([[True, True, True, True], [True, True, False, False]])
    out = np.full((2, 2), 7, dtype)
    match = r"^adaptive_avg_pool1d: window \(1,\) .*1, and .* has no NaN"
    with pytest.raises(ValueError, match=match):
        ap.adaptive_avg_pool1d(x, 2, where=where, dtype=dtype, out=out)
    assert (out == 7).all()
    y = ap.adaptive_avg_pool1d(x, 2, where=where, dtype=dtype, out=out, empty=9)
    assert y is out
    assert y.tolist() == [[0, 2], [4, 9]]
    assert np.isnan(ap.adaptive_avg_pool1d(x, 2, where=where)[1, 1])


def test_results_may_lie_in_what_is_read(rng):
    x = rng.standard_normal((4, 8, 8))
    where = rng.random(x.shape) < 0.5
    expected = ap.adaptive_avg_pool2d(x, 4, where=where)
    memory = x.copy()
    out = memory[:, ::2, ::2]
    assert ap.adaptive_avg_pool2d(memory, 4, where=where, out=out) is out
    assert out.tobytes() == expected.tobytes()
    bits = where.copy()
    out = np.frombuffer(bits.data, np.float64, 32, 0).reshape(2, 4, 4)
    with np.errstate(all="ignore"):
        expected = ap.adaptive_avg_pool2d(x[:2], 4, where=bits[:2].copy())
    assert ap.adaptive_avg_pool2d(x[:2], 4, where=bits[:2], out=out).tobytes() == expected.tobytes()


@pytest.mark.parametrize("operation", ["avg", "max"])
@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"where": np.ones(3, bool)}, ValueError, r"where of shape \(3,\) does not broadcast to x"),
        ({"where": np.ones((2, 2, 2, 8), bool)}, ValueError, "does not broadcast"),
        ({"where": np.ones(8, int)}, TypeError, "where must be bool, got dtype int64"),
        ({"where": np.ones(8)}, TypeError, "where must be bool"),
        ({"where": "yes"}, TypeError, "where"),
        ({"where": np.ma.masked_array([True] * 8)}, TypeError, "where"),
        ({"nan_policy": "raise"}, ValueError, "nan_policy must be 'propagate' or 'omit'"),
        ({"nan_policy": None}, ValueError, "nan_policy must be"),
        ({"nodata": "0"}, TypeError, "nodata must be a real number"),
        ({"nodata": 1j}, TypeError, "nodata must be a real number"),
        ({"nodata": [1]}, TypeError, "nodata must be a real number"),
        ({"nodata": -9999.9}, ValueError, r"no float32 is nodata -9999.9; the nearest is -9999.90"),
        ({"nodata": 1e39}, ValueError, "no float32 is nodata"),
        ({"nodata": 10**400}, ValueError, "no float32 is nodata 1000"),
        ({"nodata": 10**5000}, ValueError, "no float32 is nodata a value of type int"),
        ({"nodata": np.datetime64(1, "ns")}, TypeError, "nodata must be a real number"),
        ({"empty": 1e39}, ValueError, "empty must fit dtype float32, got 1e"),
        ({"empty": 10**5000}, ValueError, "empty must fit dtype float32, got a value of type int"),
        ({"mask": np.ones(8, bool)}, TypeError, "unexpected keyword argument 'mask'"),
    ],
)
def test_bad_arguments(operation, options, error, match):
    x = np.ones((3, 2, 8), np.float32)
    out = np.full((3, 2, 4), 7, np.float32)
    with pytest.raises(error, match=f"^adaptive_{operation}_pool1d.*{match}"):
        function(operation, 1)(x, 4, out=out, **options)
    assert (out == 7).all()


@pytest.mark.parametrize(("dtype", "nodata"), [("uint8", -1), ("uint8", 0.5), ("int16", 2**15)])
def test_nodata_that_no_integer_is(dtype, nodata):
    with pytest.raises(ValueError, match=f"no {dtype} is nodata"):
        ap.adaptive_avg_pool1d(np.ones(4, dtype), 2, nodata=nodata)
    with pytest.raises(TypeError, match="no nodata among bools"):
        ap.adaptive_avg_pool1d(np.ones(4, bool), 2, nodata=1)


def test_an_error_leaves_a_subclass_as_it_was():
    class Own(np.ndarray):
        pass

    out = np.full((1, 2), 77, np.int32).view(Own)
    with pytest.raises(ValueError, match="say with empty what it becomes"):
        ap.adaptive_avg_pool1d(
            np.ones((1, 4), np.int32), 2, dtype=np.int32, where=[True, True, False, False], out=out
        )
    assert (out == 77).all()


def test_numbers_of_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.array([[1, 2, 3, 4]], ml_dtypes.bfloat16)
    y = ap.adaptive_avg_pool1d(x, 2, nodata=x[0, 0], empty=x[0, 3])
    assert y.astype(float).tolist() == [[2, 3.5]]
