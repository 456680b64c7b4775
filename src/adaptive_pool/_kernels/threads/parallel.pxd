"""A list of jobs, worked through by one thread or several."""
from adaptive_pool._kernels.call.canonical cimport Canonical

cdef enum:
    # Bytes of all arrays up to which a call takes less time than giving up the GIL is worth.
    BRIEF = 32768


# One job; `scratch` is the thread's own. What it returns is or-ed over all jobs.
ctypedef int (*job_t)(const void* task, Py_ssize_t job, char* scratch) noexcept nogil


cdef int run_jobs(
    job_t work, const void* task, Py_ssize_t jobs, Py_ssize_t scratch_size, int num_threads,
) except -1 nogil


cdef inline bint is_brief(const Canonical* c, int num_threads) noexcept nogil:
    cdef Py_ssize_t size = 0
    cdef int a
    for a in range(c.count):
        size += c.buffers[a].len
    return num_threads == 1 and size <= BRIEF
