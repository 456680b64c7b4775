"""Calls like one before take another way than the first of their kind; nobody may notice."""

import contextlib
import pickle
import sys
import threading
import warnings

import numpy as np
import pytest
from cases import dtype_of, random_array
from oracle import function
from processes import python

import adaptive_pool as ap
from adaptive_pool._kernels.call import known
from adaptive_pool._kernels.call.problem import Problem

PROBLEM = Problem("f", (3,), 0, (1,), "torch", 1)


def nothing(*given):
    """A kernel that finds nothing wrong."""


class Calls:
    """A general function that counts, and that keeps what it is told to."""

    def __init__(self):
        self.general = 0
        self.keeps = True
        self.windows = 1

    def __call__(self, signature, *arguments):
        self.general += 1
        if self.keeps and signature is not None:
            inputs, results = (((1,), OUT.dtype),), (((1,), OUT.dtype),)
            signature.keep(nothing, inputs, results, (), self.windows, 0, None, PROBLEM)

    def is_known(self, number):
        """Whether a call is known; it does not become so."""
        before, self.keeps = self.general, False
        known.call(self, "function", 1, np.zeros(1, np.float32), number, OUT, None, {})
        self.keeps = True
        return self.general == before

    def make(self, number):
        known.call(self, "function", 1, np.zeros(1, np.float32), number, OUT, None, {})


OUT = np.zeros(1, np.float32)


@pytest.fixture
def calls():
    ap.adaptive_avg_pool1d(np.zeros(3, np.float32), 1)  # so that float32 is known
    return Calls()


def test_the_second_call_is_known(calls):
    assert not calls.is_known(10**6)
    calls.make(10**6)
    assert calls.is_known(10**6)
    assert not calls.is_known(10**6 + 1)


def test_one_more_loses_no_more_than_one(calls):
    """Also where all places are taken, many times over."""
    first = 10**9
    for number in range(first, first + 10_000):
        calls.make(number)
    held = [n for n in range(first, first + 10_000) if calls.is_known(n)]
    assert len(held) > 3000
    for number in range(first + 10_000, first + 10_040):
        calls.make(number)
        assert calls.is_known(number)
        still = [n for n in held if calls.is_known(n)]
        assert len(held) - len(still) <= 1
        held = [*still, number]


def test_the_newest_stay(calls):
    first = 2 * 10**9
    for number in range(first, first + 20_000):
        calls.make(number)
    newest = range(first + 19_000, first + 20_000)
    assert sum(calls.is_known(n) for n in newest) > 950


def test_many_windows_are_not_all_kept(calls):
    calls.windows = 1 << 14
    first = 3 * 10**9
    for number in range(first, first + 400):
        calls.make(number)
    assert 100 <= sum(calls.is_known(n) for n in range(first, first + 400)) <= 128
    calls.windows += 1
    calls.make(first - 1)
    assert not calls.is_known(first - 1)
    calls.windows = 1
    for number in range(first + 1000, first + 6000):  # what is short pushes out what is long
        calls.make(number)
    assert calls.is_known(first + 5999)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "bfloat16", "float32", "float64", "int64"])
@pytest.mark.parametrize("options", [{}, {"windows": "split"}, {"data_format": "channels_last"}])
def test_all_ways_agree(rng, dtype, options):
    """New, of other sizes, known, and the general way: NumPy integers have no key."""
    sizes = (np.int64(3), 2)
    for shape in ((2, 5, 6, 7), (2, 5, 9, 8), (1, 5, 6, 30), (2, 5, 6, 7)):
        x = random_array(rng, shape, dtype)
        for name in ("avg", "max"):
            f = function(name, 2)
            expected = f(x, sizes, **options)
            out = np.empty_like(expected)
            for _ in range(3):
                y = f(x, (3, 2), **options)
                assert y.dtype == expected.dtype
                assert y.tobytes() == expected.tobytes()
                assert f(x, (3, 2), out=out, **options) is out
                assert out.tobytes() == expected.tobytes()
        expected = f(x, sizes, return_indices=True, index_dtype=np.int32, **options)
        for _ in range(3):
            pair = f(x, (3, 2), return_indices=True, index_dtype=np.int32, **options)
            assert [a.dtype for a in pair] == [a.dtype for a in expected]
            assert [a.tobytes() for a in pair] == [a.tobytes() for a in expected]


