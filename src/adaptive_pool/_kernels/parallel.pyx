"""The threads of all kernels: OpenMP's where they are safe, which are fastest, else our own.

docs/design/threads.md.
"""
from cython.parallel cimport prange, threadid

from adaptive_pool._kernels.openmp cimport (
    forbid_openmp, has_openmp, openmp_is_safe, openmp_serves, openmp_threads, prepare_openmp,
)
from adaptive_pool._kernels.pool cimport Jobs, has_pool, prepare_pool, run_by_pool
from adaptive_pool._kernels.scratch cimport put_back_scratch, take_scratch, whole_cache_lines

if prepare_openmp() or prepare_pool():
    raise MemoryError


cdef int run_jobs(
    job_t work, const void* task, Py_ssize_t jobs, Py_ssize_t scratch_size, int num_threads,
) except -1 nogil:
    cdef Py_ssize_t job
    cdef int found = 0
    num_threads = <int> min(<Py_ssize_t> num_threads, jobs)
    scratch_size = whole_cache_lines(scratch_size)
    cdef char* scratch = take_scratch(num_threads * scratch_size)
    if scratch == NULL:
        raise MemoryError
    cdef Jobs all_jobs
    if num_threads <= 1:  # not even a region of one thread, which costs as much as a small call
        for job in range(jobs):
            found |= work(task, job, scratch)
    elif openmp_is_safe(num_threads):
        for job in prange(jobs, schedule="static", num_threads=num_threads):
            found |= work(task, job, scratch + threadid() * scratch_size)
    else:
        all_jobs = Jobs(work, task, jobs, scratch, scratch_size)
        found = run_by_pool(&all_jobs, num_threads)
    put_back_scratch(scratch)
    return found != 0


def backend():
    """What runs a call on several threads: "openmp", "pool", or "none" where there is neither."""
    return "openmp" if has_openmp else "pool" if has_pool else "none"


def max_threads():
    """The threads OpenMP would use for this caller, as threadpoolctl and the like set it."""
    return openmp_threads()


def serves_by_openmp():
    """Whether OpenMP's threads work for this caller: they are sooner there than the pool's."""
    return openmp_serves() != 0


def leave_out_openmp():
    """Let the pool serve all callers from now on, if there is one."""
    if has_pool:
        forbid_openmp()
