"""How many threads a call uses: the settings, the CPUs there are, what the work deserves."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator

from ._cpus import cpu_limit, forked_without_exec
from ._kernels import parallel
from ._windows import as_size

# A thread more is worth its start from about this much memory traffic on: it takes OpenMP some
# microseconds, the pool some tens of them.
BYTES_PER_THREAD = 1 << 17
BYTES_PER_POOL_THREAD = 1 << 21

# More would only wait for each other.
MOST_THREADS = max(64, os.cpu_count() or 1)

_setting: int | None = None
_override: contextvars.ContextVar[int | None] = contextvars.ContextVar(
    "adaptive_pool_num_threads", default=None
)
_openmp_at_import = parallel.max_threads()
_HAS_THREADS = parallel.backend() != "none"

# The parent may have left libgomp a team whose threads are not in this process. And where libgomp
# is told how large its threads' stacks are, whether others can be started says nothing of them.
if forked_without_exec() or {"OMP_STACKSIZE", "GOMP_STACKSIZE"} & os.environ.keys():
    parallel.leave_out_openmp()


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
    if not _HAS_THREADS:
        return 1
    each = BYTES_PER_THREAD if parallel.serves_by_openmp() else BYTES_PER_POOL_THREAD
    return min(count, max(1, work // each), MOST_THREADS)
