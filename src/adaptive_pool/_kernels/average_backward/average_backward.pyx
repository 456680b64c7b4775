"""Average pooling, backward: the adjoint of average.pyx.

Each input element gathers, from the windows that hold it, their gradient over their size. Each axis
is cut into segments of indices that the same windows hold: along W a segment is one value, and the
lines of a segment along D and H are one line, made once and copied. The inner loops run over lanes;
where there is one lane, over planes that are turned into lanes. Which of three ways a call takes is
decided once, in plan(). Parallel over boxes of the input, so each thread owns what it writes.

docs/design/backward.md.
"""
from libc.stdlib cimport free, malloc

from adaptive_pool._kernels.average_backward.any_order cimport gather_in_any_order
from adaptive_pool._kernels.average_backward.count cimport (
    NUMBERS, PRODUCTS, QUOTIENTS, CountCall, count_t, prepare_count,
)
from adaptive_pool._kernels.average_backward.lanes cimport gather_by_lanes
from adaptive_pool._kernels.average_backward.planes cimport gather_by_planes
from adaptive_pool._kernels.average_backward.problem cimport (
    BLOCK, BY_LANES, BY_PLANES, COLUMNS, FEW_PLANES, IN_ANY_ORDER, JOB, LINE, LONG_LINE,
    LONG_SEGMENT, MOST_LANES, PLANES, ROW, SHARES, SHORT_LINE, TILE, Box, Problem, Scratch, lay_out,
)
from adaptive_pool._kernels.average_backward.regions cimport (
    Regions, gather_regions, plan_regions, regions_scratch, take_channels,
)
from adaptive_pool._kernels.average_backward.segments cimport (
    Segment, find_segments, most_holding, most_segments, most_windows, segment_of,
)
from adaptive_pool._kernels.average_backward.uncounted cimport (
    Place, end_of, uncounted_of, zero_uncounted,
)
from adaptive_pool._kernels.call.canonical cimport (
    Canonical, Geometry, advance, arrange, begin, borrow, give_back,
)
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, real_t, size_of,
)
from adaptive_pool._kernels.call.kernel cimport Kind, kernel_of
from adaptive_pool._kernels.call.part_runs cimport (
    Group, run_groups, run_parts, run_parts_backward,
)
from adaptive_pool._kernels.call.parts cimport Parts
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.lists cimport JobList, run_list
from adaptive_pool._kernels.threads.parallel cimport is_brief
from adaptive_pool._kernels.tiles.counting cimport counting_t, set_flagging
from adaptive_pool._kernels.tiles.planes cimport JOBS, isa, pieces

ISA = isa().decode()    # what this build was compiled for

ctypedef void (*gather_t)(
    const Problem* p, const Box* box, const Scratch* scratch, void* like,
) noexcept nogil


cdef Box locate(const Problem* p, Py_ssize_t job) noexcept nogil:
    cdef Box box
    cdef Py_ssize_t blocks = pieces(p.lanes, p.lane_block)
    box.lane = job % blocks * p.lane_block
    box.lanes = min(p.lane_block, p.lanes - box.lane)
    job //= blocks
    blocks = pieces(p.width, p.columns)
    box.w0 = job % blocks * p.columns
    box.w1 = min(box.w0 + p.columns, p.width)
    job //= blocks
    blocks = pieces(p.height, p.lines)
    box.h0 = job % blocks * p.lines
    box.h1 = min(box.h0 + p.lines, p.height)
    job //= blocks
    blocks = pieces(p.depth, p.slices)
    box.d0 = job % blocks * p.slices
    box.d1 = min(box.d0 + p.slices, p.depth)
    job //= blocks
    blocks = pieces(p.channels, p.group)
    box.channel0 = job % blocks * p.group
    box.channel1 = min(box.channel0 + p.group, p.channels)
    box.batch = job // blocks
    box.d_first = segment_of(&p.d_segments, box.d0)
    box.h_first = segment_of(&p.h_segments, box.h0)
    box.w_first = segment_of(&p.w_segments, box.w0)
    box.segments = segment_of(&p.w_segments, box.w1 - 1) - box.w_first + 1
    box.od0, box.od1 = box.d_first.first, segment_of(&p.d_segments, box.d1 - 1).last
    box.oh0, box.oh1 = box.h_first.first, segment_of(&p.h_segments, box.h1 - 1).last
    box.ow0, box.ow1 = box.w_first.first, segment_of(&p.w_segments, box.w1 - 1).last
    if not p.w.monotone:
        box.ow0, box.ow1 = 0, p.w.count
    return box


