"""Paths of max pooling that the sizes of other tests do not reach, or not with such values."""

import numpy as np
import pytest
from cases import DTYPES, FLOATS, dtype_of, random_array
from oracle import assert_maximum, function, tables

import adaptive_pool as ap

# Windows that are long along W, of one row and of several, in one tile and wider than that; planes
# that are one line, with or without a pack of them.
LONG = [
    ((200,), (4,)), ((33,), (1,)), ((9000,), (2,)), ((130, 150), (2, 2)), ((3, 4, 70), (2, 2, 1)),
    ((7, 7), (1, 1)), ((12, 13), (1, 1)), ((90, 110), (1, 1)), ((3, 5, 9), (1, 1, 1)),
]  # fmt: skip

# Many lines, enough to be reduced side by side, of windows of several rows and columns.
SEVERAL = [((136, 64), (32, 9)), ((8, 40, 32), (4, 8, 5)), ((136, 33), (32, 5))]

# Windows whose rows are compared before they are turned: several pieces of a line, few lines, rows
# that differ from window to window, more rows than 16 bits or a tile hold, 127 rows of bytes.
TALL = [
    ((96, 40), (5, 9)), ((64, 700), (3, 100)), ((40, 3000), (2, 400)), ((5, 9, 40), (1, 2, 11)),
    ((254, 33), (2, 3)), ((900, 64), (7, 8)), ((34000, 32), (1, 4)),
]  # fmt: skip

# Rows, many and few, of more columns than a tile has; two axes of which one is not pooled; more
# outputs than inputs; windows of two rows, of one element, of one column, of many.
SHORT = [
    ((300,), (40,)), ((40,), (160,)), ((33, 20), (33, 7)), ((12, 9), (12, 1)), ((9, 9), (9, 9)),
    ((300,), (7,)), ((70, 150), (35, 60)), ((6, 40), (3, 40)), ((3, 4, 40), (3, 4, 11)),
    ((4, 7), (2, 600)),
]  # fmt: skip


def ids(case):
    return "-".join("x".join(map(str, part)) for part in case)


def check(x, counts):
    ndim = len(counts)
    values, indices = function("max", ndim)(x, counts, return_indices=True)
    assert_maximum(values, indices, x, tables(x.shape[-ndim:], counts))
    assert function("max", ndim)(x, counts).tobytes() == values.tobytes()
    back = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1 - ndim, -1)), -1, -1 - ndim)
    reversed_memory = np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    for other in (back, reversed_memory, np.repeat(x, 2, -1)[..., ::2]):
        again, places = function("max", ndim)(other, counts, return_indices=True)
        assert again.tobytes() == values.tobytes()
        np.testing.assert_array_equal(places, indices)


@pytest.mark.parametrize("case", LONG + SEVERAL + TALL[:-1], ids=ids)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [3, 9])
def test_windows(rng, case, dtype, channels):
    check(random_array(rng, (channels, *case[0]), dtype), case[1])


@pytest.mark.parametrize("case", SHORT, ids=ids)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "int64", "float64"])
@pytest.mark.parametrize("channels", [2, 3, 5, 16, 33, 40])
def test_short_windows(rng, case, dtype, channels):
    """As lanes of a strip, full or not, and with as many channels last."""
    check(random_array(rng, (channels, *case[0]), dtype), case[1])


