"""Whose threads there are: those of the package's own pool, and OpenMP's.

docs/design/threads.md.
"""

cdef extern from "threads/thread_pool.h":
    ctypedef struct Jobs "ap_jobs":
        int (*work)(const void* task, Py_ssize_t job, char* scratch) noexcept nogil
        const void* task
        Py_ssize_t count
        char* scratch
        Py_ssize_t scratch_size

    const bint has_pool "AP_HAS_POOL"
    int prepare_pool "ap_prepare_pool"(int cpus)
    void let_pool_run_on "ap_let_pool_run_on"(int cpu)
    bint is_forked_child "ap_is_forked_child"() noexcept nogil
    # Both return what `work` does, or-ed over all jobs.
    int run_alone "ap_run_alone"(const Jobs* jobs) noexcept nogil
    int run_by_pool "ap_run_by_pool"(const Jobs* jobs, int members) noexcept nogil

cdef extern from "threads/openmp.h":
    const bint has_openmp "AP_HAS_OPENMP"
    int openmp_threads "ap_openmp_threads"()
