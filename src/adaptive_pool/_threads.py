"""How many threads a call uses: the settings, the CPUs there are, what the work deserves."""

from __future__ import annotations

import contextlib
import contextvars
import os
import warnings
from collections.abc import Iterator

from ._cpus import cpu_limit, cpus_bound_by_openmp
from ._kernels.threads import parallel
from ._windows import as_size

# A thread more is worth waking up from about this much memory traffic on: it takes some
# microseconds.
BYTES_PER_THREAD = 1 << 17

# More would only wait for each other.
MOST_THREADS = max(64, os.cpu_count() or 1)

# What may be asked for, in a call and in the environment.
LARGEST_SETTING = 1 << 15

_setting: int | None = None
_override: contextvars.ContextVar[int | None] = contextvars.ContextVar(
    "adaptive_pool_num_threads", default=None
)
_openmp_at_import = parallel.max_threads()


def _positive(text: str) -> int | None:
    """Return a number of threads as the environment has it, or None."""
    text = text.strip()
    # A number of more digits is too large, and int() refuses thousands of them.
    count = int(text) if text.isdecimal() and len(text) < 6 else 0
    return count if 0 < count <= LARGEST_SETTING else None


def _default_threads() -> int:
    """Return how many threads a call may use when nobody has said so in this process."""
    name = "ADAPTIVE_POOL_NUM_THREADS"
    given = os.environ.get(name, "")
    count = _positive(given)
    if given and count is None:
        warnings.warn(
            f"{name}={given[:40]!r} is not a number of threads from 1 to {LARGEST_SETTING}, "
            "so it is ignored",
            RuntimeWarning,
            stacklevel=2,
        )
    # OMP_NUM_THREADS may be a list, one entry for each level of nesting; OpenMP itself complains.
    return count or _positive(os.environ.get("OMP_NUM_THREADS", "").split(",")[0]) or cpu_limit()


def _choose_backend(wanted: str | None) -> None:
    """Let calls run on the threads that ``ADAPTIVE_POOL_THREADS`` asks for."""
    if wanted and wanted not in parallel.backends():
        raise ImportError(
            f"ADAPTIVE_POOL_THREADS={wanted!r} is not built here, "
            f"expected one of {list(parallel.backends())}"
        )
    if wanted == "openmp":
        parallel.use_openmp()


_default = _default_threads()
_choose_backend(os.environ.get("ADAPTIVE_POOL_THREADS"))
parallel.prepare(cpu_limit(), cpus_bound_by_openmp())


def _check(function: str, n: object) -> int:
    count = as_size(function, "num_threads", n)
    if not 0 < count <= LARGEST_SETTING:
        raise ValueError(
            f"{function}: num_threads must be from 1 to {LARGEST_SETTING}, got {count}"
        )
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
        If `n` is not from 1 to 32768.

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
        If `n` is not from 1 to 32768.

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


def as_threads(function: str, requested: object) -> int | None:
    """Return a number of threads, checked, of which code of the caller's is run now."""
    return None if requested is None else _check(function, requested)


def threads_for(function: str, requested: object, work: int) -> int:
    """Return the threads for one call that moves `work` bytes."""
    if requested is None and work < 2 * BYTES_PER_THREAD:
        return 1
    count = get_num_threads() if requested is None else _check(function, requested)
    if parallel.backend() == "none":
        return 1
    return min(count, max(1, work // BYTES_PER_THREAD), MOST_THREADS)
