"""How many threads a call uses: the settings, what the machine allows, what the work deserves."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator

from ._kernels import parallel
from ._windows import as_size

# A thread more is worth its start, some microseconds, from about this much memory traffic on.
BYTES_PER_THREAD = 1 << 17

# More would only wait for each other; and a runtime that cannot start a thread ends the process.
MOST_THREADS = max(64, os.cpu_count() or 1)

_CGROUP = "/sys/fs/cgroup"

_setting: int | None = None
_override: contextvars.ContextVar[int | None] = contextvars.ContextVar(
    "adaptive_pool_num_threads", default=None
)
_serial = False
_openmp_at_import = parallel.max_threads()


def _after_fork_in_child() -> None:
    # If anybody in the parent has run a parallel region, libgomp would wait in the child for
    # threads that do not exist there.
    global _serial
    _serial = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _read(*names: str) -> str:
    # Not by pathlib, whose import would take as long as a quarter of this package's.
    with open(os.path.join(_CGROUP, *names), encoding="ascii") as file:  # noqa: PTH118, PTH123
        return file.read()


def _cgroup_quota() -> float | None:
    """Return the CPUs' worth of time that the container may use, or None."""
    try:
        quota, period = _read("cpu.max").split()
    except (OSError, ValueError):
        try:
            quota = _read("cpu", "cpu.cfs_quota_us")
            period = _read("cpu", "cpu.cfs_period_us")
        except OSError:
            return None
    try:
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
    except ValueError:  # "max"
        return None


def cpu_limit() -> int:
    """Return the CPUs this process may use: its affinity, or less under a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = _cgroup_quota()
    if quota is not None:
        count = min(count, max(1, int(-(-quota // 1))))
    return count


def _environment(name: str) -> int | None:
    """Return the positive integer that a variable begins with ("4" or "4,2"), or None."""
    first = os.environ.get(name, "").split(",")[0].strip()
    return int(first) if first.isdecimal() and len(first) < 6 and int(first) > 0 else None


_default = (
    _environment("ADAPTIVE_POOL_NUM_THREADS") or _environment("OMP_NUM_THREADS") or cpu_limit()
)


def _check(function: str, n: object) -> int:
    count = as_size(function, "num_threads", n)
    if count == 0 or count > 2**15:
        raise ValueError(f"{function}: num_threads must be from 1 to {2**15}, got {count}")
    return count


def get_num_threads() -> int:
    """Return the number of threads that a call may use when it is not told otherwise.

    This is, in this order: the innermost `num_threads` block, `set_num_threads`, the environment
    variables ``ADAPTIVE_POOL_NUM_THREADS`` and ``OMP_NUM_THREADS``, the number of CPUs that the
    process may use. A limit set with `threadpoolctl` lowers it. A call with little work to do uses
    fewer.

    Returns
    -------
    int

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> with ap.num_threads(1):
    ...     ap.get_num_threads()
    1
    """
    count = _override.get() or _setting or _default
    limit = parallel.max_threads()
    return min(count, limit) if limit != _openmp_at_import else count


def set_num_threads(n: int | None) -> None:
    """Set the number of threads that calls use, for the whole process.

    Parameters
    ----------
    n : int or None
        At least 1; None goes back to the default. Results do not depend on it, to the bit.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.set_num_threads(2)
    >>> ap.get_num_threads()
    2
    >>> ap.set_num_threads(None)
    """
    global _setting
    _setting = None if n is None else _check("set_num_threads", n)


@contextlib.contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Set the number of threads for the calls within a ``with`` block.

    Only the calling thread (the current `contextvars` context) is affected.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> with ap.num_threads(3):
    ...     ap.get_num_threads()
    3
    """
    token = _override.set(_check("num_threads", n))
    try:
        yield
    finally:
        _override.reset(token)


def threads_for(function: str, requested: object, work: int) -> int:
    """Return the threads for one call that moves `work` bytes."""
    if requested is None and work < 2 * BYTES_PER_THREAD:
        return 1
    count = get_num_threads() if requested is None else _check(function, requested)
    if _serial or not parallel.has_openmp():
        return 1
    return min(count, max(1, work // BYTES_PER_THREAD), MOST_THREADS)
