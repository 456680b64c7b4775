"""Average pooling, forward.

What is here hands a canonical problem to C: plan.h cuts it into tiles, lines.h adds input lines,
reduce.h sums windows along W, means.h makes means of the sums, and store.h stores them. Integers of
8 and 16 bits have a way of their own (short_tiles.pxd). docs/design/engine.md.
"""
from adaptive_pool._kernels.average.means cimport result_of
from adaptive_pool._kernels.average.short_integers cimport is_short
from adaptive_pool._kernels.average.short_tiles cimport average_short_integers
from adaptive_pool._kernels.call.canonical cimport Canonical, advance, arrange, borrow, give_back
from adaptive_pool._kernels.call.elements cimport Element, size_of
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.parallel cimport is_brief, job_t, run_jobs
from adaptive_pool._kernels.tiles.planes cimport isa
from adaptive_pool._kernels.tiles.problem cimport array_of, array_t, axis_of, axis_t

cdef extern from "average/store.h" nogil:
    ctypedef struct kind_t "ap_kind":
        int family
    ctypedef struct average_t "ap_average":
        const kind_t* kind
        int result
        array_t x, out
        axis_t d, h, w
        Py_ssize_t channels, planes, lanes
        double* divisors
    enum:
        FIRST_KIND "AP_FIRST_KIND"
        DIVISORS "AP_DIVISORS"
    const kind_t* ap_kinds
    void ap_plan_average(average_t* m, int threads, Py_ssize_t bytes_of_x)
    Py_ssize_t ap_tiles(const average_t* m)
    Py_ssize_t ap_scratch_size(const average_t* m)
    int ap_run_tile(const void* task, Py_ssize_t job, char* scratch)

ISA = isa().decode()    # what this build was compiled for


cdef int pool(
    Canonical* c, Windows windows, Element element, Element out_element, int num_threads,
) except -1 nogil:
    cdef average_t task
    cdef double divisors[DIVISORS]
    if is_short(element):
        return average_short_integers(c, windows, element, out_element, num_threads)
    task.kind, task.result = ap_kinds + (<int> element - FIRST_KIND), result_of(out_element)
    while True:
        task.channels, task.planes, task.lanes = c.channels, c.batches * c.channels, c.lanes
        task.d, task.h, task.w = axis_of(&windows.d), axis_of(&windows.h), axis_of(&windows.w)
        task.x, task.out = array_of(&c.arrays[0]), array_of(&c.arrays[1])
        task.divisors = divisors
        ap_plan_average(&task, num_threads, c.buffers[0].len)
        run_jobs(
            <job_t> ap_run_tile, &task, ap_tiles(&task), ap_scratch_size(&task), num_threads
        )
        if not advance(c):
            return 0


def average(
    x,                      # IN: array of the elements below
    out,                    # OUT: array, aligned
    Windows windows,        # IN
    Element element,        # IN: what x holds
    Element out_element,    # IN: what out holds
    int num_threads,        # IN
):
    """Average `x` over `windows` into `out`. Neither is empty."""
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(out_element))
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            pool(&c, windows, element, out_element, num_threads)
        else:
            with nogil:
                pool(&c, windows, element, out_element, num_threads)
    finally:
        give_back(&c)
