"""Lengths and regions: each part is what it would be pooled alone, to the bit."""

import math

import numpy as np
import pytest
from cases import DTYPES, FLOATS, dtype_of, random_array, strided
from oracle import function

import adaptive_pool as ap
from adaptive_pool._arrays import MOST_AXES

AXES = {1: (23,), 2: (11, 14), 3: (5, 6, 9)}
COUNTS = {1: (5,), 2: (3, 4), 3: (2, 3, 2)}


def arrange(rng, ndim, dtype, data_format, samples=5, channels=3):
    """An array (samples, channels, *axes), channels last if wanted, and where its axes are."""
    x = random_array(rng, (samples, channels, *AXES[ndim]), dtype)
    if data_format == "channels_last":
        return np.ascontiguousarray(np.moveaxis(x, 1, -1)), 1
    return x, 2


def random_regions(rng, ndim, samples, count=9):
    rows = [rng.integers(0, samples, count)]
    for size in AXES[ndim]:
        borders = np.sort(rng.integers(0, size + 1, (2, count)), axis=0)
        rows += [borders[0], borders[1]]
    return np.stack(rows, axis=1)


def part(x, first, row):
    """The slice of x that a region names."""
    slices = [slice(a, b) for a, b in zip(row[1::2], row[2::2], strict=True)]
    return x[(row[0], *(slice(None),) * (first - 1), *slices)]


def whole_lengths(lengths, ndim):
    """Lengths as regions."""
    lengths = np.broadcast_to(np.reshape(lengths, (len(lengths), -1)), (len(lengths), ndim))
    rows = np.zeros((len(lengths), 1 + 2 * ndim), int)
    rows[:, 0], rows[:, 2::2] = np.arange(len(lengths)), lengths
    return rows


def each_part(ndim, data_format, rows):
    """Options that say the same: regions and, where they are such, lengths."""
    yield {"regions": rows}
    if (rows[:, 0] == np.arange(len(rows))).all() and not rows[:, 1::2].any():
        yield {"lengths": rows[:, 2::2]}


def cases(rng, ndim, samples):
    lengths = np.stack([rng.integers(0, n + 1, samples) for n in AXES[ndim]], axis=1)
    return [random_regions(rng, ndim, samples), whole_lengths(lengths, ndim)]


