"""Max pooling, forward, with or without indices.

What is here hands a canonical problem to C, where each kind of elements is compiled once: plan.h
cuts it into tiles, tile.h reads them, strip.h compares, store.h stores. Of equal elements the
first of a window wins, and of NaNs the last; docs/design/maximum.md.
"""
from adaptive_pool._kernels.call.canonical cimport (
    Canonical, advance, arrange, borrow, borrow_indices, give_back,
)
from adaptive_pool._kernels.call.elements cimport BOOL, Element, size_of
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.parallel cimport is_brief, job_t, run_jobs
from adaptive_pool._kernels.tiles.planes cimport isa
from adaptive_pool._kernels.tiles.problem cimport array_of, array_t, axis_of, axis_t

cdef extern from "maximum/store.h" nogil:
    ctypedef struct elements_t "ap_elements":
        pass
    ctypedef struct maximum_t "ap_maximum":
        const elements_t* elements
        array_t x, out, indices
        axis_t d, h, w
        Py_ssize_t channels, planes, lanes
        bint is_bool
    const elements_t* ap_all_elements
    void ap_plan_maximum(maximum_t* m, int threads, Py_ssize_t bytes_of_x)
    Py_ssize_t ap_tiles(const maximum_t* m)
    Py_ssize_t ap_scratch_size(const maximum_t* m)
    int ap_run_tile(const void* task, Py_ssize_t job, char* scratch)

ISA = isa().decode()    # what this build was compiled for


cdef int pool(
    Canonical* c, Windows windows, Element element, bint indexed, int num_threads,
) except -1 nogil:
    cdef maximum_t task
    task.elements, task.is_bool = &ap_all_elements[<int> element], element == BOOL
    task.channels, task.planes, task.lanes = c.channels, c.batches * c.channels, c.lanes
    while True:
        task.d, task.h, task.w = axis_of(&windows.d), axis_of(&windows.h), axis_of(&windows.w)
        task.x, task.out = array_of(&c.arrays[0]), array_of(&c.arrays[1])
        task.indices.data = NULL
        if indexed:
            task.indices = array_of(&c.arrays[2])
        ap_plan_maximum(&task, num_threads, c.buffers[0].len)
        run_jobs(
            <job_t> ap_run_tile, &task, ap_tiles(&task), ap_scratch_size(&task), num_threads
        )
        if not advance(c):
            return 0


def maximum(
    x,                  # IN: array of the elements below
    out,                # OUT: likewise, aligned
    indices,            # OUT: int32 or int64, flat within the plane D x H x W; None: not wanted
    Windows windows,    # IN
    Element element,    # IN: what x and out hold
    int num_threads,    # IN
):
    """Store the maxima of `windows`, and where in the plane they stand. No array is empty."""
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(element))
        if indices is not None:
            borrow_indices(&c, indices, True)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            pool(&c, windows, element, c.count == 3, num_threads)
        else:
            with nogil:
                pool(&c, windows, element, c.count == 3, num_threads)
    finally:
        give_back(&c)
