"""Average pooling, forward.

What is here hands a canonical problem to C: plan.h cuts it into tiles, lines.h adds input lines,
reduce.h sums windows along W, means.h makes means of the sums, and store.h stores them. Integers of
8 and 16 bits have a way of their own (short_tiles.pxd). docs/design/engine.md.
"""
from cpython.buffer cimport Py_buffer, PyBuffer_IsContiguous
from libc.string cimport memcpy, memset

from adaptive_pool._kernels.average.means cimport result_of
from adaptive_pool._kernels.average.short_integers cimport is_negative, is_short
from adaptive_pool._kernels.average.short_tiles cimport ShortAverage, prepare_short
from adaptive_pool._kernels.call.boxes cimport BoxCall, boxes_size, prepare_boxes
from adaptive_pool._kernels.call.canonical cimport (
    Canonical, Geometry, advance, arrange, begin, borrow, give_back,
)
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, INT32, Element, int64_t, size_of, uint16_t,
)
from adaptive_pool._kernels.call.kernel cimport Kind, kernel_of
from adaptive_pool._kernels.call.part_runs cimport run_parts
from adaptive_pool._kernels.call.parts cimport Parts
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.lists cimport JobList, run_list
from adaptive_pool._kernels.threads.parallel cimport is_brief, job_t
from adaptive_pool._kernels.tiles.counting cimport blank_t, counting_t, set_counting
from adaptive_pool._kernels.tiles.planes cimport isa
from adaptive_pool._kernels.tiles.problem cimport array_of, array_t, axis_of, axis_t

cdef extern from "average/store.h" nogil:
    ctypedef struct windows_t "ap_windows":
        Py_ssize_t count, lanes
        const int64_t* starts
        const int64_t* ends
        Py_ssize_t w0, step, shortest, longest
        int ahead
    ctypedef struct kind_t "ap_kind":
        void (*add_rows)(
            const char* row, Py_ssize_t step, Py_ssize_t count, Py_ssize_t n, int fresh, int ahead,
            char* target, Py_ssize_t part,
        ) noexcept nogil
        void (*along_sums)(
            const windows_t* w, const char* line, Py_ssize_t line_part, char* target,
            Py_ssize_t part,
        ) noexcept nogil
        int family
    ctypedef void (*means_t "ap_means")(
        const char* sums, Py_ssize_t part, Py_ssize_t n, const double* divisors, int step,
        char* out,
    ) noexcept nogil
    const means_t[4][8] all_means "ap_all_means"
    int divides "ap_divides"(int family, int result)
    const blank_t* ap_wide_blanks
    ctypedef struct average_t "ap_average":
        const kind_t* kind
        int result
        array_t x, out
        const counting_t* counting
        array_t where, counts
        double least
        char filler[8]
        bint short_area, negative
        axis_t d, h, w
        Py_ssize_t channels, planes, lanes
        double* divisors
    enum:
        FIRST_KIND "AP_FIRST_KIND"
        DIVISORS "AP_DIVISORS"
        SPARE "AP_SPARE"
    const kind_t* ap_kinds
    void ap_plan_average(average_t* m, int threads, Py_ssize_t bytes_of_x)
    Py_ssize_t ap_tiles(const average_t* m)
    Py_ssize_t ap_scratch_size(const average_t* m)
    int ap_run_tile(const void* task, Py_ssize_t job, char* scratch)

cdef extern from "average/scaled.h" nogil:
    ctypedef struct scaled_t "ap_scaled":
        int result
        double least, most
        array_t out, scale, offset
        Py_ssize_t batches, channels, lanes, d, h, w
    void ap_finish_box(const scaled_t* s, double* means, double* scratch)

ISA = isa().decode()    # what this build was compiled for


cdef union Task:
    average_t average
    ShortAverage short


cdef struct LargeTask:
    Task task
    double divisors[DIVISORS]


cdef struct Call:
    Element element
    Element out_element
    counting_t counting     # of integers of 8 and 16 bits that are weighed: all count
    bint is_counted         # whether not all elements count:
    int where               # numbers of arrays, or -1
    int counts
    int64_t least
    char filler[8]


cdef struct ScaledCall:
    BoxCall boxes       # first
    Call call
    int result
    double least
    double most


