"""Arrays that another thread writes to during a call: numbers may be of before or after, no more.

What is promised is that nothing outside the arrays is read or written, that indices lie in their
plane, and that the next call is right. In processes of their own: a failure is a fault.
"""

import itertools

import pytest
from guarded import UNAVAILABLE
from test_guard_pages import run

pytestmark = pytest.mark.skipif(UNAVAILABLE, reason="guard pages are made with mprotect")

# NumPy copies large arrays without the GIL, so the two are written in turn while a kernel runs.
HAMMER = """
import sys, threading, time
import numpy as np
import adaptive_pool as ap
from guarded import LAYOUTS, Guarded

def at_the_end(shape, dtype):
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    memory = Guarded(size)
    memory.bytes[...] = 0
    return memory.array(shape, dtype, LAYOUTS["dense"](shape, dtype.itemsize), True)

def hammer(array, versions, call, seconds=0.7):
    done = threading.Event()
    def write():
        while not done.is_set():
            for version in versions:
                np.copyto(array, version)
    writer = threading.Thread(target=write)
    writer.start()
    end, calls = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end or calls < 20:
            call()
            calls += 1
    finally:
        done.set()
        writer.join()
"""

MAXIMUM = """
dtype, lanes = sys.argv[1], int(sys.argv[2])
shape = ((1 << 16) // np.dtype(dtype).itemsize, lanes)
x = at_the_end(shape, dtype)
zeros, one = np.zeros(shape, dtype), np.zeros(shape, dtype)
one[len(one) // 2] = 1
options = {"data_format": "channels_last", "num_threads": 1}

def call():
    y, where = ap.adaptive_max_pool1d(x, 1, return_indices=True, **options)
    assert np.isin(y, [0, 1]).all()
    assert ((0 <= where) & (where < len(x))).all(), where

hammer(x, [one, zeros], call, 1.2)
np.copyto(x, one)
y, where = ap.adaptive_max_pool1d(x, 1, return_indices=True, **options)
assert (y == 1).all() and (where == len(one) // 2).all()
print("all done")
"""


def races(*some, quick):
    """All combinations; those not in `quick` are slow, for each takes seconds on two CPUs."""
    return [
        pytest.param(*case, marks=[] if case in quick else [pytest.mark.slow])
        for case in itertools.product(*some)
    ]


@pytest.mark.parametrize(
    ("dtype", "lanes"),
    races(
        ["uint8", "int16", "float16", "float32", "float64"],
        [1, 3],
        quick=[("uint8", 1), ("float16", 3), ("float32", 1)],
    ),
)
def test_maximum_of_what_changes(dtype, lanes):
    """The largest element may be gone by the time its place is looked for."""
    status, said, errors = run("-c", HAMMER + MAXIMUM, dtype, str(lanes))
    assert (status, said[-2:]) == (0, ["all done", ""]), errors


BACKWARD = """
dtype, index, plane = sys.argv[1], sys.argv[2], int(sys.argv[3])
shape, n = (8, plane), 1 << 13
g = at_the_end((8, n), dtype)
g[...] = 1
where, out = at_the_end((8, n), index), at_the_end(shape, dtype)
good = np.zeros((8, n), index)
bad = [np.full((8, n), value, index)
       for value in (-1, plane, np.iinfo(index).max, np.iinfo(index).min, plane + 4096)]
refused = 0

def call():
    global refused
    try:
        ap.adaptive_max_pool1d_backward(g, where, shape, out=out, num_threads=1)
    except ValueError as error:
        assert "indices must lie in" in str(error)
        refused += 1

versions = [v for one in bad for v in (good, one)]
hammer(where, versions, call)
assert refused
np.copyto(where, good)
ap.adaptive_max_pool1d_backward(g, where, shape, out=out, num_threads=1)
assert (out[:, 0] == n).all() and not out[:, 1:].any()
print("all done")
"""


@pytest.mark.parametrize(
    ("dtype", "index", "plane"),
    races(
        ["float16", "float32", "float64"],
        ["int32", "int64"],
        [100, 300_000],
        quick=[
            ("float16", "int64", 300_000), ("float16", "int32", 100), ("float32", "int32", 300_000),
            ("float64", "int64", 100),
        ],
    ),
)  # fmt: skip
def test_indices_that_change(dtype, index, plane):
    """An index is read once, and it is that which is checked and used."""
    status, said, errors = run("-c", HAMMER + BACKWARD, dtype, index, str(plane))
    assert (status, said[-2:]) == (0, ["all done", ""]), errors


SHAPES = """
x = np.ones((64, 64), np.float32)
seen = set()
sys.setswitchinterval(1e-6)

def call():
    try:
        y = ap.adaptive_max_pool2d(x, (64, 64), num_threads=1)
        seen.add(y.tobytes() == x.tobytes())
    except ValueError as error:
        seen.add(True)

done = threading.Event()
def write():
    while not done.is_set():
        for shape in ((4096, 1), (64, 64), (4096,), (1, 4096), (64, 64)):
            x.shape = shape
writer = threading.Thread(target=write)
writer.start()
for _ in range(20_000):
    call()
done.set()
writer.join()
x.shape = 64, 64
assert ap.adaptive_max_pool2d(x, (64, 64)).tolist() == x.tolist()
print("all done")
"""


def test_shapes_that_change():
    status, said, errors = run("-c", HAMMER + SHAPES)
    assert (status, said[-2:]) == (0, ["all done", ""]), errors


TABLES = """
x = np.ones((1, 1 << 12), np.float32)
count = 1 << 16
starts, ends = np.zeros(count, np.uint64), np.ones(count, np.uint64)
far = np.full(count, 2**63 + 5, np.uint64)
refused = 0

def call():
    global refused
    try:
        assert (ap.adaptive_avg_pool1d(x, None, windows=[(starts, ends)], num_threads=1) == 1).all()
    except ValueError as error:
        assert "must hold" in str(error)
        refused += 1

hammer(ends, [np.ones(count, np.uint64), far], call)
assert refused
print("all done")
"""


def test_tables_that_change():
    """They are copied, and the copy is checked."""
    status, said, errors = run("-c", HAMMER + TABLES)
    assert (status, said[-2:]) == (0, ["all done", ""]), errors
