"""Averages and maxima from one read: each is what its own call gives, to the bit."""

import numpy as np
import pytest
from cases import DTYPES, FLOATS, random_array, same, strided
from oracle import function, pooled_back

import adaptive_pool as ap
from adaptive_pool import _together
from adaptive_pool._targets import check_apart

SIZES = {1: (500,), 2: (20, 31), 3: (5, 6, 11)}
COUNTS = {1: (7,), 2: (3, 5), 3: (2, 6, 3)}


@pytest.fixture(autouse=True, params=[False, True], ids=["calls", "one-read"])
def one_read(request, monkeypatch):
    """Small arrays are pooled by a call for each result, unless they are read once, too."""
    if request.param:
        monkeypatch.setattr(_together, "_SMALL", -1)


def both(ndim, backward=False):
    return getattr(ap, f"adaptive_avg_max_pool{ndim}d{'_backward' if backward else ''}")


def array(rng, ndim, dtype, data_format, lead=(2, 3)):
    return pooled_back(random_array(rng, (*lead, *SIZES[ndim]), dtype), ndim, data_format)


def alone(x, ndim, **options):
    means = function("avg", ndim)(x, COUNTS[ndim], **options)
    return (means, *function("max", ndim)(x, COUNTS[ndim], return_indices=True, **options))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_is_that_of_its_own_call(rng, ndim, dtype, data_format, threads):
    for lead in ((3,), (40, 9), (2, 3, 2, 2)):
        x = array(rng, ndim, dtype, data_format, lead)
        for given in (x, strided(x), x[::-1]):
            expected = alone(given, ndim, data_format=data_format)
            options = {"data_format": data_format, "num_threads": threads}
            results = both(ndim)(given, COUNTS[ndim], **options)
            assert type(results) is tuple
            assert same(results, expected[:2])
            assert same(both(ndim)(given, COUNTS[ndim], True, **options), expected)
            for make in (np.zeros_like, lambda y: strided(np.zeros_like(y))):
                out = tuple(make(y) for y in expected)
                results = both(ndim)(given, COUNTS[ndim], True, out=out, **options)
                assert all(a is b for a, b in zip(results, out, strict=True))
                assert same(results, expected)


