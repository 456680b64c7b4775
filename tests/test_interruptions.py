"""Long calls among threads, signals, interpreters: who runs meanwhile, and what is left after."""

import sys

import pytest
from processes import python

# One window of a broadcast array: some seconds' work for hardly any memory.
LONG_CALL = """
import json, signal, threading, time
import numpy as np
import adaptive_pool as ap
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
x = np.broadcast_to(np.float32(1), (8, 20_000, 20_000))
out = np.zeros((8, 1, 1), np.float32)
g = np.ones((4, 3, 3), np.float32)
"""


def test_other_threads_run_during_a_long_call():
    """The GIL is released."""
    code = """
times = []
stop = threading.Event()
def tick():
    while not stop.is_set():
        times.append(time.monotonic())
        time.sleep(0.001)
thread = threading.Thread(target=tick)
thread.start()
begin = time.monotonic()
ap.adaptive_avg_pool2d(x, 1, num_threads=1)
end = time.monotonic()
stop.set()
thread.join()
third = (end - begin) / 3
print(json.dumps(sum(begin + third < t < end - third for t in times)))
"""
    assert python(LONG_CALL + code) > 3


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupt_during_a_long_call(threads):
    """The call ends, its result is complete, and then there is a KeyboardInterrupt."""
    code = f"""
expected = ap.adaptive_avg_pool2d(g, 1).tolist()
begin, sent = time.monotonic(), []
def interrupt():
    sent.append(time.monotonic() - begin)
    signal.raise_signal(signal.SIGINT)
threading.Timer(0.05, interrupt).start()
caught = False
try:
    ap.adaptive_avg_pool2d(x, 1, out=out, num_threads={threads})
    time.sleep(10)
except KeyboardInterrupt:
    caught = time.monotonic() - begin
print(json.dumps([
    sent[0] < caught < 60, (out == 1).all().item(),
    ap.adaptive_avg_pool2d(g, 1).tolist() == expected,
    (ap.adaptive_avg_pool2d(x[:1, :2000], 1, num_threads={threads}) == 1).all().item(),
]))
"""
    assert python(LONG_CALL + code) == [True] * 4


@pytest.mark.parametrize("threads", [1, 2])
def test_the_interpreter_ends_during_a_call(threads):
    """A daemon thread is in the middle of it."""
    code = f"""
started = threading.Event()
def work():
    started.set()
    while True:
        ap.adaptive_avg_pool2d(x, 1, num_threads={threads})
threading.Thread(target=work, daemon=True).start()
started.wait()
time.sleep(0.1)
print(json.dumps("the end"))
"""
    for _ in range(3):
        assert python(LONG_CALL + code) == "the end"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux's /proc")
def test_signals_of_the_threads():
    """They leave all but their own faults, which faulthandler reports, to the caller's threads."""
    code = """
import json, os, signal, time
import numpy as np
import adaptive_pool as ap
before = set(os.listdir("/proc/self/task"))
ap.adaptive_avg_pool2d(np.ones((64, 64, 32, 32), np.float32), 4, num_threads=2)
faults = {signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV}
end = time.monotonic() + 20
while time.monotonic() < end:  # the C library may block more while a thread begins
    left = set()
    for thread in set(os.listdir("/proc/self/task")) - before:
        with open(f"/proc/self/task/{thread}/status") as file:
            blocked = next(int(line[7:], 16) for line in file if line.startswith("SigBlk:"))
        left |= {s for s in signal.Signals if s <= 31 and not blocked >> (s - 1) & 1}
    if left >= faults:
        break
    time.sleep(0.01)
print(json.dumps(sorted(left - {signal.SIGKILL, signal.SIGSTOP} ^ faults)))
"""
    assert python(code, ADAPTIVE_POOL_THREADS="") == []


def test_import_in_a_thread():
    """Eight threads import it at once."""
    code = """
import json, threading
results = []
def work():
    import adaptive_pool as ap
    results.append(ap.adaptive_avg_pool1d([1.0, 2.0, 3.0, 4.0], 2).tolist())
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(results))
"""
    assert python(code) == [[1.5, 3.5]] * 8


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module has another name from 3.13 on")
@pytest.mark.parametrize("first", [False, True], ids=["alone", "after-the-main-interpreter"])
def test_import_in_a_subinterpreter(first):
    """It works where NumPy's own import does, and is an ImportError otherwise."""
    code = f"""
import json, _xxsubinterpreters as interpreters
if {first}:
    import adaptive_pool
there = interpreters.create()
try:
    interpreters.run_string(there, '''
import warnings
warnings.simplefilter("ignore")  # NumPy's, that it does not support this
import adaptive_pool as ap
assert ap.adaptive_avg_pool1d([1.0, 2.0, 3.0, 4.0], 2).tolist() == [1.5, 3.5]
''')
    said = "it works"
except interpreters.RunFailedError as error:
    said = str(error)
interpreters.destroy(there)
if {first}:
    assert adaptive_pool.adaptive_avg_pool1d([1.0, 2.0, 3.0, 4.0], 2).tolist() == [1.5, 3.5]
print(json.dumps(said))
"""
    assert python(code).startswith(("it works", "<class 'ImportError'>"))
