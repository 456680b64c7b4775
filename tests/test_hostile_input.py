"""Arguments that lie, raise, or change while they are used: a result or a clear error, no more.

Ordinary mistakes are in test_arguments.py; a second thread that writes, in test_changing_arrays.py.
"""

import re
import sys
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from oracle import function
from processes import python

import adaptive_pool as ap
from adaptive_pool._kernels.call import problem


class Index:
    """An integer that does something when it is asked for its value."""

    def __init__(self, value, act=lambda: None):
        self.value, self.act = value, act

    def __index__(self):
        self.act()
        return self.value


class Endless(Sequence):
    """A sequence whose length is no more than a claim."""

    def __init__(self, claim):
        self.claim = claim

    def __len__(self):
        return self.claim

    def __getitem__(self, k):
        return 2


@pytest.mark.parametrize(
    "size",
    [Endless(0), Endless(2), Endless(2**70), range(2**70)],
    ids=["of 0", "of 2", "of 2**70", "range"],
)
def test_sequences_without_an_end(size):
    """No more of them is read than there can be axes."""
    x = np.ones((4, 4), np.float32)
    with pytest.raises(ValueError, match="output_size must be an int or have 2 elements, got"):
        ap.adaptive_avg_pool2d(x, size)
    with pytest.raises(ValueError, match="input_shape must have at most 64 elements"):
        ap.adaptive_avg_pool2d_backward(x, size)
    with pytest.raises(ValueError, match="input_shape must have at most 64 elements"):
        ap.adaptive_max_pool2d_backward(x, np.zeros((4, 4), int), size)


class Unreadable(Sequence):
    """A sequence whose entries cannot be had."""

    def __len__(self):
        return 2

    def __getitem__(self, k):
        raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("output_size", lambda x: ap.adaptive_avg_pool2d(x, Unreadable())),
        ("windows", lambda x: ap.adaptive_avg_pool2d(x, None, windows=Unreadable())),
        (
            "windows of pooled axis 1",
            lambda x: ap.adaptive_avg_pool2d(x, None, windows=[([0], [1]), Unreadable()]),
        ),
        ("windows", lambda x: ap.AdaptiveMaxPool2d(None, windows=Unreadable())),
        ("input_shape", lambda x: ap.adaptive_avg_pool2d_backward(x, Unreadable())),
    ],
    ids=["output_size", "windows", "a pair", "of a layer", "input_shape"],
)
def test_sequences_that_cannot_be_read(what, call):
    with pytest.raises(TypeError, match=rf"^\w+: {what} cannot be read: the disk is gone"):
        call(np.ones((4, 4), np.float32))


@pytest.mark.parametrize(
    ("size", "rule"),
    [(-(10**5000), "must not be negative"), (10**5000, "is too large to address")],
    ids=["negative", "positive"],
)
def test_integers_of_thousands_of_digits(size, rule):
    """Python does not write them down: its own error would name nothing."""
    x = np.ones((4, 4), np.float32)
    for call in (
        lambda: ap.adaptive_avg_pool2d(x, size),
        lambda: ap.adaptive_max_pool2d(x, (size, 0)),
        lambda: ap.adaptive_avg_pool2d_backward(x, (4, size)),
        lambda: ap.adaptive_avg_pool2d(x, 2, num_threads=size),
        lambda: ap.pool_windows(size, 2),
        lambda: ap.AdaptiveAvgPool2d(size),
        lambda: ap.set_num_threads(size),
    ):
        with pytest.raises(ValueError, match=rf"^\w+: \w+ {rule}, got a value of type int$"):
            call()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ZeroDivisionError, TypeError),
        (OSError, TypeError),
        (MemoryError, MemoryError),
        (KeyboardInterrupt, KeyboardInterrupt),
    ],
)
@pytest.mark.parametrize("place", ["output_size", "input_shape", "num_threads"])
def test_an_index_that_raises(place, error, expected):
    """It is no integer; nothing has been written."""

    def fail():
        raise error

    bad = Index(2, fail)
    x, out = np.ones((4, 4), np.float32), np.full((2, 2), 7, np.float32)
    call = {
        "output_size": lambda: ap.adaptive_avg_pool2d(x, (2, bad), out=out),
        "input_shape": lambda: ap.adaptive_avg_pool2d_backward(x, (2, bad), out=out),
        "num_threads": lambda: ap.adaptive_max_pool2d(x, 2, num_threads=bad, out=out),
    }[place]
    with pytest.raises(expected):
        call()
    assert (out == 7).all()


