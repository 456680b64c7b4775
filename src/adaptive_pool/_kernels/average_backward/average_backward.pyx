"""Average pooling, backward: the adjoint of average.pyx.

Each input element gathers, from the windows that hold it, their gradient over their size, in
float64, along od and oh first and then along ow, with one rounding at the end. Each axis is cut
into *runs* of indices that the same windows hold: along W a run is one value, and the lines of a
run along H are one line, made once and copied. Which of four ways makes a line is decided once a
call, in plan(). Parallel over pieces of input planes, so each thread owns the elements it writes.

docs/design/backward.md.
"""
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from adaptive_pool._kernels.call.canonical cimport Canonical, advance, arrange, borrow, give_back
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, load_real, real_t, size_of,
)
from adaptive_pool._kernels.threads.parallel cimport is_brief, run_jobs
from adaptive_pool._kernels.average_backward.line_values cimport SPANS, VALUES, Span, spread_values
from adaptive_pool._kernels.tiles.planes cimport JOBS, LANE_BLOCK, at, isa, pieces
from adaptive_pool._kernels.average_backward.runs cimport (
    Run, find_runs, longest_run, most_holding, most_runs, run_of,
)
from adaptive_pool._kernels.average_backward.spread cimport (
    BY_PLANES, BY_RUNS, BY_VALUES, BY_WINDOWS, FILL, LINE, OVERLAP, ROW, WINDOWS, Place, Spread,
    copy_row, factor, repeat, share, store_sum,
)
from adaptive_pool._kernels.call.tables cimport Windows, holds, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    HALF = 4096         # half of LINE
    DIRECT = 32768      # elements of a piece of a row that is made in place
    JOB = 16384         # elements that several planes are put into one job for
    SCRATCH = LINE + VALUES + ROW + FILL + LANE_BLOCK + 2 * SPANS   # doubles for each thread


cdef struct Scratch:
    double* line            # LINE sums
    double* values          # VALUES elements
    double* row             # ROW + FILL elements
    double* sums            # LANE_BLOCK
    Span* spans             # SPANS


ctypedef void (*spread_t)(
    const Spread* s, Py_ssize_t job, double* memory, void* like,
) noexcept nogil


cdef Place locate(const Spread* s, Py_ssize_t job) noexcept nogil:
    cdef Place place
    cdef Py_ssize_t blocks = pieces(s.lanes, s.lane_block)
    place.lane = job % blocks * s.lane_block
    place.lanes = min(s.lane_block, s.lanes - place.lane)
    job //= blocks
    blocks = pieces(s.width, s.columns)
    place.w0 = job % blocks * s.columns
    place.w1 = min(place.w0 + s.columns, s.width)
    job //= blocks
    blocks = pieces(s.height, s.lines)
    place.h0 = job % blocks * s.lines
    place.h1 = min(place.h0 + s.lines, s.height)
    job //= blocks
    place.d = job % s.depth
    job //= s.depth
    blocks = pieces(s.channels, s.group)
    place.channel0 = job % blocks * s.group
    place.channel1 = min(place.channel0 + s.group, s.channels)
    place.batch = job // blocks
    place.d_run = run_of(&s.d_runs, place.d)
    place.h_run = run_of(&s.h_runs, place.h0)
    place.w_run = run_of(&s.w_runs, place.w0)
    place.ow0 = place.w_run.first if s.w.monotone else 0
    place.ow1 = run_of(&s.w_runs, place.w1 - 1).last if s.w.monotone else s.w.count
    return place


cdef inline void add_shares(
    const Spread* s, const char* source, Py_ssize_t step, Py_ssize_t lanes,
    Py_ssize_t ow0, Py_ssize_t ow1,
    double lines,           # IN: of the windows
    bint begin,             # IN: whether these are the first of the sums
    double* line,           # IN, OUT: (ow1 - ow0) x lanes
    real_t* like,
) noexcept nogil:
    cdef Py_ssize_t ow, lane
    cdef double size, x
    for ow in range(ow0, ow1):
        size = factor[real_t](lines * <double> window_size(s.w, ow), like)
        for lane in range(lanes):
            x = share[real_t](load_real[real_t](<const real_t*> (source + lane * step)), size, like)
            line[lane] = (0.0 if begin else line[lane]) + x
        source += s.grad_output.w
        line += lanes


