"""The C interface gives the bits of the functions, and refuses what they refuse."""

import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from c_interface import describe, empty, pool, release, run, table
from cases import ALL_RULES, DTYPES, FLOATS, random_array, same, strided
from processes import python

import adaptive_pool as ap
from adaptive_pool import _c_interface, _kernels

SHAPES = {1: (2, 3, 11), 2: (2, 3, 9, 11), 3: (2, 5, 6, 7)}
SIZES = {1: (4,), 2: (3, 4), 3: (2, 3, 4)}
AVERAGE = {n: getattr(ap, f"adaptive_avg_pool{n}d") for n in (1, 2, 3)}
MAXIMUM = {n: getattr(ap, f"adaptive_max_pool{n}d") for n in (1, 2, 3)}


def test_an_average_of_four_numbers():
    x, y = np.array([1.0, 3.0, 5.0, 9.0]), empty(2, "float64")
    pool("average", x, y, output_size=(2,))
    assert y.tolist() == [2, 7]


def test_maxima_and_their_indices():
    x, y, where = np.array([1, 3, 9, 5], np.uint8), empty(2, "uint8"), empty(2, "int64")
    pool("maximum", x, y, where, output_size=(2,), indices="int64")
    assert (y.tolist(), where.tolist()) == ([3, 9], [1, 2])


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "strides"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_averages_are_those_of_the_function(rng, ndim, dtype, data_format, packed):
    last = data_format == "channels_last"
    x = random_array(rng, SHAPES[ndim], dtype)
    if last:
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    wanted = AVERAGE[ndim](x, SIZES[ndim], data_format=data_format)
    y = empty(wanted.shape, wanted.dtype)
    pool("average", x, y, output_size=SIZES[ndim], last=last, packed=packed)
    assert same([y], [wanted])


