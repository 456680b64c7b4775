"""Results that are finished on their way to memory, box by box.

A box is a part of the results, small enough for the second cache. A job plans it as if it were a
call of its own, with the windows that it has, computes it in scratch, and finishes it: the result
itself is written once, whatever its strides, and no array holds what is in between.
"""
from adaptive_pool._kernels.call.canonical cimport Array, Geometry
from adaptive_pool._kernels.call.tables cimport Axis, describe_axis
from adaptive_pool._kernels.threads.lists cimport JobList
from adaptive_pool._kernels.threads.scratch cimport whole_cache_lines

cdef enum:
    MOST = 16384        # results of a box: 128 KiB of scratch;
    LEAST = 256         # or fewer, down to so many,
    WORTH = 16384       # or those of so many bytes of the input, so that each thread has
    JOBS = 4            # so many boxes
    AXES = 6            # batch, channel, D, H, W, lanes


# A task, with room behind it for what is planned of a box.
cdef struct Boxes:
    Geometry whole
    const BoxCall* call
    Py_ssize_t sizes[AXES]      # of the results,
    Py_ssize_t box[AXES]        # of a box,
    Py_ssize_t counts[AXES]     # and how many of these there are
    Py_ssize_t results_size     # bytes of scratch: for the results of a box,
    Py_ssize_t finish_size      # and to finish them


# A part of the results, and the windows of it.
cdef struct Box:
    Geometry geometry
    Axis axes[3]


cdef Py_ssize_t boxes_size(const BoxCall* call) noexcept nogil:
    """Bytes of a task."""
    return whole_cache_lines(sizeof(Boxes)) + call.task_size


cdef void cut_axis(
    const Axis* whole, Py_ssize_t first, Py_ssize_t count, Axis* part,
) noexcept nogil:
    """Some windows of an axis. What is said of weights holds for all of them."""
    part[0] = whole[0]
    part.count = count
    part.starts, part.ends = whole.starts + first, whole.ends + first
    if whole.firsts != NULL:
        part.firsts, part.lasts = whole.firsts + first, whole.lasts + first
        part.whole_starts = whole.whole_starts + first
        part.whole_ends = whole.whole_ends + first
    if count < whole.count:
        describe_axis(part)


cdef void cut(Boxes* boxes, Py_ssize_t most) noexcept nogil:
    """Into boxes of so many results, which go on as far as they can along the innermost axes."""
    cdef const Geometry* g = &boxes.whole
    cdef int axis
    boxes.sizes[0], boxes.sizes[1], boxes.sizes[2] = g.batches, g.channels, g.d.count
    boxes.sizes[3], boxes.sizes[4], boxes.sizes[5] = g.h.count, g.w.count, g.lanes
    for axis in range(AXES - 1, -1, -1):
        boxes.box[axis] = max(min(boxes.sizes[axis], most), <Py_ssize_t> 1)
        boxes.counts[axis] = (boxes.sizes[axis] + boxes.box[axis] - 1) // boxes.box[axis]
        most //= boxes.box[axis]


cdef void find_box(const Boxes* boxes, Py_ssize_t number, Box* box) noexcept nogil:
    cdef Py_ssize_t firsts[AXES]
    cdef Py_ssize_t sizes[AXES]
    cdef Geometry* g = &box.geometry
    cdef Array* x
    cdef int axis, a
    for axis in range(AXES - 1, -1, -1):
        firsts[axis] = number % boxes.counts[axis] * boxes.box[axis]
        sizes[axis] = min(boxes.box[axis], boxes.sizes[axis] - firsts[axis])
        number //= boxes.counts[axis]
    g[0] = boxes.whole
    g.batches, g.channels, g.lanes = sizes[0], sizes[1], sizes[5]
    cut_axis(boxes.whole.d, firsts[2], sizes[2], &box.axes[0])
    cut_axis(boxes.whole.h, firsts[3], sizes[3], &box.axes[1])
    cut_axis(boxes.whole.w, firsts[4], sizes[4], &box.axes[2])
    g.d, g.h, g.w = &box.axes[0], &box.axes[1], &box.axes[2]
    for a in range(g.count):
        x = &g.arrays[a]
        x.data += firsts[0] * x.batch + firsts[1] * x.channel + firsts[5] * x.lane
        if a > 0:   # windows say where in the input
            x.data += firsts[2] * x.d + firsts[3] * x.h + firsts[4] * x.w