cdef inline bint is_weighted(const Geometry* g) noexcept nogil:
    """Whether windows hold elements in part."""
    return g.d.firsts != NULL or g.h.firsts != NULL or g.w.firsts != NULL


cdef void prepare(
    void* memory,           # OUT: a Task
    const Geometry* g, const void* call_, double* divisors, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef const Call* call = <const Call*> call_
    cdef average_t* task = <average_t*> memory
    cdef int64_t unit = g.d.unit * g.h.unit * g.w.unit
    cdef bint is_widened = is_short(call.element) and (call.is_counted or is_weighted(g))
    if is_short(call.element) and not is_widened:
        prepare_short(
            <ShortAverage*> memory, g, call.element, call.out_element, divisors, num_threads, jobs,
        )
        return
    # Where not all count or are weighed, integers of 8 and 16 bits are read as int32.
    task.kind = ap_kinds + (
        <int> (INT32 if is_short(call.element) else call.element) - FIRST_KIND
    )
    task.result = result_of(call.out_element)
    task.channels, task.planes, task.lanes = g.channels, g.batches * g.channels, g.lanes
    task.d, task.h, task.w = axis_of(g.d), axis_of(g.h), axis_of(g.w)
    task.x, task.out = array_of(&g.arrays[0]), array_of(&g.arrays[1])
    task.divisors, task.counting = divisors, NULL
    task.short_area = is_widened and not call.is_counted and call.element != BOOL
    task.negative = is_negative(call.element)
    if call.is_counted or is_widened:
        task.counting, task.least = &call.counting, 0
        task.where.data = task.counts.data = NULL
    if call.is_counted:
        task.least = <double> (call.least // unit + (call.least % unit > 0))
        memcpy(task.filler, call.filler, sizeof(task.filler))
        if call.where >= 0:
            task.where = array_of(&g.arrays[call.where])
        if call.counts >= 0:
            task.counts = array_of(&g.arrays[call.counts])
    ap_plan_average(task, num_threads, g.bytes)
    jobs.work, jobs.task = <job_t> ap_run_tile, task
    jobs.count, jobs.scratch_size = ap_tiles(task), ap_scratch_size(task)


cdef void prepare_part(
    void* memory, const Geometry* g, const void* call, int num_threads, JobList* jobs,
) noexcept nogil:
    prepare(memory, g, call, NULL, num_threads, jobs)


cdef void prepare_large(
    void* memory, const Geometry* g, const void* call, int num_threads, JobList* jobs,
) noexcept nogil:
    cdef LargeTask* large = <LargeTask*> memory
    prepare(&large.task, g, call, large.divisors, num_threads, jobs)


cdef int pool(Canonical* c, const Call* call, int num_threads) except -1 nogil:
    cdef Task task
    cdef double divisors[DIVISORS]
    cdef JobList jobs
    while True:
        prepare(&task, &c.here, call, divisors, num_threads, &jobs)
        run_list(&jobs, num_threads)
        if not advance(c):
            return 0


cdef int set_blanks(counting_t* counting, Element element, bint omits, nodata) except -1:
    """What does not count adds nothing: it is -0.0, or 0 of integers."""
    cdef double nothing = 0
    cdef float narrow = -0.0
    cdef uint16_t half = 0x8000
    if element == FLOAT64:
        nothing = -0.0
    elif element == FLOAT32:
        memcpy(&nothing, &narrow, 4)
    elif element in (FLOAT16, BFLOAT16):
        memcpy(&nothing, &half, 2)
    set_counting(counting, element, <const char*> &nothing, omits, nodata)
    if is_short(element):
        counting.blank, counting.size = ap_wide_blanks[<int> element], 4
        memset(counting.nothing, 0, sizeof(counting.nothing))
    return 0


cdef int set_call(Call* call, Element element, Element out_element) except -1:
    """Where all elements count."""
    call.element, call.out_element, call.is_counted = element, out_element, False
    if is_short(element):
        set_blanks(&call.counting, element, False, None)
    return 0


def average(
    x,                      # IN: array of the elements below
    out,                    # OUT: array, aligned
    windows,                # IN: Windows, or Parts
    Element element,        # IN: what x holds
    Element out_element,    # IN: what out holds
    int num_threads,        # IN
):
    """Average `x` over `windows` into `out`. Neither is empty."""
    cdef Canonical c
    cdef Call call
    set_call(&call, element, out_element)
    begin(&c)
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(out_element))
        if type(windows) is Parts:
            run_parts(&c, <Parts> windows, prepare_part, &call, sizeof(Task), num_threads)
            return
        arrange(&c, <Windows> windows)
        if is_brief(&c, num_threads):
            pool(&c, &call, num_threads)
        else:
            with nogil:
                pool(&c, &call, num_threads)
    finally:
        give_back(&c)


def average_kernel(
    Element element,        # IN: what inputs hold
    Element out_element,    # IN: what means are
    bint is_large,          # IN: whether inputs are worth memory for divisors
):
    """What averages an array, to be done for several; none of them is empty."""
    cdef Kind[2] kinds
    cdef Call call
    set_call(&call, element, out_element)
    kinds[0], kinds[1] = Kind(size_of(element), False), Kind(size_of(out_element), True)
    if is_large:
        return kernel_of(prepare_large, sizeof(LargeTask), &call, sizeof(call), kinds, 2)
    return kernel_of(prepare_part, sizeof(Task), &call, sizeof(call), kinds, 2)


cdef void finish(
    const Geometry* g, double* means, double* scratch, const void* call_,
) noexcept nogil:
    cdef const ScaledCall* call = <const ScaledCall*> call_
    cdef scaled_t s
    s.result, s.least, s.most = call.result, call.least, call.most
    s.out, s.scale, s.offset = (
        array_of(&g.arrays[1]), array_of(&g.arrays[2]), array_of(&g.arrays[3])
    )
    s.batches, s.channels, s.lanes = g.batches, g.channels, g.lanes
    s.d, s.h, s.w = g.d.count, g.h.count, g.w.count
    ap_finish_box(&s, means, scratch)


cdef Py_ssize_t offset_of_call(const ScaledCall* call) noexcept nogil:
    return <const char*> &call.call - <const char*> call


cdef Py_ssize_t finish_size(const Geometry* g) noexcept nogil:
    return 3 * g.w.count * g.lanes * <Py_ssize_t> sizeof(double)


def scaled_average_kernel(
    Element element,        # IN: what inputs hold
    Element out_element,    # IN: what results are: floats, or integers of 8 or 16 bits,
    double least,           # IN: which saturate
    double most,            # IN
):
    """What averages an array and stores mean * scale + offset; all three are float64."""
    cdef Kind[4] kinds
    cdef ScaledCall call
    call.boxes = BoxCall(prepare_part, sizeof(Task), offset_of_call(&call), finish, finish_size)
    set_call(&call.call, element, FLOAT64)
    call.result, call.least, call.most = result_of(out_element), least, most
    kinds[0], kinds[1] = Kind(size_of(element), False), Kind(size_of(out_element), True)
    kinds[2] = kinds[3] = Kind(sizeof(double), False)
    return kernel_of(
        prepare_boxes, boxes_size(&call.boxes), &call, sizeof(call), kinds, 4
    )


def average_counted(
    x,                      # IN: array of the elements below
    out,                    # OUT: array, aligned
    where,                  # IN: bools in the shape of x, which elements count; None: all
    counts,                 # OUT: int64, how many do in each window; None: not wanted
    Parts parts,            # IN: and what windows with few elements become
    Element element,        # IN: what x holds
    Element out_element,    # IN: what out holds
    bint omits,             # IN: whether NaN does not count
    nodata,                 # IN: the bytes of an element that does not count, or None
    int num_threads,        # IN
):
    """Average the elements that count. No array is empty."""
    cdef Canonical c
    cdef Call call
    call.element, call.out_element, call.is_counted = element, out_element, True
    set_blanks(&call.counting, element, omits, nodata)
    call.least = parts.least
    memcpy(call.filler, parts.filler, sizeof(call.filler))
    begin(&c)
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(out_element))
        if where is not None:
            c.where = c.count
            borrow(&c, where, False, 1)
        if counts is not None:
            c.counts = c.count
            borrow(&c, counts, True, 8)
        call.where, call.counts = c.where, c.counts
        run_parts(&c, parts, prepare_part, &call, sizeof(Task), num_threads)
    finally:
        give_back(&c)


