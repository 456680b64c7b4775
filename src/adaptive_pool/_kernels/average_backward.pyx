"""Average pooling, backward: the adjoint of average.pyx.

Each input element gathers, from the windows that hold it, their gradient over their size, in
float64, along od and oh first and then along ow, with one rounding at the end. Parallel over
pieces of input lines, so each thread owns the lines it writes. The axes are separated: the
gradients of the (od, oh) windows that hold a line are added into one line of gradients, which is
then spread along W. Neighbouring lines held by the same windows are equal: the piece is computed
once and copied.
"""
from cython.parallel cimport prange, threadid
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, load_real,
    one_nan, real_t, store_real,
)
from adaptive_pool._kernels.planes cimport (
    JOBS, LANE_BLOCK, TILE, at, isa, pieces,
)
from adaptive_pool._kernels.tables cimport (
    Axis, Windows, end_holding, first_holding, holds, window_size,
)

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    SCRATCH = 2 * TILE * sizeof(double)     # bytes: a tile of grad_input, one of grad_output


cdef struct Spread:
    Array grad_output
    Array grad_input
    const Axis* d
    const Axis* h
    const Axis* w
    Py_ssize_t channels
    Py_ssize_t lanes
    Py_ssize_t lane_block   # lanes, columns and lines of a job
    Py_ssize_t lane_blocks
    Py_ssize_t columns
    Py_ssize_t column_blocks
    Py_ssize_t height
    Py_ssize_t heights


cdef struct Place:
    # One job: columns w0:w1 and some lanes of the lines h0:h1 at (batch, channel, d).
    Py_ssize_t batch
    Py_ssize_t channel
    Py_ssize_t d
    Py_ssize_t h0
    Py_ssize_t h1
    Py_ssize_t w0
    Py_ssize_t w1
    Py_ssize_t lane
    Py_ssize_t lanes


ctypedef void (*spread_t)(
    const Spread* s, Py_ssize_t job, double* scratch, void* like,
) noexcept nogil


cdef Place locate(const Spread* s, Py_ssize_t job) noexcept nogil:
    cdef Place place
    place.lane = job % s.lane_blocks * s.lane_block
    place.lanes = min(s.lane_block, s.lanes - place.lane)
    job //= s.lane_blocks
    place.w0 = job % s.column_blocks * s.columns
    place.w1 = min(place.w0 + s.columns, s.w.size)
    job //= s.column_blocks
    place.h0 = job % s.heights * s.height
    place.h1 = min(place.h0 + s.height, s.h.size)
    job //= s.heights
    place.d = job % s.d.size
    job //= s.d.size
    place.channel = job % s.channels
    place.batch = job // s.channels
    return place


cdef inline void gather_lines(
    const Spread* s, const Place* place, Py_ssize_t h,
    Py_ssize_t ow0, Py_ssize_t ow1,     # IN: the windows along W
    double* line,                       # OUT: (ow1 - ow0) x lanes
    real_t* _,                          # the type of the gradient
) noexcept nogil:
    """Add up, over the windows (od, oh) that hold (d, h), gradient / window size."""
    cdef Py_ssize_t od, oh, ow, lane, lines
    cdef const char* source
    cdef double* out
    cdef double count
    for lane in range((ow1 - ow0) * place.lanes):
        line[lane] = 0.0
    for od in range(first_holding(s.d, place.d), end_holding(s.d, place.d)):
        if not holds(s.d, od, place.d):
            continue
        for oh in range(first_holding(s.h, h), end_holding(s.h, h)):
            if not holds(s.h, oh, h):
                continue
            lines = window_size(s.d, od) * window_size(s.h, oh)
            out = line
            for ow in range(ow0, ow1):
                count = <double> lines * <double> window_size(s.w, ow)
                source = at(&s.grad_output, place.batch, place.channel, od, oh, ow, place.lane)
                for lane in range(place.lanes):
                    out[lane] += load_real[real_t](
                        <const real_t*> (source + lane * s.grad_output.lane)
                    ) / count
                out += place.lanes


cdef inline void spread_windows(
    const Spread* s, const Place* place, Py_ssize_t ow0, Py_ssize_t ow1,
    const double* line,     # IN: (ow1 - ow0) x lanes
    double* tile,           # IN, OUT: (w1 - w0) x lanes
) noexcept nogil:
    """Add the value of each window to all the columns that it holds."""
    cdef Py_ssize_t ow, w, lane
    cdef double* out
    for ow in range(ow0, ow1):
        for w in range(max(s.w.starts[ow], place.w0), min(s.w.ends[ow], place.w1)):
            out = tile + (w - place.w0) * place.lanes
            for lane in range(place.lanes):
                out[lane] += line[lane]
        line += place.lanes