cdef Py_ssize_t results_of(const Geometry* g) noexcept nogil:
    return g.batches * g.channels * g.lanes * g.d.count * g.h.count * g.w.count


cdef void lay_out(const Geometry* g, double* results, Array* x) noexcept nogil:
    """Numbers side by side, in the order of the axes."""
    x.data, x.itemsize, x.lane = <char*> results, sizeof(double), sizeof(double)
    x.w = g.lanes * x.lane
    x.h = g.w.count * x.w
    x.d = g.h.count * x.h
    x.channel = g.d.count * x.d
    x.batch = g.channels * x.channel


cdef void plan_box(
    const BoxCall* call, const Box* box, double* results, void* task, JobList* jobs,
) noexcept nogil:
    cdef Geometry g = box.geometry
    lay_out(&box.geometry, results, &g.arrays[1])
    g.count = 2
    call.prepare(task, &g, <const char*> call + call.inner, 1, jobs)


cdef int run_box(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Boxes* boxes = <const Boxes*> task
    cdef const BoxCall* call = boxes.call
    cdef double* results = <double*> scratch
    cdef double* numbers = <double*> (scratch + boxes.results_size)
    cdef char* planned = scratch + boxes.results_size + boxes.finish_size
    cdef Py_ssize_t k
    cdef JobList jobs
    cdef Box box
    find_box(boxes, job, &box)
    plan_box(call, &box, results, planned, &jobs)
    for k in range(jobs.count):
        jobs.work(jobs.task, k, planned + whole_cache_lines(call.task_size))
    call.finish(&box.geometry, results, numbers, call)
    return 0


cdef Py_ssize_t most_of_a_box(const Geometry* g, int num_threads) noexcept nogil:
    cdef Py_ssize_t results = results_of(g), least
    if num_threads <= 1 or results >= <Py_ssize_t> MOST * JOBS * num_threads:
        return MOST
    least = min(<Py_ssize_t> LEAST, <Py_ssize_t> (WORTH / (<double> g.bytes / results)) + 1)
    return max(min(results // (JOBS * num_threads), <Py_ssize_t> MOST), least)


cdef void prepare_boxes(
    void* memory,           # OUT: a task
    const Geometry* g, const void* call, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef Boxes* boxes = <Boxes*> memory
    cdef void* planned = <char*> memory + whole_cache_lines(sizeof(Boxes))
    cdef Py_ssize_t kernel_size = 0, job
    cdef int axis
    cdef JobList inner
    cdef Box box
    boxes.whole, boxes.call = g[0], <const BoxCall*> call
    cut(boxes, most_of_a_box(g, num_threads))
    jobs.work, jobs.task, jobs.count = run_box, boxes, 1
    for axis in range(AXES):
        jobs.count *= boxes.counts[axis]
    boxes.results_size = boxes.finish_size = 0
    for job in range(jobs.count):
        find_box(boxes, job, &box)
        plan_box(boxes.call, &box, NULL, planned, &inner)
        kernel_size = max(kernel_size, inner.scratch_size)
        boxes.results_size = max(
            boxes.results_size, results_of(&box.geometry) * <Py_ssize_t> sizeof(double)
        )
        boxes.finish_size = max(boxes.finish_size, boxes.call.finish_size(&box.geometry))
    boxes.results_size = whole_cache_lines(boxes.results_size)
    boxes.finish_size = whole_cache_lines(boxes.finish_size)
    jobs.scratch_size = (
        boxes.results_size + boxes.finish_size + whole_cache_lines(boxes.call.task_size)
        + kernel_size
    )