@pytest.mark.parametrize("case", TALL, ids=ids)
@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint64", *FLOATS])
def test_ties_in_tall_windows(rng, case, dtype):
    """The first of equal elements, whichever column it is in, and the last NaN."""
    values = [-1.0, -0.0, 0.0, 1.0] if dtype in FLOATS else [0, 1, 2]
    for rare in [0.3, 0.01] if dtype in FLOATS else [0]:
        x = rng.choice(values, (2, *case[0]))
        x[rng.random(x.shape) < rare] = np.nan if dtype in FLOATS else 2
        check(x.astype(dtype_of(dtype)), case[1])


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int64"])
@pytest.mark.parametrize("lanes", [2, 3, 5])
def test_tall_windows_of_few_lanes(rng, lanes, dtype):
    """Lines whose columns are pixels; tables in any order, and of very different heights."""
    x = random_array(rng, (3, 70, 41, lanes), dtype)
    rows = np.array([40, 0, 9]), np.array([70, 16, 60])
    for columns in (ap.pool_windows(41, 7), (np.array([30, 0, 0]), np.array([33, 41, 1]))):
        values, indices = ap.adaptive_max_pool2d(
            x, None, windows=[rows, columns], data_format="channels_last", return_indices=True
        )
        assert_maximum(
            np.moveaxis(values, -1, 1), np.moveaxis(indices, -1, 1), np.moveaxis(x, -1, 1),
            [rows, columns],
        )  # fmt: skip
        alone = ap.adaptive_max_pool2d(
            x, None, windows=[rows, columns], data_format="channels_last", num_threads=2
        )
        assert alone.tobytes() == values.tobytes()


@pytest.mark.parametrize("case", LONG + SEVERAL + SHORT, ids=ids)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("channels", "rare"),
    [
        pytest.param(4, [np.nan], id="4-nan", marks=pytest.mark.slow),
        pytest.param(4, [np.inf, -np.inf], id="4-infinities"),
        pytest.param(4, [np.nan, np.inf, -np.inf], id="4-both"),
        pytest.param(4, [0.0, -0.0], id="4-zeros"),
        pytest.param(40, [np.nan], id="40-nan", marks=pytest.mark.slow),
        pytest.param(40, [np.inf, -np.inf], id="40-infinities", marks=pytest.mark.slow),
        pytest.param(40, [np.nan, np.inf, -np.inf], id="40-both"),
        pytest.param(40, [0.0, -0.0], id="40-zeros", marks=pytest.mark.slow),
    ],
)
def test_special_values(rng, case, dtype, rare, channels):
    """One NaN or many, infinities whose sum is NaN, zeros of both signs as maxima."""
    for often in (0.001, 0.1):
        x = -np.abs(rng.standard_normal((channels, *case[0])))
        chosen = rng.random(x.shape) < often
        x[chosen] = rng.choice(rare, chosen.sum())
        check(x.astype(dtype_of(dtype)), case[1])


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "uint8", "int16"])
@pytest.mark.parametrize("lanes", [2, 3, 4])
@pytest.mark.parametrize(
    "case", [((5, 130), (2, 2)), ((3, 64), (1, 1)), ((2, 9000), (1, 2))], ids=ids
)
@pytest.mark.parametrize("rare", [False, True])
def test_long_windows_of_few_lanes(rng, case, lanes, dtype, rare):
    """In place, of some of the channels, misaligned or backwards; with NaNs and infinities."""
    sizes, counts = case
    x = random_array(rng, (2, *sizes, lanes + 1), dtype)
    if rare and np.dtype(x.dtype).kind == "f":
        x[rng.random(x.shape) < 0.01] = np.nan
        x[rng.random(x.shape) < 0.01] = np.inf
    elif rare:
        x[rng.random(x.shape) < 0.5] = x.max()
    for last in (np.ascontiguousarray(x[..., :lanes]), x[..., 1:], x[:, :, ::-1, :lanes]):
        values, indices = ap.adaptive_max_pool2d(
            last, counts, data_format="channels_last", return_indices=True
        )
        first = np.moveaxis(last, -1, 1)
        assert_maximum(
            np.moveaxis(values, -1, 1), np.moveaxis(indices, -1, 1), first, tables(sizes, counts)
        )
        alone = ap.adaptive_max_pool2d(last, counts, data_format="channels_last")
        assert alone.tobytes() == values.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("sizes", [(3,), (20,), (2, 3), (5, 4), (2, 2, 3)])
def test_many_planes_to_one_number(rng, sizes, dtype):
    """Side by side as lines, of which a tile takes so many and no more."""
    for channels in (31, 32, 33, 64, 65, 300):
        check(random_array(rng, (4, channels, *sizes), dtype), (1,) * len(sizes))
        x = np.moveaxis(random_array(rng, (4, *sizes, 2 * channels), dtype)[..., ::2], -1, 1)
        check(x, (1,) * len(sizes))


