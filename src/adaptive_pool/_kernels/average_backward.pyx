"""Average pooling, backward: the adjoint of average.pyx.

Each input element gathers, from the windows that hold it, their gradient over their size, in
float64, along od and oh first and then along ow, with one rounding at the end. The axes are
separated: the gradients of the (od, oh) windows that hold a line are added into one line of sums,
which is then spread along W. Each axis is cut into *runs* of indices that the same windows hold:
along W a run is one value, and the lines of a run along H are one line, made once and copied.

Parallel over pieces of input planes, so each thread owns the elements it writes.
docs/design/backward.md.
"""
from cython.parallel cimport prange, threadid
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Element, bfloat16_t, float16_t, gradient_word_t,
    load_real, one_nan, real_t, store_real,
)
from adaptive_pool._kernels.planes cimport JOBS, LANE_BLOCK, Array, at, describe, isa, pieces
from adaptive_pool._kernels.runs cimport Run, Runs, find_runs, most_runs, run_of
from adaptive_pool._kernels.tables cimport Axis, Windows, holds, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    LINE = 8192         # sums of a line: windows x lanes
    HALF = 4096         # or half of them, the other half being sums of a row
    ROW = 4096          # elements of a piece of a row that is made in scratch; at most HALF
    DIRECT = 32768      # and of one that is made in place
    FILL = 8            # a run of columns is filled in steps of so many
    JOB = 16384         # elements that several planes are put into one job for
    SCRATCH = LINE + ROW + FILL + LANE_BLOCK    # doubles


cdef struct Spread:
    Array grad_output
    Array grad_input
    const Axis* d
    const Axis* h
    const Axis* w
    Runs d_runs
    Runs h_runs
    Runs w_runs
    double* factors         # of the windows along W, see factor()
    Py_ssize_t batches
    Py_ssize_t channels
    Py_ssize_t depth        # D, H and W, or 1, 1 and D x H x W
    Py_ssize_t height
    Py_ssize_t width
    Py_ssize_t lanes
    Py_ssize_t group        # channels, lines, columns and lanes of a job
    Py_ssize_t lines
    Py_ssize_t columns
    Py_ssize_t lane_block
    bint contiguous         # rows of grad_input are
    bint flat               # and those of grad_output, lanes included
    bint by_runs            # False: columns are added to window by window


cdef struct Place:
    # One job: columns w0:w1 and some lanes of the lines h0:h1 at (batch, channel0:channel1, d).
    Py_ssize_t batch
    Py_ssize_t channel0
    Py_ssize_t channel1
    Py_ssize_t d
    Py_ssize_t h0
    Py_ssize_t h1
    Py_ssize_t w0
    Py_ssize_t w1
    Py_ssize_t lane
    Py_ssize_t lanes
    const Run* run          # the first along W
    Py_ssize_t ow0          # the windows that hold a column
    Py_ssize_t ow1


cdef struct Scratch:
    double* line            # LINE sums
    double* row             # ROW + FILL elements
    double* sums            # LANE_BLOCK


ctypedef void (*spread_t)(
    const Spread* s, Py_ssize_t job, double* scratch, void* like,
) noexcept nogil


cdef inline double factor(Py_ssize_t size, real_t* _) noexcept nogil:
    """What share() takes for a division by the size of a window."""
    if real_t is double:
        return <double> size
    else:
        return 1.0 / <double> size


cdef inline double share(double x, double factor, real_t* _) noexcept nogil:
    """x over the size of a window; the rounding to a narrower type hides that of a reciprocal."""
    if real_t is double:
        return x / factor
    else:
        return x * factor


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
    place.run = run_of(&s.w_runs, place.w0)
    place.ow0 = place.run.first
    place.ow1 = run_of(&s.w_runs, place.w1 - 1).last
    return place


cdef inline void add_shares(
    const char* source, Py_ssize_t outer_step, Py_ssize_t step,
    Py_ssize_t outer, Py_ssize_t inner,     # IN: the shape of source
    double size,            # IN: the factor of the window
    bint begin,             # IN: whether these are the first of a sum
    double* line,           # IN, OUT: outer x inner
    real_t* like,
) noexcept nogil:
    cdef Py_ssize_t i, k
    cdef double x
    for i in range(outer):
        for k in range(inner):
            x = share[real_t](load_real[real_t](<const real_t*> (source + k * step)), size, like)
            line[k] = (0.0 if begin else line[k]) + x
        source += outer_step
        line += inner


