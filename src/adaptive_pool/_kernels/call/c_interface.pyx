"""The C interface: the table of functions that include/adaptive_pool.h describes.

A problem is described once, with the GIL, by the code that calls from Python go through
(`_c_interface.py`), so that it is checked by the same rules and refused in the same words. What
that leaves to do is kept in a plan, and running it needs no GIL.
"""
from cpython.buffer cimport Py_buffer
from cpython.exc cimport PyErr_Clear, PyErr_Fetch, PyErr_Restore
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from adaptive_pool cimport (
    ADAPTIVE_POOL_CAPSULE, ADAPTIVE_POOL_MEMORY_ERROR, ADAPTIVE_POOL_OK, ADAPTIVE_POOL_TYPE_ERROR,
    ADAPTIVE_POOL_VALUE_ERROR, ADAPTIVE_POOL_VERSION, adaptive_pool_api, adaptive_pool_error,
    adaptive_pool_plan, adaptive_pool_problem,
)
from adaptive_pool._kernels.call.canonical cimport (
    MOST_ARRAYS, MOST_AXES, Canonical, advance, arrange_axes, begin,
)
from adaptive_pool._kernels.call.elements cimport int64_t
from adaptive_pool._kernels.call.floating_point cimport (
    FloatingPoint, restore_floating_point, use_default_floating_point,
)
from adaptive_pool._kernels.call.kernel cimport Kernel
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.call.tables cimport Axis, Windows
from adaptive_pool._kernels.maximum_backward.index_check cimport check_all
from adaptive_pool._kernels.threads.lists cimport JobList, run_list

cdef enum:
    SMALL_TASK = 2560   # numbers of 8 bytes: tasks up to their size lie on the stack


# An array of the caller's.
cdef struct Place:
    int number              # in the caller's order
    bint aligned            # whether it must be
    Py_ssize_t itemsize
    Py_ssize_t shape[MOST_AXES]
    Py_ssize_t strides[MOST_AXES]   # without gaps


cdef struct Plan:
    PyObject* kernel        # which is kept, as long as the plan is, for what it points to
    PyObject* windows       # likewise; NULL: nothing is computed
    prepare_t prepare
    const void* call
    Py_ssize_t task_size
    const Axis* d
    const Axis* h
    const Axis* w
    int axes
    int first_axis
    int last_axis           # the first behind the pooled ones
    int count               # of arrays, in the order of the kernel; the first is that which
    Place places[MOST_ARRAYS]   # windows are cut from
    int indices             # the number of indices that are checked; or -1
    Py_ssize_t plane
    bint clears             # whether the first array is all zeros if nothing is computed
    int threads
    Canonical packed        # arrays without gaps


cdef extern from "Python.h" nogil:
    bint Py_IsInitialized()


ctypedef int (*raw_t)(const Plan* plan, Canonical* c, int threads) noexcept nogil


cdef int fail(adaptive_pool_error* error, int status, const char* text) noexcept nogil:
    cdef Py_ssize_t k = 0
    if error != NULL:
        error.status = status
        while text[k] and k < <Py_ssize_t> sizeof(error.text) - 1:
            error.text[k] = text[k]
            k += 1
        error.text[k] = 0
    return status


cdef const Py_ssize_t* steps_of(
    const Place* place, const Py_ssize_t* const* strides,
) noexcept nogil:
    """The steps that an array is given with, or those of an array without gaps."""
    if strides != NULL and strides[place.number] != NULL:
        return strides[place.number]
    return place.strides


cdef void point(
    const Plan* plan, int a, void* const* data, const Py_ssize_t* const* strides, Py_buffer* buffer,
) noexcept nogil:
    """Let a buffer say where an array lies."""
    cdef const Place* place = &plan.places[a]
    cdef int k
    buffer.buf, buffer.ndim = data[place.number], plan.axes
    buffer.shape = <Py_ssize_t*> place.shape
    buffer.strides = <Py_ssize_t*> steps_of(place, strides)
    buffer.len = buffer.itemsize = place.itemsize
    for k in range(plan.axes):
        buffer.len *= place.shape[k]


cdef void arrange_all(
    const Plan* plan, void* const* data, const Py_ssize_t* const* strides, Canonical* c,
) noexcept nogil:
    cdef int a
    c.count = plan.count
    for a in range(plan.count):
        point(plan, a, data, strides, &c.buffers[a])
    arrange_axes(c, 0, plan.first_axis, plan.last_axis)
    c.here.d, c.here.h, c.here.w = plan.d, plan.h, plan.w


cdef bint is_aligned(
    const Plan* plan, const Place* place, void* data, const Py_ssize_t* strides,
) noexcept nogil:
    cdef size_t bits = <size_t> data
    cdef int k
    for k in range(plan.axes):
        bits |= <size_t> strides[k] if place.shape[k] > 1 else 0
    return bits % <size_t> place.itemsize == 0