# Of each way to have lanes (docs/design/maximum.md) one or more.
WAYS = [
    pytest.param((2, 6, 9, 40), (2, 5), "channels_last", id="in-place"),
    pytest.param((1, 60, 11, 33), (7, 2), "channels_last", id="in-place-overlapping-strips"),
    pytest.param((1, 40, 70, 1500), (2, 2), "channels_last", id="in-place-by-rows"),
    pytest.param((3, 33, 13, 11), (6, 4), "channels_first", id="turned-planes"),
    pytest.param((1, 32, 3, 5000), (2, 2), "channels_first", id="turned-pieces-of-rows"),
    pytest.param((1, 5, 30, 21), (13, 9), "channels_first", id="turned-rows-of-unequal-windows"),
    pytest.param((1, 4, 30, 21, 3), (2, 13, 9), "channels_last", id="turned-three-lanes"),
    pytest.param((1, 2, 300, 45), (3, 8), "channels_first", id="rows-first"),
    pytest.param((1, 300, 45, 3), (2, 8), "channels_last", id="rows-first-three-lanes"),
    pytest.param((1, 1, 7, 400), (3, 5), "channels_first", id="along"),
    pytest.param((2, 3, 500, 2), (2, 1), "channels_last", id="along-two-lanes"),
    pytest.param((2, 3, 500, 3), (2, 2), "channels_last", id="along-three-lanes"),
    pytest.param((2, 3, 500, 4), (2, 2), "channels_last", id="along-four-lanes"),
    pytest.param((40, 3, 7, 420), (3, 2), "channels_first", id="along-many-lines"),
    pytest.param((1, 2, 5, 60, 301), (2, 2, 1), "channels_first", id="along-blocks-of-rows"),
    pytest.param((1, 2, 3, 5000, 3), (2, 3, 1), "channels_last", id="along-pieces-of-rows"),
    pytest.param((1, 2, 3 * 8192 + 1), (1,), "channels_first", id="along-one-more-than-blocks"),
    pytest.param((2, 3, 40, 50), (1, 1), "channels_first", id="plane-as-line"),
]


@pytest.mark.parametrize(("shape", "counts", "layout"), WAYS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threads", [1, 2])
def test_each_way(rng, shape, counts, layout, dtype, threads):
    """Few values, so that most are equal; zeros of both signs and NaNs among them."""
    x = random_array(rng, (1000,), dtype)[rng.integers(0, 4, shape)]
    if dtype in FLOATS:
        x[rng.random(shape) < 0.3] = 0.0
        x[rng.random(shape) < 0.3] = -0.0
        x[rng.random(shape) < 0.001] = np.nan
    pool = getattr(ap, f"adaptive_max_pool{len(counts)}d")
    options = {"data_format": layout, "num_threads": threads}
    values, indices = pool(x, counts, return_indices=True, **options)
    assert pool(x, counts, **options).tobytes() == values.tobytes()
    narrow = pool(x, counts, return_indices=True, index_dtype=np.int32, **options)[1]
    np.testing.assert_array_equal(narrow, indices)
    if layout == "channels_last":
        x, values, indices = (np.moveaxis(a, -1, 1) for a in (x, values, indices))
    assert_maximum(values, indices, x, tables(x.shape[2:], counts))


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_column_that_repeats(lanes):
    """Every block of such a row begins at the same address."""
    x = np.broadcast_to(np.float32(3), (1, 30_000, lanes))
    pool = ap.adaptive_max_pool1d
    y, where = pool(x, 2, return_indices=True, data_format="channels_last")
    assert (y == 3).all()
    assert where.tolist() == [[[0] * lanes, [15_000] * lanes]]


def test_the_last_of_many_nans():
    """However far apart, and whatever stands in between."""
    x = np.zeros((1, 300, 100), np.float32)
    x[0, [2, 150, 280], [99, 3, 50]] = np.nan
    assert function("max", 2)(x, 1, return_indices=True)[1].tolist() == [[[280 * 100 + 50]]]
