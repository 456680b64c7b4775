"""A list of jobs, worked through by one thread or several."""
from cython.parallel cimport prange, threadid

from adaptive_pool._kernels.canonical cimport Canonical
from adaptive_pool._kernels.scratch cimport put_back_scratch, take_scratch, whole_cache_lines

cdef enum:
    # Bytes of all arrays up to which a call takes less time than giving up the GIL is worth.
    BRIEF = 32768


# One job; `scratch` is the thread's own. What it returns is or-ed over all jobs.
ctypedef int (*job_t)(const void* task, Py_ssize_t job, char* scratch) noexcept nogil


cdef inline int run_jobs(
    job_t work, const void* task, Py_ssize_t jobs, Py_ssize_t scratch_size, int num_threads,
) except -1 nogil:
    cdef Py_ssize_t job
    cdef int found = 0
    num_threads = <int> min(<Py_ssize_t> num_threads, jobs)
    scratch_size = whole_cache_lines(scratch_size)
    cdef char* scratch = take_scratch(num_threads * scratch_size)
    if scratch == NULL:
        raise MemoryError
    if num_threads <= 1:  # not even a region of one thread, which costs as much as a small call
        for job in range(jobs):
            found |= work(task, job, scratch)
    else:
        for job in prange(jobs, schedule="static", num_threads=num_threads):
            found |= work(task, job, scratch + threadid() * scratch_size)
    put_back_scratch(scratch)
    return found != 0


cdef inline bint is_brief(const Canonical* c, int num_threads) noexcept nogil:
    cdef Py_ssize_t size = 0
    cdef int a
    for a in range(c.count):
        size += c.buffers[a].len
    return num_threads == 1 and size <= BRIEF