cdef void clear(
    const Plan* plan, int axis, char* data, const Py_ssize_t* strides,
) noexcept nogil:
    """Store zeros in the first array."""
    cdef const Place* place = &plan.places[0]
    cdef Py_ssize_t k
    if axis == plan.axes:
        memset(data, 0, place.itemsize)
        return
    for k in range(place.shape[axis]):
        clear(plan, axis + 1, data + k * strides[axis], strides)


cdef int compute(const Plan* plan, Canonical* c, int threads) except -1 nogil:
    """What jobs find, or-ed: in a gradient, whether an index is outside the plane."""
    cdef double[SMALL_TASK] small
    cdef void* task = small
    cdef void* allocated = NULL
    cdef JobList jobs
    cdef int found = 0
    if plan.task_size > <Py_ssize_t> sizeof(small):
        task = allocated = malloc(plan.task_size)
        if task == NULL:
            raise MemoryError
    try:
        while True:
            plan.prepare(task, &c.here, plan.call, threads, &jobs)
            found |= run_list(&jobs, threads)
            if not advance(c):
                return found
    finally:
        free(allocated)


cdef int check(const Plan* plan, Canonical* c, int threads) except -1 nogil:
    return check_all(c, plan.plane, threads)


cdef int call_on(
    const Plan* plan, void* const* data, const Py_ssize_t* const* strides, int threads,
) noexcept nogil:
    """-1 if there is no memory, or an exception is set; 1 if an index is outside the plane."""
    cdef Canonical c
    cdef int found, a
    if plan.indices >= 0:
        c.count = 1
        point(plan, plan.indices, data, strides, &c.buffers[0])
        arrange_axes(&c, 0, plan.first_axis, plan.last_axis)
        found = (<raw_t> check)(plan, &c, threads)
        if found:
            return found
    if strides != NULL:
        arrange_all(plan, data, strides, &c)
    else:
        c.count, c.loops, c.here = plan.count, 0, plan.packed.here
        for a in range(plan.count):
            c.here.arrays[a].data = <char*> data[plan.places[a].number]
    found = (<raw_t> compute)(plan, &c, threads)
    return found if found < 0 or plan.indices >= 0 else 0


cdef int run(
    const adaptive_pool_plan* plan_, void* const* data, const Py_ssize_t* const* strides,
    int threads, adaptive_pool_error* error,
) noexcept nogil:
    cdef const Plan* plan = <const Plan*> plan_
    cdef const Place* place
    cdef FloatingPoint caller
    cdef int a, found
    if plan == NULL or data == NULL or threads < 0:
        return fail(error, ADAPTIVE_POOL_VALUE_ERROR, (
            "run: plan and data must not be NULL, and threads not be negative"
        ))
    if plan.windows == NULL and not plan.clears:
        return ADAPTIVE_POOL_OK
    for a in range(plan.count):
        place = &plan.places[a]
        if data[place.number] == NULL and (a == 0 or plan.windows != NULL):
            return fail(error, ADAPTIVE_POOL_VALUE_ERROR, "run: an array is NULL")
        if place.aligned and not is_aligned(
            plan, place, data[place.number], steps_of(place, strides),
        ):
            return fail(error, ADAPTIVE_POOL_VALUE_ERROR, (
                "run: an array is not aligned: its address and steps must be multiples of the size "
                "of its elements; only x may lie anywhere"
            ))
    if plan.windows == NULL:
        place = &plan.places[0]
        clear(plan, 0, <char*> data[place.number], steps_of(place, strides))
        return ADAPTIVE_POOL_OK
    use_default_floating_point(&caller)
    found = call_on(plan, data, strides, plan.threads if threads == 0 else threads)
    restore_floating_point(&caller)
    if found < 0:
        with gil:
            PyErr_Clear()
        return fail(error, ADAPTIVE_POOL_MEMORY_ERROR, "run: no memory to work in")
    if found > 0:
        return fail(error, ADAPTIVE_POOL_VALUE_ERROR, (
            "run: indices must lie in the plane of x, or be -1 for windows without elements"
        ))
    return ADAPTIVE_POOL_OK


cdef tuple numbers(const int64_t* given, int count, str name):
    cdef int k
    if given == NULL:
        raise ValueError(f"describe: {name} must not be NULL")
    return tuple([given[k] for k in range(count)])


cdef object tables_of(const adaptive_pool_problem* p):
    """Windows that are given, as the functions take them from Python."""
    cdef int k
    counts = numbers(p.output_size, p.pooled_axes, "output_size")
    if p.starts == NULL or p.ends == NULL or p.windows != NULL or min(counts) < 0:
        raise ValueError(
            "describe: windows are a rule, or starts and ends for each pooled axis, as many as "
            "output_size says"
        )
    return [
        (
            numbers(p.starts[k], <int> counts[k], "starts"),
            numbers(p.ends[k], <int> counts[k], "ends"),
        )
        for k in range(p.pooled_axes)
    ]


