"""The check of the arithmetic sees what flags such as -ffast-math do, and nothing else."""

import platform
import subprocess
import sys

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool import _kernels, _self_check


def test_the_kernels_in_use_are_exact():
    assert ap.config()["arithmetic"] == "exact"


@pytest.mark.parametrize("isa", _kernels.isas_built)
def test_each_build_is_exact(isa, monkeypatch):
    if not _kernels._RUNS[isa]:
        pytest.skip(f"this processor does not run {isa}")
    code = "import adaptive_pool as ap; print(ap.config()['isa'], ap.config()['arithmetic'])"
    monkeypatch.setenv("ADAPTIVE_POOL_ISA", isa)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [isa, "exact"]


def test_importing_leaves_subnormals_alone():
    code = """
import numpy as np
before = np.float64(1e-310) * 1, np.float32(1e-40) * np.float32(1)
import adaptive_pool as ap
assert before == (np.float64(1e-310) * 1, np.float32(1e-40) * np.float32(1)) and min(before) > 0
assert ap.config()["arithmetic"] == "exact"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# What a build with the flags of the issue gave.
WRONG = {
    "NaN lost": ("adaptive_max_pool1d", [np.nan, 7.0], 7.0),
    "overflow on the way": ("adaptive_avg_pool1d", [1.7e308] * 4, np.inf),
    "another order": ("adaptive_avg_pool1d", [1e16, 1.0, -1e16, 1.0], 0.25),
    "halves rounded down": ("adaptive_avg_pool1d", [1, 2], 1),
    "sign of zero lost": ("adaptive_avg_pool1d", [-0.0, -0.0], 0.0),
    "subnormals flushed": ("adaptive_avg_pool1d", [1e-323, 2e-323], 0.0),
    "reciprocals": ("adaptive_avg_pool1d_backward", [5.0], 5.0 * (1 / 3)),
}


@pytest.mark.parametrize(("function", "values", "wrong"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_what_is_wrong_is_said(monkeypatch, function, values, wrong, layout):
    right = getattr(ap, function)

    def faulty(x, size, **options):
        y = right(x, size, **options)
        lanes = x.T if options["data_format"] == "channels_last" else x
        if options["data_format"] == layout and np.array_equal(lanes[3], values, equal_nan=True):
            y[(..., 3) if layout == "channels_last" else 3] = wrong
        return y

    monkeypatch.setattr(_self_check, function, faulty)
    faults = _self_check.arithmetic().split("; ")
    assert faults
    for fault in faults:
        assert layout in fault
        said = fault.partition(" is ")[2].partition(" and not ")[0]
        assert float(wrong) in map(float, said.split(", "))


def test_a_process_changed_by_importing_is_said(monkeypatch):
    monkeypatch.setattr(_kernels, "changed_subnormals", True)
    assert _self_check.arithmetic() == (
        "importing adaptive_pool makes this process flush subnormals to zero"
    )


# Bits of MXCSR, of the state that other code may have given to the thread.
STATES = {
    "subnormals are zero": (0x9FC0, "other code has made this thread flush subnormals to zero"),
    "round down": (0x3F80, "exact"),
    "round up": (0x5F80, "exact"),
    "round towards zero": (0x7F80, "exact"),
    "traps for all but inexact results": (0x1100, "exact"),
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="sets the control register of SSE")
@pytest.mark.parametrize("first", ["state", "import"])
@pytest.mark.parametrize(("state", "expected"), STATES.values(), ids=STATES)
def test_the_state_of_the_thread_is_no_fault_of_the_kernels(state, expected, first):
    code = f"""
import ctypes, ctypes.util
import numpy as np
libm = ctypes.CDLL(ctypes.util.find_library("m"))
state = (ctypes.c_uint32 * 8)()  # an fenv_t of x86-64: the last word is MXCSR
libm.fegetenv(state)
if {first!r} == "import":
    import adaptive_pool as ap
state[7] = {state}
libm.fesetenv(state)
import adaptive_pool as ap
print(ap.config()["arithmetic"])
"""
    # Constants are computed when a module is compiled: nothing that was kept is used.
    found = subprocess.run(
        [sys.executable, "-X", "pycache_prefix=/does/not/exist", "-B", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == expected
