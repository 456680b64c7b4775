"""Lists of arrays whose results are finished on their way to memory, box by box.

A box is a part of the results of an item, small enough for the second cache. A job plans it as if
it were a call of its own, with the windows that it has, computes it in scratch, and finishes it:
the result itself is written once, whatever its strides, and no array holds what is in between.
"""
from libc.stdlib cimport free, malloc

from adaptive_pool._kernels.call.canonical cimport (
    Array, Canonical, Geometry, advance, begin, give_back,
)
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.call.tables cimport Axis, Windows
from adaptive_pool._kernels.call.work cimport Work, finish_size_t, finish_t
from adaptive_pool._kernels.threads.lists cimport JobList
from adaptive_pool._kernels.threads.parallel cimport run_jobs
from adaptive_pool._kernels.threads.scratch cimport whole_cache_lines

cdef enum:
    MOST = 16384        # results of a box: 128 KiB of scratch;
    LEAST = 256         # or fewer, down to so many, so that each thread has
    JOBS = 4            # so many boxes
    THREAD = 16384      # bytes that are worth a thread
    AXES = 6            # batch, channel, D, H, W, lanes


cdef struct Item:
    # An item, and how its results are cut into boxes.
    Canonical arrays
    Py_ssize_t sizes[AXES]
    Py_ssize_t box[AXES]
    Py_ssize_t counts[AXES]     # of boxes
    Py_ssize_t begin            # the number of the first box


cdef struct Plan:
    Item* items
    Py_ssize_t count
    prepare_t prepare
    finish_t finish
    const void* call
    Py_ssize_t means_size       # bytes of scratch: for the means of a box,
    Py_ssize_t finish_size      # to finish them,
    Py_ssize_t task_size        # and for what is planned


# A part of the results of an item, and the windows of it.
cdef struct Box:
    Geometry geometry
    Axis axes[3]


cdef void cut_axis(
    const Axis* whole, Py_ssize_t first, Py_ssize_t count, Axis* part,
) noexcept nogil:
    """Some windows of an axis."""
    part[0] = whole[0]
    part.count = count
    part.starts, part.ends = whole.starts + first, whole.ends + first
    if whole.firsts != NULL:
        part.firsts, part.lasts = whole.firsts + first, whole.lasts + first
        part.whole_starts = whole.whole_starts + first
        part.whole_ends = whole.whole_ends + first


cdef void cut_item(Item* item, Py_ssize_t most) noexcept nogil:
    """Into boxes of so many results, which go on as far as they can along the innermost axes."""
    cdef const Geometry* g = &item.arrays.here
    cdef int axis
    item.sizes[0], item.sizes[1], item.sizes[2] = g.batches, g.channels, g.d.count
    item.sizes[3], item.sizes[4], item.sizes[5] = g.h.count, g.w.count, g.lanes
    for axis in range(AXES - 1, -1, -1):
        item.box[axis] = max(min(item.sizes[axis], most), <Py_ssize_t> 1)
        item.counts[axis] = (item.sizes[axis] + item.box[axis] - 1) // item.box[axis]
        most //= item.box[axis]


cdef Py_ssize_t boxes_of(const Item* item) noexcept nogil:
    cdef Py_ssize_t count = 1
    cdef int axis
    for axis in range(AXES):
        count *= item.counts[axis]
    return count


cdef void find_box(const Item* item, Py_ssize_t number, Box* box) noexcept nogil:
    cdef Py_ssize_t firsts[AXES]
    cdef Py_ssize_t sizes[AXES]
    cdef Geometry* g = &box.geometry
    cdef Array* x
    cdef int axis, a
    for axis in range(AXES - 1, -1, -1):
        firsts[axis] = number % item.counts[axis] * item.box[axis]
        sizes[axis] = min(item.box[axis], item.sizes[axis] - firsts[axis])
        number //= item.counts[axis]
    g[0] = item.arrays.here
    g.batches, g.channels, g.lanes = sizes[0], sizes[1], sizes[5]
    cut_axis(item.arrays.here.d, firsts[2], sizes[2], &box.axes[0])
    cut_axis(item.arrays.here.h, firsts[3], sizes[3], &box.axes[1])
    cut_axis(item.arrays.here.w, firsts[4], sizes[4], &box.axes[2])
    g.d, g.h, g.w = &box.axes[0], &box.axes[1], &box.axes[2]
    for a in range(g.count):
        x = &g.arrays[a]
        x.data += firsts[0] * x.batch + firsts[1] * x.channel + firsts[5] * x.lane
        if a > 0:   # windows say where in the input
            x.data += firsts[2] * x.d + firsts[3] * x.h + firsts[4] * x.w


