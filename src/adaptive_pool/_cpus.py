"""The CPUs this process may use: its affinity, or less under a container's quota."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

_OWN_GROUPS = "/proc/self/cgroup"
_CGROUP = "/sys/fs/cgroup"

# Variables that make OpenMP bind threads to CPUs, the last one LLVM's and Intel's runtimes only.
_BINDING = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"}
_RUNTIMES = ("libgomp", "libomp", "libiomp5")


def _read(*path: str) -> str:
    # Not by pathlib, whose import would take as long as a quarter of this package's.
    try:
        with open(os.path.join(*path), encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH118, PTH123
            return file.read()
    except (OSError, ValueError):
        return ""


def _and_parents(group: str) -> Iterator[str]:
    """Yield a/b, a and the root, which is a container's own group where it has its own names."""
    names = [name for name in group.split("/") if name]
    if ".." in names:
        names = []
    for depth in range(len(names), -1, -1):
        yield "/".join(names[:depth])


def _own_group(controller: str) -> str:
    """Return where this process is in the hierarchy of a controller; "" names version 2's only."""
    for line in _read(_OWN_GROUPS).splitlines():
        _, controllers, group = line.split(":", 2)
        if controller in controllers.split(","):
            return group
    return ""


def _limits() -> Iterator[tuple[str, str]]:
    """Yield every limit on the time of this process: microseconds of CPU, and in how many."""
    for group in _and_parents(_own_group("")):
        quota, _, period = _read(_CGROUP, group, "cpu.max").partition(" ")
        yield quota, period
    for group in _and_parents(_own_group("cpu")):
        folder = (_CGROUP, "cpu", group)
        yield _read(*folder, "cpu.cfs_quota_us"), _read(*folder, "cpu.cfs_period_us")


def _quota() -> float:
    """Return the CPUs' worth of time that the container may use; infinity without a limit."""
    least = math.inf
    for quota, period in _limits():
        try:
            if int(quota) > 0 and int(period) > 0:
                least = min(least, int(quota) / int(period))
        except ValueError:  # "max", or no such file
            pass
    return least


def _runtimes() -> set[str]:
    """Return the paths of the OpenMP runtimes that this process has loaded."""
    lines = _read("/proc/self/maps").splitlines()
    paths = {line.partition("/")[2].removesuffix(" (deleted)") for line in lines if "/" in line}
    return {f"/{path}" for path in paths if path.rpartition("/")[2].startswith(_RUNTIMES)}


def _cpus_online() -> int:
    """Return the CPUs of the machine; `os.cpu_count` says with musl how many this thread has."""
    return sum(line.startswith("cpu") for line in _read("/proc/stat").splitlines()) - 1


def cpus_bound_by_openmp() -> set[int]:
    """Return the CPUs for threads of a process whose main thread OpenMP binds to one place.

    Empty where no variable asks for that. libgomp does it as soon as it is loaded, by whichever
    package, LLVM's and Intel's runtimes later, at the first use. If it is done, a runtime knows the
    places for all of its threads; if it is not, they are the CPUs that the process has.
    """
    if not _BINDING & os.environ.keys() or not hasattr(os, "sched_getaffinity"):
        return set()
    cpus = os.sched_getaffinity(0)
    if len(cpus) == _cpus_online():  # asking might itself bind the thread
        return cpus
    # Not needed otherwise, and a third of what importing this package takes.
    import ctypes

    for path in _runtimes():
        try:
            runtime = ctypes.CDLL(path, os.RTLD_NOLOAD)
            for place in range(runtime.omp_get_num_places()):
                numbers = (ctypes.c_int * runtime.omp_get_place_num_procs(place))()
                runtime.omp_get_place_proc_ids(place, numbers)
                cpus.update(numbers)
        except (OSError, AttributeError):  # a replaced file, a version without places
            continue
    return cpus


def cpu_limit() -> int:
    """Return the CPUs this process may use: its affinity, or less under a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0) | cpus_bound_by_openmp())
    else:
        count = os.cpu_count() or 1
    return math.ceil(min(count, _quota()))
