"""Averages of integers of 8 and 16 bits against exact arithmetic: folded lines, words, rounding."""

from fractions import Fraction

import numpy as np
import pytest
from cases import dtype_of, random_array

import adaptive_pool as ap

SHORT = ["uint8", "int8", "uint16", "int16"]
LAST = {"data_format": "channels_last"}


def full_range(rng, shape, dtype):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def sums(x, rows, columns):
    """Sums and sizes of the windows of `x` (..., H, W, lanes), in int64."""
    (h0, h1), (w0, w1) = rows, columns
    total = np.zeros((*x.shape[:-3], x.shape[-3] + 1, x.shape[-2] + 1, x.shape[-1]), np.int64)
    total[..., 1:, 1:, :] = x.astype(np.int64).cumsum(-3).cumsum(-2)
    upper, lower = total[..., h0, :, :], total[..., h1, :, :]
    found = lower[..., w1, :] - upper[..., w1, :] - lower[..., w0, :] + upper[..., w0, :]
    return found, ((h1 - h0)[:, None] * (w1 - w0))[..., None]


def half_to_even(total, size):
    whole, rest = np.divmod(total, size)
    return whole + ((2 * rest > size) | ((2 * rest == size) & (whole % 2 == 1)))


def nearest(exact, dtype):
    """The float of `dtype` nearest to a fraction, half to even."""
    if exact == 0:
        return 0.0
    bits = int(np.array(float(exact), dtype).view(f"u{dtype.itemsize}"))
    near = np.array([bits - 1, bits, bits + 1], f"u{dtype.itemsize}")
    values = near.view(dtype).astype(np.float64).tolist()
    by_distance = [(abs(v - exact), b & 1, v) for v, b in zip(values, near.tolist(), strict=True)]
    return min(by_distance)[2]


