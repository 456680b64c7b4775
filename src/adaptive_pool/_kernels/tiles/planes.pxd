"""How averages of short integers are cut into jobs, and what all kernels in Cython use.

A *line* is the W x lanes elements of one (batch, channel, d, h). A *job* is a *tile*: some windows
along W of one output line, at most LANE_BLOCK lanes deep, or several short output lines. Input
lines are read from end to end as far as a tile reaches, which is what the hardware's prefetching
wants, and all that a job keeps beside the arrays fits the second cache, whatever the size of the
input.
"""
cdef extern from *:
    """
    #ifndef AP_ISA
    #define AP_ISA "baseline"
    #endif
    static inline const char *ap_isa(void) { return AP_ISA; }
    """
    const char* isa "ap_isa"() noexcept nogil

from adaptive_pool._kernels.call.canonical cimport Array, Geometry
from adaptive_pool._kernels.call.elements cimport BOOL, Element, uint8_t, uint16_t
from adaptive_pool._kernels.call.tables cimport Axis
from adaptive_pool._kernels.tiles.fetch cimport fetch_bools, fetch_t, fetch_words

cdef enum:
    TILE = 4096         # elements of a tile: lines x columns x lanes
    LANE_BLOCK = 512    # lanes of a tile, at most
    VECTOR = 8          # lanes that make a vector
    NARROW = 64         # lanes that more jobs are not worth going below
    JOBS = 4            # for each thread, at least, if there are so many
    GROUP = 128         # outputs of a tile, where there is no reason for more
    ROWS = 4            # lines read side by side; 8 lose to the prefetcher on tall planes


cdef inline char* at(
    const Array* array, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d, Py_ssize_t h,
    Py_ssize_t w, Py_ssize_t lane,
) noexcept nogil:
    return (
        array.data + batch * array.batch + channel * array.channel
        + d * array.d + h * array.h + w * array.w + lane * array.lane
    )


cdef struct Pooling:
    Array x
    Element element
    const Axis* d
    const Axis* h
    const Axis* w
    Py_ssize_t channels
    Py_ssize_t lanes
    Py_ssize_t lines            # output lines in all
    Py_ssize_t lane_block       # lanes, output lines and windows of a job
    Py_ssize_t group
    Py_ssize_t span
    Py_ssize_t lane_blocks
    Py_ssize_t groups
    Py_ssize_t spans
    fetch_t fetch               # NULL: lines are read in place
    bint whole                  # the one window along W is all of it


cdef struct Tile:
    Py_ssize_t line             # the first of its output lines, and how many
    Py_ssize_t lines
    Py_ssize_t lane             # the first of its lanes, and how many
    Py_ssize_t lanes
    Py_ssize_t ow0              # its windows, and the columns that they cover
    Py_ssize_t ow1
    Py_ssize_t w0
    Py_ssize_t w1


cdef struct Line:
    # An output line, and the window of input lines that it is pooled from.
    Py_ssize_t batch
    Py_ssize_t channel
    Py_ssize_t od
    Py_ssize_t oh
    Py_ssize_t d0
    Py_ssize_t h0
    Py_ssize_t height
    Py_ssize_t count            # input lines: depth x height


cdef inline Py_ssize_t pieces(Py_ssize_t whole, Py_ssize_t piece) noexcept nogil:
    return (whole + piece - 1) // piece


cdef inline void cover(
    const Axis* w, Py_ssize_t ow0, Py_ssize_t ow1, Py_ssize_t* w0, Py_ssize_t* w1,
) noexcept nogil:
    """The inputs w0:w1 that the windows ow0:ow1 cover; they need not be in order."""
    cdef Py_ssize_t ow
    w0[0] = w.starts[ow0]
    w1[0] = w.ends[ow1 - 1 if w.monotone else ow0]
    if w.monotone:
        return
    for ow in range(ow0 + 1, ow1):
        w0[0] = min(w0[0], w.starts[ow])
        w1[0] = max(w1[0], w.ends[ow])


cdef inline Py_ssize_t span_of_windows(const Axis* w, Py_ssize_t most) noexcept nogil:
    """The most windows, at most `most`, that nowhere cover more than `most` elements, or 1."""
    cdef Py_ssize_t span = min(most, w.count)
    cdef Py_ssize_t ow, w0, w1
    cdef bint fits = w.size <= most
    while not fits and span > 1:
        ow = 0
        fits = True
        while fits and ow < w.count:
            cover(w, ow, min(ow + span, w.count), &w0, &w1)
            fits = w1 - w0 <= most
            ow += span
        if not fits:
            span = (span + 1) // 2
    return span


cdef inline fetch_t fetch_for(const Pooling* p) noexcept nogil:
    cdef const Array* x = &p.x
    cdef bint aligned = (
        <size_t> x.data | <size_t> x.batch | <size_t> x.channel
        | <size_t> x.d | <size_t> x.h | <size_t> x.w | <size_t> x.lane
    ) % <size_t> x.itemsize == 0
    if p.element == BOOL:
        return <fetch_t> fetch_bools
    elif aligned and (
        x.lane == x.itemsize if p.lanes > 1 else x.w == x.itemsize or p.w.size == 1
    ):
        return NULL
    elif x.itemsize == 1:
        return <fetch_t> fetch_words[uint8_t]
    else:
        return <fetch_t> fetch_words[uint16_t]


