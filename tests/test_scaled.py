"""Averages that are scaled on their way: mean * scale + offset, each operation rounded once."""

import numpy as np
import pytest
from cases import ALL_RULES, DTYPES, dtype_of, random_array, strided
from oracle import function, pooled_back

import adaptive_pool as ap

SIZES = {1: (70,), 2: (13, 31), 3: (6, 7, 11)}
COUNTS = {1: (9,), 2: (4, 9), 3: (2, 6, 3)}
RESULTS = ["float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "uint16"]


def array(rng, ndim, dtype, data_format, lead=(2, 3)):
    return pooled_back(random_array(rng, (*lead, *SIZES[ndim]), dtype), ndim, data_format)


def along(x, ndim, data_format):
    """One number for each channel, so that it broadcasts to a result."""
    return x.reshape(-1, *[1] * ndim) if data_format == "channels_first" else x


def stored(y, name):
    """Numbers of float64 as a dtype has them, each rounded once."""
    dtype = dtype_of(name)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return np.clip(np.rint(np.where(np.isnan(y), 0, y)), info.min, info.max).astype(dtype)
    if name != "bfloat16":
        with np.errstate(over="ignore"):
            return y.astype(dtype)
    # By way of float32, rounded to odd: ml_dtypes rounds twice.
    short = y.astype(np.float32)
    bits = short.view(np.uint32).copy()
    wrong = np.isfinite(y) & (short.astype(np.float64) != y)
    away = wrong & (np.abs(short.astype(np.float64)) > np.abs(y))
    bits[away] -= 1
    bits[wrong] |= 1
    return bits.view(np.float32).astype(dtype)


@pytest.mark.parametrize("result", RESULTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_operation_is_rounded_once(rng, ndim, dtype, result, data_format):
    x = array(rng, ndim, dtype, data_format)
    limit = np.float64(np.abs(x.astype(np.float64)).max()) or 1.0
    scale = rng.uniform(-200, 200, 3) / limit
    offset = rng.uniform(-20, 20, 3)
    pool = function("avg", ndim)
    for windows in ("torch", "area"):
        options = {"data_format": data_format, "windows": windows}
        means = pool(x, COUNTS[ndim], dtype=np.float64, **options)
        expected = means * along(scale, ndim, data_format) + along(offset, ndim, data_format)
        expected = stored(expected, result)
        options |= {"scale": scale, "offset": offset, "dtype": dtype_of(result)}
        for given in (x, strided(x)):
            y = pool(given, COUNTS[ndim], **options)
            assert (y.dtype, y.shape, y.tobytes()) == (
                expected.dtype, expected.shape, expected.tobytes(),
            )  # fmt: skip
            for threads in (1, 3):
                out = strided(np.zeros_like(expected))
                assert pool(given, COUNTS[ndim], out=out, num_threads=threads, **options) is out
                assert out.tobytes() == expected.tobytes()


@pytest.mark.parametrize("windows", [rule for rule in ALL_RULES if rule != "ceil"])
def test_large_results_and_many_axes(rng, windows):
    """Results of many boxes, cut along any axis."""
    cases = [
        ((3, 300, 200), (250, 190)),
        ((40, 64, 14, 14), (7, 7)),
        ((2, 3, 5, 40, 30), (9, 30)),
        ((2, 40, 17400), (1, 17000)),
        ((3000, 9, 5), (3, 5)),
    ]
    for shape, size in cases:
        x = random_array(rng, shape, "float32")
        means = ap.adaptive_avg_pool2d(x, size, windows=windows, dtype=np.float64)
        expected = (means * 0.37 - 2.5).astype(np.float32)
        options = {"scale": 0.37, "offset": -2.5, "windows": windows}
        for threads in (1, 2):
            y = ap.adaptive_avg_pool2d(x, size, num_threads=threads, **options)
            assert y.tobytes() == expected.tobytes()
        last = np.moveaxis(x, -3, -1)
        y = ap.adaptive_avg_pool2d(last, size, data_format="channels_last", **options)
        assert (y == np.moveaxis(expected, -3, -1)).all()
        last = np.ascontiguousarray(last)
        y = ap.adaptive_avg_pool2d(last, size, data_format="channels_last", **options)
        assert (y == np.moveaxis(expected, -3, -1)).all()


@pytest.mark.parametrize("lanes", [300, 9000, 20000])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32"])
def test_windows_of_very_different_lengths(rng, lanes, dtype):
    """Boxes that hold some windows of a table in which another one is all of the axis."""
    x = random_array(rng, (2, 2, lanes), dtype)
    y = random_array(rng, (1, 8, lanes), dtype)
    tables = [([0, 0, 4], [8, 4, 8])]
    for z, size, windows in ((x, 3, "torch"), (x, 3, "area"), (y, None, tables), (y, 5, "torch")):
        options = {"windows": windows, "data_format": "channels_last"}
        means = ap.adaptive_avg_pool1d(z, size, dtype=np.float64, **options)
        expected = (means * 0.5 + 1).astype(np.float32)
        options |= {"scale": 0.5, "offset": 1, "dtype": np.float32}
        for threads in (1, 2, 6):
            result = ap.adaptive_avg_pool1d(z, size, num_threads=threads, **options)
            assert result.tobytes() == expected.tobytes()
        wide = np.ascontiguousarray(z.reshape(z.shape[0], -1, 1, lanes))
        tall = [*tables, ([0], [1])] if windows is tables else windows
        result = ap.adaptive_avg_pool2d(
            wide, None if windows is tables else (size, 1), **{**options, "windows": tall}
        )
        assert result.reshape(expected.shape).tobytes() == expected.tobytes()


def test_windows_without_elements_that_become_integers(rng):
    x = np.full((2, 4, 4), -1, np.int16)
    x[0] = 5
    options = {"nodata": -1, "scale": 2, "offset": 7}
    for pool, given in ((ap.adaptive_avg_pool2d, x), (ap.adaptive_avg_pool2d_ragged, [x, x])):
        with pytest.raises(ValueError, match=r"no NaN for it; say with empty what it becomes"):
            pool(given, 2, dtype=np.uint8, **options)
        y = pool(given, 2, dtype=np.uint8, empty=1, **options)
        assert set(y.ravel().tolist()) == {17, 9}
    with pytest.raises(ValueError, match=r"fewer elements that count than 5, and uint8 has no NaN"):
        ap.adaptive_avg_pool2d(x[0], 2, dtype=np.uint8, min_count=5, scale=2)
    counted = ap.adaptive_avg_pool2d(x, 2, return_counts=True, **options)
    assert np.isnan(counted[0][1]).all()
    assert counted[1].tolist() == [[[4, 4], [4, 4]], [[0, 0], [0, 0]]]


def test_either_alone_and_defaults(rng):
    x = random_array(rng, (3, 8, 8), "uint8")
    means = ap.adaptive_avg_pool2d(x, 3, dtype=np.float64)
    assert ap.adaptive_avg_pool2d(x, 3, scale=2).tobytes() == (2 * means).astype("f4").tobytes()
    y = ap.adaptive_avg_pool2d(x, 3, offset=[1, 2, 3])
    assert (
        y.tobytes()
        == (means + along(np.arange(1.0, 4), 2, "channels_first")).astype("f4").tobytes()
    )
    assert ap.adaptive_avg_pool2d(x[0], 3, scale=-1).dtype == np.float32
    assert ap.adaptive_avg_pool2d(x.astype("i4"), 3, scale=-1).dtype == np.float64


def test_requantised(rng):
    """Half to even, then the nearest number in range; NaN is 0."""
    x = np.array([[0.5, 1.5, 2.5, -0.5, 127.5, 128, -129, np.nan, np.inf, -np.inf]])
    pool = ap.adaptive_avg_pool1d
    assert pool(x, 10, scale=1, dtype=np.int8).tolist() == [
        [0, 2, 2, 0, 127, 127, -128, 0, 127, -128]
    ]
    assert pool(x, 10, scale=1, dtype=np.uint8).tolist() == [[0, 2, 2, 0, 128, 128, 0, 0, 255, 0]]
    x *= 256
    assert pool(x, 10, scale=1, dtype=np.int16).tolist() == [
        [128, 384, 640, -128, 32640, 32767, -32768, 0, 32767, -32768]
    ]
    assert pool(x, 10, scale=2, dtype=np.uint16).tolist() == [
        [256, 768, 1280, 0, 65280, 65535, 0, 0, 65535, 0]
    ]


def test_other_options(rng, data_format):
    """What does not count, regions and counts; `empty` is a mean, which is scaled."""
    x = array(rng, 2, "int16", data_format)
    x[rng.random(x.shape) < 0.6] = -999
    x[0] = -999
    options = {"nodata": -999, "data_format": data_format, "regions": [[0, 0, 9, 0, 9]] * 2}
    options["regions"].append([1, 2, 13, 0, 31])
    means, counts = ap.adaptive_avg_pool2d(x, 4, dtype=np.float64, return_counts=True, **options)
    scale = np.array([0.1, 0.2, 0.3])
    expected = (means * along(scale, 2, data_format) + 5).astype(np.float32)
    y, counted = ap.adaptive_avg_pool2d(x, 4, scale=scale, offset=5, return_counts=True, **options)
    assert (y.tobytes(), counted.tobytes()) == (expected.tobytes(), counts.tobytes())
    assert np.isnan(y).any()
    filled = ap.adaptive_avg_pool2d(x, 4, scale=scale, offset=5, empty=0, **options)
    assert (filled == np.where(np.isnan(y), 5, y)).all()
    out = strided(np.zeros_like(expected))
    assert ap.adaptive_avg_pool2d(x, 4, scale=scale, offset=5, out=out, **options) is out
    assert out.tobytes() == expected.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
def test_lists(rng, ndim, data_format, threads):
    items = [
        pooled_back(random_array(rng, (2, 3, *sizes), "uint8"), ndim, data_format)
        for sizes in [(40,) * ndim, (9, 7, 8)[:ndim], (5,) * ndim] * 30
    ]
    ragged = getattr(ap, f"adaptive_avg_pool{ndim}d_ragged")
    options = {"scale": [0.1, 0.2, -0.3], "offset": 1, "data_format": data_format}
    options |= {"windows": "area", "dtype": np.float16, "num_threads": threads}
    alone = [function("avg", ndim)(x, 6, **options) for x in items]
    y = ragged(items, 6, **options)
    assert (y.dtype, y.tobytes()) == (np.float16, np.stack(alone).tobytes())
    for count in (40, 90):
        out = strided(np.zeros_like(y[:count]))
        assert ragged(items[:count], 6, out=out, **options) is out
        assert out.tobytes() == y[:count].tobytes()
    masks = [rng.random(x.shape) < 0.8 for x in items]
    alone = [
        function("avg", ndim)(x, 2, where=mask, empty=7, **options)
        for x, mask in zip(items[:3], masks, strict=False)
    ]
    y = ragged(items[:3], 2, where=masks[:3], empty=7, **options)
    assert y.tobytes() == np.stack(alone).tobytes()


def test_results_may_overwrite_the_input(rng):
    x = random_array(rng, (3, 8, 8), "float32")
    expected = ap.adaptive_avg_pool2d(x, 8, scale=3)
    assert ap.adaptive_avg_pool2d(x, 8, scale=3, out=x) is x
    assert x.tobytes() == expected.tobytes()


def test_empty_results():
    assert ap.adaptive_avg_pool2d(np.ones((0, 3, 4, 4)), 2, scale=[1, 2, 3]).shape == (0, 3, 2, 2)
    assert ap.adaptive_avg_pool2d(np.ones((3, 4, 4)), 0, scale=2).shape == (3, 0, 0)


def test_bad_arguments(rng):
    x = rng.random((3, 6, 6))
    pool = ap.adaptive_avg_pool2d
    for scale in ([1, 2], [[1, 2, 3]], np.ones((3, 1, 1))):
        with pytest.raises(ValueError, match=r"scale must be a number, or one for each of 3 chan"):
            pool(x, 2, scale=scale)
    with pytest.raises(ValueError, match=r"pool2d: offset must be a number; got shape \(3,\)"):
        pool(x[0], 2, offset=[1, 2, 3])
    with pytest.raises(TypeError, match=r"pool2d: offset must be an array of numbers, got 'one'"):
        pool(x, 2, offset="one")
    with pytest.raises(TypeError, match=r"pool2d: offset must have one of the dtypes"):
        pool(x, 2, offset=1j)
    for dtype in ("int32", "bool", ">f4", "complex64"):
        with pytest.raises(TypeError, match=r"dtype must be one of float16.* that are scaled"):
            pool(x, 2, scale=1, dtype=dtype)
    with pytest.raises(TypeError, match=r"pool2d: dtype must be one of"):
        pool(x, 2, dtype=np.int8)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'scale'"):
        ap.adaptive_max_pool2d(x, 2, scale=1)
    with pytest.raises(ValueError, match=r"ragged: scale must be a number, or one for each of 3"):
        ap.adaptive_avg_pool2d_ragged([x], 2, scale=[1, 2])
