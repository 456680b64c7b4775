"""Threads: settings, limits, and that they change nothing but the time."""

import concurrent.futures
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from cases import random_array

import adaptive_pool as ap
from adaptive_pool import _threads


def python(code, **environment):
    """Run code in a fresh interpreter; return what it printed, as JSON."""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return json.loads(result.stdout)


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


@pytest.mark.parametrize("value", ["", "0", "-1", "many", "1.5", "9" * 5000])
def test_nonsense_in_the_environment_is_passed_over(value):
    environment = {"ADAPTIVE_POOL_NUM_THREADS": value, "OMP_NUM_THREADS": ""}
    assert python(GET, **environment) == _threads.cpu_limit()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity on this system")
def test_affinity():
    code = f"import os; os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}}); {GET}"
    assert python(code, OMP_NUM_THREADS="", ADAPTIVE_POOL_NUM_THREADS="") == 1


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "rubbish"}, None),
        ({}, None),
    ],
)
def test_container_quota(tmp_path, monkeypatch, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(_threads, "_CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert _threads._cgroup_quota() == quota
    assert _threads.cpu_limit() == {1.5: 2, 0.5: 1, None: 8}[quota]


@pytest.mark.parametrize("n", [300, 26215, 32768])
def test_more_threads_than_are_good(n):
    """They are not started: nothing runs out, and no product of sizes overflows."""
    x = np.broadcast_to(np.float32(1), (n * 8, 2048))
    assert (ap.adaptive_avg_pool1d(x, 1, num_threads=n) == 1).all()


def test_small_calls_stay_on_one_thread():
    assert _threads.threads_for("test", None, 1000) == 1
    assert _threads.threads_for("test", 4, 2**30) == (4 if ap.config()["openmp"] else 1)


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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_after_fork_does_not_hang():
    code = """
import os, sys, warnings, numpy as np, adaptive_pool as ap
warnings.simplefilter("ignore")
x = np.random.default_rng(0).random((64, 64, 32, 32), np.float32)
y = ap.adaptive_avg_pool2d(x, 4, num_threads=4)
child = os.fork()
if child == 0:
    os._exit(0 if (ap.adaptive_avg_pool2d(x, 4, num_threads=4) == y).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(code) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="calls libgomp by its name on Linux")
def test_a_child_after_another_extension_used_openmp():
    code = """
import ctypes, os, warnings, numpy as np, adaptive_pool as ap
warnings.simplefilter("ignore")
region = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
ctypes.CDLL("libgomp.so.1").GOMP_parallel(region, None, ctypes.c_uint(2), ctypes.c_uint(0))
x = np.ones((64, 64, 64, 64), np.float32)
child = os.fork()
if child == 0:
    os._exit(0 if (ap.adaptive_avg_pool2d(x, 4, num_threads=2) == 1).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(code) == 0