def test_an_index_that_calls_the_library():
    x = np.arange(16.0).reshape(4, 4)
    inner = []
    size = Index(2, lambda: inner.append(ap.adaptive_max_pool2d(x, 1)))
    assert ap.adaptive_avg_pool2d(x, size, num_threads=Index(1, size.act)).tolist() == [
        [2.5, 4.5],
        [10.5, 12.5],
    ]
    assert [y.tolist() for y in inner] == [[[15.0]]] * 2


def smaller(x):
    x.resize((1, 1), refcheck=False)


def other_shape(x):
    x.shape = (x.size, 1)


def fewer_axes(x):
    x.shape = (x.size,)


def other_items(x):
    """The same shape, of smaller elements."""
    shape = x.shape
    x.dtype = "u2"
    x.resize(shape, refcheck=False)


CHANGED = {
    "average": lambda x, _, size, **options: ap.adaptive_avg_pool2d(x, size, **options),
    "maximum": lambda x, _, size, **options: ap.adaptive_max_pool2d(x, size, **options),
    "average-backward": lambda g, _, size, **options: ap.adaptive_avg_pool2d_backward(
        g, (size, size), **options
    ),
    "maximum-backward": lambda g, where, size, **options: ap.adaptive_max_pool2d_backward(
        g, where, (size, size), **options
    ),
}


