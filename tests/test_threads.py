"""Threads: settings, limits, and that they change nothing but the time."""

import concurrent.futures
import sys

import numpy as np
import pytest
from cases import random_array
from processes import python

import adaptive_pool as ap
from adaptive_pool import _cpus, _threads
from adaptive_pool._kernels.threads import parallel

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's /proc and limits")

GET = "import adaptive_pool as ap; print(ap.get_num_threads())"


def results(x, **options):
    # In float64 the sums themselves are seen, whatever their order was.
    y = ap.adaptive_avg_pool2d(x, (5, 6), dtype=np.float64, **options)
    values, indices = ap.adaptive_max_pool2d(x, (5, 6), return_indices=True, **options)
    alone = ap.adaptive_max_pool2d(x, (5, 6), **options)
    g = ap.adaptive_avg_pool2d_backward(y, x.shape, **options)
    h = ap.adaptive_max_pool2d_backward(y, indices, x.shape, **options)
    return [r.tobytes() for r in (y, values, indices, alone, g, h)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(7, 33, 61, 67), (1, 3, 700, 801), (1, 1, 1500, 900)])
def test_same_bits_for_any_number(rng, shape, dtype, data_format):
    if data_format == "channels_last":
        shape = (shape[0], *shape[2:], shape[1])
    x = random_array(rng, shape, dtype)
    expected = results(x, num_threads=1, data_format=data_format)
    for n in (2, 3, 7):
        assert results(x, num_threads=n, data_format=data_format) == expected


def test_same_bits_for_any_split_of_the_batch(rng, data_format):
    x = random_array(rng, (6, 12, 33, 14), "float32")
    whole = results(x, data_format=data_format)
    parts = [results(part, data_format=data_format) for part in np.array_split(x, 4)]
    assert whole == [b"".join(part) for part in zip(*parts, strict=True)]


def test_settings():
    default = ap.get_num_threads()
    assert default >= 1
    ap.set_num_threads(3)
    try:
        assert ap.get_num_threads() == 3
        with ap.num_threads(5):
            assert ap.get_num_threads() == 5
            with ap.num_threads(1):
                assert ap.get_num_threads() == 1
            assert ap.get_num_threads() == 5
            with concurrent.futures.ThreadPoolExecutor() as pool:
                assert pool.submit(ap.get_num_threads).result() == 3
        assert ap.get_num_threads() == 3
    finally:
        ap.set_num_threads(None)
    assert ap.get_num_threads() == default


def test_block_is_left_when_an_exception_passes():
    default = ap.get_num_threads()
    with pytest.raises(RuntimeError), ap.num_threads(9):
        raise RuntimeError
    assert ap.get_num_threads() == default


@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-2, ValueError), (True, TypeError), ("2", TypeError)]
)
def test_bad_settings(value, error):
    with pytest.raises(error, match="num_threads"):
        ap.set_num_threads(value)
    with pytest.raises(error, match="num_threads"), ap.num_threads(value):
        pass


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"ADAPTIVE_POOL_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5,2"}, 5),
        ({"OMP_NUM_THREADS": "5", "ADAPTIVE_POOL_NUM_THREADS": "2"}, 2),
    ],
)
def test_environment(environment, expected):
    clean = {"ADAPTIVE_POOL_NUM_THREADS": "", "OMP_NUM_THREADS": ""}
    assert python(GET, **{**clean, **environment}) == expected


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "2,2", "32769", "9" * 5000])
def test_nonsense_in_the_environment_is_named_and_ignored(value):
    code = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import adaptive_pool as ap
print(json.dumps([ap.get_num_threads(), *(str(warning.message) for warning in caught)]))
"""
    count, text = python(code, ADAPTIVE_POOL_NUM_THREADS=value, OMP_NUM_THREADS="")
    assert count == _cpus.cpu_limit()
    assert text == (
        f"ADAPTIVE_POOL_NUM_THREADS={value[:40]!r} is not a number of threads from 1 to 32768, "
        "so it is ignored"
    )


@pytest.mark.parametrize("value", ["", "0", "many"])
def test_nonsense_in_the_variable_of_openmp_is_ignored(value):
    assert python(GET, ADAPTIVE_POOL_NUM_THREADS="", OMP_NUM_THREADS=value) == _cpus.cpu_limit()


@pytest.mark.parametrize("backend", parallel.backends())
def test_backend_is_chosen_by_the_environment(rng, backend, data_format):
    """It changes no bit."""
    code = f"""
import hashlib, json
import numpy as np, adaptive_pool as ap
x = np.random.default_rng(0).standard_normal((3, 33, 61, 67)).astype(np.float32)
options = {{"data_format": {data_format!r}, "num_threads": 3}}
y = ap.adaptive_avg_pool2d(x, (5, 6), dtype=np.float64, **options)
values, indices = ap.adaptive_max_pool2d(x, (5, 6), return_indices=True, **options)
g = ap.adaptive_avg_pool2d_backward(y, x.shape, **options)
h = ap.adaptive_max_pool2d_backward(y, indices, x.shape, **options)
bits = b"".join(result.tobytes() for result in (y, values, indices, g, h))
print(json.dumps([ap.config()["threads"], hashlib.sha256(bits).hexdigest()]))
"""
    name, digest = python(code, ADAPTIVE_POOL_THREADS=backend)
    assert name == backend
    assert digest == python(code, ADAPTIVE_POOL_THREADS="", ADAPTIVE_POOL_NUM_THREADS="1")[1]


def test_unknown_backend():
    code = """