cdef inline void cut(Pooling* p, int num_threads) noexcept nogil:
    """Cut the work into jobs, enough for all threads; none of the counts is 0."""
    cdef const Axis* w = p.w
    cdef Py_ssize_t columns = max(w.size, w.count)
    p.lane_block = min(p.lanes, <Py_ssize_t> LANE_BLOCK)
    while p.lane_block > NARROW and p.lines * pieces(p.lanes, p.lane_block) < JOBS * num_threads:
        p.lane_block = pieces(p.lane_block, 2)
    p.group = pieces(GROUP, w.count * p.lane_block)
    p.group = max(p.group, VECTOR // p.lane_block)
    p.group = min(p.group, TILE // (p.lane_block * columns))
    p.group = max(min(p.group, p.lines, p.lines // (JOBS * num_threads)), <Py_ssize_t> 1)
    p.span = span_of_windows(w, TILE // (p.lane_block * p.group))
    p.lane_blocks = pieces(p.lanes, p.lane_block)
    p.groups = pieces(p.lines, p.group)
    p.spans = pieces(w.count, p.span)


cdef inline Pooling plan(
    const Geometry* g, Element element, int num_threads,
) noexcept nogil:
    cdef Pooling p
    p.x, p.element = g.arrays[0], element
    p.d, p.h, p.w = g.d, g.h, g.w
    p.channels, p.lanes = g.channels, g.lanes
    p.lines = g.batches * g.channels * p.d.count * p.h.count
    p.whole = p.w.count == 1 and p.w.longest == p.w.size
    p.fetch = fetch_for(&p)
    cut(&p, num_threads)
    return p


cdef inline Py_ssize_t job_count(const Pooling* p) noexcept nogil:
    return p.groups * p.spans * p.lane_blocks


cdef inline Py_ssize_t buffer_size(const Pooling* p) noexcept nogil:
    """Bytes for copies of ROWS pieces of lines, if lines are not read in place."""
    return 0 if p.fetch == NULL else ROWS * TILE * <Py_ssize_t> sizeof(double)


cdef inline Tile locate(const Pooling* p, Py_ssize_t job) noexcept nogil:
    cdef Tile tile
    tile.lane = job % p.lane_blocks * p.lane_block
    tile.lanes = min(p.lane_block, p.lanes - tile.lane)
    job //= p.lane_blocks
    tile.ow0 = job % p.spans * p.span
    tile.ow1 = min(tile.ow0 + p.span, p.w.count)
    tile.line = job // p.spans * p.group
    tile.lines = min(p.group, p.lines - tile.line)
    cover(p.w, tile.ow0, tile.ow1, &tile.w0, &tile.w1)
    return tile


cdef inline Line line_of(const Pooling* p, Py_ssize_t k) noexcept nogil:
    """The k-th output line of all, in row-major order of (batch, channel, od, oh)."""
    cdef Line line
    line.oh = k % p.h.count
    k //= p.h.count
    line.od = k % p.d.count
    k //= p.d.count
    line.channel = k % p.channels
    line.batch = k // p.channels
    line.d0 = p.d.starts[line.od]
    line.h0 = p.h.starts[line.oh]
    line.height = p.h.ends[line.oh] - line.h0
    line.count = (p.d.ends[line.od] - line.d0) * line.height
    return line


cdef inline void next_line(const Pooling* p, Line* line) noexcept nogil:
    """Go on to the next output line; past the last one, to none that means anything."""
    line.oh += 1
    if line.oh == p.h.count:
        line.oh = 0
        line.od += 1
        if line.od == p.d.count:
            line.od = 0
            line.channel += 1
            if line.channel == p.channels:
                line.channel = 0
                line.batch += 1
        line.d0 = p.d.starts[line.od]
    line.h0 = p.h.starts[line.oh]
    line.height = p.h.ends[line.oh] - line.h0
    line.count = (p.d.ends[line.od] - line.d0) * line.height


cdef inline void next_plane(const Pooling* p, Line* line) noexcept nogil:
    """Go on to the first output line of the next plane."""
    line.od, line.oh = p.d.count - 1, p.h.count - 1
    next_line(p, line)


cdef inline Py_ssize_t step_of_run(const Pooling* p, const Line* line) noexcept nogil:
    """The one step, if there is one, between all elements of a window of whole lines, or 0."""
    cdef Py_ssize_t step = p.x.w if p.w.size > 1 else p.x.h if line.height > 1 else p.x.d
    if p.fetch == NULL and (p.w.size == 1 or line.height == 1 or p.x.h == p.w.size * step) and (
        line.count == line.height or line.count == 1
        or line.height == p.h.size and p.x.d == p.h.size * p.w.size * step
    ):
        return step
    return 0


cdef inline Py_ssize_t depth_of(const Line* line, Py_ssize_t k) noexcept nogil:
    # A division for each line would cost as much as reading a short one.
    return k // line.height if k >= line.height else 0


cdef inline const char* input_at(
    const Pooling* p, const Line* line, Py_ssize_t k, Py_ssize_t w, Py_ssize_t lane,
) noexcept nogil:
    """An element of the k-th of the input lines that an output line is pooled from."""
    cdef Py_ssize_t depth = depth_of(line, k)
    return at(
        &p.x, line.batch, line.channel, line.d0 + depth, line.h0 + k - depth * line.height, w, lane
    )