def expected_average(x, first, ndim, rows, counts, data_format, empty, **options):
    results = []
    for row in rows:
        alone = part(x, first, row)
        if 0 in alone.shape:
            shape = list(alone.shape)
            shape[first - 1 : first - 1 + ndim] = counts
            results.append(np.full(shape, empty, results[0].dtype if results else None))
        else:
            results.append(function("avg", ndim)(alone, counts, data_format=data_format, **options))
    return results


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_averages(rng, ndim, dtype, data_format, threads):
    x, first = arrange(rng, ndim, dtype, data_format)
    for rows in cases(rng, ndim, len(x)):
        for options in each_part(ndim, data_format, rows):
            y = function("avg", ndim)(
                x, COUNTS[ndim], data_format=data_format, num_threads=threads, **options
            )
            assert len(y) == len(rows)
            for row, result in zip(rows, y, strict=True):
                alone = part(x, first, row)
                if 0 in alone.shape:
                    assert np.isnan(result.astype(np.float64)).all()
                    continue
                one = function("avg", ndim)(alone, COUNTS[ndim], data_format=data_format)
                assert result.dtype == one.dtype
                assert result.tobytes() == one.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_maxima(rng, ndim, dtype, data_format, threads):
    """Indices are those of the plane of x, whatever was cut out of it."""
    x, first = arrange(rng, ndim, dtype, data_format)
    plane = np.arange(math.prod(AXES[ndim])).reshape(AXES[ndim])
    for rows in cases(rng, ndim, len(x)):
        for options in each_part(ndim, data_format, rows):
            values, indices = function("max", ndim)(
                x, COUNTS[ndim], return_indices=True, index_dtype=np.int32, empty=1,
                data_format=data_format, num_threads=threads, **options,
            )  # fmt: skip
            for row, value, index in zip(rows, values, indices, strict=True):
                alone = part(x, first, row)
                if 0 in alone.shape:
                    assert (value == 1).all()
                    assert (index == -1).all()
                    continue
                one, where = function("max", ndim)(
                    alone, COUNTS[ndim], return_indices=True, data_format=data_format
                )
                assert value.tobytes() == one.tobytes()
                own = plane[tuple(map(slice, row[1::2], row[2::2]))]
                np.testing.assert_array_equal(index, own.reshape(-1)[where])
            only = function("max", ndim)(
                x, COUNTS[ndim], empty=1, data_format=data_format, **options
            )
            assert only.tobytes() == values.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_gradients_of_averages(rng, ndim, dtype, data_format, threads):
    """One part alone: to the bit. Several: the sum in float64, rounded once."""
    x, first = arrange(rng, ndim, dtype, data_format)
    backward = function("avg", ndim, backward=True)
    for rows in cases(rng, ndim, len(x)):
        shape = list(x.shape)
        shape[0], shape[first : first + ndim] = len(rows), COUNTS[ndim]
        g = random_array(rng, shape, dtype)
        for options in each_part(ndim, data_format, rows):
            common = {"data_format": data_format, "num_threads": threads}
            result = backward(g, x.shape, **options, **common)
            assert (result.dtype, result.shape) == (g.dtype, x.shape)
            total = np.zeros(x.shape)
            held = np.zeros(x.shape, int)
            for row, own in zip(rows, g, strict=True):
                alone = part(total, first, row)
                if 0 in alone.shape:
                    continue
                alone += backward(own.astype(np.float64), alone.shape, data_format=data_format)
                part(held, first, row)[...] += 1
                if (part(held, first, row) == 1).all() and (rows[:, 0] == row[0]).sum() == 1:
                    one = backward(own, alone.shape, data_format=data_format)
                    assert part(result, first, row).tobytes() == one.tobytes()
            assert (result[held == 0] == 0).all()
            # Additions of float64 in another order, of numbers below 4 times the largest here; and
            # one rounding to the type, by half a unit.
            scale = np.abs(total).max() + 1
            bound = 64 * 2.0**-53 * scale
            bits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype]
            error = np.abs(result.astype(np.float64) - total)
            assert (error <= bound + 2.0**-bits * np.abs(total) + 2.0**-25 * (bits == 11)).all()
            out = strided(np.zeros_like(result))
            assert backward(strided(g), x.shape, out=out, **options, **common) is out
            assert out.tobytes() == result.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_gradients_of_maxima(rng, ndim, dtype, data_format, threads):
    """Every part adds to its sample, in their order, in float32 for halves."""
    x, _ = arrange(rng, ndim, dtype, data_format)
    rows = random_regions(rng, ndim, len(x), 12)
    values, indices = function("max", ndim)(
        x, COUNTS[ndim], regions=rows, return_indices=True, data_format=data_format
    )
    g = random_array(rng, values.shape, dtype)
    wide = np.float32 if np.dtype(g.dtype).itemsize == 2 else g.dtype

    def planes(a):
        """As (samples or parts, channels, elements)."""
        last = np.moveaxis(a, -1, 1) if data_format == "channels_last" else a
        return last.reshape(len(a), 3, -1)

    expected = np.zeros((len(x), 3, math.prod(AXES[ndim])), wide)
    put = np.zeros(expected.shape, values.dtype)
    for k, row in enumerate(rows):
        for channel in range(3):
            where = planes(indices)[k, channel]
            kept = where >= 0
            add = planes(g)[k, channel][kept].astype(wide)
            np.add.at(expected[row[0], channel], where[kept], add)
            put[row[0], channel][where[kept]] = planes(values)[k, channel][kept]
    options = {"regions": rows, "data_format": data_format, "num_threads": threads}
    backward = function("max", ndim, backward=True)
    result = backward(g, indices, x.shape, **options)
    same = expected.astype(g.dtype).astype(np.float64)
    np.testing.assert_array_equal(planes(result).astype(np.float64), same)
    given = [strided(a) for a in (g, indices)]
    out = strided(np.ones_like(result))
    assert backward(*given, x.shape, out=out, **options) is out
    assert out.tobytes() == result.tobytes()
    back = function("unpool", ndim)(values, indices, x.shape, **options)
    assert planes(back).tobytes() == put.tobytes()


