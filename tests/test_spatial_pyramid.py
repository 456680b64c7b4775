"""Several output sizes from one read: each result is what its own call gives, to the bit."""

import numpy as np
import pytest
from cases import DTYPES, FLOATS, random_array, same, strided
from oracle import function, pooled_back

import adaptive_pool as ap
from adaptive_pool import _together

SIZES = {1: (300,), 2: (13, 31), 3: (6, 7, 11)}
PYRAMIDS = {1: (1, 2, 3, 6), 2: (1, 2, (3, 4), (None, 1), 6), 3: (1, (2, 1, 3), 4)}


@pytest.fixture(autouse=True, params=[False, True], ids=["calls", "one-read"])
def one_read(request, monkeypatch):
    """Small arrays are pooled by a call for each result, unless they are read once, too."""
    if request.param:
        monkeypatch.setattr(_together, "_SMALL", -1)


def spatial(ndim, backward=False):
    return getattr(ap, f"spatial_pyramid_pool{ndim}d{'_backward' if backward else ''}")


def array(rng, ndim, dtype, data_format, lead=(2, 3)):
    return pooled_back(random_array(rng, (*lead, *SIZES[ndim]), dtype), ndim, data_format)


def alone(x, ndim, operation, **options):
    return [function(operation, ndim)(x, size, **options) for size in PYRAMIDS[ndim]]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_is_that_of_its_own_call(rng, ndim, dtype, data_format, threads):
    options = {"data_format": data_format, "num_threads": threads}
    for lead in ((3,), (20, 9), (2, 3, 2, 2)):
        x = array(rng, ndim, dtype, data_format, lead)
        for given in (x, strided(x)):
            means = alone(given, ndim, "avg", data_format=data_format)
            maxima = alone(given, ndim, "max", data_format=data_format)
            for reduce, expected in (
                ("avg", means),
                ("max", maxima),
                (("max", "avg"), maxima + means),
            ):
                results = spatial(ndim)(given, PYRAMIDS[ndim], reduce=reduce, **options)
                assert type(results) is list
                assert same(results, expected)
                out = [strided(np.zeros_like(y)) for y in expected]
                results = spatial(ndim)(given, PYRAMIDS[ndim], reduce=reduce, out=out, **options)
                assert all(a is b for a, b in zip(results, out, strict=True))
                assert same(results, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_indices(rng, ndim, dtype, data_format):
    x = array(rng, ndim, dtype, data_format)
    options = {"data_format": data_format, "return_indices": True, "index_dtype": np.int32}
    pairs = alone(x, ndim, "max", **options)
    means = alone(x, ndim, "avg", data_format=data_format)
    results, indices = spatial(ndim)(x, PYRAMIDS[ndim], reduce=("avg", "max"), **options)
    assert same(results, means + [values for values, _ in pairs])
    assert same(indices, [places for _, places in pairs])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "bfloat16", "float64"])
def test_maxima_of_maxima(rng, dtype):
    """Zeros of either sign and NaNs of many bits: which of them wins depends on their order."""
    for special in ((), (0.0,), (0.0, -0.0), (np.nan,), (np.nan, -np.nan), (np.inf, -np.inf)):
        x = -np.abs(random_array(rng, (30, 24, 36), dtype)) if dtype != "uint8" else (
            random_array(rng, (30, 24, 36), dtype)
        )  # fmt: skip
        if special and x.dtype.kind not in "iu":
            chosen = rng.choice(special, x.shape).astype(x.dtype)
            x = np.where(rng.random(x.shape) < 0.3, chosen, x)
        for sizes in ((1, 2, 3, 6), (6, 3, 2, 1), (5, 7, 1), ((4, 9), (2, 3), (2, 9), (1, 1))):
            expected = [ap.adaptive_max_pool2d(x, size) for size in sizes]
            assert same(ap.spatial_pyramid_pool2d(x, sizes, reduce="max"), expected)