# NumPy 2.5 warns of it, and still does it.
@pytest.mark.filterwarnings("ignore:Setting the (shape|dtype) on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("change", [smaller, other_shape, fewer_axes, other_items])
@pytest.mark.parametrize("given", [True, False], ids=["out", "new"])
@pytest.mark.parametrize("name", [*CHANGED, "maximum-backward-indices"])
def test_an_array_that_is_changed_by_another_argument(name, given, change):
    """Sizes are looked at again once nobody can change them."""
    x, where = np.ones((300, 300), np.float32), np.zeros((300, 300), np.int64)
    out = np.full((600, 600), 7, np.float32)
    threads = Index(1, lambda: change(where if name.endswith("indices") else x))
    options = {"out": out} if given else {}
    call = CHANGED[name.removesuffix("-indices")]
    with pytest.raises(ValueError, match="given another shape or dtype during the call"):
        call(x, where, 600, num_threads=threads, **options)
    assert (out == 7).all()


class Liar(np.ndarray):
    """An array that says anything of itself."""

    shape = property(lambda self: (400, 400))
    dtype = property(lambda self: np.dtype(np.float32))
    strides = property(lambda self: (1600, 4))
    flags = property(lambda self: np.empty((400, 400), np.float32).flags)
    size = property(lambda self: 160_000)
    __array__ = None


class Impostor:
    """No array at all."""

    __class__ = np.ndarray
    shape, dtype, strides, flags = (400, 400), np.dtype("f4"), (1600, 4), np.empty((4, 4)).flags


@pytest.mark.parametrize(
    ("out", "error"),
    [(np.zeros((1, 1)).view(Liar), ValueError), (Impostor(), TypeError)],
    ids=["subclass", "impostor"],
)
def test_an_out_that_lies(out, error):
    """What counts is what an array is."""
    x = np.ones((4, 4), np.float32)
    with pytest.raises(error, match="out must"):
        ap.adaptive_avg_pool2d(x, 400, out=out)
    with pytest.raises(error, match="out must"):
        ap.adaptive_max_pool2d(x, 400, out=out)
    with pytest.raises(error, match=r"out\[1\] must"):
        ap.adaptive_max_pool2d(
            x, 400, return_indices=True, out=(np.empty((400, 400), np.float32), out)
        )
    with pytest.raises(error, match="out must"):
        ap.adaptive_avg_pool2d_backward(x, (400, 400), out=out)


def test_an_input_that_lies():
    x = np.arange(4.0).reshape(2, 2).view(Liar)
    assert ap.adaptive_avg_pool2d(x, 1).tolist() == [[1.5]]


class Converted:
    """Whatever __array__ makes of it."""

    def __init__(self, made):
        self.made = made

    def __array__(self, dtype=None, copy=None):
        return self.made


class Capsule:
    def __init__(self, made):
        self.made = made

    def __dlpack__(self, **_):
        if isinstance(self.made, Exception):
            raise self.made
        return self.made

    def __dlpack_device__(self):
        return (1, 0)


@pytest.mark.parametrize(
    "x",
    [
        Converted(None), Converted([[1.0]]), Converted(np.ones((2, 2), complex)),
        Converted(np.ones((2, 2), "U1")), Capsule(None), Capsule(3), Capsule("capsule"),
        Capsule(RuntimeError("gone")), Capsule(OSError()),
    ],
    ids=lambda x: f"{type(x).__name__}-{x.made!r:.20}",
)  # fmt: skip
def test_conversions_that_fail(x):
    with pytest.raises((TypeError, ValueError), match="adaptive_(avg|max)_pool2d"):
        ap.adaptive_avg_pool2d(x, 1)
    with pytest.raises((TypeError, ValueError), match="adaptive_(avg|max)_pool2d"):
        ap.adaptive_max_pool2d(x, 1)


def test_a_table_that_fails_to_convert():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise OSError("the disk is gone")

    with pytest.raises(TypeError, match="starts is not an array: the disk is gone"):
        ap.adaptive_avg_pool1d(np.ones(4), None, windows=[(Broken(), [4])])


LARGE = 2**40
MEAN = "adaptive_avg_pool1d"
REFUSED = {
    "result-not-addressable": lambda: ap.adaptive_avg_pool2d(np.ones((1, 2, 2)), (2**31, 2**31)),
    "shares-of-a-broadcast": lambda: ap.adaptive_max_pool1d(
        np.broadcast_to(np.uint8(0), (LARGE, 3)), 2**30
    ),
    "product-is-zero-in-64-bits": lambda: ap.adaptive_avg_pool3d(np.ones((1, 1, 1)), 2**32),
    "negative": lambda: ap.adaptive_avg_pool1d(np.ones(4), -(2**62)),
    "windows-empty-split": lambda: ap.adaptive_avg_pool1d(np.ones(4), 2**30, windows="split"),
    "windows-empty-uniform": lambda: ap.adaptive_avg_pool1d(np.ones(4), 2**30, windows="uniform"),
    "windows-empty-ceil": lambda: ap.adaptive_avg_pool1d(np.ones(4), 2**30, windows="ceil"),
    "pooled-axis-empty": lambda: ap.adaptive_max_pool1d(np.ones((2, 0)), 2**30),
    "no-windows-of-nothing": lambda: ap.pool_windows(0, 2**30),
    "gradient-of-another-shape": lambda: ap.adaptive_avg_pool1d_backward(
        np.broadcast_to(np.float32(0), (2, LARGE)), (3, LARGE)
    ),
    "gradient-not-addressable": lambda: ap.adaptive_avg_pool2d_backward(
        np.ones((2, 2)), (2**31, 2**31)
    ),
    "dtype": lambda: ap.adaptive_avg_pool1d(np.broadcast_to(np.complex64(0), (LARGE, 4)), 2),
    "out": lambda: ap.adaptive_max_pool1d(
        np.broadcast_to(np.uint8(0), (2**28, 4)), 2, out=np.zeros(3, np.uint8)
    ),
    "out-for-many-windows": lambda: ap.adaptive_max_pool1d(np.ones(4), 2**30, out=np.zeros(3)),
    "index-dtype": lambda: ap.adaptive_max_pool1d(
        np.broadcast_to(np.uint8(0), (LARGE,)), 2**30, return_indices=True, index_dtype=np.int32
    ),
    "threads": lambda: ap.adaptive_avg_pool1d(
        np.broadcast_to(np.uint8(0), (2**28, 4)), 2, num_threads=0
    ),
    "threads-for-many-windows": lambda: ap.adaptive_avg_pool1d(np.ones(4), 2**30, num_threads=0),
    "unsigned-table": lambda: ap.adaptive_avg_pool1d(
        np.ones(4), None, windows=[(np.array([2**63], np.uint64), np.array([2**64 - 1], np.uint64))]
    ),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_a_refused_call_allocates_nothing(call):
    """Sizes are checked first: no table, no result, no copy."""
    tracemalloc.start()
    try:
        with pytest.raises((TypeError, ValueError)):
            call()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100_000


@pytest.mark.parametrize("name", ["adaptive_avg_pool2d", "adaptive_max_pool2d"])
def test_a_result_without_room_takes_no_tables(name, monkeypatch):
    """35 PiB: the tables alone would take gigabytes, and their time."""
    made = []
    cut = problem.windows_by_rule
    monkeypatch.setattr(problem, "windows_by_rule", lambda *a: made.append(a) or cut(*a))
    with pytest.raises(MemoryError):
        getattr(ap, name)(np.ones((8, 8), np.float32), 10**8)
    assert made == []
    getattr(ap, name)(np.ones((8, 8), np.float32), [3, 4])
    assert len(made) == 1


@pytest.mark.parametrize(
    "windows",
    [
        (np.broadcast_to(np.int64(0), LARGE), np.broadcast_to(np.int64(1), LARGE)),
        (np.broadcast_to(np.uint64(0), LARGE), np.broadcast_to(np.uint64(1), LARGE)),
    ],
    ids=["int64", "uint64"],
)
def test_tables_that_do_not_fit(windows):
    with pytest.raises(MemoryError):
        ap.adaptive_avg_pool1d(np.ones(4, np.float32), None, windows=[windows])


@pytest.mark.parametrize("length", [2**31 - 1, 2**40, 2**61])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int64"])
def test_axes_longer_than_any_memory(length, dtype):
    """Few windows of a broadcast axis, at its ends: no arithmetic in less than 64 bits."""
    if 3 * length * np.dtype(dtype).itemsize > np.iinfo(np.intp).max:
        pytest.skip("NumPy refuses to make such an array")
    starts, ends = np.array([0, 3, length - 70, length - 1]), np.array([2, 70, length, length])
    for lead in ((), (3,)):
        x = np.broadcast_to(np.array(5, dtype), (*lead, length))
        windows = [(starts, ends)]
        y = ap.adaptive_avg_pool1d(x, None, windows=windows)
        assert (y == 5).all()
        assert y.shape == (*lead, 4)
        y, where = ap.adaptive_max_pool1d(x, None, windows=windows, return_indices=True)
        assert (y == 5).all()
        assert (where == starts).all()
    x = np.broadcast_to(np.array(5, dtype), (length, 3))
    y, where = ap.adaptive_max_pool1d(
        x, None, windows=windows, return_indices=True, data_format="channels_last"
    )
    assert (y == 5).all()
    assert (where == starts[:, None]).all()


@pytest.mark.parametrize("operation", ["avg", "max"])
def test_no_elements_and_axes_of_any_length(operation):
    """Nothing to pool, whatever the other sizes are."""
    x = np.empty((0, 2**30, 2**28), np.uint8)
    assert function(operation, 2)(x, (2**28, 1)).shape == (0, 2**28, 1)
    assert function(operation, 2)(x, (0, 2**31)).shape == (0, 0, 2**31)
    with pytest.raises(ValueError, match="too large to address"):
        function(operation, 2)(x, (2**40, 2**40))
    g = np.empty((0, 2**20, 2**20), np.float32)
    assert ap.adaptive_avg_pool2d_backward(g, (0, 2**30, 2**30)).shape == (0, 2**30, 2**30)


NO_MEMORY = """
import json, resource, numpy as np, adaptive_pool as ap
x, g = np.ones((1, 2, 2), np.float32), np.ones((1, 2, 2), np.float32)
where = np.zeros((1, 2, 2), np.int64)
calls = {
    "average": lambda: ap.adaptive_avg_pool2d(x, (2**31, 1)),
    "average of many": lambda: ap.adaptive_avg_pool2d(x, 2**16),
    "maximum": lambda: ap.adaptive_max_pool2d(x, 2**16),
    "indices": lambda: ap.adaptive_max_pool2d(x, 2**14, return_indices=True),
    "average backward": lambda: ap.adaptive_avg_pool2d_backward(g, (1, 2**16, 2**16)),
    "maximum backward": lambda: ap.adaptive_max_pool2d_backward(g, where, (1, 2**16, 2**16)),
    "tables": lambda: ap.pool_windows(2**40, 2**30),
    "many planes": lambda: ap.adaptive_avg_pool2d(np.broadcast_to(x, (2**32, 2, 2)), 1),
    "byte order": lambda: ap.adaptive_avg_pool2d(
        np.broadcast_to(x.astype(">f4"), (2**28, 2, 2)), 1
    ),
}
expected = [ap.adaptive_avg_pool2d(x, 3).tobytes(), ap.adaptive_max_pool2d(x, 3).tobytes()]
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, resource.RLIM_INFINITY))
said = {}
for name, call in calls.items():
    try:
        call()
        said[name] = "a result"
    except Exception as error:
        said[name] = next(c.__name__ for c in (MemoryError, Exception) if isinstance(error, c))
        if "pool" not in str(error).partition(":")[0]:
            said[name] += f" which names no function: {error}"
    again = [ap.adaptive_avg_pool2d(x, 3).tobytes(), ap.adaptive_max_pool2d(x, 3).tobytes()]
    if again != expected or (x != 1).any() or (g != 1).any() or where.any():
        said[name] += ", and then something else is wrong"
print(json.dumps(said))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much address space is in use")
def test_results_that_do_not_fit():
    """MemoryError for what could be addressed but is not there; the next call is right."""
    said = python(NO_MEMORY)
    assert said == dict.fromkeys(said, "MemoryError")
    assert len(said) == 9


TAKEN = {
    "output-size": lambda x, out: ap.adaptive_avg_pool2d(x, (2, -1), out=out),
    "rule": lambda x, out: ap.adaptive_avg_pool2d(x, 2, windows="none", out=out),
    "tables": lambda x, out: ap.adaptive_avg_pool2d(
        x, 2, windows=[([0, 2], [2, 5]), ([0, 2], [2, 4])], out=out
    ),
    "layout": lambda x, out: ap.adaptive_max_pool2d(x, 2, data_format="NCHW", out=out),
    "threads": lambda x, out: ap.adaptive_max_pool2d(x, 2, num_threads=0, out=out),
    "pair": lambda x, out: ap.adaptive_max_pool2d(x, 2, return_indices=True, out=(out, out)),
    "gradient": lambda x, out: ap.adaptive_avg_pool2d_backward(x[:1], (3, 2, 2), out=out),
    "indices": lambda x, out: ap.adaptive_max_pool2d_backward(
        x, np.full(x.shape, 4), (2, 2, 2), out=out
    ),
}


@pytest.mark.parametrize("call", TAKEN.values(), ids=TAKEN)
def test_a_refused_call_touches_nothing(call):
    x = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    out = np.full((2, 2, 2), 7, np.float32)
    before = x.tobytes(), out.tobytes()
    with pytest.raises((TypeError, ValueError), match=re.compile("^adaptive_")):
        call(x, out)
    assert (x.tobytes(), out.tobytes()) == before
    assert ap.adaptive_avg_pool2d(x, 2, out=out) is out
    assert out.tolist() == x.reshape(2, 2, 2, 2, 2).mean((2, 4)).tolist()