def test_gradients_are_adjoints(rng, data_format):
    """<pool(x), g> = <x, backward(g)>, in exact products of small integers and powers of two."""
    shape = (3, 2, 16) if data_format == "channels_first" else (3, 16, 2)
    x = rng.integers(-8, 8, shape).astype(np.float64)
    rows = np.array([[0, 0, 8], [0, 4, 12], [2, 8, 16], [0, 4, 12]])
    options = {"regions": rows, "data_format": data_format}
    y = ap.adaptive_avg_pool1d(x, 2, **options)
    g = rng.integers(-8, 8, y.shape).astype(np.float64)
    assert (y * g).sum() == (x * ap.adaptive_avg_pool1d_backward(g, shape, **options)).sum()
    values, indices = ap.adaptive_max_pool1d(x, 2, return_indices=True, **options)
    back = ap.adaptive_max_pool1d_backward(g, indices, shape, **options)
    assert (values * g).sum() == (x * back).sum()


@pytest.mark.parametrize("ndim", [1, 2])
def test_what_lies_beyond_is_not_read(rng, ndim, data_format):
    x, first = arrange(rng, ndim, "float32", data_format)
    lengths = np.stack([rng.integers(1, n + 1, len(x)) for n in AXES[ndim]], axis=1)
    spoiled = np.full_like(x, np.nan)
    for row in whole_lengths(lengths, ndim):
        part(spoiled, first, row)[...] = part(x, first, row)
    options = {"lengths": lengths, "data_format": data_format}
    for operation in ("avg", "max"):
        y = function(operation, ndim)(x, COUNTS[ndim], **options)
        assert function(operation, ndim)(spoiled, COUNTS[ndim], **options).tobytes() == y.tobytes()


@pytest.mark.parametrize("strides", ["strided", "transposed", "broadcast", "five leading axes"])
def test_however_memory_lies(rng, strides):
    x = random_array(rng, (4, 6, 13, 9), "float32")
    if strides == "strided":
        x = strided(x)
    elif strides == "transposed":
        x = random_array(rng, (9, 13, 6, 4), "float32").T
    elif strides == "broadcast":
        x = np.broadcast_to(x[:1, :, :, :1], x.shape)
    else:
        x = random_array(rng, (3, 4, 2, 2, 2, 13, 9), "float32")[..., ::2, ::-1, :, :, :]
    rows = np.array([[2, 0, 9, 1, 9], [0, 3, 13, 0, 4], [2, 5, 6, 7, 9]])
    plain = np.ascontiguousarray(x)
    for operation in ("avg", "max"):
        y = function(operation, 2)(plain, (3, 2), regions=rows)
        out = strided(np.zeros_like(y))
        assert function(operation, 2)(x, (3, 2), regions=rows, out=out, num_threads=2) is out
        assert out.tobytes() == y.tobytes()
        for k, row in enumerate(rows):
            alone = function(operation, 2)(
                plain[row[0]][..., slice(*row[1:3]), slice(*row[3:])], (3, 2)
            )
            assert y[k].tobytes() == alone.tobytes()


def test_indices_where_rows_overlap_in_memory(rng):
    """A region of such rows may be one run in memory; its numbers are not."""
    x = np.lib.stride_tricks.sliding_window_view(rng.standard_normal(44), 12)[::4][np.newaxis]
    rows = [[0, 1, 6, 3, 7], [0, 0, 9, 0, 4]]
    values, where = ap.adaptive_max_pool2d(x, 1, regions=rows, return_indices=True)
    plain = ap.adaptive_max_pool2d(np.array(x), 1, regions=rows, return_indices=True)
    assert [a.tobytes() for a in (values, where)] == [a.tobytes() for a in plain]
    np.testing.assert_array_equal(x.reshape(-1)[where.ravel()], values.ravel())


