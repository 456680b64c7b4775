"""No byte outside an array is read or written: every array touches a page that faults.

The calls are in guarded_calls.py. A fault ends the process, so each group runs in one of its own.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from guarded import LAYOUTS, UNAVAILABLE, Guarded
from guarded_calls import GROUPS

from adaptive_pool import _kernels

pytestmark = pytest.mark.skipif(UNAVAILABLE, reason="guard pages are made with mprotect")

HERE = Path(__file__).parent
ISAS = [isa for isa in _kernels.isas_built if _kernels._RUNS[isa]]
# Elements of 1, 2, 4 and 8 bytes, integers and floats: a step too far is one of so many bytes.
EVERY_SIZE = ["uint8", "int32", "float16", "float32", "float64"]


def run(*command, **environment):
    result = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=600, check=False,
        cwd=HERE, env={**os.environ, **environment},
    )  # fmt: skip
    return result.returncode, [*result.stdout.splitlines(), ""], result.stderr


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("isa", "dtypes"),
    [
        pytest.param(ISAS[0], EVERY_SIZE, id="some-dtypes"),
        *(pytest.param(isa, [], id=isa, marks=pytest.mark.slow) for isa in ISAS),
    ],
)
def test_nothing_outside_is_touched(isa, dtypes, group):
    """Arrays stand right before and right after memory that cannot be read or written."""
    status, said, errors = run("guarded_calls.py", group, *dtypes, ADAPTIVE_POOL_ISA=isa)
    assert status == 0, f"ended with {status} in {said[-2]}\n{errors}"
    assert said[-2] == "all done"


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("access", ["read", "write"])
def test_a_byte_outside_is_a_fault(access, place):
    """The guards themselves."""
    code = f"""
import ctypes, sys
from guarded import Guarded
memory = Guarded(1)
address = memory.bytes.ctypes.data + ({-1 if place == "before" else "memory.bytes.size"})
inside = address + ({1 if place == "before" else -1})
ctypes.memset(inside, 7, 1)
print(ctypes.string_at(inside, 1), flush=True)
ctypes.string_at(address, 1) if {access == "read"} else ctypes.memset(address, 7, 1)
print("no fault", flush=True)
"""
    status, said, _ = run("-c", code)
    assert -status in (signal.SIGSEGV, signal.SIGBUS)
    assert said == [str(b"\x07"), ""]


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_touch_the_guards(layout, at_end):
    memory = Guarded(100_000)
    shape = (2, 3, 1, 7)
    x = memory.array(shape, np.dtype(np.int16), LAYOUTS[layout](shape, 2), at_end)
    first, end = np.lib.array_utils.byte_bounds(x)
    low = memory.bytes.ctypes.data
    assert (end == low + memory.bytes.size) if at_end else (first == low)
    x[...] = np.arange(x.size).reshape(shape)
    assert np.unique(x).size == x.size