cdef void gather(
    const Problem* p, const Box* box, const Scratch* scratch, const real_t* like,
) noexcept nogil:
    if p.way == BY_LANES:
        gather_by_lanes[real_t](p, box, scratch, like)
    elif p.way == BY_PLANES:
        gather_by_planes[real_t](p, box, scratch, like)
    else:
        gather_in_any_order[real_t](p, box, scratch, like)


cdef gather_t gather_for(Element element) noexcept nogil:
    if element == FLOAT16:
        return <gather_t> gather[float16_t]
    elif element == BFLOAT16:
        return <gather_t> gather[bfloat16_t]
    elif element == FLOAT32:
        return <gather_t> gather[float]
    else:
        return <gather_t> gather[double]


cdef void merge_axes(Problem* p) noexcept nogil:
    """Take rows that are all alike, of columns that are all alike, for one long row."""
    cdef Py_ssize_t step = p.grad_input.w
    if p.given or p.w.firsts != NULL:   # each element has a say, or a weight, of its own
        return
    if p.w_segments.count != 1 or not p.w.monotone:
        return
    if p.h_segments.count == 1 and (p.height == 1 or p.grad_input.h == p.width * step):
        p.width *= p.height
        p.height = 1
        if p.d_segments.count == 1 and (p.depth == 1 or p.grad_input.d == p.width * step):
            p.width *= p.depth
            p.depth = 1
    p.w_segments.items[0].end = p.width


