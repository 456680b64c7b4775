"""A list of jobs, worked through by one thread or several: those of our own pool, or OpenMP's.

docs/design/threads.md.
"""
from cython.parallel cimport prange, threadid

from adaptive_pool._kernels.call.floating_point cimport (
    FloatingPoint, restore_floating_point, use_default_floating_point,
)
from adaptive_pool._kernels.threads.scratch cimport (
    put_back_scratch, take_scratch, whole_cache_lines,
)
from adaptive_pool._kernels.threads.threads cimport (
    Jobs, has_openmp, has_pool, is_forked_child, let_pool_run_on, openmp_threads, prepare_pool,
    run_alone, run_by_pool,
)

cdef bint by_openmp = has_openmp and not has_pool


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
    cdef Jobs all_jobs = Jobs(work, task, jobs, scratch, scratch_size)
    if num_threads <= 1:  # not even a region of one thread, which costs as much as a small call
        found = run_alone(&all_jobs)
    elif by_openmp and not is_forked_child():  # libgomp waits forever there
        for job in prange(jobs, schedule="static", num_threads=num_threads):
            found |= run_one(&all_jobs, job, threadid())
    else:
        found = run_by_pool(&all_jobs, num_threads)
    put_back_scratch(scratch)
    return found != 0


cdef int run_one(const Jobs* jobs, Py_ssize_t job, int thread) noexcept nogil:
    """One job on a thread of OpenMP, which may be in any floating-point state."""
    cdef FloatingPoint before
    use_default_floating_point(&before)
    cdef int found = jobs.work(jobs.task, job, jobs.scratch + thread * jobs.scratch_size)
    restore_floating_point(&before)
    return found


def backends():
    """What can run a call on several threads here, the default first: "pool", "openmp"."""
    return ("pool",) * has_pool + ("openmp",) * has_openmp


def backend():
    """What runs a call on several threads: one of `backends`, or "none" where there is none."""
    return "openmp" if by_openmp else "pool" if has_pool else "none"


def use_openmp():
    """Let OpenMP run all calls from now on, where it is built."""
    global by_openmp
    by_openmp = has_openmp


def prepare(int cpus, run_on):
    """Tell the pool, once, before it is used, how many processors there are for its threads.

    `run_on` are the numbers of those that they may run on; if empty, those of the caller.
    """
    if prepare_pool(cpus):
        raise MemoryError
    for cpu in run_on:
        let_pool_run_on(cpu)


def max_threads():
    """The threads OpenMP would use for this caller, as threadpoolctl and the like set it."""
    return openmp_threads()