def test_rules_that_leave_windows_empty():
    """Without lengths and regions the error names neither."""
    with pytest.raises(ValueError, match="window 3 empty for input size 3 and output size 5"):
        ap.adaptive_avg_pool1d(np.ones(3), 5, windows="split", return_counts=True)


def test_more_parts_than_are_planned_at_once(rng):
    x = random_array(rng, (700, 2, 20), "float32")
    lengths = rng.integers(0, 21, 700)
    y, counts = ap.adaptive_avg_pool1d(x, 1, lengths=lengths, return_counts=True)
    for k, length in enumerate(lengths):
        assert (counts[k] == length).all()
        if length:
            assert y[k].tobytes() == ap.adaptive_avg_pool1d(x[k, :, :length], 1).tobytes()
    out = np.zeros_like(y)
    assert ap.adaptive_avg_pool1d(x, 1, lengths=lengths, out=out, num_threads=2) is out
    assert out.tobytes() == y.tobytes()
    g = random_array(rng, y.shape, "float32")
    back = ap.adaptive_avg_pool1d_backward(g, x.shape, lengths=lengths)
    rows = whole_lengths(lengths, 1)[::-1]
    same = ap.adaptive_avg_pool1d_backward(g[::-1], x.shape, regions=rows)
    assert same.tobytes() == back.tobytes()


def test_windows_that_are_given_keep_what_lies_in_the_part():
    x = np.arange(20.0).reshape(2, 10)
    blocks = [ap.block_windows(10, 4)]
    y, counts = ap.adaptive_avg_pool1d(x, None, windows=blocks, lengths=[6, 10], return_counts=True)
    np.testing.assert_array_equal(y, [[1.5, 4.5, np.nan], [11.5, 15.5, 18.5]])
    assert counts.tolist() == [[4, 2, 0], [4, 4, 2]]
    g = np.array([[4.0, 2.0, 9.0], [4.0, 4.0, 2.0]])
    back = ap.adaptive_avg_pool1d_backward(g, x.shape, windows=blocks, lengths=[6, 10])
    assert back.tolist() == [[1.0] * 6 + [0.0] * 4, [1.0] * 10]
    windows = [(np.array([2, 0, 5]), np.array([4, 6, 6]))]
    values, where = ap.adaptive_max_pool1d(
        x, None, windows=windows, regions=[[1, 3, 8], [0, 0, 2]], return_indices=True, empty=-1
    )
    assert values.tolist() == [[16, 17, -1], [-1, 1, -1]]
    assert where.tolist() == [[6, 7, -1], [-1, 1, -1]]


def test_none_keeps_what_lies_within_the_length():
    x = np.arange(12.0).reshape(2, 2, 3)
    y = ap.adaptive_avg_pool2d(x, (1, None), lengths=[[2, 3], [1, 2]])
    np.testing.assert_array_equal(y, [[[1.5, 2.5, 3.5]], [[6.0, 7.0, np.nan]]])
    with pytest.raises(ValueError, match="output_size must be given for regions"):
        ap.adaptive_avg_pool2d(x, (1, None), regions=[[0, 0, 1, 0, 1]])


def test_counts_and_their_least():
    x = np.arange(8.0).reshape(2, 4)
    y, counts = ap.adaptive_avg_pool1d(x, 2, lengths=[3, 1], min_count=2, return_counts=True)
    assert counts.tolist() == [[2, 2], [1, 1]]
    np.testing.assert_array_equal(y, [[0.5, 1.5], [np.nan, np.nan]])
    y, where, counts = ap.adaptive_max_pool1d(
        x, 2, lengths=[3, 1], min_count=2, return_counts=True, return_indices=True
    )
    assert where.tolist() == [[1, 2], [-1, -1]]
    back = ap.adaptive_avg_pool1d_backward(
        np.array([[2.0, 4.0], [np.inf, 1.0]]), x.shape, lengths=[3, 1], min_count=2
    )
    assert back.tolist() == [[1, 3, 2, 0], [0, 0, 0, 0]]


