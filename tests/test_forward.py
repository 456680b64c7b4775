"""Average and max, forward, against the definition: every dtype, layout, size and channel count."""

import numpy as np
import pytest
from cases import CHANNELS, DTYPES, FLOATS, INTEGERS, RULES, SIZES, SMALL, dtype_of, random_array
from oracle import assert_average, assert_maximum, function, pooled_last, shape_of, tables

import adaptive_pool as ap
from adaptive_pool import _reference


def check(x, counts, data_format, rule="torch"):
    """Average, max, and max with indices of one array."""
    ndim = len(counts)
    last = pooled_last(x, ndim, data_format)
    windows = tables(last.shape[last.ndim - ndim :], counts, rule)
    options = {"data_format": data_format, "windows": rule}
    before = x.copy()

    y = function("avg", ndim)(x, counts, **options)
    assert_average(pooled_last(y, ndim, data_format), last, windows, y.dtype)

    values, indices = function("max", ndim)(x, counts, return_indices=True, **options)
    assert indices.dtype == np.int64
    assert_maximum(
        pooled_last(values, ndim, data_format),
        pooled_last(indices, ndim, data_format),
        last,
        windows,
    )
    # Without indices: the same bits by another path.
    alone = function("max", ndim)(x, counts, **options)
    assert alone.tobytes() == values.tobytes()
    assert alone.dtype == values.dtype
    assert x.tobytes() == before.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("ndim", "sizes", "counts"), SIZES)
def test_dtypes_and_sizes(rng, ndim, sizes, counts, data_format, dtype):
    check(random_array(rng, shape_of((2,), sizes, 3, data_format), dtype), counts, data_format)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
def test_channels(rng, channels, data_format, dtype):
    x = random_array(rng, shape_of((2,), (7, 40), channels, data_format), dtype)
    check(x, (3, 1), data_format)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("sizes", "counts"), [((8, 9), (2, 3)), ((11, 13), (3, 5)), ((70, 6), (7, 1))]
)
def test_rules(rng, sizes, counts, rule, data_format):
    check(
        random_array(rng, shape_of((3,), sizes, 5, data_format), "float32"),
        counts,
        data_format,
        rule,
    )


@pytest.mark.parametrize("size", SMALL)
def test_every_small_size(rng, size, data_format):
    """All (I, O) in 1..24 x 1..30, on both axes: H from `size`, W from its mirror image."""
    x = random_array(rng, shape_of((), (size, 25 - size), 3, data_format), "float32")
    for count in range(1, 31):
        check(x, (count, 31 - count), data_format)


@pytest.mark.parametrize("size", SMALL)
@pytest.mark.parametrize("dtype", ["float16", "float64", "int16", "uint64"])
def test_every_small_size_in_1d(rng, size, dtype):
    x = random_array(rng, (5, size), dtype)
    for count in range(1, 31):
        check(x, (count,), "channels_first")


@pytest.mark.parametrize("size", range(1, 9))
def test_every_small_size_in_3d(rng, size, data_format):
    x = random_array(rng, shape_of((), (size, 4, 9 - size), 2, data_format), "float32")
    for count in range(1, 11):
        check(x, (count, 3, 11 - count), data_format)


@pytest.mark.parametrize("lead", [(), (1,), (4,), (2, 3), (2, 1, 3), (2, 2, 2, 2)], ids=str)
def test_any_number_of_leading_axes(rng, lead, ndim, data_format):
    sizes = (5, 4, 7)[:ndim]
    x = random_array(
        rng, (*lead, *sizes, *([] if data_format == "channels_first" else [3])), "float32"
    )
    check(x, (2,) * ndim, data_format)


@pytest.mark.parametrize("operation", ["avg", "max"])
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_identity(rng, operation, dtype, ndim):
    """None keeps an axis: bit for bit the input, copied."""
    x = random_array(rng, (2, 3, 5, 2)[: ndim + 1], dtype)
    if dtype in FLOATS:
        x.flat[:3] = -0.0, np.inf, 0.0
    result = {"dtype": x.dtype} if operation == "avg" and dtype in INTEGERS[1:] else {}
    y = function(operation, ndim)(x, None, **result)
    if dtype == "bool" and operation == "avg":
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y, x)
    else:
        assert y.tobytes() == x.tobytes()
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize(
    ("dtype", "result"),
    [
        ("float16", "float16"), ("bfloat16", "bfloat16"), ("float32", "float32"),
        ("float64", "float64"), ("bool", "float32"), ("int8", "float32"), ("uint8", "float32"),
        ("int16", "float32"), ("uint16", "float32"), ("int32", "float64"), ("uint32", "float64"),
        ("int64", "float64"), ("uint64", "float64"),
    ],
)  # fmt: skip
def test_result_dtypes(dtype, result):
    x = np.ones((1, 4, 4), dtype_of(dtype))
    assert ap.adaptive_avg_pool2d(x, 2).dtype == dtype_of(result)
    assert ap.adaptive_max_pool2d(x, 2).dtype == dtype_of(dtype)