def test_windows_of_all_kinds(rng):
    """Maxima of windows in disorder, with gaps, overlaps and repeats."""
    x = random_array(rng, (5, 40), "float32")
    tables = [
        ([0, 10, 20, 30], [10, 20, 30, 40]),
        ([0, 20], [20, 40]),
        ([20, 0], [40, 20]),
        ([0, 30], [10, 40]),
        ([0], [40]),
        ([5], [25]),
        ([0, 0, 10], [20, 20, 40]),
        ([10, 5], [15, 30]),
    ]
    for order in ([0, 1, 2, 3, 4, 5, 6, 7], [7, 6, 4, 0], [3, 4], [6, 4, 1], [2, 4]):
        windows = [[tables[k]] for k in order]
        expected = [ap.adaptive_max_pool1d(x, None, windows=cut) for cut in windows]
        assert same(ap.spatial_pyramid_pool1d(x, None, reduce="max", windows=windows), expected)


def test_rows_columns_and_tiles_by_tables(rng):
    x = random_array(rng, (2, 30, 40), "uint8")
    rows = [([0, 11], [12, 30]), ([0], [40])]
    tiles = [([0, 11], [12, 30]), ([0, 7, 21], [7, 21, 40])]
    windows = [rows, tiles, "area"]
    sizes = (None, None, (4, 5))
    expected = [
        ap.adaptive_avg_pool2d(x, size, windows=cut)
        for size, cut in zip(sizes, windows, strict=True)
    ]
    assert same(ap.spatial_pyramid_pool2d(x, sizes, windows=windows), expected)
    assert same(ap.spatial_pyramid_pool2d(x, None, windows=windows[:2]), expected[:2])


def test_flat(rng, ndim, data_format):
    x = array(rng, ndim, "float32", data_format, (2, 4, 3))
    options = {"data_format": data_format, "reduce": ("avg", "max")}
    results = spatial(ndim)(x, PYRAMIDS[ndim], **options)
    expected = np.concatenate([y.reshape(2, 4, -1) for y in results], axis=-1)
    assert same([spatial(ndim)(x, PYRAMIDS[ndim], flatten=True, **options)], [expected])
    out = strided(np.zeros_like(expected))
    assert spatial(ndim)(x, PYRAMIDS[ndim], flatten=True, out=out, **options) is out
    assert same([out], [expected])


def test_flat_integers_need_one_dtype(rng):
    x = random_array(rng, (3, 8, 8), "uint8")
    options = {"reduce": ("avg", "max"), "flatten": True}
    with pytest.raises(TypeError, match=r"must have one dtype, got float32 and uint8; pass dtype"):
        ap.spatial_pyramid_pool2d(x, **options)
    assert ap.spatial_pyramid_pool2d(x, dtype=np.uint8, **options).dtype == np.uint8
    with pytest.raises(ValueError, match=r"flatten needs a channel axis, 3 axes at least, got"):
        ap.spatial_pyramid_pool2d(x[0], flatten=True)


def test_options(rng, data_format):
    x = array(rng, 2, "float32", data_format)
    x[rng.random(x.shape) < 0.2] = np.nan
    options = {"nan_policy": "omit", "min_count": 9, "empty": -3, "data_format": data_format}
    options["regions"] = [[1, 0, 13, 0, 31], [0, 2, 10, 3, 20]]
    sizes, reduce = (1, 2, (3, 4)), ("avg", "max")
    means, maxima = (
        [function(operation, 2)(x, size, **options) for size in sizes] for operation in reduce
    )
    assert same(ap.spatial_pyramid_pool2d(x, sizes, reduce=reduce, **options), means + maxima)
    options["return_indices"] = True
    pairs = [ap.adaptive_max_pool2d(x, size, **options) for size in sizes]
    results, indices = ap.spatial_pyramid_pool2d(x, sizes, reduce=reduce, **options)
    assert same(results + indices, means + maxima + [places for _, places in pairs])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("flatten", [False, True])