def test_counts_of_whole_arrays():
    """No lengths and no regions: the array is one part."""
    x = np.arange(10.0).reshape(2, 5)
    y, counts = ap.adaptive_avg_pool1d(x, 3, return_counts=True)
    assert y.tobytes() == ap.adaptive_avg_pool1d(x, 3).tobytes()
    assert counts.tolist() == [[2, 3, 2]] * 2
    y, counts = ap.adaptive_avg_pool2d(x, (2, 1), return_counts=True)
    assert counts.tolist() == [[5], [5]]
    assert ap.adaptive_avg_pool1d(np.arange(5), 3, min_count=3, empty=-7).tolist() == [-7, 2, -7]
    back = ap.adaptive_avg_pool1d_backward(np.ones(3), (5,), min_count=3)
    assert back.tolist() == [0, 1 / 3, 1 / 3, 1 / 3, 0]
    assert ap.adaptive_avg_pool1d(np.zeros((2, 0)), 1, empty=5.0).tolist() == [[5], [5]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_empty_windows_become(dtype):
    x = np.zeros((2, 3), random_array(np.random.default_rng(0), (1,), dtype).dtype)
    integers = x.dtype.kind in "biu"
    lengths = [3, 0]
    if integers:
        with pytest.raises(ValueError, match=r"window \(0,\) of lengths\[1\] has fewer elements"):
            ap.adaptive_max_pool1d(x, 1, lengths=lengths)
    else:
        assert np.isnan(ap.adaptive_max_pool1d(x, 1, lengths=lengths)[1].astype(np.float64)).all()
    assert ap.adaptive_max_pool1d(x, 1, lengths=lengths, empty=1)[1, 0] == 1
    mean = ap.adaptive_avg_pool1d(x, 1, lengths=lengths)
    assert mean.dtype.kind not in "biu"
    bits = {"float16": 0x7E00, "bfloat16": 0x7FC0, "float32": 0x7FC00000}
    word = int(mean[1].view(f"u{mean.itemsize}")[0])
    assert word == bits.get(mean.dtype.name, 0x7FF8000000000000)
    if integers and dtype != "bool":
        with pytest.raises(ValueError, match="has no NaN for it"):
            ap.adaptive_avg_pool1d(x, 1, lengths=lengths, dtype=x.dtype)
        for bad in (np.iinfo(x.dtype).max + 1, 0.5, np.nan, np.inf):
            with pytest.raises(ValueError, match="empty must fit dtype"):
                ap.adaptive_max_pool1d(x, 1, lengths=lengths, empty=bad)


def test_empty_arrays():
    nothing = np.zeros((0, 3), np.int64)
    assert ap.adaptive_avg_pool1d(np.ones((2, 5)), 3, regions=nothing).shape == (0, 3)
    assert ap.adaptive_avg_pool1d(np.ones((2, 5)), 3, regions=[]).shape == (0, 3)
    assert ap.adaptive_avg_pool1d(np.ones((0, 5)), 3, lengths=[]).shape == (0, 3)
    assert ap.adaptive_avg_pool1d(np.ones((2, 5)), 0, lengths=[1, 2]).shape == (2, 0)
    assert ap.adaptive_avg_pool1d(np.ones((2, 0, 5)), 1, lengths=[1, 2]).shape == (2, 0, 1)
    assert np.isnan(ap.adaptive_avg_pool1d(np.ones((2, 0)), 3, lengths=[0, 0])).all()
    assert not ap.adaptive_avg_pool1d_backward(np.ones((0, 1)), (2, 5), regions=[]).any()
    indices = np.zeros((0, 1), np.int64)
    assert not ap.adaptive_max_pool1d_backward(np.ones((0, 1)), indices, (2, 5), regions=[]).any()


X = np.ones((3, 2, 8))
REGION = "0 <= start <= end <= 8 must hold"


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"lengths": [1, 2]}, ValueError, r"lengths must have shape \(3,\): .* got shape \(2,\)"),
        ({"lengths": [[1, 2]] * 3}, ValueError, "lengths must have shape"),
        ({"lengths": 3}, ValueError, "lengths must have shape"),
        ({"lengths": [1, 9, 2]}, ValueError, r"lengths must lie in 0:9 .* got 9 for sample 1"),
        ({"lengths": [1, 2, -1]}, ValueError, "got -1 for sample 2"),
        ({"lengths": np.array([1, 2, 2**64 - 1], np.uint64)}, ValueError, "lengths must fit"),
        ({"lengths": [1.0, 2.0, 3.0]}, TypeError, "lengths must be integers, got dtype float64"),
        ({"lengths": [True, False, True]}, TypeError, "lengths must be integers, got dtype bool"),
        ({"lengths": ["1", "2", "3"]}, TypeError, "lengths"),
        ({"lengths": np.ma.masked_array([1, 2, 3])}, TypeError, "lengths"),
        ({"lengths": [1, 2, 3], "regions": []}, ValueError, "pass lengths or regions, not both"),
        ({"regions": [[0, 0]]}, ValueError, r"regions must have shape \(K, 3\)"),
        ({"regions": [0, 0, 1]}, ValueError, "regions must have shape"),
        ({"regions": [[3, 0, 1]]}, ValueError, r"samples in 0:3, got 3 in regions\[0\]"),
        ({"regions": [[0, 0, 1], [-1, 0, 1]]}, ValueError, r"got -1 in regions\[1\]"),
        ({"regions": [[0, 0, 9]]}, ValueError, f"{REGION}.* got 0 to 9 in regions"),
        ({"regions": [[0, -1, 2]]}, ValueError, f"{REGION}.* got -1 to 2"),
        ({"regions": [[0, 5, 2]]}, ValueError, f"{REGION}.* got 5 to 2"),
        ({"regions": [[0, 0, 1.5]]}, TypeError, "regions must be integers"),
        ({"regions": [[0, 0, 2**63]]}, (TypeError, ValueError), "regions"),
        (
            {"lengths": [1, 2, 3], "windows": "split"},
            ValueError,
            r"leaves window 1 empty .* size 1, that of lengths\[0\]",
        ),
        ({"lengths": [1, 2, 3], "min_count": -1}, ValueError, "min_count must not be negative"),
        ({"lengths": [1, 2, 3], "min_count": 1.5}, TypeError, "min_count must be an integer"),
        ({"lengths": [1, 2, 3], "return_counts": X}, TypeError, "return_counts must be true or"),
        ({"lengths": [1, 2, 3], "empty": "0"}, TypeError, "empty must be a real number"),
        ({"lengths": [1, 2, 3], "empty": [0, 1]}, TypeError, "empty must be a real number"),
        ({"lengths": [1, 2, 3], "empty": 1j}, TypeError, "empty must be a real number"),
        ({"lengths": [1, 2, 3], "empty": np.complex64(1)}, TypeError, "empty must be a real"),
        ({"lengths": [1, 2, 3], "windows": [([0], [9])]}, ValueError, "window 0 from 0 to 9"),
    ],
)
@pytest.mark.parametrize("operation", ["avg", "max"])
def test_bad_arguments(operation, options, error, match):
    """An error that names the function and the rule; nothing is written."""
    size = None if isinstance(options.get("windows"), list) else 4
    out = np.full((3, 2, 1 if size is None else 4), 7.0)
    with pytest.raises(error, match=f"^adaptive_{operation}_pool1d: .*{match}"):
        function(operation, 1)(X, size, out=out, **options)
    assert (out == 7).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients_of_one_region_each(dtype):
    """Whichever of all regions is the one of a sample; and no other NaN comes out."""
    dtype = dtype_of(dtype)
    order = np.array([2, 0, 3, 1])
    regions = np.array([[sample, 0, 8] for sample in order])
    g = np.arange(1, 65, dtype=np.float32).reshape(4, 4, 4).astype(dtype)
    indices = np.broadcast_to(np.arange(4) * 2, g.shape).astype(np.int32)
    result = ap.adaptive_max_pool1d_backward(g, indices, (4, 4, 8), regions=regions)
    expected = np.zeros((4, 4, 8), dtype)
    expected[order, :, ::2] = g
    assert result.tobytes() == expected.tobytes()
    words = g.view(f"u{dtype.itemsize}")
    words[1, 0, 0] |= np.array(-math.nan).astype(dtype).view(words.dtype) | words.dtype.type(5)
    result = ap.adaptive_max_pool1d_backward(g, indices, (4, 4, 8), regions=regions)
    expected[0, 0, 0] = math.nan
    assert result.tobytes() == expected.tobytes()