def check(x, rows, columns):
    """Compare means of `x` (..., H, W, lanes), of the same dtype and of float64."""
    total, size = sums(x, rows, columns)
    y = ap.adaptive_avg_pool2d(x, None, windows=[rows, columns], dtype=x.dtype, **LAST)
    np.testing.assert_array_equal(y, half_to_even(total, size))
    y = ap.adaptive_avg_pool2d(x, None, windows=[rows, columns], dtype=np.float64, **LAST)
    np.testing.assert_array_equal(y, total / size)  # float64 holds both: rounded once


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 40])
def test_columns_and_lanes(rng, dtype, lanes):
    """Windows of any number of words, of one size and of several, of whole words and parts."""
    for width in [*range(1, 20), 33, 131]:
        x = full_range(rng, (2, 5, width, lanes), dtype)
        for count in {1, 2, 3, width // 3, width // 2, width, 2 * width} - {0}:
            rows, columns = ap.pool_windows(5, 2), ap.pool_windows(width, count)
            check(x, rows, columns)


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("lanes", [1, 3, 4, 20])
def test_windows_of_very_different_sizes(rng, dtype, lanes):
    """In any order, as explicit tables may have them; the longest has far more words."""
    starts = rng.integers(0, 290, 40)
    ends = np.minimum(starts + rng.choice([1, 2, 3, 9, 10, 11, 150, 300], 40), 300)
    x = full_range(rng, (7, 300, lanes), dtype)
    check(x, (np.array([0, 3, 6]), np.array([2, 7, 7])), (starts, ends))


@pytest.mark.parametrize("extreme", ["min", "max"])
@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("lanes", [1, 3, 16])
def test_no_line_overflows(dtype, lanes, extreme):
    """A line of 16-bit fields holds 257 rows of bytes; fewer rows, so many columns of a window."""
    value = getattr(np.iinfo(dtype), extreme)
    for rows in [1, 16, 17, 28, 64, 65, 128, 129, 255, 256, 257, 258, 514, 515, 600]:
        x = np.full((rows, 40, lanes), value, dtype)
        for count in (1, 2, 3, 9):
            y = ap.adaptive_avg_pool2d(x, (1, count), dtype=dtype, **LAST)
            assert (y == value).all()
            y = ap.adaptive_avg_pool2d(x, (2, count), **LAST)
            assert (y == value).all()


@pytest.mark.parametrize("value", [-(2**15), 2**15 - 1, 2**16 - 1])
@pytest.mark.parametrize("rows", [65536, 65537, 65538])
def test_no_long_line_overflows(rows, value):
    """A line of 32-bit fields holds 65537 rows of 16 bits."""
    x = np.full((rows, 3), value, np.int16 if value < 2**15 else np.uint16)
    x[0, 1] = 0
    y = ap.adaptive_avg_pool2d(x, (1, 3), dtype=x.dtype)
    assert y.tolist() == [[value, round(Fraction(value * (rows - 1), rows)), value]]
    y = ap.adaptive_avg_pool2d(x, 1, dtype=np.float64)
    assert y == (value * (3 * rows - 1)) / (3 * rows)


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("shape", [(1, 9000, 1), (3, 9001, 2), (2, 3000, 3), (1, 300, 700)])
def test_windows_wider_than_a_tile(rng, dtype, shape):
    x = full_range(rng, shape, dtype)
    whole = np.array([0]), np.array([shape[1]])
    check(x, ap.pool_windows(shape[0], 1), whole)
    check(x, ap.pool_windows(shape[0], 1), (np.array([0, 5]), np.array([1, shape[1]])))
    check(x[:, ::-1], ap.pool_windows(shape[0], 1), whole)


@pytest.mark.parametrize("dtype", SHORT)
def test_means_of_all_of_an_array(rng, dtype):
    """One run in memory, cut as if it were a picture, or several."""
    for size in [*range(1, 12), 63, 64, 65, 127, 128, 129, 4095, 16448, 16449, 40000]:
        for lanes in (1, 3, 64):
            x = full_range(rng, (2, size, lanes), dtype)
            exact = half_to_even(x.astype(np.int64).sum(1), size)
            y = ap.adaptive_avg_pool1d(x, 1, dtype=dtype, **LAST)[:, 0]
            np.testing.assert_array_equal(y, exact)
            planes = np.ascontiguousarray(np.moveaxis(x, -1, 1))
            y = ap.adaptive_avg_pool1d(planes, 1, dtype=dtype)[..., 0]
            np.testing.assert_array_equal(y, exact)


@pytest.mark.parametrize("extreme", ["min", "max"])
@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("size", [65535, 65536, 65537, 131072, 200_000])
def test_no_long_run_overflows(dtype, size, extreme):
    """Runs in memory are summed in blocks of 65536 elements, for which 32 bits are enough."""
    value = getattr(np.iinfo(dtype), extreme)
    x = np.full((2, size), value, dtype)
    x[:, -1] = 1
    y = ap.adaptive_avg_pool1d(x, 1, dtype=np.float64)
    assert (y == (value * (size - 1) + 1) / size).all()


@pytest.mark.parametrize("result", ["float16", "bfloat16", "float32", "float64", "same"])
@pytest.mark.parametrize("dtype", ["bool", *SHORT])
@pytest.mark.parametrize("size", [3, 11, 17, 40, 190])
def test_results_are_the_nearest(rng, dtype, result, size):
    """Windows of 9 to 36,100 elements: totals of 16, 32 and 64 bits."""
    x = random_array(rng, (size, 2 * size + 1, 3), dtype)
    if result == "float16":
        x = x // 2 if x.dtype != bool else x  # 65535 is more than it holds
    columns = ap.pool_windows(2 * size + 1, 2)
    if result == "same":
        if dtype != "bool":
            check(x, ap.pool_windows(size, 1), columns)
        return
    total, count = sums(x, ap.pool_windows(size, 1), columns)
    y = ap.adaptive_avg_pool2d(x, (1, 2), dtype=dtype_of(result), **LAST)
    assert y.dtype == dtype_of(result)
    for place, value in np.ndenumerate(y):
        exact = Fraction(int(total[place]), int(count[0, place[1], 0]))
        assert float(value) == nearest(exact, y.dtype)


@pytest.mark.parametrize("dtype", SHORT)
def test_every_tie_and_what_is_next_to_it(dtype):
    """Totals around every half of an integer, for windows of many sizes: half to even."""
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    for size in [2, 3, 4, 6, 10, 12, 24, 100, 256, 258, 1000, 1024, 1026, 2048, 30000]:
        means = np.arange(least, most, 1 if most < 256 else 97)
        x = np.repeat(means[:, None], size, 1).astype(dtype)
        for more in {size // 2 - 1, size // 2, min(size // 2 + 1, size)}:
            x[:, :more] = means[:, None] + 1
            y = ap.adaptive_avg_pool1d(x, 1, dtype=dtype)[:, 0]
            np.testing.assert_array_equal(y, half_to_even(means * size + more, size))
            x[:, :more] = means[:, None]


@pytest.mark.parametrize("dtype", ["bool", *SHORT])
def test_views(rng, dtype):
    """Any steps, offsets and alignments, of the input and of the result."""
    x = random_array(rng, (3, 23, 29, 5), dtype)
    kept = dtype if dtype != "bool" else "float32"
    rows, columns = ap.pool_windows(23, 6), ap.pool_windows(29, 7)
    total, size = sums(x, rows, columns)
    exact = half_to_even(total, size) if dtype != "bool" else (total / size).astype(np.float32)
    memory = np.zeros(x.nbytes + 1, np.uint8)[1:]  # odd addresses
    odd = memory.view(x.dtype).reshape(x.shape)
    odd[...] = x
    spread = np.zeros((3, 46, 58, 10), x.dtype)[:, ::2, 1::2, ::-2]
    spread[...] = x
    for view in (odd, spread, np.asfortranarray(x), np.moveaxis(np.moveaxis(x, 3, 1).copy(), 1, 3)):
        for shape, cut in [((3, 6, 7, 5), np.s_[:]), ((3, 6, 14, 10), np.s_[:, :, ::2, ::-2])]:
            y = np.zeros(shape, kept)[cut]
            ap.adaptive_avg_pool2d(view, (6, 7), out=y, dtype=kept, **LAST)
            np.testing.assert_array_equal(y, exact)


def test_any_byte_of_a_bool_but_0_is_true():
    x = np.arange(256, dtype=np.uint8).reshape(2, 128).view(bool)
    assert ap.adaptive_avg_pool1d(x, 1).tolist() == [[127 / 128], [1.0]]


def test_bools_as_they_lie(rng):
    """Side by side, in steps, and lanes that are part of what lies side by side."""
    x = rng.integers(0, 3, (6, 40, 50, 6), dtype=np.uint8)
    ones = (x != 0).astype(np.float64)
    for part in np.s_[...], np.s_[..., 1:4], np.s_[..., ::2], np.s_[:, ::-1, ::3], np.s_[..., :1]:
        y = ap.adaptive_avg_pool2d(x.view(bool)[part], (7, 9), **LAST)
        expected = ap.adaptive_avg_pool2d(ones[part], (7, 9), **LAST).astype(np.float32)
        np.testing.assert_array_equal(y, expected)
    y = ap.adaptive_avg_pool2d(x.view(bool).transpose(0, 3, 1, 2), (7, 9))
    expected = ap.adaptive_avg_pool2d(ones, (7, 9), **LAST).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(y, expected.astype(np.float32))


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5])
def test_half_size(rng, dtype, lanes):
    """Windows of 2 x 2: halves go to the even neighbour, nothing around the result is written."""
    pool = {"dtype": dtype, **LAST}
    info = np.iinfo(dtype)
    some = [info.min, info.min + 1, 0, 1, 2, 3, 5, info.max - 1, info.max]
    for columns in [*range(1, 40), 300]:
        x = rng.choice(some, (2, 6, 2 * columns, lanes)).astype(dtype)
        total = x.astype(int).reshape(2, 3, 2, columns, 2, lanes).sum((2, 4))
        means = np.rint(total / 4)
        around = np.full((2, 5, columns + 2, lanes), 77, dtype)
        y = ap.adaptive_avg_pool2d(x, (3, columns), out=around[:, 1:-1, 1:-1], **pool)
        assert (y == means).all()
        y[...] = 77
        assert (around == 77).all()
        y = ap.adaptive_avg_pool2d(x[:, ::-1], (3, columns), **pool)
        assert (y == means[:, ::-1]).all()
        planes = np.ascontiguousarray(np.moveaxis(x, -1, 1))
        y = ap.adaptive_avg_pool2d(planes, (3, columns), dtype=dtype)
        assert (y == np.moveaxis(means, -1, 1)).all()