cdef void lay_out_means(const Geometry* g, double* means, Array* x) noexcept nogil:
    """Side by side, in the order of the axes."""
    x.data, x.itemsize, x.lane = <char*> means, sizeof(double), sizeof(double)
    x.w = g.lanes * x.lane
    x.h = g.w.count * x.w
    x.d = g.h.count * x.h
    x.channel = g.d.count * x.d
    x.batch = g.channels * x.channel


cdef void plan_box(
    const Plan* plan, const Box* box, double* means, char* task, JobList* jobs,
) noexcept nogil:
    cdef Geometry g = box.geometry
    lay_out_means(&box.geometry, means, &g.arrays[1])
    g.count = 2
    plan.prepare(task, &g, plan.call, 1, jobs)


cdef int run_box(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Plan* plan = <const Plan*> task
    cdef double* means = <double*> scratch
    cdef double* numbers = <double*> (scratch + plan.means_size)
    cdef char* planned = scratch + plan.means_size + plan.finish_size
    cdef Py_ssize_t low = 0, high = plan.count - 1, middle, k
    cdef JobList jobs
    cdef Box box
    while low < high:
        middle = (low + high + 1) // 2
        if plan.items[middle].begin <= job:
            low = middle
        else:
            high = middle - 1
    find_box(&plan.items[low], job - plan.items[low].begin, &box)
    plan_box(plan, &box, means, planned, &jobs)
    for k in range(jobs.count):
        jobs.work(jobs.task, k, planned + plan.task_size)
    plan.finish(&box.geometry, means, numbers, plan.call)
    return 0


cdef int run_boxes_of(
    Plan* plan, char* task, finish_size_t finish_size, int num_threads,
) except -1 nogil:
    """Compute the results of items whose arrays are known, at one place of each."""
    cdef double results = 0, bytes = 0     # integers overflow: one element may stand for all
    cdef Py_ssize_t boxes = 0, most = MOST, kernel_size = 0, k, number
    cdef const Geometry* g
    cdef JobList jobs
    cdef Box box
    for k in range(plan.count):
        g = &plan.items[k].arrays.here
        bytes += <double> g.bytes
        results += (
            <double> g.batches * g.channels * g.lanes * g.d.count * g.h.count * g.w.count
        )
    if bytes < <double> num_threads * THREAD:
        num_threads = <int> (bytes / THREAD) + 1
    if results < <double> MOST * JOBS * num_threads and num_threads > 1:
        most = max(<Py_ssize_t> (results / (JOBS * num_threads)), <Py_ssize_t> LEAST)
    plan.means_size = plan.finish_size = 0
    for k in range(plan.count):
        cut_item(&plan.items[k], most)
        plan.items[k].begin = boxes
        boxes += boxes_of(&plan.items[k])
        for number in range(boxes - plan.items[k].begin):
            find_box(&plan.items[k], number, &box)
            plan_box(plan, &box, NULL, task, &jobs)
            kernel_size = max(kernel_size, jobs.scratch_size)
            g = &box.geometry
            plan.means_size = max(
                plan.means_size, g.batches * g.channels * g.lanes * g.d.count * g.h.count
                * g.w.count * <Py_ssize_t> sizeof(double)
            )
            plan.finish_size = max(plan.finish_size, finish_size(g))
    plan.means_size = whole_cache_lines(plan.means_size)
    plan.finish_size = whole_cache_lines(plan.finish_size)
    return run_jobs(
        run_box, plan, boxes,
        plan.means_size + plan.finish_size + plan.task_size + kernel_size, num_threads,
    )


def run_boxes(
    list arrays,            # IN: tuples of arrays that are not empty: the input, the result, others
    list windows,           # IN: Windows of each
    Work work not None,     # IN: what to do with each
    int num_threads,        # IN
):
    """Compute and finish the results of each item."""
    cdef finish_size_t finish_size = work.finish_size
    cdef Py_ssize_t count = len(arrays), begun = 0, k
    cdef Plan plan
    cdef Item* items
    cdef char* task
    plan.prepare, plan.finish, plan.call = work.prepare, work.finish, work.call
    plan.task_size = whole_cache_lines(work.task_size)
    items = <Item*> malloc(count * <Py_ssize_t> sizeof(Item) + plan.task_size)
    if items == NULL:
        raise MemoryError(f"no memory for {count} items")
    task = <char*> (items + count)
    try:
        for k in range(count):
            begin(&items[k].arrays)
            begun += 1
            work.take(&items[k].arrays, <tuple?> arrays[k], <Windows?> windows[k])
        with nogil:
            plan.items, plan.count = items, count
            run_boxes_of(&plan, task, finish_size, num_threads)
            plan.count = 1
            for k in range(count):
                plan.items = items + k
                while advance(&items[k].arrays):
                    run_boxes_of(&plan, task, finish_size, num_threads)
    finally:
        while begun > 0:    # the first one knows the state of the caller's thread
            begun -= 1
            give_back(&items[begun].arrays)
        free(items)
