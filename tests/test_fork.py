"""Fork: a child pools right, promptly and on several threads, whatever the parent was doing."""

import os
import sys

import pytest
from processes import python

from adaptive_pool._kernels.threads import parallel

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's /proc or libgomp")

backends = pytest.mark.parametrize("backend", parallel.backends())

COMMON = """
import ctypes, json, multiprocessing, os, sys, threading, time, warnings
import numpy as np
warnings.simplefilter("ignore")  # newer Pythons warn of every fork while there are threads

def omp_region():
    region = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: None)
    ctypes.CDLL("libgomp.so.1").GOMP_parallel(region, None, ctypes.c_uint(2), ctypes.c_uint(0))

def pooled():
    import adaptive_pool as ap
    x = np.arange(64 * 64 * 32 * 32, dtype=np.float32).reshape(64, 64, 32, 32)
    return ap.adaptive_avg_pool2d(x, 4, num_threads=4)

def exit_of_child(function):
    child = os.fork()
    if child == 0:
        os._exit(function())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, 9)
    return "hangs"

def threads():
    return len(os.listdir("/proc/self/task"))
"""


@backends
def test_after_a_parallel_call(backend):
    code = """
expected = pooled()
print(exit_of_child(lambda: int((pooled() != expected).any())))
"""
    assert python(COMMON + code, ADAPTIVE_POOL_THREADS=backend) == 0


@backends
def test_of_a_child(backend):
    code = """
expected = pooled()
def again():
    pooled()
    return exit_of_child(lambda: int((pooled() != expected).any()))
print(exit_of_child(again))
"""
    assert python(COMMON + code, ADAPTIVE_POOL_THREADS=backend) == 0


@backends
def test_by_another_thread_than_the_one_that_called(backend):
    code = """
expected, exits = pooled(), []
thread = threading.Thread(target=lambda: (pooled(), exits.append(
    exit_of_child(lambda: int((pooled() != expected).any())))))
thread.start()
thread.join()
print(exits)
"""
    assert python(COMMON + code, ADAPTIVE_POOL_THREADS=backend) == [0]


@backends
def test_while_other_threads_are_in_calls(backend):
    code = """
expected, stop = pooled(), False
def call():
    while not stop:
        pooled()
threads = [threading.Thread(target=call) for _ in range(3)]
for thread in threads:
    thread.start()
exits = set()
for _ in range(25):
    pooled()
    exits.add(exit_of_child(lambda: int((pooled() != expected).any())))
stop = True
for thread in threads:
    thread.join()
print(json.dumps(sorted(exits, key=str)))
"""
    assert python(COMMON + code, ADAPTIVE_POOL_THREADS=backend) == [0]


def test_the_parent_goes_on():
    code = """
expected = pooled()
exits = [exit_of_child(lambda: int((pooled() != expected).any())) for _ in range(3)]
print([*exits, int((pooled() != expected).any())])
"""
    assert python(COMMON + code) == [0, 0, 0, 0]


@backends
def test_multiprocessing_pool(backend):
    code = """
expected = pooled()
def differs(_):
    return int((pooled() != expected).any())
with multiprocessing.get_context("fork").Pool(3) as workers:
    print(workers.map_async(differs, range(12)).get(timeout=30))
"""
    assert python(COMMON + code, ADAPTIVE_POOL_THREADS=backend) == [0] * 12


@linux
@pytest.mark.skipif(parallel.backend() == "none", reason="built without threads")
def test_a_child_works_on_several_threads():
    code = """
pooled()
print(exit_of_child(lambda: (pooled(), threads())[1]))
"""
    assert python(COMMON + code) == 4


@linux
@pytest.mark.parametrize("imported", ["before", "after"])
def test_another_extension_used_openmp(imported):
    code = """
omp_region()
print(exit_of_child(lambda: int(pooled()[0, 0, 0, 0] != 115.5)))
"""
    first = "import adaptive_pool\n" if imported == "before" else ""
    assert python(COMMON + first + code) == 0