def test_gradients_agree(rng):
    for shape in ((2, 6, 7), (2, 9, 8), (2, 6, 7)):
        x = random_array(rng, shape, "float32")
        y, indices = ap.adaptive_max_pool2d(x, (3, 2), return_indices=True)
        average = ap.adaptive_avg_pool2d_backward(y, list(shape))
        maximum = ap.adaptive_max_pool2d_backward(y, indices, list(shape))
        for _ in range(3):
            assert (ap.adaptive_avg_pool2d_backward(y, shape) == average).all()
            assert (ap.adaptive_max_pool2d_backward(y, indices, shape) == maximum).all()
            out = np.empty_like(x)
            assert ap.adaptive_max_pool2d_backward(y, indices, shape, out=out) is out
            assert (out == maximum).all()
        bad = indices.copy()
        bad[0, 0, 0] = 1000
        out[...] = 7
        for options in ({}, {"out": out}):
            with pytest.raises(ValueError, match="adaptive_max_pool2d_backward: indices must lie"):
                ap.adaptive_max_pool2d_backward(y, bad, shape, **options)
        assert (out == 7).all()


def test_errors_of_other_sizes():
    """Checked as ever, after calls that were right."""
    for shape in ((3, 2), (5, 6), (6, 8)):
        ap.adaptive_max_pool2d(np.zeros(shape, np.float32), (3, 2), windows="ceil")
    with pytest.raises(ValueError, match="^adaptive_max_pool2d: window rule 'ceil' leaves"):
        ap.adaptive_max_pool2d(np.zeros((4, 4), np.float32), (3, 2), windows="ceil")
    with pytest.raises(ValueError, match="^adaptive_max_pool2d: a pooled axis of x is empty"):
        ap.adaptive_max_pool2d(np.zeros((0, 4), np.float32), (3, 2), windows="ceil")
    assert ap.adaptive_max_pool2d(np.zeros((0, 4, 4), np.uint8), (3, 2)).shape == (0, 3, 2)
    with pytest.raises(ValueError, match="num_threads must be from 1"):
        ap.adaptive_max_pool2d(np.zeros((5, 6), np.float32), (3, 2), windows="ceil", num_threads=0)


def test_out_is_checked(rng):
    x = random_array(rng, (2, 6, 8), "float32")
    memory = np.zeros(200, np.float32)
    good = memory[:12].reshape(2, 3, 2)
    for _ in range(3):
        assert ap.adaptive_avg_pool2d(x, (3, 2), out=good) is good
    good.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writeable, got a read-only array"):
        ap.adaptive_avg_pool2d(x, (3, 2), out=good)
    with pytest.raises(ValueError, match="out must have shape"):
        ap.adaptive_avg_pool2d(x, (3, 2), out=memory[:12].reshape(2, 2, 3))
    with pytest.raises(ValueError, match="out must have shape .* and dtype float32"):
        ap.adaptive_avg_pool2d(x, (3, 2), out=np.zeros((2, 3, 2)))
    # Overlapping the input: right all the same.
    expected = ap.adaptive_avg_pool2d(x, (3, 2))
    memory[:96] = x.ravel()
    inner = memory[:96].reshape(2, 6, 8)
    out = memory[40:52].reshape(2, 3, 2)
    assert ap.adaptive_avg_pool2d(inner, (3, 2), out=out) is out
    assert (out == expected).all()


def test_arrays_that_were_pickled(rng):
    """They have dtypes of their own, which equal NumPy's."""
    x = random_array(rng, (2, 6, 8), "float32")
    copy = pickle.loads(pickle.dumps(x))
    for _ in range(3):
        y, expected = ap.adaptive_avg_pool2d(copy, 2), ap.adaptive_avg_pool2d(x, 2)
        assert y.tobytes() == expected.tobytes()
        swapped = x.astype(">f4" if x.dtype.str[0] == "<" else "<f4")
        assert ap.adaptive_avg_pool2d(swapped, 2).tobytes() == expected.tobytes()


def test_strings_of_equal_text(rng):
    """A layout may be a string made a moment ago, whose place in memory the next one takes."""
    x = random_array(rng, (4, 4, 4), "float32")
    for _ in range(50):
        for name in ("channels_first", "channels_last"):
            made = "".join(list(name))
            y = ap.adaptive_avg_pool2d(x, 1, data_format=made)
            assert (y == ap.adaptive_avg_pool2d(x, 1, data_format=name)).all()
            with pytest.raises(ValueError, match="data_format must be"):
                ap.adaptive_avg_pool2d(x, 1, data_format="".join(list(name[:-1])))