@pytest.mark.parametrize("indices", [None, "int32", "int64"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_maxima_are_those_of_the_function(rng, ndim, dtype, indices):
    x = random_array(rng, SHAPES[ndim], dtype)
    wanted, places = MAXIMUM[ndim](
        x, SIZES[ndim], return_indices=True, index_dtype=indices or "int64"
    )
    results = [empty(wanted.shape, wanted.dtype)]
    if indices:
        results.append(empty(wanted.shape, indices))
    pool("maximum", x, *results, output_size=SIZES[ndim], indices=indices)
    assert same(results, [wanted, places][: len(results)])


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "strides"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_gradients_are_those_of_the_functions(rng, ndim, dtype, packed):
    x, size = random_array(rng, SHAPES[ndim], dtype), SIZES[ndim]
    y, places = MAXIMUM[ndim](x, size, return_indices=True)
    gradient = random_array(rng, y.shape, dtype)
    result = empty(x.shape, dtype)
    given = {"output_size": size, "shape": x.shape, "packed": packed}
    pool("average_backward", gradient, result, **given)
    backward = getattr(ap, f"adaptive_avg_pool{ndim}d_backward")
    assert same([result], [backward(gradient, x.shape)])
    pool("maximum_backward", gradient, places, result, **given)
    backward = getattr(ap, f"adaptive_max_pool{ndim}d_backward")
    assert same([result], [backward(gradient, places, x.shape)])


@pytest.mark.parametrize("rule", ALL_RULES)
def test_rules(rng, rule):
    x, y = random_array(rng, (3, 14, 10), "float32"), empty((3, 5, 4), "float32")
    pool("average", x, y, output_size=(5, 4), windows=rule)
    assert same([y], [ap.adaptive_avg_pool2d(x, (5, 4), windows=rule)])


def test_windows_that_are_given(rng):
    x, y = random_array(rng, (3, 12, 10), "float32"), empty((3, 2, 3), "float32")
    windows = [([0, 5], [7, 12]), ([0, 1, 8], [1, 9, 10])]
    pool("average", x, y, output_size=(2, 3), windows=windows)
    assert same([y], [ap.adaptive_avg_pool2d(x, None, windows=windows)])


def test_an_axis_that_is_kept(rng):
    x, y = random_array(rng, (3, 6, 4), "float32"), empty((3, 6, 2), "float32")
    pool("average", x, y, output_size=(None, 2))
    assert same([y], [ap.adaptive_avg_pool2d(x, (None, 2))])


def test_another_type_for_means(rng):
    x, y = random_array(rng, (3, 6, 4), "uint8"), empty((3, 2, 2), "uint8")
    pool("average", x, y, output_size=(2, 2), result="uint8")
    assert same([y], [ap.adaptive_avg_pool2d(x, 2, dtype=np.uint8)])


def views(x):
    yield "strided", strided(x)
    yield "transposed", np.asfortranarray(x)
    shifted = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    shifted[...] = x
    yield "unaligned", shifted
    yield "broadcast", np.broadcast_to(x[:1], x.shape)


@pytest.mark.parametrize("kind", ["strided", "transposed", "unaligned", "broadcast"])
@pytest.mark.parametrize("operation", ["average", "maximum"])
def test_inputs_of_any_strides(rng, operation, kind):
    x = dict(views(random_array(rng, (4, 3, 2, 9, 11), "float32")))[kind]
    y = empty((4, 3, 2, 3, 4), "float32")
    pool(operation, x, y, output_size=(3, 4))
    function = {"average": ap.adaptive_avg_pool2d, "maximum": ap.adaptive_max_pool2d}[operation]
    assert same([y], [function(x, (3, 4))])


def test_results_of_any_strides(rng):
    x = random_array(rng, (4, 3, 9, 11), "float32")
    y = empty((4, 3, 3, 8), "float32")
    pool("average", x, y[::-1, ..., ::2], output_size=(3, 4))
    assert same([y[::-1, ..., ::2].copy()], [ap.adaptive_avg_pool2d(x, (3, 4))])
    assert (y[..., 1::2] == 7).all()


def test_a_plan_is_run_by_many_threads(rng):
    x = random_array(rng, (8, 16, 60, 60), "float32")
    wanted = ap.adaptive_avg_pool2d(x, 7)
    plan = describe("average", "float32", x.shape, (7, 7))
    results = [empty(wanted.shape, "float32") for _ in range(6)]
    given = [
        threading.Thread(target=run, args=(plan, x, y), kwargs={"threads": k % 3})
        for k, y in enumerate(results)
    ]
    for thread in given:
        thread.start()
    for thread in given:
        thread.join()
    release(plan)
    assert same(results, [wanted] * len(results))


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 3, 4)], ids=["no planes", "no outputs"])
def test_nothing_to_do(shape):
    x, y = empty(shape, "float32"), empty((shape[0], 0, 2), "float32")
    pool("average", x, y, output_size=(0, 2))
    result = empty(shape, "float32")
    pool("average_backward", y, result, output_size=(0, 2), shape=shape)
    assert (result == 0).all()


def test_gradients_of_no_windows_are_zeros_at_any_strides():
    result = empty((2, 3, 8), "float32")
    none = empty((2, 0, 0), "float32")
    places = empty((2, 0, 0), "int64")
    given = {"output_size": (0, 0), "shape": (2, 3, 4)}
    pool("maximum_backward", none, places, result[..., ::2], **given)
    assert (result[..., ::2] == 0).all()
    assert (result[..., 1::2] == 7).all()


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"output_size": (-2, 2)}, ValueError, "no length may be negative"),
        ({"output_size": (2**40, 2**40)}, ValueError, "is too large to address"),
        ({"windows": "gaussian"}, ValueError, "unknown window rule 'gaussian'"),
        ({"windows": "split", "output_size": (9, 2)}, ValueError, "leaves window 5 empty"),
        ({"result": "int16"}, TypeError, "dtype must be one of"),
        ({"indices": "int64"}, ValueError, "index_dtype is for maxima"),
        ({"shape": (-1, 5, 6)}, ValueError, "no length may be negative"),
        ({"shape": (6,)}, ValueError, "x must have shape (..., H, W)"),
        ({"shape": ()}, ValueError, "a problem has 1 to 64 axes"),
        ({"output_size": ()}, ValueError, "of which 1 to 3 are pooled"),
        ({"shape": (0, 2**62, 2**62)}, ValueError, "x of shape (0, 46116"),
        ({"shape": (2**21, 2**21, 2**21)}, ValueError, "is too large to address"),
        ({"dtype": None}, ValueError, "dtype must be given"),
        ({"windows": [([0, 0], [9, 5]), ([0, 0], [6, 6])]}, ValueError, "0 <= start < end <= 5"),
    ],
)
def test_a_problem_that_is_refused(given, error, text):
    problem = {"dtype": "float32", "shape": (3, 5, 6), "output_size": (2, 2), **given}
    dtype, shape, size = (problem.pop(name) for name in ("dtype", "shape", "output_size"))
    with pytest.raises(error) as raised:
        describe("average", dtype, shape, size, **problem)
    assert text in str(raised.value)