try:
    import adaptive_pool
except ImportError as error:
    import json
    print(json.dumps(str(error)))
"""
    assert python(code, ADAPTIVE_POOL_THREADS="tbb") == (
        "ADAPTIVE_POOL_THREADS='tbb' is not built here, "
        f"expected one of {list(parallel.backends())}"
    )


@pytest.mark.parametrize("n", [300, 26215, 32768])
def test_more_threads_than_are_good(n):
    """They are not started: nothing runs out, and no product of sizes overflows."""
    x = np.broadcast_to(np.float32(1), (n * 8, 2048))
    assert (ap.adaptive_avg_pool1d(x, 1, num_threads=n) == 1).all()


def test_small_calls_stay_on_one_thread():
    assert _threads.threads_for("test", None, 1000) == 1
    assert _threads.threads_for("test", 4, 2**30) == (1 if parallel.backend() == "none" else 4)


def test_threads_limited_by_threadpoolctl():
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="needed to limit with it")
    if not ap.config()["openmp"]:
        pytest.skip("built without OpenMP")
    with threadpoolctl.threadpool_limits(1):
        assert ap.get_num_threads() == 1


def test_many_callers_at_once(rng):
    """They take scratch of different sizes from each other."""
    xs = [random_array(rng, shape, "float32") for shape in ((4, 16, 40, 40), (1, 1, 6, 7))]
    expected = [results(x) for x in xs]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for k, got in enumerate(pool.map(lambda k: results(xs[k % 2], num_threads=2), range(60))):
            assert got == expected[k % 2]


def in_a_thread(function, *args, **kwargs):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args, **kwargs).result()


@pytest.mark.parametrize("n", [2, 3, 7])
def test_same_bits_for_a_caller_beside_the_main_thread(rng, n):
    x = random_array(rng, (7, 33, 61, 67), "float32")
    assert in_a_thread(results, x, num_threads=n) == results(x, num_threads=1)


@linux
def test_many_callers_share_the_threads():
    """Ours are at most three, beside those that call."""
    code = """
import concurrent.futures, os
import numpy as np, adaptive_pool as ap
x = np.ones((64, 64, 32, 32), np.float32)
before = most = len(os.listdir("/proc/self/task"))
def call(_):
    global most
    right = (ap.adaptive_avg_pool2d(x, 4, num_threads=4) == 1).all()
    most = max(most, len(os.listdir("/proc/self/task")))
    return right
call(0)
most = 0
with concurrent.futures.ThreadPoolExecutor(32) as callers:
    together = callers.map(call, range(640))
    right = [call(0) for _ in range(20)] + list(together)
print([len(right), int(sum(right)), most - before])
"""
    calls, right, more = python(code)
    assert right == calls == 660
    assert more <= 32 + 3


NO_MORE_THREADS = {
    # For a user of its own: the limit counts all processes of the user, and does not bind root.
    "processes": """
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(54321)
    os.setuid(54321)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
""",
    "memory": """
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (3 << 20),) * 2)
""",
}


@linux
@pytest.mark.parametrize("limit", NO_MORE_THREADS)
@pytest.mark.parametrize("before", [1, 2], ids=["first call", "a larger team"])
@pytest.mark.parametrize("caller", ["main", "other"])
def test_fewer_threads_where_they_cannot_be_started(limit, before, caller):
    code = f"""
import os, resource, threading
import numpy as np, adaptive_pool as ap
x, right = np.ones((64, 64, 32, 32), np.float32), []
out = np.empty((64, 64, 4, 4), np.float32)
def call(n):
    right.append(int((ap.adaptive_avg_pool2d(x, 4, num_threads=n, out=out) == 1).all()))
call({before})
thread = threading.Thread(target=lambda: (ready.wait(), call(8)))
ready = threading.Event()
thread.start()
{NO_MORE_THREADS[limit]}
if {caller == "main"}:
    call(8)
ready.set()
thread.join()
print(right)
"""
    assert python(code) == ([1, 1, 1] if caller == "main" else [1, 1])


@linux
@pytest.mark.parametrize("variable", ["OMP_STACKSIZE", "GOMP_STACKSIZE"])
def test_stacks_of_another_size_that_do_not_fit(variable):
    """They are those of OpenMP's threads, and libgomp would end the process."""
    code = """
import resource
import numpy as np, adaptive_pool as ap
x = np.ones((64, 64, 32, 32), np.float32)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (256 << 20),) * 2)
print(int((ap.adaptive_avg_pool2d(x, 4, num_threads=4) == 1).all()))
"""
    assert python(code, **{variable: "1G"}) == 1