FRESH = """
import numpy as np
import adaptive_pool as ap
from adaptive_pool import _average, _average_backward, _maximum
x = np.ones((2, 7, 9), np.float32)
calls = (
    lambda: ap.adaptive_avg_pool2d(x, [3, 4]),
    lambda: ap.adaptive_max_pool2d(x, (3, 4)),
    lambda: ap.adaptive_max_pool2d(x, 3, return_indices=True),
    lambda: ap.AdaptiveMaxPool2d(2)(x),
    lambda: ap.adaptive_avg_pool2d_backward(x, (2, 14, 18)),
)
for call in calls:
    call()
# None of them can be called.
_average._average = _average_backward._average_backward = _maximum._maximum = None
for call in calls:
    call()
print("true")
"""


def test_common_calls_are_known_from_the_second_on():
    """Whatever was called before them in a process, and with lists of sizes too."""
    assert python(FRESH)


def test_a_list_of_sizes_that_changes(rng):
    """It is looked at anew in each call, and shown in errors as it was given."""
    x, sizes = random_array(rng, (2, 7, 9), "float32"), [3, 4]
    for _ in range(3):
        sizes[0] = 5 - sizes[0]
        expected = ap.adaptive_avg_pool2d(x, tuple(sizes))
        assert ap.adaptive_avg_pool2d(x, sizes).tobytes() == expected.tobytes()
    with pytest.raises(ValueError, match=r"must be an int or have 2 elements, got \[2, 4, 1\]"):
        ap.adaptive_avg_pool2d(x, [2, 4, 1])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_first_calls_of_many_threads(rng, dtype):
    """All at once, of sizes that nobody has seen."""
    x = np.arange(60 * 60).reshape(60, 60).astype(dtype_of(dtype))
    sizes = [(h, w) for h in range(31, 60) for w in range(47, 60)]
    expected = {s: ap.adaptive_avg_pool2d(x[: s[0], : s[1]], [7, 5]).tobytes() for s in sizes}
    wrong = []
    gate = threading.Barrier(8)

    def work(seed):
        gate.wait()
        for k in np.random.default_rng(seed).permutation(len(sizes)):
            h, w = sizes[k]
            if ap.adaptive_avg_pool2d(x[:h, :w], (7, 5)).tobytes() != expected[h, w]:
                wrong.append((h, w))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


GENERAL = ["_average", "_maximum", "_average_backward", "_scatter"]


def change_meanwhile(call, change, back):
    """Make a call; change something as it begins to look at its arguments, and back at the end."""

    def look(frame, event, _):
        if event == "call" and frame.f_code.co_name in GENERAL:
            change()
        elif event == "call" and frame.f_code.co_name == "keep":
            back()

    sys.setprofile(look)
    try:
        return call()
    finally:
        sys.setprofile(None)
        back()


def turn_into(array, shape, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, which will forbid it
        array.dtype, array.shape = dtype, shape


@pytest.mark.parametrize("given", [False, True], ids=["new", "out"])
@pytest.mark.parametrize(
    ("shape", "dtype"), [((33, 58), "float32"), ((29, 66), "int32"), ((33 * 58,), "float32")]
)
@pytest.mark.parametrize(
    "call",
    [
        lambda x, **o: ap.adaptive_avg_pool2d(x, (11, 29), **o),
        lambda x, **o: ap.adaptive_max_pool2d(x, (11, 29), **o),
        lambda x, **o: ap.adaptive_avg_pool2d_backward(x, (67, 61), **o),
        lambda x, **o: ap.adaptive_max_pool2d_backward(
            x, np.arange(29 * 66).reshape(29, 66), (67, 61), **o
        ),
    ],
    ids=GENERAL,
)
def test_an_array_that_changes_in_its_first_call(rng, call, shape, dtype, given):
    """What is kept for a shape and dtype is not what came of another."""
    x = random_array(rng, (29, 66), "float32")
    expected = call(x)
    out = {"out": np.empty_like(expected)} if given else {}
    known.forget_all()
    with contextlib.suppress(TypeError, ValueError):
        change_meanwhile(
            lambda: call(x, **out),
            lambda: turn_into(x, shape, dtype),
            lambda: turn_into(x, (29, 66), "float32"),
        )
    for _ in range(3):
        assert call(x, **out).tobytes() == expected.tobytes()