@pytest.mark.parametrize("shape", [(300, 56, 56), (2, 700, 900), (3, 40, 40, 130), (9, 1, 70000)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_inputs_of_many_strips(rng, shape, dtype):
    x = random_array(rng, shape, dtype)
    for size in (1, (1, 7), (40, 1), 6):
        for threads in (1, 2):
            expected = ap.adaptive_avg_pool2d(x, size), ap.adaptive_max_pool2d(x, size)
            assert same(ap.adaptive_avg_max_pool2d(x, size, num_threads=threads), expected)


@pytest.mark.parametrize("windows", ["split", "uniform", "ceil"])
def test_rules_dtypes_and_tables(rng, ndim, windows):
    x = array(rng, ndim, "int16", "channels_first")
    means = function("avg", ndim)(x, COUNTS[ndim], windows=windows, dtype="int16")
    maxima, places = function("max", ndim)(
        x, COUNTS[ndim], windows=windows, return_indices=True, index_dtype=np.int32
    )
    options = {"dtype": "int16", "index_dtype": np.int32, "return_indices": True}
    assert same(both(ndim)(x, COUNTS[ndim], windows=windows, **options), (means, maxima, places))
    tables = [
        ap.pool_windows(i, o, windows) for i, o in zip(SIZES[ndim], COUNTS[ndim], strict=True)
    ]
    assert same(both(ndim)(x, None, windows=tables, **options), (means, maxima, places))


def test_options(rng, data_format):
    x = array(rng, 2, "float32", data_format)
    x[rng.random(x.shape) < 0.2] = np.nan
    mask = rng.random(x.shape) < 0.7
    options = {"where": mask, "nan_policy": "omit", "min_count": 20, "empty": -3}
    options |= {"data_format": data_format, "lengths": [11, 20]}
    expected = alone(x, 2, **options)
    counts = ap.adaptive_avg_pool2d(x, COUNTS[2], return_counts=True, **options)[1]
    assert same(both(2)(x, COUNTS[2], **options), expected[:2])
    results = both(2)(x, COUNTS[2], True, return_counts=True, **options)
    assert same(results, (*expected, counts))
    out = tuple(strided(np.zeros_like(y)) for y in expected[:2])
    results = both(2)(x, COUNTS[2], return_counts=True, out=out, **options)
    assert results[0] is out[0]
    assert same(results, (*expected[:2], counts))


@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients_are_the_sum(rng, ndim, dtype, data_format):
    x = array(rng, ndim, dtype, data_format)
    means, _, places = both(ndim)(x, COUNTS[ndim], True, data_format=data_format)
    g, h = (random_array(rng, means.shape, dtype) for _ in range(2))
    expected = function("avg", ndim, backward=True)(g, x.shape, data_format=data_format)
    expected += function("max", ndim, backward=True)(h, places, x.shape, data_format=data_format)
    back = both(ndim, backward=True)
    assert same([back(g, h, places, x.shape, data_format=data_format)], [expected])
    out = strided(np.zeros_like(x))
    assert back(g, h, places, x.shape, data_format=data_format, out=out) is out
    assert same([out], [expected])


def test_gradients_with_options(rng):
    x = random_array(rng, (3, 2, 9, 9), "float64")
    mask = rng.random(x.shape) < 0.5
    regions = [[0, 0, 9, 0, 9], [2, 1, 8, 2, 7], [2, 0, 5, 0, 5]]
    options = {"where": mask, "regions": regions}
    _, _, places = ap.adaptive_avg_max_pool2d(x, 2, True, empty=0, **options)
    g, h = rng.random((2, 3, 2, 2, 2))
    expected = ap.adaptive_avg_pool2d_backward(g, x.shape, **options)
    expected += ap.adaptive_max_pool2d_backward(h, places, x.shape, regions=regions)
    result = ap.adaptive_avg_max_pool2d_backward(g, h, places, x.shape, **options)
    assert same([result], [expected])


def test_empty_results(rng):
    x = np.ones((2, 0, 5), np.float32)
    means, maxima = ap.adaptive_avg_max_pool2d(x, (0, 3))
    assert means.shape == maxima.shape == (2, 0, 3)
    with pytest.raises(ValueError, match=r"adaptive_avg_max_pool2d: a pooled axis of x is empty"):
        ap.adaptive_avg_max_pool2d(x, 1)


def test_bad_arguments(rng):
    x = rng.random((2, 6, 6))
    pool = ap.adaptive_avg_max_pool2d
    with pytest.raises(ValueError, match=r"adaptive_avg_max_pool2d: windows 'area' weigh"):
        pool(x, 2, windows="area")
    out = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    for given in (out[0], [*out], out[:1], (*out, out[0])):
        with pytest.raises(TypeError, match=r"out must be a tuple of 2 arrays: for means, maxima$"):
            pool(x, 2, out=given)
    with pytest.raises(ValueError, match=r"out\[1\] must have shape \(2, 2, 2\)"):
        pool(x, 2, out=(out[0], out[1][0]))
    with pytest.raises(ValueError, match=r"out\[0\] and out\[1\] must not share memory"):
        pool(x, 2, out=(out[0], out[0]))
    assert not out[0].any()
    with pytest.raises(TypeError, match=r"pool2d: index_dtype must be int32 or int64, got int8"):
        pool(x, 2, True, index_dtype=np.int8)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'offsets'"):
        pool(x, 2, offsets=[0])
    with pytest.raises(TypeError, match=r"gradients must have one dtype, got float64 and float32"):
        ap.adaptive_avg_max_pool2d_backward(
            np.ones((2, 1, 1)), np.ones((2, 1, 1), "f4"), np.zeros((2, 1, 1), int), x.shape
        )
    with pytest.raises(ValueError, match=r"grad_means and grad_maxima must have one shape, got"):
        ap.adaptive_avg_max_pool2d_backward(
            np.ones((2, 1, 1)), np.ones((2, 2, 2)), np.zeros((2, 2, 2), int), x.shape
        )
    with pytest.raises(ValueError, match=r"pool2d_backward: windows 'area' weigh"):
        ap.adaptive_avg_max_pool2d_backward(
            np.ones((2, 1, 1)),
            np.ones((2, 1, 1)),
            np.zeros((2, 1, 1), int),
            x.shape,
            windows="area",
        )
    with pytest.raises(ValueError, match=r"backward: grad_maxima: indices must lie in 0:36"):
        ap.adaptive_avg_max_pool2d_backward(
            np.ones((2, 1, 1)), np.ones((2, 1, 1)), np.full((2, 1, 1), 36), x.shape
        )


def test_inputs_of_which_one_element_stands_for_all():
    """Strips are bounded by jobs, and shares of jobs do not overflow."""
    one = [(np.array([0]), np.array([1]))]
    wide = np.broadcast_to(np.float64(1), (2**10, 2**49))
    for threads in (1, 5):
        means, maxima = ap.adaptive_avg_max_pool1d(wide, None, windows=one, num_threads=threads)
        assert (means == 1).all()
        assert (maxima == 1).all()
    tall = np.broadcast_to(np.float64(1), (2**21, 2**38))
    y = ap.spatial_pyramid_pool1d(tall, None, windows=[one, one], num_threads=2)
    assert all((each == 1).all() for each in y)
    line = np.broadcast_to(np.float64(1), (2**59,))
    assert ap.spatial_pyramid_pool1d(line, None, windows=[one])[0] == 1


def test_results_that_interleave_may_not_share_memory(rng):
    """The second and the third overlap; both lie inside what the first spans."""
    memory = np.zeros(200)
    a, b, c = memory[0:100:2], memory[1:21:2], memory[11:31:2]
    check_apart("f", [a, b])
    for arrays in ([a, b, c], [c, b, a], [b, a, c]):
        with pytest.raises(ValueError, match=r"f: out\[\d\] and out\[\d\] must not share memory"):
            check_apart("f", arrays)


def test_a_number_of_threads_is_asked_for_once():
    class Threads:
        asked = 0

        def __index__(self):
            self.asked += 1
            return 2

    x = np.ones((3, 90, 90))
    for call in (
        lambda n: ap.adaptive_avg_max_pool2d(x, 7, num_threads=n),
        lambda n: ap.spatial_pyramid_pool2d(x, (1, 2, 3, 6), reduce=("avg", "max"), num_threads=n),
        lambda n: ap.pyramid(x, 4, reduce="max", num_threads=n),
    ):
        threads = Threads()
        call(threads)
        assert threads.asked == 1


def test_results_may_overwrite_the_input(rng):
    x = random_array(rng, (4, 6, 6), "float32")
    expected = ap.adaptive_avg_max_pool2d(x.copy(), 6)
    assert same(ap.adaptive_avg_max_pool2d(x, 6, out=(x, np.zeros_like(x))), expected)
