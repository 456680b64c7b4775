"""How many elements count in each window; see count.h."""
from adaptive_pool._kernels.call.canonical cimport Geometry
from adaptive_pool._kernels.call.elements cimport int64_t
from adaptive_pool._kernels.threads.lists cimport JobList
from adaptive_pool._kernels.threads.parallel cimport job_t
from adaptive_pool._kernels.tiles.counting cimport counting_t
from adaptive_pool._kernels.tiles.problem cimport array_of, array_t, axis_of, axis_t

cdef extern from "average_backward/count.h" nogil:
    ctypedef struct count_t "ap_count":
        const counting_t* counting
        array_t x, where, out
        axis_t d, h, w
        Py_ssize_t channels, batches, lanes
        int made
        int64_t least
    enum:
        NUMBERS "AP_MAKES_NUMBERS"
        PRODUCTS "AP_MAKES_PRODUCTS"
        QUOTIENTS "AP_MAKES_QUOTIENTS"
    void ap_plan_count(count_t* m, int threads)
    Py_ssize_t ap_count_jobs(const count_t* m)
    Py_ssize_t ap_count_scratch()
    int ap_run_count(const void* task, Py_ssize_t job, char* scratch)


cdef struct CountCall:
    counting_t counting
    int elements            # numbers of arrays, or -1
    int where
    int made
    int64_t least


cdef inline void prepare_count(
    void* memory,           # OUT: a count_t
    const Geometry* g, const void* call_, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef const CountCall* call = <const CountCall*> call_
    cdef count_t* task = <count_t*> memory
    task.counting, task.made, task.least = &call.counting, call.made, call.least
    task.channels, task.batches, task.lanes = g.channels, g.batches, g.lanes
    task.d, task.h, task.w = axis_of(g.d), axis_of(g.h), axis_of(g.w)
    task.out = array_of(&g.arrays[1])
    task.x = task.where = array_of(&g.arrays[0])
    task.x.data = task.where.data = NULL
    if call.elements >= 0:
        task.x = array_of(&g.arrays[call.elements])
    if call.where >= 0:
        task.where = array_of(&g.arrays[call.where])
    ap_plan_count(task, num_threads)
    jobs.work, jobs.task = <job_t> ap_run_count, task
    jobs.count, jobs.scratch_size = ap_count_jobs(task), ap_count_scratch()