cdef inline void add_window(
    const Spread* s, const Place* place, const char* source, Py_ssize_t windows,
    double size, bint begin, double* line, real_t* like,
) noexcept nogil:
    """Choose the loop: over all of a line, over its columns, or over the lanes of each column."""
    cdef Py_ssize_t w = s.grad_output.w, lane = s.grad_output.lane, lanes = place.lanes
    if s.flat and lanes == s.lanes:
        add_shares[real_t](source, 0, sizeof(real_t), 1, windows * lanes, size, begin, line, like)
    elif lanes == 1:
        add_shares[real_t](source, 0, w, 1, windows, size, begin, line, like)
    elif lane == sizeof(real_t):
        add_shares[real_t](source, w, sizeof(real_t), windows, lanes, size, begin, line, like)
    else:
        add_shares[real_t](source, w, lane, windows, lanes, size, begin, line, like)


cdef inline void gather_lines(
    const Spread* s, const Place* place, const Run* d, const Run* h, Py_ssize_t channel,
    Py_ssize_t ow0, Py_ssize_t ow1,     # IN: the windows along W
    double* line,                       # OUT: (ow1 - ow0) x lanes
    real_t* like,
) noexcept nogil:
    """Add up, over the windows (od, oh) that hold a line, gradient / lines of the window."""
    cdef Py_ssize_t od, oh
    cdef const char* source
    cdef double size
    cdef bint begin = True
    for od in range(d.first, d.last):
        if not holds(s.d, od, d.begin):
            continue
        for oh in range(h.first, h.last):
            if not holds(s.h, oh, h.begin):
                continue
            size = factor[real_t](window_size(s.d, od) * window_size(s.h, oh), like)
            source = at(&s.grad_output, place.batch, channel, od, oh, ow0, place.lane)
            if begin:
                add_window[real_t](s, place, source, ow1 - ow0, size, True, line, like)
            else:
                add_window[real_t](s, place, source, ow1 - ow0, size, False, line, like)
            begin = False
    if begin:
        memset(line, 0, (ow1 - ow0) * place.lanes * sizeof(double))


cdef inline void fill_columns(
    const Spread* s, const Place* place,
    const double* line,     # IN: the sums of the windows ow0:ow1
    real_t* row,            # OUT: the columns w0:w1, and up to FILL more
) noexcept nogil:
    """Spread the sums of the windows over the columns that they hold; there is one lane."""
    cdef const Run* run = place.run
    cdef Py_ssize_t w = place.w0, end, ow, k
    cdef real_t element
    cdef double x
    while w < place.w1:
        end = min(run.end, place.w1)
        x = 0.0
        for ow in range(run.first, run.last):
            x += share[real_t](line[ow - place.ow0], s.factors[ow], row)
        store_real[real_t](&element, one_nan(x))
        # What is too much is overwritten by the next run. A memset of the exact length costs more.
        while w < end:
            for k in range(FILL):
                row[w - place.w0 + k] = element
            w += FILL
        w = end
        run += 1


cdef inline void sum_lanes(
    const Spread* s, const Place* place,
    const double* line,     # IN: the sums of the window ow0
    Py_ssize_t first, Py_ssize_t last,
    double* sums,           # scratch: lanes
    real_t* out,            # OUT: lanes
) noexcept nogil:
    """Add up, for a column, the shares of the windows first:last along W."""
    cdef Py_ssize_t lanes = place.lanes, lane, ow
    cdef const double* other = line + lanes
    cdef double x
    if last - first == 1:
        for lane in range(lanes):
            x = 0.0 + share[real_t](line[lane], s.factors[first], out)
            store_real[real_t](out + lane, one_nan(x))
        return
    if last - first == 2:
        for lane in range(lanes):
            x = 0.0 + share[real_t](line[lane], s.factors[first], out)
            x += share[real_t](other[lane], s.factors[first + 1], out)
            store_real[real_t](out + lane, one_nan(x))
        return
    memset(sums, 0, lanes * sizeof(double))
    for ow in range(first, last):
        for lane in range(lanes):
            sums[lane] += share[real_t](line[lane], s.factors[ow], out)
        line += lanes
    for lane in range(lanes):
        store_real[real_t](out + lane, one_nan(sums[lane]))


cdef inline void repeat(char* first, Py_ssize_t size, Py_ssize_t times) noexcept nogil:
    """Repeat the `size` bytes at `first` until they are there `times` times."""
    cdef Py_ssize_t done = size, whole = size * times
    while done < whole:
        size = min(done, whole - done)
        memcpy(first + done, first, size)
        done += size


