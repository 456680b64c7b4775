"""Max pooling, forward, with or without indices.

The shape is that of average.pyx: parallel over tiles of output lines; per tile the lines of the
(d, h) window are compared element by element, then windows along W are reduced on that short line.

Which element wins, among equals and among NaNs, is a question of its flat index within the plane:
the first of equal maxima, the last NaN. With indices a candidate is a pair (value, index), and
pairs can be compared in any order. Without indices only values are kept; those say all there is
to know except for zeros, whose sign may differ, and NaNs, whose payloads may: `settle` looks the
winner up in the window, which ends at its first element for the zeros that a ReLU leaves.
"""
from cython.parallel cimport prange, threadid
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64,
    Element, bfloat16_t, float16_t, int8_t, int16_t, int32_t, int64_t, store_real, uint8_t,
    uint16_t, uint32_t, uint64_t, value_t, widen_half, word_t, index_t, index_word_t,
)
from adaptive_pool._kernels.planes cimport (
    TILE, Array, Piece, Place, Pooling, at, describe, line_at, locate, plan, read_line,
    shape_of_piece,
)
from adaptive_pool._kernels.tables cimport Windows, window_size

cdef enum:
    BEST = 2 * 8 * TILE             # bytes of the best values of a job: of columns, of windows
    WHERE = 2 * 8 * TILE            # and of their indices
    SCRATCH = BEST + WHERE + 8 * TILE   # and of the copy of a piece of a line

ctypedef fused real_value_t:
    float
    double


cdef struct Maximum:
    Pooling pooling
    Array out
    Array indices


# A job. Its scratch: best values, their indices, a copied piece of a line.
ctypedef void (*tile_t)(
    const Maximum* task, Py_ssize_t job, void* best, void* where, void* buffer,
) noexcept nogil


cdef inline bint is_nan(value_t x) noexcept nogil:
    if value_t in real_value_t:
        return x != x
    else:
        return False