cdef Plan* plan_of(const adaptive_pool_problem* p) except NULL:
    cdef Plan* plan
    cdef Kernel kernel
    cdef Windows windows
    cdef Place* place
    cdef Py_ssize_t size
    cdef int a, k
    if p == NULL or not 1 <= p.axes <= MOST_AXES or not 1 <= p.pooled_axes <= 3:
        raise ValueError(
            f"describe: a problem has 1 to {MOST_AXES} axes, of which 1 to 3 are pooled"
        )
    if p.starts != NULL or p.ends != NULL:
        cut = tables_of(p)
    else:
        cut = "torch" if p.windows == NULL else p.windows.decode()
    described = describe_problem(
        p.operation, p.dtype, p.result_dtype, p.index_dtype, numbers(p.shape, p.axes, "shape"),
        p.pooled_axes, p.channels_last, numbers(p.output_size, p.pooled_axes, "output_size"), cut,
    )
    kernel, windows = described.kernel, described.windows
    plan = <Plan*> malloc(sizeof(Plan))
    if plan == NULL:
        raise MemoryError("describe: no memory for a plan")
    memset(plan, 0, sizeof(Plan))
    plan.axes, plan.first_axis = p.axes, described.first_axis
    plan.last_axis = plan.first_axis + p.pooled_axes
    plan.threads, plan.plane = described.threads, described.plane
    plan.indices, plan.clears = described.checked, described.clears
    plan.count = len(described.arrays)
    for a in range(plan.count):
        place = &plan.places[a]
        place.number, place.itemsize, place.aligned, shape = described.arrays[a]
        size = place.itemsize
        for k in range(plan.axes - 1, -1, -1):
            place.shape[k], place.strides[k] = shape[k], size
            size *= max(place.shape[k], 1)
    if windows is not None:
        plan.prepare, plan.call = kernel.prepare, kernel.call
        plan.task_size = kernel.task_size
        plan.d, plan.h, plan.w = &windows.d, &windows.h, &windows.w
        plan.kernel, plan.windows = <PyObject*> kernel, <PyObject*> windows
        Py_INCREF(kernel)
        Py_INCREF(windows)
        begin(&plan.packed)
        pack(plan)
    return plan


cdef void pack(Plan* plan) noexcept nogil:
    """Find the axes of arrays without gaps."""
    cdef void* nowhere[MOST_ARRAYS]
    memset(nowhere, 0, sizeof(nowhere))
    arrange_all(plan, nowhere, NULL, &plan.packed)


cdef int fail_by(adaptive_pool_error* error, object found) noexcept:
    """Say what was raised."""
    cdef int status = ADAPTIVE_POOL_VALUE_ERROR
    if isinstance(found, TypeError):
        status = ADAPTIVE_POOL_TYPE_ERROR
    elif isinstance(found, MemoryError):
        status = ADAPTIVE_POOL_MEMORY_ERROR
    try:
        text = str(found).encode()
    except BaseException:   # there is no memory for it
        return fail(error, ADAPTIVE_POOL_MEMORY_ERROR, "describe: no memory to say what is wrong")
    return fail(error, status, text)


cdef int describe(
    const adaptive_pool_problem* problem, adaptive_pool_plan** plan, adaptive_pool_error* error,
) noexcept with gil:
    cdef PyObject* kind     # what the caller has raised, if anything
    cdef PyObject* value
    cdef PyObject* trace
    cdef int status = ADAPTIVE_POOL_OK
    if plan == NULL:
        return fail(error, ADAPTIVE_POOL_VALUE_ERROR, "describe: plan must not be NULL")
    plan[0] = NULL
    PyErr_Fetch(&kind, &value, &trace)
    try:
        plan[0] = <adaptive_pool_plan*> plan_of(problem)
    except BaseException as found:
        status = fail_by(error, found)
    PyErr_Restore(kind, value, trace)
    return status


cdef void forget(Plan* plan) noexcept with gil:
    Py_DECREF(<object> plan.kernel)
    Py_DECREF(<object> plan.windows)


cdef void release(adaptive_pool_plan* plan_) noexcept nogil:
    cdef Plan* plan = <Plan*> plan_
    # After Python has ended, as in destructors of C++, there is nothing to give back to it.
    if plan != NULL and plan.windows != NULL and Py_IsInitialized():
        forget(plan)
    free(plan)


cdef adaptive_pool_api table
table.version, table.reserved = ADAPTIVE_POOL_VERSION, 0
table.describe = <int (*)(
    const adaptive_pool_problem*, adaptive_pool_plan**, adaptive_pool_error*
) noexcept nogil> describe
table.run, table.release = run, release

capsule = PyCapsule_New(&table, ADAPTIVE_POOL_CAPSULE, NULL)
describe_problem = None


def prepare(function):
    """Say what checks a problem."""
    global describe_problem
    describe_problem = function