@pytest.mark.parametrize("operation", ["maximum", "maximum_backward"])
def test_maxima_have_no_areas(operation):
    with pytest.raises(ValueError, match="windows 'area' weigh elements"):
        describe(operation, "float32", (5, 6), (2, 2), windows="area")


def test_gradients_are_floats():
    with pytest.raises(TypeError, match="must have one of the dtypes float16"):
        describe("average_backward", "int32", (5, 6), (2, 2))


def test_an_error_without_words_is_one():
    class Silent(Exception):
        def __str__(self):
            raise MemoryError

    def raise_it(*_):
        raise Silent

    _kernels.c_interface.prepare(raise_it)
    try:
        with pytest.raises(MemoryError, match="no memory to say what is wrong"):
            describe("average", "float32", (5, 6), (2, 2))
    finally:
        _kernels.c_interface.prepare(_c_interface._describe)


def test_the_text_of_an_error_is_cut_off():
    with pytest.raises(ValueError, match="unknown window rule") as raised:
        describe("average", "float32", (5, 6), (2, 2), windows="x" * 10000)
    assert len(str(raised.value)) <= 507


@pytest.mark.parametrize("place", [-2, 30, 2**40])
def test_indices_are_checked_before_anything_is_written(place):
    gradient, result = np.ones((2, 2), np.float32), empty((5, 6), "float32")
    places = np.zeros((2, 2), np.int64)
    places[1, 1] = place
    with pytest.raises(ValueError, match="indices must lie in the plane"):
        pool("maximum_backward", gradient, places, result, output_size=(2, 2), shape=(5, 6))
    assert (result == 7).all()


@pytest.mark.parametrize("operation", ["average", "maximum"])
def test_results_must_be_aligned(operation):
    x = np.ones((4, 6), np.float32)
    y = np.full(17, 7, np.uint8)[1:].view(np.float32).reshape(2, 2)
    with pytest.raises(ValueError, match="is not aligned"):
        pool(operation, x, y, output_size=(2, 2))
    assert (y.view(np.uint8) == 7).all()


def test_arrays_must_be_given():
    plan = describe("average", "float32", (4, 6), (2, 2))
    x = np.ones((4, 6), np.float32)
    status = table().run(plan, (type(plan) * 2)(x.ctypes.data, None), None, 1, None)
    assert status == 2
    assert table().run(None, (type(plan) * 2)(), None, 1, None) == 2
    assert table().run(plan, None, None, 1, None) == 2
    release(plan)


def test_many_plans_leave_nothing_behind():
    def plans(count):
        for _ in range(count):
            release(describe("maximum", "float32", (40, 40), (7, 7), indices="int32"))

    plans(10)
    before = sys.getallocatedblocks()
    plans(1000)
    assert sys.getallocatedblocks() - before < 500  # one for each would be 1000


@pytest.mark.skipif(sys.platform != "linux", reason="__cxa_atexit is asked of the C library")
def test_a_plan_that_lives_longer_than_python():
    # As in a destructor of C++, which runs when the process ends.
    code = """
import ctypes, c_interface
plan = c_interface.describe("average", "float32", (4, 6), (2, 2))
release = ctypes.cast(c_interface.table().release, ctypes.c_void_p)
print(ctypes.CDLL(None).__cxa_atexit(release, plan, None))
"""
    assert python(code, PYTHONPATH=os.pathsep.join(sys.path)) == 0


def test_the_header_is_where_get_include_says():
    header = Path(ap.get_include(), "adaptive_pool.h")
    assert f"#define ADAPTIVE_POOL_VERSION {table().version}" in header.read_text("utf-8")