cdef inline void fill_lanes(
    const Spread* s, const Place* place,
    const double* line,     # IN: the sums of the windows ow0:ow1
    double* sums,           # scratch: lanes
    real_t* row,            # OUT: the columns w0:w1
) noexcept nogil:
    """Spread the sums of the windows over the columns that they hold, all lanes alike."""
    cdef const Run* run = place.run
    cdef Py_ssize_t w = place.w0, end
    cdef Py_ssize_t lanes = place.lanes
    while w < place.w1:
        end = min(run.end, place.w1)
        sum_lanes[real_t](
            s, place, line + (run.first - place.ow0) * lanes, run.first, run.last, sums, row
        )
        repeat(<char*> row, lanes * sizeof(real_t), end - w)
        row += (end - w) * lanes
        w = end
        run += 1


cdef inline void add_to_columns(
    const Spread* s, const Place* place, Py_ssize_t ow0, Py_ssize_t ow1,
    const double* line,     # IN: (ow1 - ow0) x lanes
    double* tile,           # IN, OUT: (w1 - w0) x lanes
    real_t* like,
) noexcept nogil:
    """Add the share of each window to all the columns that it holds."""
    cdef Py_ssize_t ow, w, lane
    cdef double* out
    for ow in range(ow0, ow1):
        for w in range(max(s.w.starts[ow], place.w0), min(s.w.ends[ow], place.w1)):
            out = tile + (w - place.w0) * place.lanes
            for lane in range(place.lanes):
                out[lane] += share[real_t](line[lane], s.factors[ow], like)
        line += place.lanes