SPARE_SUMS = SPARE      # room behind those of a line, for vectors that reach beyond its end


cdef inline const kind_t* kind_of(Element element) noexcept nogil:
    return ap_kinds + (<int> element - FIRST_KIND)


cdef int check_sums(Py_buffer* sums, Py_ssize_t planes, Element element) except -1:
    """Raise unless there are sums of lines of such elements, for so many planes."""
    if is_short(element) or not (
        sums.ndim == 3 and sums.shape[0] == 2 and sums.shape[1] == planes
        and sums.shape[2] >= SPARE and PyBuffer_IsContiguous(sums, b"C")
    ):
        raise ValueError("sums do not fit what is added")
    return 0


cdef bint is_run(const Py_buffer* buffer, Py_ssize_t count) noexcept:
    """Whether an array is one run of so many elements."""
    return buffer.ndim == 1 and buffer.shape[0] == count and (
        count < 2 or buffer.strides[0] == buffer.itemsize
    )


def add_lines(
    x,                  # IN: array (planes, lines, columns), each line one run; not of short
                        # integers
    sums,               # IN, OUT: 8 bytes each, (2, planes, columns + SPARE_SUMS), contiguous
    Element element,    # IN: what x holds
):
    """Add lines to sums, one after the other. Sums of nothing are -0.0, and 0 of integers."""
    cdef Canonical c
    cdef Py_buffer* source = &c.buffers[0]
    cdef Py_buffer* target = &c.buffers[1]
    cdef Py_ssize_t plane
    begin(&c)
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, sums, True, sizeof(double))
        check_sums(target, source.shape[0] if source.ndim == 3 else -1, element)
        if source.shape[2] != target.shape[2] - SPARE or (
            source.shape[2] > 1 and source.strides[2] != source.itemsize
        ):
            raise ValueError("lines do not fit their sums")
        with nogil:
            for plane in range(source.shape[0]):
                kind_of(element).add_rows(
                    <const char*> source.buf + plane * source.strides[0], source.strides[1],
                    source.shape[1], source.shape[2], False, True,
                    <char*> target.buf + plane * target.strides[1], target.strides[0],
                )
    finally:
        give_back(&c)