cdef inline void best_of_lines(
    const Pooling* p, const Place* place, Py_ssize_t w0, Py_ssize_t w1,  # IN: columns
    value_t* buffer,        # scratch for a piece of a line
    value_t* best,          # OUT: (w1 - w0) x lanes maxima over the window d0:d1, h0:h1
    index_t* where,         # OUT: the flat index of the first element of the line they are from
    bint indexed,           # IN: whether `where` is wanted
) noexcept nogil:
    cdef Piece piece = shape_of_piece(p, place, w1 - w0)
    cdef Py_ssize_t height = place.h1 - place.h0
    cdef Py_ssize_t k, run, i, first
    cdef const char* line
    cdef const value_t* x
    cdef value_t value, best_value
    cdef value_t* top
    cdef index_t* origin
    cdef index_t index
    cdef bint wins
    for k in range((place.d1 - place.d0) * height):
        line = read_line(p, place, k, w0, w1, <char*> buffer)
        first = (place.d0 + k // height) * p.h.size + place.h0 + k % height
        index = <index_t> (first * p.w.size)
        for run in range(piece.runs):
            x = <const value_t*> (line + run * piece.step)
            top = best + run * piece.length
            origin = where + run * piece.length
            if k == 0:
                for i in range(piece.length):
                    top[i] = x[i]
                if indexed:
                    for i in range(piece.length):
                        origin[i] = index
            elif indexed:
                for i in range(piece.length):
                    value = x[i]
                    best_value = top[i]
                    wins = (value > best_value) | is_nan[value_t](value)
                    top[i] = value if wins else best_value
                    origin[i] = index if wins else origin[i]
            else:
                for i in range(piece.length):
                    value = x[i]
                    best_value = top[i]
                    wins = (value > best_value) | is_nan[value_t](value)
                    top[i] = value if wins else best_value


cdef inline void best_of_window(
    const value_t* best, const index_t* where,  # IN: columns x lanes candidates
    Py_ssize_t columns, Py_ssize_t lanes,
    Py_ssize_t w,           # IN: the first column, within the plane
    bint fresh,             # IN: whether the results hold nothing yet
    value_t* top,           # IN (unless fresh), OUT: lanes maxima
    index_t* winner,        # IN (unless fresh), OUT: their flat indices
    bint indexed,
) noexcept nogil:
    """Reduce candidates along W."""
    cdef Py_ssize_t k, lane
    cdef index_t index
    cdef value_t x
    cdef bint wins
    for k in range(columns):
        if fresh and k == 0:
            for lane in range(lanes):
                top[lane] = best[lane]
            if indexed:
                for lane in range(lanes):
                    winner[lane] = where[lane] + <index_t> w
        elif indexed:
            for lane in range(lanes):
                x = best[k * lanes + lane]
                index = where[k * lanes + lane] + <index_t> (w + k)
                wins = (
                    x > top[lane]
                    or (x == top[lane] and index < winner[lane])
                    or (
                        is_nan[value_t](x)
                        and not (is_nan[value_t](top[lane]) and index < winner[lane])
                    )
                )
                top[lane] = x if wins else top[lane]
                winner[lane] = index if wins else winner[lane]
        else:
            for lane in range(lanes):
                x = best[k * lanes + lane]
                top[lane] = x if x > top[lane] or is_nan[value_t](x) else top[lane]


cdef value_t settle(
    const Pooling* p, const Place* place, Py_ssize_t ow, Py_ssize_t lane, value_t top,
) noexcept nogil:
    """The element that a zero or NaN maximum is: the first zero or the last NaN of the window."""
    cdef Py_ssize_t columns = window_size(p.w, ow)
    cdef Py_ssize_t count = (place.d1 - place.d0) * (place.h1 - place.h0) * columns
    cdef Py_ssize_t i, k
    cdef value_t x
    cdef uint16_t half
    cdef const char* element
    for i in range(count):
        k = count - 1 - i if is_nan[value_t](top) else i
        element = line_at(p, place, k // columns, p.w.starts[ow] + k % columns) + lane * p.x.lane
        if value_t is float and p.x.itemsize == 2:
            memcpy(&half, element, 2)
            x = widen_half(half, p.element)
        else:
            memcpy(&x, element, sizeof(value_t))
        if x == top or (is_nan[value_t](x) and is_nan[value_t](top)):
            return x
    return top


cdef inline void store_maximum(char* out, value_t x, Element element) noexcept nogil:
    if element == FLOAT16:
        store_real[float16_t](<float16_t*> out, x)
    elif element == BFLOAT16:
        store_real[bfloat16_t](<bfloat16_t*> out, x)
    else:
        (<value_t*> out)[0] = x


cdef void maximum_tile(
    const Maximum* task, Py_ssize_t job,
    value_t* best,          # scratch: TILE of columns, TILE of windows
    index_t* where,         # scratch: likewise
    value_t* buffer,        # scratch: a copied piece of a line
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef Place place = locate(p, job)
    cdef bint indexed = task.indices.data != NULL
    cdef Py_ssize_t lanes = place.lanes, columns, lane, ow, w, k
    cdef value_t* tops = best + TILE
    cdef index_t* winners = where + TILE
    cdef char* out
    cdef char* index

    if (place.w1 - place.w0) * lanes <= TILE:
        best_of_lines[value_t, index_t](p, &place, place.w0, place.w1, buffer, best, where, indexed)
        for ow in range(place.ow0, place.ow1):
            w = p.w.starts[ow]
            k = (w - place.w0) * lanes
            best_of_window[value_t, index_t](
                best + k, where + k, window_size(p.w, ow), lanes, w, True,
                tops + (ow - place.ow0) * lanes, winners + (ow - place.ow0) * lanes, indexed,
            )
    else:  # a single window, wider than a tile
        w = place.w0
        while w < place.w1:
            columns = min(TILE // lanes, place.w1 - w)
            best_of_lines[value_t, index_t](p, &place, w, w + columns, buffer, best, where, indexed)
            best_of_window[value_t, index_t](
                best, where, columns, lanes, w, w == place.w0, tops, winners, indexed
            )
            w += columns

    for ow in range(place.ow0, place.ow1):
        out = at(&task.out, place.batch, place.channel, place.od, place.oh, ow, place.lane)
        for lane in range(lanes):
            if value_t in real_value_t:
                if not indexed and not (tops[lane] < 0 or tops[lane] > 0):
                    tops[lane] = settle[value_t](p, &place, ow, lane, tops[lane])
            store_maximum[value_t](out + lane * task.out.lane, tops[lane], p.element)
        if indexed:
            index = at(
                &task.indices, place.batch, place.channel, place.od, place.oh, ow, place.lane
            )
            for lane in range(lanes):
                if task.indices.itemsize == 4:
                    (<int32_t*> (index + lane * task.indices.lane))[0] = <int32_t> winners[lane]
                else:
                    (<int64_t*> (index + lane * task.indices.lane))[0] = winners[lane]
        tops += lanes
        winners += lanes


cdef tile_t tile_for(Element element, index_t* where) noexcept nogil:
    if element == UINT8:
        return <tile_t> maximum_tile[uint8_t, index_t]
    elif element == INT8:
        return <tile_t> maximum_tile[int8_t, index_t]
    elif element == UINT16:
        return <tile_t> maximum_tile[uint16_t, index_t]
    elif element == INT16:
        return <tile_t> maximum_tile[int16_t, index_t]
    elif element == UINT32:
        return <tile_t> maximum_tile[uint32_t, index_t]
    elif element == INT32:
        return <tile_t> maximum_tile[int32_t, index_t]
    elif element == UINT64:
        return <tile_t> maximum_tile[uint64_t, index_t]
    elif element == INT64:
        return <tile_t> maximum_tile[int64_t, index_t]
    elif element == FLOAT64:
        return <tile_t> maximum_tile[double, index_t]
    else:  # halves have been widened
        return <tile_t> maximum_tile[float, index_t]


cdef Maximum plan_maximum(
    Array x, Element element, Py_ssize_t batches, Py_ssize_t channels, Py_ssize_t lanes,
    Windows windows, Array out,
):
    cdef Maximum task
    task.pooling = plan(
        x, element, batches, channels, lanes, &windows.d, &windows.h, &windows.w
    )
    task.out = out
    return task


cdef int run(Maximum* task, tile_t tile, int num_threads) except -1:
    cdef Py_ssize_t job, jobs = task.pooling.jobs
    cdef char* mine
    cdef char* scratch = <char*> malloc(num_threads * SCRATCH)
    if scratch == NULL:
        raise MemoryError
    for job in prange(
        jobs, nogil=True, schedule="static", num_threads=num_threads, use_threads_if=num_threads > 1
    ):
        mine = scratch + threadid() * SCRATCH
        tile(task, job, mine, mine + BEST, mine + BEST + WHERE)
    free(scratch)
    return 0


def maximum(
    const word_t[:, :, :, :, :, :] x,   # IN: batch, channel, D, H, W, lanes
    word_t[:, :, :, :, :, :] out,       # OUT: batch, channel, OD, OH, OW, lanes
    Windows windows,                    # IN
    Element element,                    # IN: what the words are
    int num_threads,                    # IN
):
    """Store the maxima of `windows` in `out`. No array is empty; `out` is aligned."""
    cdef Maximum task = plan_maximum(
        describe(&x[0, 0, 0, 0, 0, 0], x.strides, sizeof(word_t)), element,
        x.shape[0], x.shape[1], x.shape[5], windows,
        describe(&out[0, 0, 0, 0, 0, 0], out.strides, sizeof(word_t)),
    )
    task.indices.data = NULL
    run(&task, tile_for[int32_t](element, NULL), num_threads)


def maximum_with_indices(
    const word_t[:, :, :, :, :, :] x,   # IN: batch, channel, D, H, W, lanes
    word_t[:, :, :, :, :, :] out,       # OUT: batch, channel, OD, OH, OW, lanes
    index_word_t[:, :, :, :, :, :] indices,  # OUT: likewise, flat within the plane D x H x W
    Windows windows,                    # IN
    Element element,                    # IN: what the words are
    int num_threads,                    # IN
):
    """`maximum`, and where in the plane each maximum stands."""
    cdef Maximum task = plan_maximum(
        describe(&x[0, 0, 0, 0, 0, 0], x.strides, sizeof(word_t)), element,
        x.shape[0], x.shape[1], x.shape[5], windows,
        describe(&out[0, 0, 0, 0, 0, 0], out.strides, sizeof(word_t)),
    )
    # Indices are computed in 32 bits where the plane allows it, whatever they are stored in.
    cdef bint short_plane = x.shape[2] * x.shape[3] * x.shape[4] <= 0x7FFFFFFF
    task.indices = describe(&indices[0, 0, 0, 0, 0, 0], indices.strides, sizeof(index_word_t))
    run(
        &task,
        tile_for[int32_t](element, NULL) if short_plane else tile_for[int64_t](element, NULL),
        num_threads,
    )
