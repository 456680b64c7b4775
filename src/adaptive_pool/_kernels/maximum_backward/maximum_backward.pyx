"""Max pooling, backward: each window adds its gradient at its index. Unpooling puts values there.

Parallel over planes, over parts of planes that are much larger than their outputs, and over blocks
of lanes, so each thread owns the elements it writes. Gradients that meet at an element are added in
row-major order of the windows, in grad_input itself; halves in float32, one sum for each element
that is named (names.pxd). Of values that meet, the last stays. A large plane is cleared just ahead
of the indices, so that its elements are added to while they are in the cache.

Indices come from strangers. `any_outside` looks at all of them before anything of the caller's is
written; each is looked at again as it is used, which is all that a new array needs.
docs/design/backward.md.
"""
from adaptive_pool._kernels.call.canonical cimport (
    Array, Canonical, Geometry, advance, arrange, begin, borrow, borrow_indices, give_back,
)
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, index_t, int32_t, int64_t, size_of,
    uint8_t, uint16_t, uint32_t, uint64_t,
)
from adaptive_pool._kernels.call.kernel cimport Kind, kernel_of
from adaptive_pool._kernels.call.part_runs cimport Group, run_groups
from adaptive_pool._kernels.call.parts cimport Parts
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.maximum_backward.addition cimport choose_add
from adaptive_pool._kernels.maximum_backward.index_check cimport check_all
from adaptive_pool._kernels.maximum_backward.names cimport NAMES, names_size
from adaptive_pool._kernels.maximum_backward.problem cimport (
    DENSE, FEW, GROUP, JOB, LANES, LINE, SPARSE, WHOLE, WIDENED, Scatter,
)
from adaptive_pool._kernels.maximum_backward.scatter cimport scatter
from adaptive_pool._kernels.maximum_backward.widened cimport scatter_widened
from adaptive_pool._kernels.threads.lists cimport JobList, run_list
from adaptive_pool._kernels.threads.parallel cimport is_brief
from adaptive_pool._kernels.tiles.planes cimport JOBS, isa, pieces

ISA = isa().decode()    # what this build was compiled for

ctypedef int (*scatter_t)(
    const Scatter* s, Py_ssize_t job, void* scratch, void* like, void* like_index,
) noexcept nogil


cdef scatter_t scatter_for(const Scatter* s, Element element, index_t* _) noexcept nogil:
    if s.puts:
        return <scatter_t> scatter[float, index_t]
    elif element == FLOAT16:
        if s.widened:
            return <scatter_t> scatter_widened[float16_t, index_t]
        return <scatter_t> scatter[float16_t, index_t]
    elif element == BFLOAT16:
        if s.widened:
            return <scatter_t> scatter_widened[bfloat16_t, index_t]
        return <scatter_t> scatter[bfloat16_t, index_t]
    elif element == FLOAT32:
        return <scatter_t> scatter[float, index_t]
    else:
        return <scatter_t> scatter[double, index_t]


cdef void* add_for(const Scatter* s, Element element, index_t* _) noexcept nogil:
    """The loop over the windows of a line."""
    if s.puts and s.grad_input.itemsize == 1:
        return <void*> choose_add[uint8_t, index_t](s, NULL, NULL)
    elif s.puts and s.grad_input.itemsize == 2:
        return <void*> choose_add[uint16_t, index_t](s, NULL, NULL)
    elif s.puts and s.grad_input.itemsize == 4:
        return <void*> choose_add[uint32_t, index_t](s, NULL, NULL)
    elif s.puts:
        return <void*> choose_add[uint64_t, index_t](s, NULL, NULL)
    elif element == FLOAT16:
        return <void*> choose_add[float16_t, index_t](s, NULL, NULL)
    elif element == BFLOAT16:
        return <void*> choose_add[bfloat16_t, index_t](s, NULL, NULL)
    elif element == FLOAT32:
        return <void*> choose_add[float, index_t](s, NULL, NULL)
    else:
        return <void*> choose_add[double, index_t](s, NULL, NULL)


cdef bint adjoin(const Array* array, const Py_ssize_t* sizes) noexcept nogil:
    """Whether the elements of a plane have one step from each to the next."""
    return (sizes[1] == 1 or array.h == sizes[2] * array.w) and (
        sizes[0] == 1 or array.d == sizes[1] * sizes[2] * array.w
    )


cdef Py_ssize_t widened_size(const Scatter* s, Py_ssize_t lanes) noexcept nogil:
    """Bytes of so many lanes of a plane and of its gradients, as float32."""
    return (s.plane + s.outputs) * lanes * <Py_ssize_t> sizeof(float)