cdef inline void gather_lines(
    const Spread* s, const Place* place, const Run* h, Py_ssize_t channel,
    Py_ssize_t ow0, Py_ssize_t ow1,     # IN: the windows along W
    double* line,                       # OUT: (ow1 - ow0) x lanes
    real_t* like,
) noexcept nogil:
    """Add up the shares of the windows (od, oh) that hold a line."""
    cdef Py_ssize_t od, oh, lanes = place.lanes, step = s.grad_output.lane
    cdef const char* source
    cdef double lines
    cdef bint begin = True
    for od in range(place.d_run.first, place.d_run.last):
        if not holds(s.d, od, place.d):
            continue
        for oh in range(h.first, h.last):
            if not holds(s.h, oh, h.begin):
                continue
            lines = window_size(s.d, od) * window_size(s.h, oh)
            source = at(&s.grad_output, place.batch, channel, od, oh, ow0, place.lane)
            if step != sizeof(real_t):
                add_shares[real_t](s, source, step, lanes, ow0, ow1, lines, begin, line, like)
            elif begin:
                add_shares[real_t](
                    s, source, sizeof(real_t), lanes, ow0, ow1, lines, True, line, like
                )
            else:
                add_shares[real_t](
                    s, source, sizeof(real_t), lanes, ow0, ow1, lines, False, line, like
                )
            begin = False
    if begin:
        memset(line, 0, (ow1 - ow0) * lanes * sizeof(double))


cdef inline void sum_lanes(
    const double* line,     # IN: windows x lanes
    Py_ssize_t windows, Py_ssize_t lanes,
    double* sums,           # scratch: lanes
    real_t* out,            # OUT: lanes
) noexcept nogil:
    """Add up the sums of the windows that hold a column."""
    cdef Py_ssize_t lane, _ow
    cdef const double* other = line + lanes
    if windows == 1:
        for lane in range(lanes):
            store_sum[real_t](out + lane, line[lane])
        return
    if windows == 2:
        for lane in range(lanes):
            store_sum[real_t](out + lane, line[lane] + other[lane])
        return
    memset(sums, 0, lanes * sizeof(double))
    for _ow in range(windows):
        for lane in range(lanes):
            sums[lane] += line[lane]
        line += lanes
    for lane in range(lanes):
        store_sum[real_t](out + lane, sums[lane])


cdef inline void fill_lanes(
    const Place* place,
    const double* line,     # IN: the sums of the windows ow0:ow1
    double* sums,           # scratch: lanes
    real_t* row,            # OUT: the columns w0:w1
    Py_ssize_t step,        # IN: bytes from column to column
) noexcept nogil:
    """Spread the sums of the windows over the columns that they hold, all lanes alike."""
    cdef const Run* run = place.w_run
    cdef Py_ssize_t w = place.w0, end
    cdef Py_ssize_t lanes = place.lanes
    while w < place.w1:
        end = min(run.end, place.w1)
        sum_lanes[real_t](
            line + (run.first - place.ow0) * lanes, run.last - run.first, lanes, sums, row
        )
        repeat(<char*> row, lanes * sizeof(real_t), step, end - w)
        row = <real_t*> (<char*> row + (end - w) * step)
        w = end
        run += 1


cdef inline void add_to_columns(
    const Spread* s, const Place* place, Py_ssize_t ow0, Py_ssize_t ow1,
    const double* line,     # IN: (ow1 - ow0) x lanes
    double* tile,           # IN, OUT: (w1 - w0) x lanes
) noexcept nogil:
    """Add the sums of each window to all the columns that it holds."""
    cdef Py_ssize_t ow, w, lane
    cdef double* out
    for ow in range(ow0, ow1):
        for w in range(max(s.w.starts[ow], place.w0), min(s.w.ends[ow], place.w1)):
            out = tile + (w - place.w0) * place.lanes
            for lane in range(place.lanes):
                out[lane] += line[lane]
        line += place.lanes