@pytest.mark.parametrize("result", FLOATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_average_as_any_float(rng, dtype, result):
    """One rounding, from the sum straight to the type that was asked for."""
    x = random_array(rng, (4, 9, 10), dtype)
    y = ap.adaptive_avg_pool2d(x, (2, 3), dtype=dtype_of(result))
    assert y.dtype == dtype_of(result)
    windows = tables((9, 10), (2, 3))
    if x.dtype.kind in "biu":
        # Means of 20 elements are never so near a halfway point that going through float64 matters.
        wide = _reference.average(x, windows, np.dtype(np.float64))
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(y, wide.astype(dtype_of(result)))
    else:
        assert_average(y, x, windows, y.dtype)


@pytest.mark.parametrize("dtype", INTEGERS[1:])
def test_average_as_the_same_integer(rng, dtype, data_format):
    """Round half to even of the exact mean."""
    x = random_array(rng, (2, 6, 8, 5), dtype)
    last = pooled_last(x, 2, data_format)
    counts = (3, 2)
    y = ap.adaptive_avg_pool2d(x, counts, data_format=data_format, dtype=dtype)
    windows = tables(last.shape[-2:], counts)
    assert_average(pooled_last(y, 2, data_format), last, windows, np.dtype(dtype))


@pytest.mark.parametrize("index_dtype", ["int32", "int64"])
def test_index_dtype(rng, index_dtype, data_format):
    x = random_array(rng, (2, 6, 8, 5), "float32")
    pool = {"data_format": data_format, "return_indices": True}
    y, indices = ap.adaptive_max_pool2d(x, 3, index_dtype=index_dtype, **pool)
    y64, indices64 = ap.adaptive_max_pool2d(x, 3, **pool)
    assert indices.dtype == np.dtype(index_dtype)
    np.testing.assert_array_equal(indices, indices64)
    np.testing.assert_array_equal(y, y64)


@pytest.mark.parametrize("channels", [1, 3, 5, 16, 70, 130, 600])
@pytest.mark.parametrize("width", [16, 20, 31, 32, 40, 700])
def test_layouts_agree_to_the_bit(rng, channels, width):
    """However few or many the lanes, whatever the tile, windows short and long.

    The sums themselves, in float64 and of elements of all magnitudes, show any other order.
    """
    x = (rng.standard_normal((2, 5, width)) * 2.0 ** rng.integers(-20, 20, (2, 5, width))).astype(
        np.float32
    )
    lanes = np.repeat(x[..., None], channels, axis=-1)
    for counts in [(1, 1), (3, 2), (5, width), (2, 5)]:
        first = ap.adaptive_avg_pool2d(x, counts, dtype=np.float64)
        last = ap.adaptive_avg_pool2d(lanes, counts, data_format="channels_last", dtype=np.float64)
        assert (last == first[..., None]).all()


def sum_in_order(values):
    """The order of docs/design/summation.md: four running sums, and their tree."""
    running = [-0.0] * 4
    for k, value in enumerate(values):
        running[k % 4] += value
    return (running[0] + running[2]) + (running[1] + running[3])


def test_order_of_summation(rng):
    """Lines in order, then columns; or all elements in order, in windows that span all of W."""
    x = (rng.standard_normal((3, 80)) * 2.0 ** rng.integers(-20, 20, (3, 80))).astype(np.float32)
    wide = x.astype(np.float64)
    line = (wide[0] + wide[1]) + wide[2]
    y = ap.adaptive_avg_pool2d(x, None, windows=[([0], [3]), ([0, 31], [31, 80])], dtype=np.float64)
    assert y[0, 0] == sum_in_order(line[:31]) / 93
    assert y[0, 1] == sum_in_order(line[31:]) / 147
    for size in range(1, 80):
        starts = np.arange(80 - size)
        y = ap.adaptive_avg_pool1d(x[0], None, windows=[(starts, starts + size)], dtype=np.float64)
        sums = [sum_in_order(wide[0, start : start + size]) for start in starts]
        assert (y == np.array(sums) / size).all()
    for columns in (3, 10, 11, 77):
        y = ap.adaptive_avg_pool2d(x[:, :columns], 1, dtype=np.float64)
        assert y == sum_in_order(wide[:, :columns].ravel()) / (3 * columns)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_lines_of_any_width(rng, dtype):
    """Columns are added in blocks, the last of which begin early: the order shows any mistake."""
    starts = np.arange(12)
    ends = starts + np.arange(12) % 9 + 1
    for width in range(1, 76):
        x = rng.standard_normal((2, 20, width)) * 2.0 ** rng.integers(-9, 9, (2, 20, width))
        x = x.astype(dtype_of(dtype))
        wide = x.astype(np.float64)
        lines = np.zeros((2, 12, width))
        for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
            for row in range(start, end):
                lines[:, k] += wide[:, row]
        columns = min(width, 37)
        firsts = np.array([0, (width - columns) // 2, width - columns])
        y = ap.adaptive_avg_pool2d(
            x, None, windows=[(starts, ends), (firsts, firsts + columns)], dtype=np.float64
        )
        for place in np.ndindex(2, 12, 3):
            line = lines[place[:2]][firsts[place[2]] :][:columns]
            assert y[place] == sum_in_order(line) / (columns * (ends - starts)[place[1]])


@pytest.mark.parametrize("size", [1, 2, (3, 9)])
@pytest.mark.parametrize("lanes", [1, 3, 5, 9, 11, 34])
def test_negative_zeros(lanes, size):
    """Nothing but their neighbours could make 0.0 of them: sums are kept side by side."""
    x = np.full((1, 13, 40, lanes + 2), -0.0, np.float32)
    y = ap.adaptive_avg_pool2d(x[..., 1:-1], size, data_format="channels_last")
    assert np.signbit(y).all()
    y = ap.adaptive_avg_pool2d(x[0, ..., 1:-1], size)
    assert np.signbit(y).all()


@pytest.mark.parametrize("count", [1, 2, 7, 33])
@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_windows_of_one_size(rng, dtype, lanes, size, count):
    """Windows that follow each other, of few columns and channels: the largest sums among them."""
    x = rng.integers(250, 256, (3, 4 * size, count * size, lanes)).astype(dtype)
    blocks = x.astype(np.int64).reshape(3, 4, size, count, size, lanes).sum(axis=(2, 4))
    y = ap.adaptive_avg_pool2d(x, (4, count), data_format="channels_last", dtype=np.float64)
    assert (y == blocks / size**2).all()
