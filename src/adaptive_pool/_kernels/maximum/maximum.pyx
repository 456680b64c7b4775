"""Max pooling, forward, with or without indices.

What is here hands a canonical problem to C, where each kind of elements is compiled once: plan.h
cuts it into tiles, tile.h reads them, strip.h compares, store.h stores. Of equal elements the
first of a window wins, and of NaNs the last; docs/design/maximum.md.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.canonical cimport (
    Canonical, Geometry, advance, arrange, begin, borrow, borrow_indices, give_back,
)
from adaptive_pool._kernels.call.elements cimport BOOL, Element, int64_t, size_of
from adaptive_pool._kernels.call.kernel cimport Kind, kernel_of
from adaptive_pool._kernels.call.part_runs cimport run_parts
from adaptive_pool._kernels.call.parts cimport Parts
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.lists cimport JobList, run_list
from adaptive_pool._kernels.threads.parallel cimport is_brief, job_t
from adaptive_pool._kernels.tiles.counting cimport counting_t, set_flagging
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
        int64_t number, d_number, h_number
        bint is_bool
        const counting_t* counting
        array_t where
        char filler[8]
    const elements_t* ap_all_elements
    void ap_plan_maximum(maximum_t* m, int threads, Py_ssize_t bytes_of_x)
    Py_ssize_t ap_tiles(const maximum_t* m)
    Py_ssize_t ap_scratch_size(const maximum_t* m)
    int ap_run_tile(const void* task, Py_ssize_t job, char* scratch)

ISA = isa().decode()    # what this build was compiled for


cdef struct Call:
    Element element
    bint indexed
    bint is_counted         # whether not all elements count:
    counting_t counting
    int where               # number of an array, or -1
    char filler[8]


cdef void prepare(
    void* memory,           # OUT: a maximum_t
    const Geometry* g, const void* call_, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef const Call* call = <const Call*> call_
    cdef maximum_t* task = <maximum_t*> memory
    task.elements, task.is_bool = &ap_all_elements[<int> call.element], call.element == BOOL
    task.channels, task.planes, task.lanes = g.channels, g.batches * g.channels, g.lanes
    task.d, task.h, task.w = axis_of(g.d), axis_of(g.h), axis_of(g.w)
    task.number, task.d_number, task.h_number = g.number, g.d_number, g.h_number
    task.x, task.out = array_of(&g.arrays[0]), array_of(&g.arrays[1])
    task.indices.data = NULL
    if call.indexed:
        task.indices = array_of(&g.arrays[2])
    task.counting = NULL
    if call.is_counted:
        task.counting, task.where.data = &call.counting, NULL
        memcpy(task.filler, call.filler, sizeof(task.filler))
        if call.where >= 0:
            task.where = array_of(&g.arrays[call.where])
    ap_plan_maximum(task, num_threads, g.bytes)
    jobs.work, jobs.task = <job_t> ap_run_tile, task
    jobs.count, jobs.scratch_size = ap_tiles(task), ap_scratch_size(task)


cdef int pool(Canonical* c, const Call* call, int num_threads) except -1 nogil:
    cdef maximum_t task
    cdef JobList jobs
    while True:
        prepare(&task, &c.here, call, num_threads, &jobs)
        run_list(&jobs, num_threads)
        if not advance(c):
            return 0


def maximum(
    x,                  # IN: array of the elements below
    out,                # OUT: likewise, aligned
    indices,            # OUT: int32 or int64, flat within the plane D x H x W; None: not wanted
    windows,            # IN: Windows, or Parts
    Element element,    # IN: what x and out hold
    int num_threads,    # IN
):
    """Store the maxima of `windows`, and where in the plane they stand. No array is empty."""
    cdef Canonical c
    cdef Call call
    call.element, call.indexed, call.is_counted = element, indices is not None, False
    begin(&c)
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(element))
        if indices is not None:
            borrow_indices(&c, indices, True)
        if type(windows) is Parts:
            run_parts(&c, <Parts> windows, prepare, &call, sizeof(maximum_t), num_threads)
            return
        arrange(&c, <Windows> windows)
        if is_brief(&c, num_threads):
            pool(&c, &call, num_threads)
        else:
            with nogil:
                pool(&c, &call, num_threads)
    finally:
        give_back(&c)


def maximum_kernel(
    Element element,    # IN: what inputs and maxima are
    bint indexed,       # IN: whether indices are wanted
):
    """What stores the maxima of an array, to be done for several; none of them is empty."""
    cdef Kind[3] kinds
    cdef Call call
    call.element, call.indexed, call.is_counted = element, indexed, False
    kinds[0], kinds[1] = Kind(size_of(element), False), Kind(size_of(element), True)
    kinds[2] = Kind(0, True)
    return kernel_of(
        prepare, sizeof(maximum_t), &call, sizeof(call), kinds, 3 if indexed else 2
    )


def maximum_counted(
    x,                  # IN: array of the elements below
    out,                # OUT: likewise, aligned
    indices,            # OUT: int32 or int64, flat within the plane D x H x W; None: not wanted
    where,              # IN: bools in the shape of x, which elements count; None: all
    Parts parts,        # IN: and what windows become none of whose elements count
    Element element,    # IN: what x and out hold
    bytes lowest,       # IN: the lowest element that there is
    bint omits,         # IN: whether NaN does not count
    nodata,             # IN: the bytes of an element that does not count, or None
    int num_threads,    # IN
):
    """Store the maxima of what counts. No array is empty; returns whether a window is."""
    cdef Canonical c
    cdef Call call
    call.element, call.indexed, call.is_counted = element, indices is not None, True
    set_flagging(&call.counting, element, lowest, omits, nodata)
    memcpy(call.filler, parts.filler, sizeof(call.filler))
    begin(&c)
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(element))
        if indices is not None:
            borrow_indices(&c, indices, True)
        if where is not None:
            c.where = c.count
            borrow(&c, where, False, 1)
        call.where = c.where
        return run_parts(&c, parts, prepare, &call, sizeof(maximum_t), num_threads)
    finally:
        give_back(&c)