cdef inline void gather_and_add(
    const Spread* s, const Place* place, const Run* d, const Run* h, Py_ssize_t channel,
    const Scratch* scratch, real_t* row,
) noexcept nogil:
    """A row where the windows of a column are no range, or too many: a part of them at a time."""
    cdef Py_ssize_t i, n = (place.w1 - place.w0) * place.lanes
    cdef Py_ssize_t ow = place.ow0, end
    cdef double* tile = scratch.line + HALF
    memset(tile, 0, n * sizeof(double))
    while ow < place.ow1:
        end = min(ow + HALF // place.lanes, place.ow1)
        gather_lines[real_t](s, place, d, h, channel, ow, end, scratch.line, row)
        add_to_columns[real_t](s, place, ow, end, scratch.line, tile, row)
        ow = end
    for i in range(n):
        store_real[real_t](row + i, one_nan(tile[i]))


cdef inline void copy_row(
    const Spread* s, const Place* place, char* out,
    const real_t* row,      # IN: the columns w0:w1
) noexcept nogil:
    cdef Py_ssize_t columns = place.w1 - place.w0, lanes = place.lanes, w, lane
    if s.contiguous and lanes == s.lanes:
        memcpy(out, row, columns * lanes * sizeof(real_t))
        return
    for w in range(columns):
        if s.contiguous:
            memcpy(out, row, lanes * sizeof(real_t))
        else:
            for lane in range(lanes):
                (<real_t*> (out + lane * s.grad_input.lane))[0] = row[lane]
        out += s.grad_input.w
        row += lanes


cdef inline void spread_lines(
    const Spread* s, const Place* place, Py_ssize_t channel, const Scratch* scratch, real_t* like,
) noexcept nogil:
    """All lines of a job in one channel."""
    cdef const Run* d = run_of(&s.d_runs, place.d)
    cdef const Run* run = run_of(&s.h_runs, place.h0)
    cdef Py_ssize_t h = place.h0, end
    cdef bint in_place = s.lanes > 1 and s.contiguous and place.lanes == s.lanes
    cdef char* out = at(&s.grad_input, place.batch, channel, place.d, h, place.w0, place.lane)
    cdef real_t* row = <real_t*> scratch.row
    while h < place.h1:
        end = min(run.end, place.h1)
        if in_place:
            row = <real_t*> out
        if not s.by_runs:
            gather_and_add[real_t](s, place, d, run, channel, scratch, row)
        else:
            gather_lines[real_t](
                s, place, d, run, channel, place.ow0, place.ow1, scratch.line, like
            )
            if place.lanes == 1:
                fill_columns[real_t](s, place, scratch.line, row)
            else:
                fill_lanes[real_t](s, place, scratch.line, scratch.sums, row)
        for h in range(h, end):
            if <char*> row != out:
                copy_row[real_t](s, place, out, row)
            out += s.grad_input.h
        h = end
        run += 1


cdef void spread_job(
    const Spread* s, Py_ssize_t job, double* memory, real_t* like,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef Py_ssize_t channel
    cdef Scratch scratch
    scratch.line = memory
    scratch.row = memory + LINE
    scratch.sums = memory + LINE + ROW + FILL
    for channel in range(place.channel0, place.channel1):
        spread_lines[real_t](s, &place, channel, &scratch, like)


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


cdef bint windows_fit(const Spread* s) noexcept nogil:
    """Whether the windows that hold a piece of a row fit a line of sums."""
    cdef Py_ssize_t w = 0, windows, last
    while w < s.width:
        last = min(w + s.columns, s.width) - 1
        windows = run_of(&s.w_runs, last).last - run_of(&s.w_runs, w).first
        if windows * s.lane_block > LINE:
            return False
        w += s.columns
    return True


cdef Py_ssize_t plan(Spread* s, int num_threads) noexcept nogil:
    """Cut the work into jobs, enough for all threads; returns how many."""
    cdef Py_ssize_t item = s.grad_input.itemsize, enough = JOBS * num_threads, jobs
    merge_axes(s)
    s.lane_block = min(s.lanes, <Py_ssize_t> LANE_BLOCK)
    s.contiguous = s.grad_input.w == s.lanes * item and (
        s.lanes == 1 or s.grad_input.lane == item
    )
    s.flat = s.grad_output.w == s.lanes * item and (s.lanes == 1 or s.grad_output.lane == item)
    s.columns = min(s.width, ROW // s.lane_block)
    s.by_runs = s.w.monotone
    if s.by_runs:
        if s.contiguous and 1 < s.lanes == s.lane_block:
            s.columns = min(s.width, DIRECT // s.lane_block)
        while s.columns > 1 and not windows_fit(s):
            s.columns = pieces(s.columns, 2)
        s.by_runs = windows_fit(s)
    jobs = (
        s.batches * s.channels * s.depth * pieces(s.width, s.columns)
        * pieces(s.lanes, s.lane_block)
    )
    s.lines = pieces(s.height, min(s.height, pieces(enough, jobs)))
    s.group = max(JOB // (s.lines * s.columns * s.lane_block), <Py_ssize_t> 1)
    s.group = min(s.group, s.channels, max(jobs // enough, <Py_ssize_t> 1))
    return jobs // s.channels * pieces(s.channels, s.group) * pieces(s.height, s.lines)


cdef void find_tables(Spread* s, Run* runs, double* factors, Element element) noexcept nogil:
    """The tables of a call, in memory that is large enough."""
    cdef Py_ssize_t ow
    s.d_runs = find_runs(s.d, runs)
    runs += s.d_runs.count
    s.h_runs = find_runs(s.h, runs)
    runs += s.h_runs.count
    s.w_runs = find_runs(s.w, runs)
    s.factors = factors
    for ow in range(s.w.count):
        if element == FLOAT64:
            factors[ow] = factor[double](window_size(s.w, ow), NULL)
        else:
            factors[ow] = factor[float](window_size(s.w, ow), NULL)


def average_backward(
    const gradient_word_t[:, :, :, :, :, :] grad_output,     # IN: batch, channel, OD, OH, OW, lanes
    gradient_word_t[:, :, :, :, :, :] grad_input,            # OUT: batch, channel, D, H, W, lanes
    Windows windows,                                    # IN
    Element element,                                    # IN: what the words are
    int num_threads,                                    # IN
):
    """Store the gradient of the input in `grad_input`. No array is empty; both are aligned."""
    cdef Spread s
    cdef spread_t spread = spread_for(element)
    cdef Py_ssize_t job, jobs
    cdef Run* runs
    cdef double* scratch
    s.grad_output = describe(
        &grad_output[0, 0, 0, 0, 0, 0], grad_output.strides, sizeof(gradient_word_t)
    )
    s.grad_input = describe(
        &grad_input[0, 0, 0, 0, 0, 0], grad_input.strides, sizeof(gradient_word_t)
    )
    s.batches, s.channels, s.lanes = grad_input.shape[0], grad_input.shape[1], grad_input.shape[5]
    s.d, s.h, s.w = &windows.d, &windows.h, &windows.w
    s.depth, s.height, s.width = s.d.size, s.h.size, s.w.size

    scratch = <double*> malloc(
        <size_t> (num_threads * SCRATCH + s.w.count) * sizeof(double)
    )
    runs = <Run*> malloc(
        <size_t> (most_runs(s.d) + most_runs(s.h) + most_runs(s.w)) * sizeof(Run)
    )
    if scratch == NULL or runs == NULL:
        free(scratch)
        free(runs)
        raise MemoryError
    find_tables(&s, runs, scratch + <Py_ssize_t> num_threads * SCRATCH, element)
    jobs = plan(&s, num_threads)
    for job in prange(
        jobs, nogil=True, schedule="static", num_threads=num_threads, use_threads_if=num_threads > 1
    ):
        spread(&s, job, scratch + <Py_ssize_t> threadid() * SCRATCH, NULL)
    free(scratch)
    free(runs)