cdef inline void gather_and_add(
    const Spread* s, const Place* place, const Run* h, Py_ssize_t channel, double* line,
    real_t* row,
) noexcept nogil:
    """A row where the windows of a column are no range, or too many: a part of them at a time."""
    cdef Py_ssize_t i, n = (place.w1 - place.w0) * place.lanes
    cdef Py_ssize_t ow = place.ow0, end
    cdef double* tile = line + HALF
    memset(tile, 0, n * sizeof(double))
    while ow < place.ow1:
        end = min(ow + HALF // place.lanes, place.ow1)
        gather_lines[real_t](s, place, h, channel, ow, end, line, row)
        add_to_columns(s, place, ow, end, line, tile)
        ow = end
    for i in range(n):
        store_sum[real_t](row + i, tile[i])


cdef inline void spread_lines(
    const Spread* s, const Place* place, Py_ssize_t channel, const Scratch* scratch, real_t* row,
) noexcept nogil:
    """The lines of a job in one channel, each made once and copied."""
    cdef const Run* run = place.h_run
    cdef Py_ssize_t h = place.h0, end, _line
    cdef bint in_place = s.contiguous and (place.lanes == s.lanes or s.way == BY_RUNS)
    cdef Py_ssize_t step = s.grad_input.w if in_place else place.lanes * sizeof(real_t)
    cdef char* out = at(&s.grad_input, place.batch, channel, place.d, h, place.w0, place.lane)
    while h < place.h1:
        end = min(run.end, place.h1)
        if in_place:
            row = <real_t*> out
        if s.way == BY_WINDOWS:
            gather_and_add[real_t](s, place, run, channel, scratch.line, row)
        else:
            gather_lines[real_t](
                s, place, run, channel, place.ow0, place.ow1, scratch.line, row
            )
            fill_lanes[real_t](place, scratch.line, scratch.sums, row, step)
        for _line in range(h, end):
            if <char*> row != out:
                copy_row[real_t](s, place, out, row, step)
            out += s.grad_input.h
        h = end
        run += 1


cdef inline void fill_planes(const Spread* s, const Place* place, real_t* like) noexcept nogil:
    """Planes of one row that one window covers: each is filled with its one share."""
    cdef Py_ssize_t channel, w, n = place.w1 - place.w0
    cdef double size = factor[real_t](s.d.size * s.h.size * <double> s.w.size, like)
    cdef const char* source
    cdef real_t* row
    cdef real_t value
    for channel in range(place.channel0, place.channel1):
        source = at(&s.grad_output, place.batch, channel, 0, 0, 0, 0)
        store_sum[real_t](
            &value, 0.0 + share[real_t](load_real[real_t](<const real_t*> source), size, like)
        )
        row = <real_t*> at(&s.grad_input, place.batch, channel, 0, 0, place.w0, 0)
        for w in range(n):
            row[w] = value


cdef void spread_job(
    const Spread* s, Py_ssize_t job, double* memory, real_t* like,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef Py_ssize_t channel
    cdef Scratch scratch
    scratch.line = memory
    scratch.values = memory + LINE
    scratch.row = scratch.values + VALUES
    scratch.sums = scratch.row + ROW + FILL
    scratch.spans = <Span*> (scratch.sums + LANE_BLOCK)
    if s.way == BY_PLANES:
        fill_planes[real_t](s, &place, like)
        return
    if s.way == BY_VALUES:
        spread_values[real_t](
            s, &place, memory, scratch.spans, <real_t*> scratch.values, <real_t*> scratch.row
        )
        return
    for channel in range(place.channel0, place.channel1):
        spread_lines[real_t](s, &place, channel, &scratch, <real_t*> scratch.row)


cdef spread_t spread_for(Element element) noexcept nogil:
    if element == FLOAT16:
        return <spread_t> spread_job[float16_t]
    elif element == BFLOAT16:
        return <spread_t> spread_job[bfloat16_t]
    elif element == FLOAT32:
        return <spread_t> spread_job[float]
    else:
        return <spread_t> spread_job[double]


cdef void merge_axes(Spread* s) noexcept nogil:
    """Take rows that are all alike, of columns that are all alike, for one long row."""
    cdef Py_ssize_t step = s.grad_input.w
    if s.w_runs.count != 1 or not s.w.monotone:
        return
    if s.h_runs.count == 1 and (s.height == 1 or s.grad_input.h == s.width * step):
        s.width *= s.height
        s.height = 1
        if s.d_runs.count == 1 and (s.depth == 1 or s.grad_input.d == s.width * step):
            s.width *= s.depth
            s.depth = 1
    s.w_runs.items[0].end = s.width


cdef bint windows_fit(const Spread* s, Py_ssize_t most) noexcept nogil:
    """Whether no piece of a row is held by more than `most` windows."""
    cdef Py_ssize_t w = 0, last
    while w < s.width:
        last = min(w + s.columns, s.width) - 1
        if run_of(&s.w_runs, last).last - run_of(&s.w_runs, w).first > most:
            return False
        w += s.columns
    return True


cdef void choose_way(Spread* s, int num_threads) noexcept nogil:
    """How lines are made, and of how many columns at a time."""
    cdef Py_ssize_t most = LINE // s.lane_block, parts
    s.most_lines, s.most_columns = most_holding(&s.h_runs), most_holding(&s.w_runs)
    s.columns = min(s.width, ROW // s.lane_block)
    if not s.w.monotone:
        s.way = BY_WINDOWS
        return
    s.way = BY_RUNS
    if s.lanes == 1 and s.h.monotone and 0 < s.most_lines <= OVERLAP and (
        0 < s.most_columns <= OVERLAP and most_holding(&s.d_runs) == 1
    ):
        s.way = BY_VALUES
        most = WINDOWS // s.most_lines
        if s.contiguous and s.depth == s.height == 1 and s.d.count * s.h.count * s.w.count == 1:
            s.way = BY_PLANES
    elif s.contiguous:  # columns for each thread: blocks of lanes get in each other's way
        parts = pieces(num_threads, s.batches * s.channels * s.depth * s.height)
        s.columns = min(pieces(s.width, parts), DIRECT // s.lane_block)
    while s.columns > 1 and not windows_fit(s, most):
        s.columns = pieces(s.columns, 2)
    if not windows_fit(s, most):
        s.way = BY_WINDOWS


cdef Py_ssize_t plan(Spread* s, int num_threads) noexcept nogil:
    """Cut the work into jobs, enough for all threads; returns how many."""
    cdef Py_ssize_t item = s.grad_input.itemsize, jobs
    cdef Py_ssize_t enough = JOBS * num_threads if num_threads > 1 else 1
    merge_axes(s)
    s.longest = longest_run(&s.w_runs)
    s.lane_block = min(s.lanes, <Py_ssize_t> LANE_BLOCK)
    s.contiguous = s.grad_input.w == s.lanes * item and (
        s.lanes == 1 or s.grad_input.lane == item
    )
    choose_way(s, num_threads)
    jobs = (
        s.batches * s.channels * s.depth * pieces(s.width, s.columns)
        * pieces(s.lanes, s.lane_block)
    )
    s.lines = pieces(s.height, min(s.height, pieces(enough, jobs)))
    s.group = max(JOB // (s.lines * s.columns * s.lane_block), <Py_ssize_t> 1)
    s.group = min(s.group, s.channels, max(jobs // enough, <Py_ssize_t> 1))
    return jobs // s.channels * pieces(s.channels, s.group) * pieces(s.height, s.lines)


cdef struct Task:
    Spread spread
    spread_t run


cdef int run_spread(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Task* t = <const Task*> task
    t.run(&t.spread, job, <double*> scratch, NULL)
    return 0


cdef int spread_all(
    Canonical* c, Windows windows, Element element, int num_threads,
) except -1 nogil:
    cdef Task task
    cdef Spread* s = &task.spread
    cdef Py_ssize_t jobs
    cdef Run* runs = <Run*> malloc(
        <size_t> (most_runs(&windows.d) + most_runs(&windows.h) + most_runs(&windows.w))
        * sizeof(Run)
    )
    if runs == NULL:
        raise MemoryError
    task.run = spread_for(element)
    try:
        while True:
            s.grad_input, s.grad_output = c.arrays[0], c.arrays[1]
            s.batches, s.channels, s.lanes = c.batches, c.channels, c.lanes
            s.d, s.h, s.w = &windows.d, &windows.h, &windows.w
            s.depth, s.height, s.width = s.d.size, s.h.size, s.w.size
            s.d_runs = find_runs(s.d, runs)
            s.h_runs = find_runs(s.h, runs + s.d_runs.count)
            s.w_runs = find_runs(s.w, runs + s.d_runs.count + s.h_runs.count)
            jobs = plan(s, num_threads)
            run_jobs(run_spread, &task, jobs, SCRATCH * sizeof(double), num_threads)
            if not advance(c):
                return 0
    finally:
        free(runs)


def average_backward(
    grad_output,        # IN: array of the elements below, aligned
    grad_input,         # OUT: likewise
    Windows windows,    # IN
    Element element,    # IN: what both hold
    int num_threads,    # IN
):
    """Store the gradient of the input in `grad_input`. No array is empty."""
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, grad_input, True, size_of(element))
        borrow(&c, grad_output, False, size_of(element))
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            spread_all(&c, windows, element, num_threads)
        else:
            with nogil:
                spread_all(&c, windows, element, num_threads)
    finally:
        give_back(&c)