def means_of_sums(
    sums,               # IN: as `add_lines` leaves them
    int64_t start,      # IN: of a window along the line
    int64_t end,        # IN
    numbers,            # IN: float64 (planes,), how many elements the window has in each; not 0
    out,                # OUT: (planes,), contiguous
    Element element,    # IN: what was added
    Element out_element,    # IN: what out holds
):
    """Store the means of one window along W of lines that have been added."""
    cdef Canonical c
    cdef Py_buffer* source = &c.buffers[0]
    cdef const kind_t* kind
    cdef int result = result_of(out_element)
    cdef Py_ssize_t plane, planes
    cdef double[2][SPARE] total     # of four windows, all the same one
    cdef double divisor
    cdef windows_t w = windows_t(1, 1, &start, &end, 0, 8, end - start, end - start, False)
    begin(&c)
    try:
        borrow(&c, sums, False, sizeof(double))
        borrow(&c, numbers, False, sizeof(double))
        borrow(&c, out, True, size_of(out_element))
        planes = source.shape[1] if source.ndim == 3 else -1
        check_sums(source, planes, element)
        if not (
            0 <= start < end <= source.shape[2] - SPARE
            and is_run(&c.buffers[1], planes) and is_run(&c.buffers[2], planes)
        ):
            raise ValueError("a window, its numbers or its means do not fit the sums")
        kind = kind_of(element)
        with nogil:
            for plane in range(planes):
                kind.along_sums(
                    &w, <const char*> source.buf + plane * source.strides[1], source.strides[0],
                    <char*> &total[0][0], sizeof(total[0]),
                )
                divisor = (<const double*> c.buffers[1].buf)[plane]
                divisor = divisor if divides(kind.family, result) else 1 / divisor
                all_means[kind.family][result](
                    <const char*> &total[0][0], sizeof(total[0]), 1, &divisor, 0,
                    <char*> c.buffers[2].buf + plane * size_of(out_element),
                )
    finally:
        give_back(&c)
