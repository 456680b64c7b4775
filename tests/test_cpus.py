"""The CPUs a process may use: affinity, and the quota of its container."""

import math
import os
import platform
import shutil
import sys

import pytest
from processes import python

from adaptive_pool import _cpus
from adaptive_pool._kernels.threads import parallel

V1 = "9:name=systemd:/a/b\n1:cpu,cpuacct:/a/b\n"
V2 = "0::/a/b\n"


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    """Write files of fake control groups, by path."""

    def write(own, files):
        root = tmp_path / "cgroup"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "own").write_text(own)
        monkeypatch.setattr(_cpus, "_CGROUP", root)
        monkeypatch.setattr(_cpus, "_OWN_GROUPS", tmp_path / "own")

    return write


def v1(quota, period, group=""):
    folder = f"cpu/{group}"
    return {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": period}


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/\n", {"cpu.max": "rubbish"}, math.inf),
        ("0::/\n", {"cpu.max": ""}, math.inf),
        ("", {"cpu.max": "150000 100000\n"}, 1.5),
        ("", {}, math.inf),
        (V2, {"a/b/cpu.max": "50000 100000\n"}, 0.5),
        (V2, {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n"}, 1.5),
        (V2, {"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "150000 100000\n"}, 1.5),
        (V2, {"a/b/cpu.max": "50000 100000\n", "a/cpu.max": "150000 100000\n"}, 0.5),
        (V2, {"c/cpu.max": "50000 100000\n"}, math.inf),
        ("0::/../c\n", {"cpu.max": "150000 100000\n"}, 1.5),
        (V1, v1("50000\n", "100000\n"), 0.5),
        (V1, v1("-1\n", "100000\n"), math.inf),
        (V1, v1("50000\n", "0\n"), math.inf),
        (V1, v1("150000\n", "100000\n", "a/b"), 1.5),
        (V1, {**v1("-1\n", "100000\n", "a/b"), **v1("50000\n", "100000\n", "a")}, 0.5),
        (V1 + V2, {**v1("400000\n", "100000\n"), "cpu.max": "150000 100000\n"}, 1.5),
    ],
)
def test_container_quota(cgroups, monkeypatch, own, files, quota):
    cgroups(own, files)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert _cpus._quota() == quota
    assert _cpus.cpu_limit() == {0.5: 1, 1.5: 2, math.inf: 8}[quota]


def test_quota_above_the_affinity(cgroups, monkeypatch):
    cgroups("0::/\n", {"cpu.max": "450000 100000\n"})
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert _cpus.cpu_limit() == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity on this system")
def test_affinity():
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import adaptive_pool as ap
print([ap.get_num_threads(), ap.config()["cpu_limit"]])
"""
    assert python(code, OMP_NUM_THREADS="", ADAPTIVE_POOL_NUM_THREADS="") == [1, 1]


CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


linux = pytest.mark.skipif(sys.platform != "linux", reason="OpenMP binds threads on Linux")
openmp = pytest.mark.skipif("openmp" not in parallel.backends(), reason="built without OpenMP")

CALL = """
import json, os, time
import numpy as np
import adaptive_pool as ap
{between}
before = set(os.listdir("/proc/self/task"))
ap.adaptive_avg_pool2d(np.ones((64, 64, 32, 32), np.float32), 4, num_threads=2)
ours = set(os.listdir("/proc/self/task")) - before
end = time.monotonic() + 20
while time.monotonic() < end:  # a thread asks for its CPUs when it begins
    allowed = {{cpu for thread in ours for cpu in os.sched_getaffinity(int(thread))}}
    if allowed == {cpus}:
        break
    time.sleep(0.01)
print(json.dumps([ap.get_num_threads(), ap.config()["cpu_limit"], sorted(allowed)]))
"""


def check_cpus(cpus, variable, value, *, first="", between=""):
    """Code that runs first, or after the import, does not change which CPUs are used."""
    code = first + CALL.format(between=between, cpus=set(cpus))
    environment = {"OMP_NUM_THREADS": "", "ADAPTIVE_POOL_NUM_THREADS": "", variable: value}
    threads, limit, allowed = python(code, **environment)
    assert threads == limit == math.ceil(min(len(cpus), _cpus._quota()))
    assert allowed == cpus


@linux
@openmp
@pytest.mark.parametrize(
    ("first", "variable", "value", "cpus"),
    [
        ("adaptive_pool", "OMP_PROC_BIND", "close", CPUS),
        ("adaptive_pool", "OMP_PROC_BIND", "spread", CPUS),
        ("adaptive_pool", "OMP_PROC_BIND", "false", CPUS),
        ("adaptive_pool", "OMP_PLACES", "cores", CPUS),
        ("adaptive_pool", "OMP_PLACES", f"{{{CPUS[-1]}}}", CPUS[-1:]),
        ("adaptive_pool", "GOMP_CPU_AFFINITY", " ".join(map(str, CPUS)), CPUS),
        ("adaptive_pool", "GOMP_CPU_AFFINITY", str(CPUS[-1]), CPUS[-1:]),
        ("torch", "OMP_PROC_BIND", "close", CPUS),
    ],
)
def test_main_thread_bound_by_openmp(first, variable, value, cpus):
    """libgomp does that when it is loaded, and the main thread has one CPU from then on."""
    if first == "torch":
        pytest.importorskip("torch", reason="PyTorch brings a libgomp of its own")
    check_cpus(cpus, variable, value, first=f"import {first}")


@linux
@openmp
@pytest.mark.parametrize("there", [True, False], ids=["there", "deleted"])
@pytest.mark.parametrize("name", ["libgomp-1a2b3c.so.1", "libomp.so.5", "libiomp5.so"])
def test_runtime_of_another_name(tmp_path, name, there):
    """A copy of libgomp stands for the others; its file may have been replaced since."""
    if not there and platform.libc_ver()[0] != "glibc":
        pytest.skip("musl finds no library whose file is gone")
    copy = shutil.copy(min(_cpus._runtimes()), tmp_path / name)
    first = f"import ctypes, os\nctypes.CDLL({os.fspath(copy)!r})\n"
    if not there:
        first += f"os.unlink({os.fspath(copy)!r})\n"
    check_cpus(CPUS, "OMP_PROC_BIND", "close", first=first)


@linux
def test_main_thread_bound_after_the_import():
    """LLVM's and Intel's runtimes do that at their first use."""
    between = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = CALL.format(between=between, cpus=set(CPUS))
    assert python(code, KMP_AFFINITY="compact")[2] == CPUS


@linux
def test_cpus_of_the_machine():
    """They do not depend on the affinity."""
    code = """
import os
from adaptive_pool import _cpus
before = _cpus._cpus_online()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print([before, _cpus._cpus_online()])
"""
    before, after = python(code)
    assert before == after >= len(CPUS)


@linux
def test_runtimes_are_not_asked_where_nothing_is_bound(monkeypatch):
    """LLVM's would bind the thread that asks."""
    cpus = set(range(_cpus._cpus_online()))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus, raising=False)
    monkeypatch.setenv("OMP_PROC_BIND", "close")
    monkeypatch.setattr(_cpus, "_runtimes", None)
    assert _cpus.cpus_bound_by_openmp() == cpus