cdef Py_ssize_t plan(Scatter* s, bint halves, int num_threads) noexcept nogil:
    """Cut the work into jobs, enough for all threads; returns how many."""
    cdef Py_ssize_t item = s.grad_input.itemsize, jobs = s.batches * s.channels, size
    cdef Py_ssize_t enough = JOBS * num_threads if num_threads > 1 else 1, parts, blocks, block
    s.outputs = s.windows[0] * s.windows[1] * s.windows[2]
    s.plane = s.sizes[0] * s.sizes[1] * s.sizes[2]
    size = s.plane * s.lanes * item
    s.flat = adjoin(&s.grad_input, s.sizes)
    s.packed = s.flat and s.grad_input.w == s.lanes * item
    s.neighbours = s.grad_output.lane == item and s.indices.lane == s.indices.itemsize
    s.dense = False
    if adjoin(&s.grad_output, s.windows) and adjoin(&s.indices, s.windows):
        s.windows[0] = s.windows[1] = 1
        s.windows[2] = s.outputs
        s.dense = s.region_count == 1 and s.grad_output.lane == item
        s.dense = s.dense and s.grad_output.w == s.lanes * item and (
            s.channels == 1 or s.grad_output.channel == s.outputs * s.lanes * item
        )
    s.outputs = max(s.outputs * s.region_count, <Py_ssize_t> 1)

    # Every part of a plane looks at all of its indices, which with many lanes is most of the work.
    parts = pieces(enough if s.lanes < FEW else num_threads, jobs)
    s.part = pieces(s.plane, max(min(parts, s.plane // (SPARSE * s.outputs)), 1))
    if halves and s.outputs > NAMES:
        s.part = min(s.part, <Py_ssize_t> NAMES)
    s.parts = pieces(s.plane, s.part)
    jobs *= s.parts
    s.lane_block = s.lanes
    if jobs < num_threads:  # where blocks meet, processors fetch each other's lanes
        blocks = min(pieces(num_threads, jobs), s.lanes // LANES, size // WHOLE)
        s.lane_block = pieces(s.lanes, max(blocks, <Py_ssize_t> 1))
    s.widened = halves and s.packed and s.dense and s.parts == 1 and s.plane <= DENSE * s.outputs
    if s.widened:
        blocks = pieces(widened_size(s, s.lane_block), WIDENED)
        block = min(s.lane_block, pieces(pieces(s.lane_block, blocks), LINE) * LINE)
        s.widened = widened_size(s, block) <= WIDENED
        s.lane_block = block if s.widened else s.lane_block
    s.lane_blocks = pieces(s.lanes, s.lane_block)
    jobs *= s.lane_blocks

    s.small = s.widened or s.parts == 1 and s.lane_blocks == 1 and size <= WHOLE
    s.group = s.cleared = 1
    if s.widened:
        s.cleared = pieces(GROUP, widened_size(s, s.lane_block))
    elif s.small:
        s.cleared = pieces(GROUP, size)
        if halves:
            s.cleared = max(min(s.cleared, NAMES // (s.outputs * s.lanes)), 1)
    if s.small:
        s.group = min(s.channels, max(1, min(pieces(JOB, size), jobs // enough)))
    s.groups = pieces(s.channels, s.group)
    s.named = max(NAMES // s.outputs, 1) if halves else s.lanes
    return jobs // s.channels * s.groups


cdef Py_ssize_t scratch_size(const Scatter* s, bint halves) noexcept nogil:
    if s.widened:
        return widened_size(s, s.cleared * s.lane_block)
    elif halves:
        return names_size(s.cleared * s.outputs * min(s.named, s.lane_block))
    return 1


def any_outside(
    indices,            # IN: int32 or int64, aligned
    Windows windows,    # IN
    Py_ssize_t plane,   # IN: indices must lie in -1:plane
    int num_threads,    # IN
):
    """Whether an index is outside the plane. Reads each index once and writes nothing."""
    cdef Canonical c
    cdef bint outside
    begin(&c)
    try:
        borrow_indices(&c, indices, False)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            outside = check_all(&c, plane, num_threads)
        else:
            with nogil:
                outside = check_all(&c, plane, num_threads)
    finally:
        give_back(&c)
    return outside


cdef struct Task:
    Scatter scatter
    scatter_t run


cdef struct Call:
    Element element
    bint puts


cdef int run_scatter(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Task* t = <const Task*> task
    return t.run(&t.scatter, job, scratch, NULL, NULL)


cdef void prepare(
    void* memory,           # OUT: a Task
    const Geometry* g,
    const Group* group,     # IN: the regions of a sample, or NULL: windows are of whole planes
    const void* call_, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef const Call* call = <const Call*> call_
    cdef Task* task = <Task*> memory
    cdef Scatter* s = &task.scatter
    cdef bint halves = not call.puts and call.element in (FLOAT16, BFLOAT16)
    cdef Py_ssize_t k
    s.grad_input, s.grad_output, s.indices = g.arrays[0], g.arrays[1], g.arrays[2]
    s.batches, s.channels, s.lanes = g.batches, g.channels, g.lanes
    for k in range(3):
        s.windows[k] = g.sizes[1][k]
        s.sizes[k] = g.sizes[0][k]
    s.only, s.gradient_step, s.index_step, s.puts = 0, 0, 0, call.puts
    s.regions, s.region_count = &s.only, 1
    if group != NULL and group.count == 1:  # of which the arrays may begin there
        s.grad_output.data += group.order[0] * group.steps[1]
        s.indices.data += group.order[0] * group.steps[2]
    elif group != NULL:
        s.regions, s.region_count = group.order, group.count
        s.gradient_step, s.index_step = group.steps[1], group.steps[2]
    jobs.work, jobs.task, jobs.count = run_scatter, task, plan(s, halves, num_threads)
    jobs.scratch_size = scratch_size(s, halves)
    if s.indices.itemsize == 4:
        s.add = add_for[int32_t](s, call.element, NULL)
        task.run = scatter_for[int32_t](s, call.element, NULL)
    else:
        s.add = add_for[int64_t](s, call.element, NULL)
        task.run = scatter_for[int64_t](s, call.element, NULL)


cdef int scatter_all(Canonical* c, const Call* call, int num_threads) except -1 nogil:
    """Whether an index was outside the plane."""
    cdef Task task
    cdef JobList jobs
    cdef int outside = False
    while True:
        prepare(&task, &c.here, NULL, call, num_threads, &jobs)
        outside |= run_list(&jobs, num_threads)
        if not advance(c):
            return outside


cdef bint scatter_arrays(
    values, indices, out, windows, Element element, bint puts, int num_threads,
) except -1:
    cdef Canonical c
    cdef Call call = Call(element, puts)
    cdef bint outside
    begin(&c)
    try:
        borrow(&c, out, True, size_of(element))
        borrow(&c, values, False, size_of(element))
        borrow_indices(&c, indices, False)
        if type(windows) is Parts:
            return run_groups(&c, <Parts> windows, prepare, &call, sizeof(Task), num_threads)
        arrange(&c, <Windows> windows)
        if is_brief(&c, num_threads):
            outside = scatter_all(&c, &call, num_threads)
        else:
            with nogil:
                outside = scatter_all(&c, &call, num_threads)
    finally:
        give_back(&c)
    return outside


def maximum_backward(
    grad_output,        # IN: array of the elements below
    indices,            # IN: int32 or int64
    grad_input,         # OUT: array of the elements below
    windows,            # IN: Windows, or Parts
    Element element,    # IN: what gradients hold
    int num_threads,    # IN
):
    """Store the gradient of the input in `grad_input`; all are aligned, and none is empty.

    Returns whether an index is outside the plane; such indices are passed over, and so is -1.
    """
    return scatter_arrays(
        grad_output, indices, grad_input, windows, element, False, num_threads
    )


cdef void prepare_item(
    void* memory, const Geometry* g, const void* call, int num_threads, JobList* jobs,
) noexcept nogil:
    prepare(memory, g, NULL, call, num_threads, jobs)


def maximum_backward_kernel(
    Element element,    # IN: what gradients hold
):
    """What stores the gradient of an array, to be done for several; none of them is empty.

    Jobs say whether an index is outside the plane.
    """
    cdef Kind[3] kinds
    cdef Call call = Call(element, False)
    kinds[0], kinds[1] = Kind(size_of(element), True), Kind(size_of(element), False)
    kinds[2] = Kind(0, False)
    return kernel_of(prepare_item, sizeof(Task), &call, sizeof(call), kinds, 3)


def maximum_unpool(
    values,             # IN: array of the elements below
    indices,            # IN: int32 or int64
    out,                # OUT: array of the elements below
    windows,            # IN: Windows, or Parts
    Element element,    # IN: what values are
    int num_threads,    # IN
):
    """Store values at their indices in `out` and zeros elsewhere, likewise."""
    return scatter_arrays(values, indices, out, windows, element, True, num_threads)
