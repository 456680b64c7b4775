"""Max pooling, forward, with or without indices.

The shape is that of average.pyx: parallel over tiles of output lines; per tile the lines of a
(d, h) window are compared element by element, lines with few lanes are turned, then windows along
W are reduced over lanes.

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
    Element, bfloat16_t, float16_t, index_t, index_word_t, int8_t, int16_t, int32_t, int64_t,
    store_real, uint8_t, uint16_t, uint32_t, uint64_t, value_t, widen_half, word_t,
)
from adaptive_pool._kernels.planes cimport (
    ROWS, TILE, WIDTH, Array, Line, Piece, Pooling, Tile, at, describe, input_at, job_count,
    line_number, line_of, locate, plan, read_line, shape_of_piece,
)
from adaptive_pool._kernels.tables cimport Windows, window_size
from adaptive_pool._kernels.turn cimport turn

cdef enum:
    # Bytes: a job's copies of ROWS pieces of lines, then best values, then their indices; of lines,
    # of turned lines, of windows.
    BUFFERS = ROWS * 8 * TILE
    BEST = 3 * 8 * TILE
    SCRATCH = BUFFERS + 2 * BEST

ctypedef fused real_value_t:
    float
    double


cdef struct Maximum:
    Pooling pooling
    Array out
    Array indices       # data is NULL if none are wanted


ctypedef void (*tile_t)(
    const Maximum* task, Py_ssize_t job, void* buffers, void* best, void* where,
) noexcept nogil


cdef inline bint is_nan(value_t x) noexcept nogil:
    if value_t in real_value_t:
        return x != x
    else:
        return False


cdef inline void best_of_rows(
    const char** rows,          # IN: `count` pieces of lines
    const Py_ssize_t* firsts,   # IN: the flat index of the first element of each of those lines
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first, bint indexed,
    value_t* best,              # IN (unless first), OUT: n maxima
    index_t* where,             # IN (unless first), OUT: the `firsts` of the lines they are from
) noexcept nogil:
    """Compare `count` runs of n elements, `offset` bytes into their rows. See add_rows."""
    cdef const value_t* a = <const value_t*> (rows[0] + offset)
    cdef const value_t* b = <const value_t*> (rows[1] + offset) if count > 1 else a
    cdef const value_t* c = <const value_t*> (rows[2] + offset) if count > 2 else a
    cdef const value_t* d = <const value_t*> (rows[3] + offset) if count > 3 else a
    cdef index_t a_first = <index_t> firsts[0]
    cdef index_t b_first = <index_t> firsts[1] if count > 1 else 0
    cdef index_t c_first = <index_t> firsts[2] if count > 2 else 0
    cdef index_t d_first = <index_t> firsts[3] if count > 3 else 0
    cdef Py_ssize_t i
    cdef value_t top, x
    cdef index_t winner = 0
    cdef bint wins
    for i in range(n):
        x = a[i]
        if first:
            top = x
            winner = a_first
        else:
            top = best[i]
            wins = (x > top) | is_nan[value_t](x)
            top = x if wins else top
            if indexed:
                winner = a_first if wins else where[i]
        if count > 1:
            x = b[i]
            wins = (x > top) | is_nan[value_t](x)
            top = x if wins else top
            if indexed:
                winner = b_first if wins else winner
        if count > 2:
            x = c[i]
            wins = (x > top) | is_nan[value_t](x)
            top = x if wins else top
            if indexed:
                winner = c_first if wins else winner
        if count > 3:
            x = d[i]
            wins = (x > top) | is_nan[value_t](x)
            top = x if wins else top
            if indexed:
                winner = d_first if wins else winner
        best[i] = top
        if indexed:
            where[i] = winner


cdef inline void best_of_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    value_t* buffers,               # scratch for ROWS pieces of lines
    bint indexed,
    value_t* best,                  # OUT: (w1 - w0) x lanes maxima of the input lines
    index_t* where,                 # OUT: the flat index of the first element of their lines
) noexcept nogil:
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef const char* rows[ROWS]
    cdef Py_ssize_t firsts[ROWS]
    cdef Py_ssize_t k = 0, count, row, run, step, n = piece.length
    while k < line.count:
        count = min(line.count - k, <Py_ssize_t> ROWS)
        for row in range(count):
            rows[row] = read_line(
                p, tile, line, k + row, w0, w1, <char*> (buffers + row * TILE)
            )
            firsts[row] = line_number(p, line, k + row) * p.w.size
        for run in range(piece.runs):
            step = run * piece.step
            if count == 4:
                best_of_rows[value_t, index_t](
                    rows, firsts, 4, step, n, k == 0, indexed, best + run * n, where + run * n
                )
            elif count == 3:
                best_of_rows[value_t, index_t](
                    rows, firsts, 3, step, n, k == 0, indexed, best + run * n, where + run * n
                )
            elif count == 2:
                best_of_rows[value_t, index_t](
                    rows, firsts, 2, step, n, k == 0, indexed, best + run * n, where + run * n
                )
            else:
                best_of_rows[value_t, index_t](
                    rows, firsts, 1, step, n, k == 0, indexed, best + run * n, where + run * n
                )
        k += count


cdef inline void best_of_window(
    const value_t* best, const index_t* where,  # IN: columns x width candidates
    Py_ssize_t columns, Py_ssize_t width,
    Py_ssize_t w,           # IN: the first column, within the plane
    bint fresh,             # IN: whether the results hold nothing yet
    bint indexed,
    value_t* tops,          # IN (unless fresh), OUT: width maxima
    index_t* winners,       # IN (unless fresh), OUT: their flat indices
) noexcept nogil:
    """Reduce candidates along W."""
    cdef Py_ssize_t k, lane
    cdef index_t index, winner
    cdef value_t x, top
    cdef bint wins
    for k in range(columns):
        if fresh and k == 0:
            for lane in range(width):
                tops[lane] = best[lane]
            if indexed:
                for lane in range(width):
                    winners[lane] = where[lane] + <index_t> w
        elif indexed:
            for lane in range(width):
                x = best[k * width + lane]
                top = tops[lane]
                index = where[k * width + lane] + <index_t> (w + k)
                winner = winners[lane]
                wins = (
                    (x > top)
                    | ((x == top) & (index < winner))
                    | (is_nan[value_t](x) & ((is_nan[value_t](top) & (index < winner)) ^ 1))
                )
                tops[lane] = x if wins else top
                winners[lane] = index if wins else winner
        else:
            for lane in range(width):
                x = best[k * width + lane]
                top = tops[lane]
                wins = (x > top) | is_nan[value_t](x)
                tops[lane] = x if wins else top


cdef value_t settle(
    const Pooling* p, const Line* line, Py_ssize_t ow, Py_ssize_t lane, value_t top,
) noexcept nogil:
    """The element that a zero or NaN maximum is: the first zero or the last NaN of the window."""
    cdef Py_ssize_t columns = window_size(p.w, ow), count = line.count * columns
    cdef Py_ssize_t i, k
    cdef value_t x
    cdef uint16_t half
    cdef const char* element
    for i in range(count):
        k = count - 1 - i if is_nan[value_t](top) else i
        element = input_at(p, line, k // columns, p.w.starts[ow] + k % columns, lane)
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


cdef inline void store_tile(
    const Maximum* task, const Tile* tile, const Line* lines,
    const value_t* tops, const index_t* winners,    # IN: windows x width
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef const Line* line
    cdef Py_ssize_t k, ow, lane, i
    cdef char* out
    cdef char* index
    cdef value_t top
    for k in range(tile.lines):
        line = &lines[k]
        out = at(&task.out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane)
        for ow in range(tile.ow0, tile.ow1):
            i = (ow - tile.ow0) * tile.width + k * tile.lanes
            for lane in range(tile.lanes):
                top = tops[i + lane]
                if value_t in real_value_t:
                    if task.indices.data == NULL and not (top < 0 or top > 0):
                        top = settle[value_t](p, line, ow, tile.lane + lane, top)
                store_maximum[value_t](out + lane * task.out.lane, top, p.element)
            out += task.out.w
        if task.indices.data == NULL:
            continue
        index = at(&task.indices, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane)
        for ow in range(tile.ow0, tile.ow1):
            i = (ow - tile.ow0) * tile.width + k * tile.lanes
            for lane in range(tile.lanes):
                if task.indices.itemsize == 4:
                    (<int32_t*> (index + lane * task.indices.lane))[0] = <int32_t> winners[i + lane]
                else:
                    (<int64_t*> (index + lane * task.indices.lane))[0] = winners[i + lane]
            index += task.indices.w


cdef void maximum_tile(
    const Maximum* task, Py_ssize_t job,
    value_t* buffers,       # scratch: ROWS pieces of lines
    value_t* best,          # scratch: tiles of lines, of turned lines, of windows
    index_t* where,         # scratch: likewise
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef Tile tile = locate(p, job)
    cdef Line lines[WIDTH]
    cdef bint indexed = task.indices.data != NULL
    cdef bint turned = tile.lines > 1
    cdef Py_ssize_t width = tile.width, w = tile.w0, columns, k, ow, i
    cdef value_t* tops = best + 2 * TILE
    cdef index_t* winners = where + 2 * TILE
    # What the windows along W are reduced from.
    cdef value_t* grid = best + TILE if turned else best
    cdef index_t* grid_where = where + TILE if turned else where

    for k in range(tile.lines):
        lines[k] = line_of(p, tile.line + k)
    while w < tile.w1:  # more than once only for a single window, wider than a tile
        columns = min(TILE // width, tile.w1 - w)
        for k in range(tile.lines):
            i = k * columns * tile.lanes
            best_of_lines[value_t, index_t](
                p, &tile, &lines[k], w, w + columns, buffers, indexed, best + i, where + i
            )
        if turned:
            turn[value_t](best, tile.lines, columns, tile.lanes, grid)
        if turned and indexed:
            turn[index_t](where, tile.lines, columns, tile.lanes, grid_where)
        if columns < tile.w1 - tile.w0:
            best_of_window[value_t, index_t](
                grid, grid_where, columns, width, w, w == tile.w0, indexed, tops, winners
            )
        else:
            for ow in range(tile.ow0, tile.ow1):
                i = (p.w.starts[ow] - w) * width
                k = (ow - tile.ow0) * width
                best_of_window[value_t, index_t](
                    grid + i, grid_where + i, window_size(p.w, ow), width, p.w.starts[ow], True,
                    indexed, tops + k, winners + k,
                )
        w += columns
    store_tile[value_t, index_t](task, &tile, lines, tops, winners)


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
    cdef Py_ssize_t job, jobs = job_count(&task.pooling)
    cdef char* mine
    cdef char* scratch = <char*> malloc(num_threads * SCRATCH)
    if scratch == NULL:
        raise MemoryError
    for job in prange(
        jobs, nogil=True, schedule="static", num_threads=num_threads, use_threads_if=num_threads > 1
    ):
        mine = scratch + threadid() * SCRATCH
        tile(task, job, mine, mine + BUFFERS, mine + BUFFERS + BEST)
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