HUGE = [
    lambda: ap.adaptive_avg_pool1d(many(np.float16, 1, 2**31), 2**60, lengths=[5]),
    lambda: ap.adaptive_avg_pool1d(many(np.float16, 2**31), 2**60, min_count=2),
    lambda: ap.adaptive_avg_pool1d(many(np.float16, 2**60), None, min_count=2),
    lambda: ap.adaptive_avg_pool1d_backward(many(np.float32, 1, 2**60), (1, 10), lengths=[10]),
    lambda: ap.adaptive_avg_pool1d_backward(
        many(np.float32, 1, 2**58), (1, 10), lengths=[10], min_count=2
    ),
    lambda: ap.adaptive_avg_pool1d_backward(
        many(np.float32, 1, 2**58), (1, 9), regions=[[0, 1, 9]]
    ),
    lambda: ap.adaptive_avg_pool1d_backward(
        many(np.float16, 2**10, 2**49), (1, 10), regions=[[0, 1, 10]] * 2**10
    ),
    lambda: ap.adaptive_max_pool1d_backward(
        many(np.float32, 1, 2**58), many(np.int32, 1, 2**58), (1, 9), regions=[[0, 1, 9]]
    ),
    lambda: ap.adaptive_max_unpool1d(
        many(np.uint8, 1, 2**58), many(np.int32, 1, 2**58), (1, 9), regions=[[0, 1, 9]]
    ),
    lambda: ap.adaptive_max_pool2d(many(np.uint8, 1, 4, 4), (1, 2**61 + 1), lengths=[4], empty=0),
    lambda: ap.adaptive_avg_pool1d(many(np.float16, 0, 4), 2**61, return_counts=True),
    lambda: ap.adaptive_max_pool1d(many(np.uint8, 0, 4), 2**62, return_counts=True),
]


