"""How a canonical problem lies in memory, and how its work is cut into jobs.

A *line* is the W x lanes elements of one (batch, channel, d, h). Forward, a *job* is one tile of
one output line: a few windows wide and at most LANE_BLOCK lanes deep, so that all it keeps beside
the arrays stays in the second cache, whatever the size of the input.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, Element, uint8_t, uint16_t, uint32_t, uint64_t, widen_half, word_t,
)
from adaptive_pool._kernels.tables cimport Axis

cdef enum:
    TILE = 2048         # elements of a tile
    LANE_BLOCK = 128    # lanes of a tile
    ROWS = 4            # lines read side by side; 8 lose to the prefetcher on tall planes


cdef struct Array:
    char* data
    Py_ssize_t itemsize
    Py_ssize_t batch    # this and the following: steps in bytes along the canonical axes
    Py_ssize_t channel
    Py_ssize_t d
    Py_ssize_t h
    Py_ssize_t w
    Py_ssize_t lane


cdef inline Array describe(
    const void* data, const Py_ssize_t* strides, Py_ssize_t itemsize,
) noexcept nogil:
    cdef Array array
    array.data = <char*> data
    array.itemsize = itemsize
    array.batch, array.channel = strides[0], strides[1]
    array.d, array.h, array.w, array.lane = strides[2], strides[3], strides[4], strides[5]
    return array


cdef inline char* at(
    const Array* array, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d, Py_ssize_t h,
    Py_ssize_t w, Py_ssize_t lane,
) noexcept nogil:
    return (
        array.data + batch * array.batch + channel * array.channel
        + d * array.d + h * array.h + w * array.w + lane * array.lane
    )


# Reading a piece of a line, `columns` x `lanes` elements with any steps, into a contiguous buffer.
ctypedef void (*fetch_t)(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, void* buffer,
) noexcept nogil


cdef inline void fetch_words(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, word_t* buffer,
) noexcept nogil:
    cdef Py_ssize_t w, lane
    for w in range(columns):
        for lane in range(lanes):
            # memcpy: the element may be misaligned
            memcpy(buffer + w * lanes + lane, line + w * w_step + lane * lane_step, sizeof(word_t))


cdef inline void fetch_halves(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, float* buffer, Element element,
) noexcept nogil:
    cdef Py_ssize_t w, lane, i
    cdef uint16_t half
    if lane_step == 2 and w_step == 2 * lanes or lanes == 1 and w_step == 2:
        for i in range(columns * lanes):  # contiguous: vectorises
            memcpy(&half, line + 2 * i, 2)
            buffer[i] = widen_half(half, element)
        return
    for w in range(columns):
        for lane in range(lanes):
            memcpy(&half, line + w * w_step + lane * lane_step, 2)
            buffer[w * lanes + lane] = widen_half(half, element)


cdef inline void fetch_float16(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, void* buffer,
) noexcept nogil:
    fetch_halves(line, w_step, lane_step, columns, lanes, <float*> buffer, FLOAT16)


cdef inline void fetch_bfloat16(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, void* buffer,
) noexcept nogil:
    fetch_halves(line, w_step, lane_step, columns, lanes, <float*> buffer, BFLOAT16)


cdef struct Pooling:
    Array x
    Element element
    const Axis* d
    const Axis* h
    const Axis* w
    Py_ssize_t channels
    Py_ssize_t lanes
    Py_ssize_t lane_block       # lanes of a job
    Py_ssize_t lane_blocks
    Py_ssize_t span             # output windows of a job along W
    Py_ssize_t spans
    Py_ssize_t jobs
    fetch_t fetch               # NULL: the lines are read in place


cdef struct Place:
    # One job: an output line (batch, channel, od, oh), its windows ow0:ow1, its lanes.
    Py_ssize_t batch
    Py_ssize_t channel
    Py_ssize_t od
    Py_ssize_t oh
    Py_ssize_t ow0
    Py_ssize_t ow1
    Py_ssize_t lane
    Py_ssize_t lanes
    # The inputs that the windows cover.
    Py_ssize_t d0
    Py_ssize_t d1
    Py_ssize_t h0
    Py_ssize_t h1
    Py_ssize_t w0
    Py_ssize_t w1


cdef inline void cover(
    const Axis* w, Py_ssize_t ow0, Py_ssize_t ow1, Py_ssize_t* w0, Py_ssize_t* w1,
) noexcept nogil:
    """The inputs w0:w1 that the windows ow0:ow1 cover; they need not be in order."""
    cdef Py_ssize_t ow
    w0[0] = w.starts[ow0]
    w1[0] = w.ends[ow0]
    for ow in range(ow0 + 1, ow1):
        w0[0] = min(w0[0], w.starts[ow])
        w1[0] = max(w1[0], w.ends[ow])


cdef inline Py_ssize_t span_of_windows(
    const Axis* w, Py_ssize_t outputs, Py_ssize_t inputs,
) noexcept nogil:
    """The most windows, at most `outputs`, that nowhere cover more than `inputs` elements, or 1."""
    cdef Py_ssize_t span = min(outputs, w.count)
    cdef Py_ssize_t ow, w0, w1
    cdef bint fits = w.size <= inputs
    while not fits and span > 1:
        ow = 0
        fits = True
        while fits and ow < w.count:
            cover(w, ow, min(ow + span, w.count), &w0, &w1)
            fits = w1 - w0 <= inputs
            ow += span
        if not fits:
            span = (span + 1) // 2
    return span


cdef inline Pooling plan(
    Array x, Element element, Py_ssize_t batches, Py_ssize_t channels, Py_ssize_t lanes,
    const Axis* d, const Axis* h, const Axis* w,
) noexcept nogil:
    """Cut the forward work into jobs; none of the counts is 0."""
    cdef Pooling p
    cdef bint aligned
    p.x, p.element, p.d, p.h, p.w = x, element, d, h, w
    p.channels, p.lanes = channels, lanes
    p.lane_block = min(lanes, <Py_ssize_t> LANE_BLOCK)
    p.lane_blocks = (lanes + p.lane_block - 1) // p.lane_block
    p.span = span_of_windows(w, TILE // p.lane_block, TILE // p.lane_block)
    p.spans = (w.count + p.span - 1) // p.span
    p.jobs = batches * channels * d.count * h.count * p.spans * p.lane_blocks

    aligned = (
        <size_t> x.data | <size_t> x.batch | <size_t> x.channel
        | <size_t> x.d | <size_t> x.h | <size_t> x.w | <size_t> x.lane
    ) % <size_t> x.itemsize == 0
    if element == FLOAT16:
        p.fetch = fetch_float16
    elif element == BFLOAT16:
        p.fetch = fetch_bfloat16
    elif aligned and (x.lane == x.itemsize if lanes > 1 else x.w == x.itemsize or w.size == 1):
        p.fetch = NULL
    elif x.itemsize == 1:
        p.fetch = <fetch_t> fetch_words[uint8_t]
    elif x.itemsize == 2:
        p.fetch = <fetch_t> fetch_words[uint16_t]
    elif x.itemsize == 4:
        p.fetch = <fetch_t> fetch_words[uint32_t]
    else:
        p.fetch = <fetch_t> fetch_words[uint64_t]
    return p


cdef inline Place locate(const Pooling* p, Py_ssize_t job) noexcept nogil:
    cdef Place place
    place.lane = job % p.lane_blocks * p.lane_block
    place.lanes = min(p.lane_block, p.lanes - place.lane)
    job //= p.lane_blocks
    place.ow0 = job % p.spans * p.span
    place.ow1 = min(place.ow0 + p.span, p.w.count)
    job //= p.spans
    place.oh = job % p.h.count
    job //= p.h.count
    place.od = job % p.d.count
    job //= p.d.count
    place.channel = job % p.channels
    place.batch = job // p.channels
    place.d0, place.d1 = p.d.starts[place.od], p.d.ends[place.od]
    place.h0, place.h1 = p.h.starts[place.oh], p.h.ends[place.oh]
    cover(p.w, place.ow0, place.ow1, &place.w0, &place.w1)
    return place


cdef inline const char* line_at(
    const Pooling* p, const Place* place, Py_ssize_t k, Py_ssize_t w,
) noexcept nogil:
    """Column w, first lane of the job, of the k-th line of the window d0:d1, h0:h1."""
    cdef Py_ssize_t height = place.h1 - place.h0
    return at(
        &p.x, place.batch, place.channel, place.d0 + k // height, place.h0 + k % height, w,
        place.lane,
    )


cdef inline const char* read_line(
    const Pooling* p, const Place* place, Py_ssize_t k, Py_ssize_t w0, Py_ssize_t w1,
    char* buffer,   # scratch: (w1 - w0) x lanes elements
) noexcept nogil:
    """The columns w0:w1 of the k-th line of the window: in place, or else copied to `buffer`."""
    cdef const char* line = line_at(p, place, k, w0)
    if p.fetch == NULL:
        return line
    p.fetch(line, p.x.w, p.x.lane, w1 - w0, place.lanes, buffer)
    return buffer


cdef struct Piece:
    # The shape in memory of what read_line returns: `runs` runs of `length` elements.
    Py_ssize_t runs
    Py_ssize_t length
    Py_ssize_t step     # bytes from run to run


cdef inline Piece shape_of_piece(
    const Pooling* p, const Place* place, Py_ssize_t columns,
) noexcept nogil:
    cdef Piece piece
    if p.fetch != NULL or p.lanes == 1 or p.x.w == place.lanes * p.x.itemsize:
        piece.runs, piece.length, piece.step = 1, columns * place.lanes, 0
    else:
        piece.runs, piece.length, piece.step = columns, place.lanes, p.x.w
    return piece
