"""The floating-point state of the calling thread: it changes no bit, and is left as it was.

Rounding, subnormals and traps belong to a thread. Other threads of a call have a state of their
own, so results would depend on the number of threads, had the caller's state any say.
"""

import platform

import pytest
from processes import python

from adaptive_pool import _kernels

x86 = platform.machine() in ("x86_64", "AMD64")
pytestmark = pytest.mark.skipif(not x86, reason="sets the control register of SSE by its bits")

# Bits of MXCSR: the rest is the default.
STATES = {
    "subnormals are zero": 0x1F80 | 1 << 15 | 1 << 6,
    "round down": 0x1F80 | 1 << 13,
    "round up": 0x1F80 | 2 << 13,
    "round towards zero": 0x1F80 | 3 << 13,
    "traps": 0x0000,
    "traps for subnormals too, rounding up": 2 << 13,
    "flags of exceptions are raised": 0x1F80 | 0x3F,
}

COMMON = """
import ctypes, ctypes.util, hashlib, json, threading
import numpy as np
import adaptive_pool as ap
from adaptive_pool import _threads
from adaptive_pool._kernels import SPARE_SUMS, add_lines, means_of_sums
from adaptive_pool._kernels.call.elements import ELEMENTS
try:
    import ml_dtypes
    DTYPES = ["float16", "bfloat16", "float32", "float64", "uint8", "int64"]
except ImportError:
    DTYPES = ["float16", "float32", "float64", "uint8", "int64"]
_threads.BYTES_PER_THREAD = 1  # so that small calls have several threads

libm = ctypes.CDLL(ctypes.util.find_library("m"))
buffer = (ctypes.c_uint32 * 8)()  # an fenv_t of x86-64: the last word is MXCSR

def mxcsr():
    libm.fegetenv(buffer)
    return buffer[7]

def set_mxcsr(value):
    libm.fegetenv(buffer)
    buffer[7] = value
    libm.fesetenv(buffer)

rng = np.random.default_rng(0)

def array(dtype):
    if dtype in ("uint8", "int64"):
        return rng.integers(0, 200, (2, 3, 19, 23)).astype(dtype)
    x = rng.standard_normal((2, 3, 19, 23))
    tiny = {"float16": 2.0**-24, "bfloat16": 2.0**-133, "float32": 2.0**-149, "float64": 5e-324}
    x[0] = np.round(x[0] * 10) * tiny[dtype]  # subnormal
    x[1, 0, 0, 0] = np.inf  # a sum that is redone
    x[1, 1, 0, 0] = np.nan
    return x.astype(dtype)

def added(x):
    # Means of planes whose lines were added, as for arrays of Dask.
    lines, element = x.reshape(6, 19, 23), ELEMENTS[x.dtype.name]
    sums = np.zeros((2, 6, 23 + SPARE_SUMS), np.int64 if x.dtype.kind in "iu" else np.float64)
    means = np.empty(6, np.float64 if x.dtype.kind in "iu" else x.dtype)
    add_lines(lines.view(f"u{x.itemsize}"), sums, element)
    words = means.view(f"u{means.itemsize}")
    means_of_sums(sums, 0, 23, np.full(6, 437.0), words, element, ELEMENTS[means.dtype.name])
    return means

def calls(x, **options):
    shape = x.shape
    yield lambda: ap.adaptive_avg_pool2d(x, (4, 5), **options)
    yield lambda: ap.adaptive_avg_pool2d(x, 1, **options)
    yield lambda: ap.adaptive_max_pool2d(x, (4, 5), return_indices=True, **options)
    yield lambda: ap.adaptive_max_pool2d(x, (4, 5), **options)
    if x.dtype != np.uint8:
        yield lambda: added(x)
    if x.dtype.kind in "fV":
        y, indices = ap.adaptive_max_pool2d(x, (4, 5), return_indices=True, **options)
        yield lambda: ap.adaptive_avg_pool2d_backward(y, shape, **options)
        yield lambda: ap.adaptive_max_pool2d_backward(y, indices, shape, **options)
    else:
        yield lambda: ap.adaptive_avg_pool2d(x, (4, 5), dtype=x.dtype, **options)

def bits(state, threads):
    found = []
    for dtype in DTYPES:
        x = array(dtype)
        for data_format in ("channels_first", "channels_last"):
            for call in calls(x, data_format=data_format, num_threads=threads):
                call()  # what is cached is made
                before = mxcsr()
                set_mxcsr(state)
                result = call()
                after = mxcsr()
                set_mxcsr(before)
                assert after == state, (hex(after), hex(state))
                results = result if isinstance(result, tuple) else (result,)
                found.append(b"".join(r.tobytes() for r in results))
    return hashlib.sha256(b"".join(found)).hexdigest()
"""

CODE = """
expected = bits(0x1F80, 1)
rng = np.random.default_rng(0)
here = bits({state}, {threads})
rng = np.random.default_rng(0)
there = []
thread = threading.Thread(target=lambda: there.append(bits({state}, {threads})))
thread.start()
thread.join()
print(json.dumps([here == expected, there == [expected]]))
"""


@pytest.mark.parametrize("isa", [isa for isa in _kernels.isas_built if _kernels._RUNS[isa]])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_state_of_the_caller_changes_nothing(state, threads, isa):
    code = COMMON + CODE.format(state=state, threads=threads)
    assert python(code, ADAPTIVE_POOL_ISA=isa) == [True, True]