def many(dtype, *shape):
    """An array of any shape, of one element."""
    return np.broadcast_to(dtype(0), shape)


@pytest.mark.parametrize("call", HUGE)
def test_sizes_that_no_memory_holds(call):
    """Raised for, by name, before sizes of tables overflow."""
    with pytest.raises((MemoryError, ValueError), match="^adaptive_[a-z]+_[a-z]*pool[12]d"):
        call()


def test_windows_of_too_many_elements_to_count():
    x = many(np.uint8, 2**32, 1)
    for pool in (ap.adaptive_avg_pool2d, ap.adaptive_max_pool2d):
        with pytest.raises(
            ValueError, match=r"more than 4294967295 elements .* got one of 4294967296"
        ):
            pool(x, 1, nodata=5)


def test_arrays_of_as_many_axes_as_there_can_be():
    x = np.arange(4.0).reshape((1,) * (MOST_AXES - 1) + (4,))
    with pytest.raises(ValueError, match=f"with options x must have fewer than {MOST_AXES} axes"):
        ap.adaptive_avg_pool1d(x, 2, min_count=2)
    means = ap.adaptive_avg_pool1d(x[0], 2, min_count=2)
    assert means.ravel().tolist() == [0.5, 2.5]


@pytest.mark.parametrize("shape", [(8,), ()])
def test_parts_need_samples(shape):
    with pytest.raises(ValueError, match="need an axis of samples|must have shape"):
        ap.adaptive_avg_pool1d(np.ones(shape), 2, lengths=[1])


