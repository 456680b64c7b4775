"""What is installed holds every build it should, on each platform, and the licences of others.

A wheel that lost its fast kernels or its OpenMP gives right results, and only this sees it. A wheel
built with -ffast-math gives some wrong ones. A build that was to hold less says so by the variables
it was made with: they must be set here too.
"""

import importlib.metadata
import importlib.util
import os
import platform
import sys
import sysconfig

import pytest

import adaptive_pool as ap
from adaptive_pool import _kernels
from adaptive_pool._kernels.threads import parallel

# Platform and processor (None: all others), the builds of the kernels, and whose threads.
WHEELS = {
    ("linux", "x86_64"): (("x86_64_v4", "x86_64_v3", "baseline"), ("pool", "openmp")),
    ("linux", None): (("baseline",), ("pool", "openmp")),
    ("win32", None): (("baseline",), ("openmp",)),
    ("darwin", None): (("baseline",), ("pool",)),
    ("emscripten", None): (("baseline",), ()),
}
SYSTEM = (sys.platform, platform.machine())
BUILDS, THREADS = WHEELS.get(SYSTEM, WHEELS[SYSTEM[0], None])
if "ADAPTIVE_POOL_BUILDS" in os.environ:
    named = os.environ["ADAPTIVE_POOL_BUILDS"].split()
    BUILDS = tuple(name for name in BUILDS if name in named)
if os.environ.get("ADAPTIVE_POOL_NO_OPENMP") == "1":
    THREADS = tuple(name for name in THREADS if name != "openmp")
ABI3 = (
    os.environ.get("ADAPTIVE_POOL_NO_ABI3") != "1"
    and platform.python_implementation() == "CPython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
)

PER_BUILD = ["average", "average_backward", "maximum", "maximum_backward"]


def test_builds_of_the_kernels():
    assert ap.config()["isas_built"] == BUILDS


def test_threads():
    assert parallel.backends() == THREADS
    assert ap.config()["threads"] == (*THREADS, "none")[0]
    assert ap.config()["openmp"] == ("openmp" in THREADS)


def test_arithmetic():
    assert ap.config()["arithmetic"] == "exact"


@pytest.mark.skipif(sys.platform == "win32", reason="names of modules do not tell there")
@pytest.mark.parametrize(
    "module",
    [f"call.{name}" for name in ("canonical", "cpu", "elements", "known", "problem", "tables")]
    + ["threads.parallel"]
    + [f"builds.{build}.{name}" for build in BUILDS for name in PER_BUILD],
)
def test_stable_abi(module):
    origin = importlib.util.find_spec(f"{_kernels.__name__}.{module}").origin
    assert origin.endswith(".abi3.so") == ABI3


def test_licences():
    names = {file.name for file in importlib.metadata.files("adaptive-pool")}
    assert {"LICENSE", "NOTICE.txt", "GPL-3.0.txt", "GCC-exception-3.1.txt"} <= names
