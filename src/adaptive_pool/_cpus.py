"""The CPUs this process may use: its affinity, or less under a container's quota."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

_OWN_GROUPS = "/proc/self/cgroup"
_CGROUP = "/sys/fs/cgroup"


def _read(*path: str) -> str:
    # Not by pathlib, whose import would take as long as a quarter of this package's.
    try:
        with open(os.path.join(*path), encoding="ascii") as file:  # noqa: PTH118, PTH123
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


def cpu_limit() -> int:
    """Return the CPUs this process may use: its affinity, or less under a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return math.ceil(min(count, _quota()))


def forked_without_exec() -> bool:
    """Return whether this process began by fork alone, with what its parent had loaded."""
    fields = _read("/proc/self/stat").rpartition(")")[2].split()
    return len(fields) > 6 and fields[6].isdecimal() and bool(int(fields[6]) & 0x40)