def test_gradients(rng, ndim, dtype, data_format, flatten):
    x = array(rng, ndim, dtype, data_format)
    sizes, options = PYRAMIDS[ndim], {"data_format": data_format}
    results, indices = spatial(ndim)(
        x, sizes, reduce=("avg", "max"), return_indices=True, **options
    )
    gradients = [random_array(rng, y.shape, dtype) for y in results]
    count, expected = len(sizes), None
    for k, g in enumerate(gradients):
        if k < count:
            one = function("avg", ndim, backward=True)(g, x.shape, **options)
        else:
            one = function("max", ndim, backward=True)(g, indices[k - count], x.shape, **options)
        expected = one if expected is None else expected + one
    given = gradients
    if flatten:
        given = np.concatenate([g.reshape(*g.shape[: -ndim - 1], -1) for g in gradients], axis=-1)
    options |= {"reduce": ("avg", "max"), "indices": indices, "flatten": flatten}
    back = spatial(ndim, backward=True)
    assert same([back(given, x.shape, sizes, **options)], [expected])
    out = strided(np.zeros_like(x))
    assert back(given, x.shape, sizes, out=out, **options) is out
    assert same([out], [expected])


def test_bad_arguments(rng):
    x = rng.random((2, 6, 6))
    pool = ap.spatial_pyramid_pool2d
    for sizes in ((), [1] * 1001):
        with pytest.raises(ValueError, match=r"pool2d: sizes must have 1 to 1000 entries, got"):
            pool(x, sizes)
    with pytest.raises(ValueError, match=r"pool2d: sizes\[1\] must not be negative, got -1"):
        pool(x, (1, -1))
    with pytest.raises(ValueError, match=r"a result of shape .* is too large to address"):
        ap.spatial_pyramid_pool1d(np.empty((0, 2, 5)), (2**58,) * 6, flatten=True)
    with pytest.raises(TypeError, match=r"pool2d: sizes must be a sequence, got int"):
        pool(x, 3)
    for reduce in (None, "mean", ("avg", "avg"), ("avg", 1), ["min"]):
        with pytest.raises(ValueError, match=r"reduce must be 'avg', 'max' or a sequence of both"):
            pool(x, reduce=reduce)
    with pytest.raises(ValueError, match=r"windows 'area' weigh elements"):
        pool(x, reduce=("avg", "max"), windows="area")
    with pytest.raises(ValueError, match=r"sizes must be given where windows is a rule"):
        pool(x, None)
    with pytest.raises(ValueError, match=r"an entry for each of 2 sizes, got 1"):
        pool(x, (1, 2), windows=["torch"])
    with pytest.raises(TypeError, match=r"pass out or return_indices, not both"):
        pool(x, (1,), reduce="max", return_indices=True, out=[np.zeros((2, 1, 1))])
    with pytest.raises(ValueError, match=r"out must have 2 arrays, got 1"):
        pool(x, (1, 2), out=[np.zeros((2, 1, 1))])
    shared = np.zeros((2, 2, 2))
    with pytest.raises(ValueError, match=r"out\[0\] and out\[1\] must not share memory"):
        pool(x, (1, 2), out=[shared[:, :1, :1], shared])
    assert not shared.any()
    back = ap.spatial_pyramid_pool2d_backward
    with pytest.raises(ValueError, match=r"grad_outputs must have 4 arrays, got 1"):
        back([np.ones((2, 1, 1))], x.shape)
    with pytest.raises(TypeError, match=r"maxima need indices, which return_indices gives"):
        back([np.ones((2, 1, 1))], x.shape, (1,), reduce="max")
    with pytest.raises(ValueError, match=r"indices must have 1 arrays, one for the maxima of each"):
        back([np.ones((2, 1, 1))], x.shape, (1,), reduce="max", indices=[0, 1])
    with pytest.raises(ValueError, match=r"grad_outputs must have shape \(10,\) for input_shape"):
        back(np.ones(9), x.shape, (1, 2), flatten=True)
    for shape in ((3, 2, 2), (2, 3, 3), (2, 1, 4), (2, 2)):
        with pytest.raises(ValueError, match=r"grad_outputs\[1\] must have shape \(2, 2, 2\) for"):
            back([np.ones((2, 1, 1)), np.ones(shape)], x.shape, (1, 2))