cdef inline void store_piece(
    const Array* target, const Place* place, const double* tile, char* out, real_t* _,
) noexcept nogil:
    cdef Py_ssize_t w, lane
    for w in range(place.w1 - place.w0):
        for lane in range(place.lanes):
            store_real[real_t](
                <real_t*> (out + w * target.w + lane * target.lane),
                one_nan(tile[w * place.lanes + lane]),
            )


cdef inline Py_ssize_t same_windows(const Axis* axis, Py_ssize_t i) noexcept nogil:
    """The end of the range of indices from i on that are held by the same windows as i."""
    cdef Py_ssize_t first, last
    if not axis.monotone:
        return i + 1
    first = first_holding(axis, i)
    last = end_holding(axis, i)
    if first < axis.count and axis.starts[first] <= i:
        i = axis.ends[first]
    else:  # no window holds i
        i = axis.size
    # A later window may begin before the first of these ends.
    return min(i, axis.starts[last]) if last < axis.count else i


cdef void spread_job(
    const Spread* s, Py_ssize_t job, double* scratch, real_t* like,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef const Array* target = &s.grad_input
    cdef double* tile = scratch
    cdef double* line = scratch + TILE
    cdef Py_ssize_t h = place.h0, h_end, ow, ow0, ow1, i
    cdef Py_ssize_t n = (place.w1 - place.w0) * place.lanes
    cdef bint contiguous = (s.lanes == 1 or target.lane == target.itemsize) and (
        target.w == target.itemsize * place.lanes
    )
    cdef char* first
    cdef char* out
    ow0 = first_holding(s.w, place.w0)
    ow1 = end_holding(s.w, place.w1 - 1)
    while h < place.h1:
        for i in range(n):
            tile[i] = 0.0
        ow = ow0
        while ow < ow1:
            i = min(ow + TILE // place.lanes, ow1)
            gather_lines[real_t](s, &place, h, ow, i, line, like)
            spread_windows(s, &place, ow, i, line, tile)
            ow = i
        first = at(target, place.batch, place.channel, place.d, h, place.w0, place.lane)
        store_piece[real_t](target, &place, tile, first, like)
        h_end = min(same_windows(s.h, h), place.h1)
        h += 1
        while h < h_end:
            out = at(target, place.batch, place.channel, place.d, h, place.w0, place.lane)
            if contiguous:
                memcpy(out, first, n * target.itemsize)
            else:
                store_piece[real_t](target, &place, tile, out, like)
            h += 1


cdef spread_t spread_for(Element element) noexcept nogil:
    if element == FLOAT16:
        return <spread_t> spread_job[float16_t]
    elif element == BFLOAT16:
        return <spread_t> spread_job[bfloat16_t]
    elif element == FLOAT32:
        return <spread_t> spread_job[float]
    else:
        return <spread_t> spread_job[double]


cdef void plan(Spread* s, Py_ssize_t batches, int num_threads) noexcept nogil:
    """Cut the work into jobs: as many lines as leave every thread enough to do."""
    cdef Py_ssize_t others
    s.lane_block = min(s.lanes, <Py_ssize_t> LANE_BLOCK)
    s.lane_blocks = pieces(s.lanes, s.lane_block)
    s.columns = min(s.w.size, TILE // s.lane_block)
    s.column_blocks = pieces(s.w.size, s.columns)
    others = batches * s.channels * s.d.size * s.column_blocks * s.lane_blocks
    s.height = pieces(s.h.size, min(s.h.size, pieces(JOBS * num_threads, others)))
    s.heights = pieces(s.h.size, s.height)


cdef int run(Spread* s, spread_t spread, Py_ssize_t jobs, int num_threads) except -1 nogil:
    cdef Py_ssize_t job
    cdef double* scratch = <double*> malloc(<size_t> num_threads * SCRATCH)
    if scratch == NULL:
        raise MemoryError
    for job in prange(
        jobs, schedule="static", num_threads=num_threads, use_threads_if=num_threads > 1
    ):
        spread(s, job, scratch + <Py_ssize_t> threadid() * 2 * TILE, NULL)
    free(scratch)
    return 0


def average_backward(
    grad_output,        # IN: array of the elements below, aligned
    grad_input,         # OUT: likewise
    Windows windows,    # IN
    Element element,    # IN: what both hold
    int num_threads,    # IN
):
    """Store the gradient of the input in `grad_input`. No array is empty."""
    cdef Spread s
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, grad_input, True)
        borrow(&c, grad_output, False)
        arrange(&c, windows)
        s.d, s.h, s.w = &windows.d, &windows.h, &windows.w
        s.channels, s.lanes = c.channels, c.lanes
        plan(&s, c.batches, num_threads)
        with nogil:
            while True:
                s.grad_input, s.grad_output = c.arrays[0], c.arrays[1]
                run(
                    &s, spread_for(element),
                    c.batches * s.channels * s.d.size * s.heights * s.column_blocks * s.lane_blocks,
                    num_threads,
                )
                if not advance(&c):
                    break
    finally:
        give_back(&c)