cdef bint cut_lanes(Problem* p) noexcept nogil:
    """Choose how many lanes a job takes, or say that there is no room for the windows."""
    cdef Py_ssize_t windows = most_holding(&p.w_segments)
    p.lane_block = min(p.lanes, LINE // max(windows, <Py_ssize_t> 2), <Py_ssize_t> MOST_LANES)
    if p.lane_block < min(p.lanes, <Py_ssize_t> PLANES):
        return False
    p.lane_block = pieces(p.lanes, pieces(p.lanes, p.lane_block))
    return True


cdef bint cut_planes(Problem* p) noexcept nogil:
    """Choose how rows are made, and cut the axes to fit; or say that there is no room."""
    p.planes = 1 if p.channels < FEW_PLANES else PLANES
    # Rows of few planes, or of long segments, are filled segment by segment.
    p.filled = p.planes == 1 or p.width >= LONG_SEGMENT * p.w_segments.count
    p.columns = p.width if p.filled else min(p.width, <Py_ssize_t> COLUMNS)
    return make_room(p)


cdef bint make_room(Problem* p) noexcept nogil:
    """Cut the axes until there is room for the shares of a box, or say that there is not.

    Once there is room, shorter pieces may need more: they begin at other places, and one of them
    may hold parts of more windows. But pieces of single elements never do.
    """
    cdef Py_ssize_t columns, rows, slices, width, most
    width = max(p.planes, <Py_ssize_t> BLOCK)
    most = ROW if p.planes == 1 else LINE // width
    while True:
        columns = most_windows(&p.w_segments, p.width, p.columns)
        rows = columns * most_windows(&p.h_segments, p.height, p.lines)
        slices = rows * most_windows(&p.d_segments, p.depth, p.slices)
        if columns <= most and slices * width <= SHARES:
            return True
        if columns <= most and p.slices > 1:
            p.slices = pieces(p.slices, 2)
        elif columns <= most and p.lines > 1:
            p.lines = pieces(p.lines, 2)
        elif p.columns > 1:
            p.columns = pieces(p.columns, 2)
        else:
            return False


cdef Py_ssize_t plan(Problem* p, int num_threads) noexcept nogil:
    """Choose the way, and cut the work into jobs, enough for all threads; returns how many."""
    cdef Py_ssize_t item = p.grad_input.itemsize, jobs, box
    cdef Py_ssize_t enough = JOBS * num_threads if num_threads > 1 else 1
    merge_axes(p)
    p.contiguous = p.grad_input.w == p.lanes * item
    p.adjoin = p.contiguous and (p.height == 1 or p.grad_input.h == p.width * item)
    p.planes = 1
    p.slices, p.lines, p.columns, p.lane_block = p.depth, p.height, p.width, 1
    p.way = BY_LANES if p.lanes > 1 else BY_PLANES
    if not (p.d.monotone and p.h.monotone and p.w.monotone) or not (
        cut_lanes(p) if p.lanes > 1 else cut_planes(p)
    ):
        p.way = IN_ANY_ORDER
        p.lane_block = min(p.lanes, <Py_ssize_t> PLANES)
        p.columns = min(p.width, TILE // p.lane_block)
    jobs = (
        p.batches * pieces(p.channels, p.planes)
        * pieces(p.depth, p.slices) * pieces(p.height, p.lines) * pieces(p.width, p.columns)
        * pieces(p.lanes, p.lane_block)
    )
    if jobs < enough:
        p.slices = pieces(p.slices, min(p.slices, pieces(enough, jobs)))
        p.lines = pieces(p.lines, min(p.lines, pieces(enough, jobs * pieces(p.depth, p.slices))))
        jobs *= pieces(p.depth, p.slices) * pieces(p.height, p.lines)
    if jobs < enough:
        p.columns = pieces(p.columns, min(p.columns, pieces(enough, jobs)))
        jobs *= pieces(p.width, p.columns)
    if p.way == BY_PLANES:
        make_room(p)
    p.short_lines = p.columns == p.width <= SHORT_LINE and p.adjoin and (
        p.filled or p.height < 2 * p.h_segments.count   # or they are made once, and copied
    )
    p.counts_lines = p.given and not p.short_lines and p.columns * p.lane_block >= LONG_LINE
    box = p.slices * p.lines * p.columns * p.lane_block
    p.group = max(JOB // box, <Py_ssize_t> 1)
    p.group = min(p.group, p.channels, max(jobs // enough, <Py_ssize_t> 1))
    p.group = pieces(p.group, p.planes) * p.planes
    return (
        p.batches * pieces(p.channels, p.group) * pieces(p.depth, p.slices)
        * pieces(p.height, p.lines) * pieces(p.width, p.columns) * pieces(p.lanes, p.lane_block)
    )


cdef struct Call:
    Element element
    bint given              # whether shares are, and not all elements count:
    counting_t counting
    int elements            # numbers of arrays, or -1
    int where


cdef struct Task:
    Problem problem
    gather_t gather


cdef int run_box(const void* task, Py_ssize_t job, char* memory) noexcept nogil:
    cdef const Task* t = <const Task*> task
    cdef Box box = locate(&t.problem, job)
    cdef Scratch scratch
    lay_out(memory, &scratch)
    t.gather(&t.problem, &box, &scratch, NULL)
    if t.problem.given and not t.problem.counts_lines:
        zero_uncounted(
            &t.problem.uncounted,
            Place(
                box.batch, box.channel0, box.channel1, box.d0, box.d1, box.h0, box.h1, box.w0,
                box.w1, box.lane, box.lanes,
            ),
            scratch.seen,
        )
    return 0


cdef Py_ssize_t room_for_segments(Py_ssize_t size, Py_ssize_t count) noexcept nogil:
    return min(size, 2 * count + 1) * <Py_ssize_t> sizeof(Segment)


cdef void prepare(
    void* memory,           # OUT: a Task, and room for segments behind it
    const Geometry* g, const void* call_, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef const Call* call = <const Call*> call_
    cdef Task* task = <Task*> memory
    cdef Problem* p = &task.problem
    cdef Segment* segments = <Segment*> (task + 1)
    cdef Scratch scratch
    task.gather, p.given = gather_for(call.element), call.given
    if call.given:
        p.uncounted = uncounted_of(g, &call.counting, call.elements, call.where)
        p.uncounted.ends[0], p.uncounted.ends[1] = end_of(g.d), end_of(g.h)
        p.uncounted.ends[2] = end_of(g.w)
    p.grad_input, p.grad_output = g.arrays[0], g.arrays[1]
    p.batches, p.channels, p.lanes = g.batches, g.channels, g.lanes
    p.d, p.h, p.w = g.d, g.h, g.w
    p.weighted = p.d.firsts != NULL or p.h.firsts != NULL or p.w.firsts != NULL
    p.depth, p.height, p.width = p.d.size, p.h.size, p.w.size
    p.d_segments = find_segments(p.d, segments)
    p.h_segments = find_segments(p.h, segments + p.d_segments.count)
    p.w_segments = find_segments(p.w, segments + p.d_segments.count + p.h_segments.count)
    jobs.work, jobs.task, jobs.count = run_box, task, plan(p, num_threads)
    jobs.scratch_size = lay_out(NULL, &scratch)


cdef int gather_all(
    Canonical* c, Windows windows, const Call* call, int num_threads,
) except -1 nogil:
    cdef JobList jobs
    cdef void* memory = malloc(
        sizeof(Task) + <size_t> sizeof(Segment) * <size_t> (
            most_segments(&windows.d) + most_segments(&windows.h) + most_segments(&windows.w)
        )
    )
    if memory == NULL:
        raise MemoryError
    try:
        while True:
            prepare(memory, &c.here, call, num_threads, &jobs)
            run_list(&jobs, num_threads)
            if not advance(c):
                return 0
    finally:
        free(memory)


cdef int gather_parts(
    Canonical* c, Parts parts, const Call* call, int num_threads,
) except -1:
    cdef Py_ssize_t size = sizeof(Task)
    cdef int a
    for a in range(3):
        size += room_for_segments(parts.sizes[a], parts.counts[a])
    return run_parts_backward(c, parts, prepare, call, size, num_threads)


ctypedef int (*gather_regions_t)(
    const Regions* r, Py_ssize_t job, char* scratch, void* like,
) noexcept nogil


cdef struct RegionsTask:
    Regions regions
    gather_regions_t gather


cdef gather_regions_t gather_regions_for(Element element) noexcept nogil:
    if element == FLOAT16:
        return <gather_regions_t> gather_regions[float16_t]
    elif element == BFLOAT16:
        return <gather_regions_t> gather_regions[bfloat16_t]
    elif element == FLOAT32:
        return <gather_regions_t> gather_regions[float]
    else:
        return <gather_regions_t> gather_regions[double]


cdef int run_regions(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const RegionsTask* t = <const RegionsTask*> task
    return t.gather(&t.regions, job, scratch, NULL)


cdef void prepare_regions(
    void* memory,           # OUT: a RegionsTask
    const Geometry* g, const Group* group, const void* call_, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef const Call* call = <const Call*> call_
    cdef RegionsTask* task = <RegionsTask*> memory
    task.regions.g, task.regions.group, task.regions.given = g[0], group[0], call.given
    if g.lanes == 1 and g.channels > 1:
        take_channels(&task.regions.g)
    if call.given:
        task.regions.uncounted = uncounted_of(
            &task.regions.g, &call.counting, call.elements, call.where
        )
    task.gather = gather_regions_for(call.element)
    jobs.work, jobs.task = run_regions, task
    jobs.count, jobs.scratch_size = plan_regions(&task.regions, num_threads), regions_scratch()


cdef int gather_of_parts(Canonical* c, Parts parts, const Call* call, int num_threads) except -1:
    if parts.one_of_each or parts.are_items:
        return gather_parts(c, parts, call, num_threads)
    return run_groups(c, parts, prepare_regions, call, sizeof(RegionsTask), num_threads)


def average_backward(
    grad_output,        # IN: array of the elements below, aligned
    grad_input,         # OUT: likewise
    windows,            # IN: Windows, or Parts
    Element element,    # IN: what both hold
    int num_threads,    # IN
):
    """Store the gradient of the input in `grad_input`. No array is empty."""
    cdef Canonical c
    cdef Call call
    call.element, call.given = element, False
    begin(&c)
    try:
        borrow(&c, grad_input, True, size_of(element))
        borrow(&c, grad_output, False, size_of(element))
        if type(windows) is Parts:
            gather_of_parts(&c, <Parts> windows, &call, num_threads)
            return
        arrange(&c, <Windows> windows)
        if is_brief(&c, num_threads):
            gather_all(&c, <Windows> windows, &call, num_threads)
        else:
            with nogil:
                gather_all(&c, <Windows> windows, &call, num_threads)
    finally:
        give_back(&c)


def average_backward_kernel(
    Element element,    # IN: what gradients hold
    list windows,       # IN: Windows of all arrays that this will be done for
):
    """What stores the gradient of an array, to be done for several; none of them is empty."""
    cdef Kind[2] kinds
    cdef Call call
    cdef Py_ssize_t segments = 0
    cdef Windows each
    for each in windows:
        segments = max(
            segments,
            most_segments(&each.d) + most_segments(&each.h) + most_segments(&each.w),
        )
    call.element, call.given = element, False
    kinds[0], kinds[1] = Kind(size_of(element), True), Kind(size_of(element), False)
    return kernel_of(
        prepare, sizeof(Task) + segments * <Py_ssize_t> sizeof(Segment), &call, sizeof(call),
        kinds, 2,
    )


def count(
    where,              # IN: bools, which elements count; None: all
    x,                  # IN: elements of the same shape, which say whether they count; None: none
    results,            # IN, OUT: numbers, int64; or gradients, float64, that become shares
    Parts parts,        # IN: and how many elements a window needs for shares
    Element x_element,  # IN: what x holds
    bint omits,         # IN: whether NaN in x does not count
    nodata,             # IN: the bytes of an element of x that does not count, or None
    bint shares,        # IN: whether results are gradients
    bint divides,       # IN: whether those are divided, or multiplied by reciprocals
    int num_threads,    # IN
):
    """Count the elements of each window, or what each of them gets of its gradient."""
    cdef Canonical c
    cdef CountCall call
    cdef double nothing = 0
    call.made, call.least = NUMBERS, parts.least
    if shares:
        call.made = QUOTIENTS if divides else PRODUCTS
    set_flagging(&call.counting, x_element, <const char*> &nothing, omits, nodata)
    begin(&c)
    try:
        if x is not None:
            c.elements = c.count
            borrow(&c, x, False, size_of(x_element))
        else:
            c.where = c.count
            borrow(&c, where, False, 1)
        if not shares:
            c.counts = c.count
        borrow(&c, results, True, 8)
        if x is not None and where is not None:
            c.where = c.count
            borrow(&c, where, False, 1)
        call.where, call.elements = c.where, c.elements
        run_parts(&c, parts, prepare_count, &call, sizeof(count_t), num_threads)
    finally:
        give_back(&c)


def average_backward_counted(
    shares,             # IN: float64, aligned: what each window gives to each that counts
    grad_input,         # OUT: array of the elements below, aligned
    where,              # IN: bools in the shape of grad_input, which count; None: all
    x,                  # IN: likewise the input, which says whether its elements count; or None
    Parts parts,        # IN
    Element element,    # IN: what grad_input holds
    Element x_element,  # IN: what x holds
    bint omits,         # IN: whether NaN in x does not count
    nodata,             # IN: the bytes of an element of x that does not count, or None
    int num_threads,    # IN
):
    """Store the gradient of the input, where not all of its elements count, likewise."""
    cdef Canonical c
    cdef Call call
    cdef double nothing = 0
    call.element, call.given = element, True
    set_flagging(&call.counting, x_element, <const char*> &nothing, omits, nodata)
    begin(&c)
    try:
        borrow(&c, grad_input, True, size_of(element))
        borrow(&c, shares, False, 8)
        if where is not None:
            c.where = c.count
            borrow(&c, where, False, 1)
        if x is not None:
            c.elements = c.count
            borrow(&c, x, False, size_of(x_element))
        call.where, call.elements = c.where, c.elements
        gather_of_parts(&c, parts, &call, num_threads)
    finally:
        give_back(&c)