def test_gradients_must_fit_their_parts():
    g = np.ones((2, 2, 4))
    with pytest.raises(ValueError, match="grad_output must have shape .* for 3 regions"):
        ap.adaptive_avg_pool1d_backward(g, X.shape, regions=[[0, 0, 1]] * 3)
    with pytest.raises(ValueError, match="grad_output must have shape .* for 3 regions"):
        ap.adaptive_max_pool1d_backward(g, g.astype(int), X.shape, regions=[[0, 0, 1]] * 3)
    with pytest.raises(ValueError, match="must agree except on the pooled axes"):
        ap.adaptive_avg_pool1d_backward(g, X.shape, lengths=[1, 2, 3])
    out = np.full(X.shape, 7.0)
    with pytest.raises(ValueError, match="got 8"):
        ap.adaptive_max_pool1d_backward(
            g, np.full(g.shape, 8), X.shape, regions=[[0, 0, 1]] * 2, out=out
        )
    assert (out == 7).all()


@pytest.mark.parametrize("pooled", [(0,), (0, 3), (3, 0), (0, 2, 2)])
def test_gradients_of_samples_without_elements(pooled):
    """Only windows without elements are there, and nothing is written."""
    ndim = len(pooled)
    g, shape = np.ones((2, *[1] * ndim), np.float32), (2, *pooled)
    regions = [[0, *[0] * 2 * ndim], [1, *[0] * 2 * ndim]]
    for options in ({"lengths": [[0] * ndim] * 2}, {"regions": regions}, {"min_count": 2}):
        gradient = function("avg", ndim, backward=True)(g, shape, **options)
        assert gradient.shape == shape
    none = np.full(g.shape, -1)
    unpool = getattr(ap, f"adaptive_max_unpool{ndim}d")
    for adjoint in (function("max", ndim, backward=True), unpool):
        for options in ({}, {"regions": regions}, {"out": np.empty(shape, np.float32)}):
            assert adjoint(g, none, shape, **options).shape == shape
            with pytest.raises(ValueError, match="indices must lie in 0:0"):
                adjoint(g, none + 1, shape, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"min_count": np.int64(1)},
        {"return_counts": np.False_},
        {"nan_policy": np.str_("propagate")},
    ],
)
def test_options_equal_to_their_defaults_change_nothing(options):
    """An empty axis is an error if nothing says what its windows become."""
    with pytest.raises(ValueError, match="a pooled axis of x is empty"):
        ap.adaptive_avg_pool1d(np.empty((2, 0)), 2, **options)


def test_gradient_of_an_axis_that_was_kept():
    lengths, n = [4, 6], np.arange(6)
    x = np.arange(12.0).reshape(2, 6)
    assert np.isnan(ap.adaptive_avg_pool1d(x, None, lengths=lengths)[0, 4:]).all()
    g = ap.adaptive_avg_pool1d_backward(x, (2, 6), lengths=lengths, windows=[(n, n + 1)])
    assert g.tolist() == [[0, 1, 2, 3, 0, 0], [6, 7, 8, 9, 10, 11]]


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_results_without_elements(ndim):
    """Output sizes of 0 on all axes: nothing to compute, and nothing to fail at."""
    x = np.ones((2, *range(3, 3 + ndim)), np.float32)
    regions = [[1, *[0, 2] * ndim]]
    sizes, shape = (0,) * ndim, x.shape
    for options in ({"lengths": [1, 2]}, {"regions": regions}, {"min_count": 2}):
        count = 1 if "regions" in options else 2
        y = function("avg", ndim)(x, sizes, **options)
        assert y.shape == (count, *sizes)
        values, indices = function("max", ndim)(x, sizes, return_indices=True, **options)
        assert values.shape == indices.shape == y.shape
        gradient = function("avg", ndim, backward=True)(y, shape, **options)
        assert gradient.shape == shape
        assert not gradient.any()
    unpool = getattr(ap, f"adaptive_max_unpool{ndim}d")
    none = np.empty((1, *sizes), np.float32)
    for adjoint in (function("max", ndim, backward=True), unpool):
        assert not adjoint(none, none.astype(int), shape, regions=regions).any()
