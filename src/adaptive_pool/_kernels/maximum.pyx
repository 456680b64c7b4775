"""Max pooling, forward, with or without indices.

The shape is that of average.pyx: parallel over tiles of output lines; per tile the lines of a
(d, h) window are compared element by element, then windows along W are reduced on that short line:
over lanes or, where these are few, with windows turned so that they are lanes to each other.

Which element wins, among equals and among NaNs, is a question of its flat index within the plane:
the first of equal maxima, the last NaN. With indices a candidate is a pair (value, index), and
pairs can be compared in any order. Without indices only values are kept; those say all there is
to know except for zeros, whose sign may differ, and NaNs, whose payloads may: `settle` looks the
winner up in the window, which ends at its first element for the zeros that a ReLU leaves.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, BOOL, FLOAT16, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64,
    Element, bfloat16_t, float16_t, index_t, int8_t, int16_t, int32_t, int64_t,
    store_real, uint8_t, uint16_t, uint32_t, uint64_t, value_t, widen_half,
)
from adaptive_pool._kernels.jobs cimport is_brief, run_jobs
from adaptive_pool._kernels.planes cimport (
    ROWS, TILE, Line, Piece, Pooling, Tile, at, buffer_size, input_at,
    isa, job_count, line_number, line_of, locate, plan, read_rows, shape_of_piece,
)
from adaptive_pool._kernels.tables cimport Axis, Windows, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    WIDTH = 32                  # windows turned at a time; running maxima of a long window
    LONG = WIDTH                # columns that make a window long

ctypedef fused real_value_t:
    float
    double


ctypedef void (*tile_t)(
    const void* task, Py_ssize_t job, void* buffers, void* best, void* where,
) noexcept nogil


cdef struct Maximum:
    Pooling pooling
    Array out
    Array indices       # data is NULL if none are wanted
    tile_t tile
    Py_ssize_t values       # bytes of a thread's scratch that are for values, and for indices
    Py_ssize_t positions


cdef inline bint is_nan(value_t x) noexcept nogil:
    if value_t in real_value_t:
        return x != x
    else:
        return False


cdef inline void challenge(
    value_t x, index_t index, value_t* top, index_t* winner,
) noexcept nogil:
    """Put x in the place of `top` if it is larger, or NaN; no branch, so that loops vectorise."""
    cdef bint wins = (x > top[0]) | is_nan[value_t](x)
    top[0] = x if wins else top[0]
    winner[0] = index if wins else winner[0]


cdef inline void start(
    const value_t* a, index_t a_first, Py_ssize_t n, bint indexed,
    value_t* best, index_t* where,  # OUT: n
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        best[i] = a[i]
    if indexed:
        for i in range(n):
            where[i] = a_first


cdef inline void best_of_rows(
    const char** rows,          # IN: 1, 2 or ROWS pieces of lines
    const Py_ssize_t* firsts,   # IN: the flat index of the first element of each of those lines
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint indexed,
    value_t* best,              # IN, OUT: n maxima
    index_t* where,             # IN, OUT: the `firsts` of the lines they are from
) noexcept nogil:
    """Compare 1, 2 or ROWS runs of n elements, in order. See add_rows in average.pyx."""
    cdef const value_t* a = <const value_t*> (rows[0] + offset)
    cdef const value_t* b = <const value_t*> (rows[1] + offset) if count > 1 else a
    cdef const value_t* c = <const value_t*> (rows[2] + offset) if count > 2 else a
    cdef const value_t* d = <const value_t*> (rows[3] + offset) if count > 2 else a
    cdef index_t first[ROWS]
    cdef Py_ssize_t i
    cdef value_t top
    cdef index_t winner = 0
    for i in range(count):
        first[i] = <index_t> firsts[i]
    if indexed:
        for i in range(n):
            top = best[i]
            winner = where[i]
            challenge[value_t, index_t](a[i], first[0], &top, &winner)
            if count > 1:
                challenge[value_t, index_t](b[i], first[1], &top, &winner)
            if count > 2:
                challenge[value_t, index_t](c[i], first[2], &top, &winner)
                challenge[value_t, index_t](d[i], first[3], &top, &winner)
            best[i] = top
            where[i] = winner
    else:
        for i in range(n):
            top = best[i]
            challenge[value_t, index_t](a[i], 0, &top, &winner)
            if count > 1:
                challenge[value_t, index_t](b[i], 0, &top, &winner)
            if count > 2:
                challenge[value_t, index_t](c[i], 0, &top, &winner)
                challenge[value_t, index_t](d[i], 0, &top, &winner)
            best[i] = top


cdef inline void best_of_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    value_t* buffers,               # scratch for ROWS pieces of lines
    bint indexed,
    value_t* best,                  # OUT: (w1 - w0) x lanes maxima of the input lines
    index_t* where,                 # OUT: their flat indices
) noexcept nogil:
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef const char* rows[ROWS]
    cdef Py_ssize_t firsts[ROWS]
    cdef Py_ssize_t k = 0, count, row, run, step, w, lane, n = piece.length
    while k < line.count:
        count = read_rows(
            p, tile, line, k, 1 if k == 0 else ROWS, w0, w1, <char*> buffers, sizeof(value_t), rows
        )
        firsts[0] = line_number(p, line, k) * p.w.size
        for row in range(1, count):
            firsts[row] = firsts[row - 1] + p.w.size
        for run in range(piece.runs):
            step = run * piece.step
            if k == 0:
                start[value_t, index_t](
                    <const value_t*> (rows[0] + step), <index_t> firsts[0], n, indexed,
                    best + run * n, where + run * n,
                )
            elif count == ROWS:
                best_of_rows[value_t, index_t](
                    rows, firsts, ROWS, step, n, indexed, best + run * n, where + run * n
                )
            elif count == 2:
                best_of_rows[value_t, index_t](
                    rows, firsts, 2, step, n, indexed, best + run * n, where + run * n
                )
            else:
                best_of_rows[value_t, index_t](
                    rows, firsts, 1, step, n, indexed, best + run * n, where + run * n
                )
        k += count
    if not indexed:
        return
    if tile.lanes == 1:  # from the first element of a line to the element
        for w in range(w1 - w0):
            where[w] += <index_t> (w0 + w)
        return
    for w in range(w1 - w0):
        for lane in range(tile.lanes):
            where[w * tile.lanes + lane] += <index_t> (w0 + w)


cdef inline void best_of_columns(
    const value_t* best, const index_t* where,  # IN: columns x lanes candidates
    Py_ssize_t columns, Py_ssize_t lanes, bint indexed,
    value_t* tops,          # IN, OUT: lanes maxima
    index_t* winners,       # IN, OUT: their flat indices
) noexcept nogil:
    """Compare candidates in any order: ties and NaNs are settled by their indices."""
    cdef Py_ssize_t lane
    cdef index_t index, winner
    cdef value_t x, top
    cdef bint wins
    for _ in range(columns):
        if indexed:
            for lane in range(lanes):
                x, top = best[lane], tops[lane]
                index, winner = where[lane], winners[lane]
                wins = (
                    (x > top)
                    | ((x == top) & (index < winner))
                    | (is_nan[value_t](x) & ((is_nan[value_t](top) & (index < winner)) ^ 1))
                )
                tops[lane] = x if wins else top
                winners[lane] = index if wins else winner
        else:
            winner = 0
            for lane in range(lanes):
                top = tops[lane]
                challenge[value_t, index_t](best[lane], 0, &top, &winner)
                tops[lane] = top
        best += lanes
        where += lanes


cdef inline void best_of_window(
    const value_t* best, const index_t* where,  # IN: columns x lanes candidates
    Py_ssize_t columns, Py_ssize_t lanes, bint indexed,
    value_t* tops, index_t* winners,            # OUT: lanes maxima
) noexcept nogil:
    memcpy(tops, best, lanes * sizeof(value_t))
    if indexed:
        memcpy(winners, where, lanes * sizeof(index_t))
    best_of_columns[value_t, index_t](
        best + lanes, where + lanes, columns - 1, lanes, indexed, tops, winners
    )


cdef inline void best_of_long(
    const value_t* best, const index_t* where,  # IN: columns x lanes candidates
    Py_ssize_t columns, Py_ssize_t lanes, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: WIDTH x lanes
    value_t* tops, index_t* winners,            # OUT: lanes maxima
) noexcept nogil:
    """`best_of_window` for few lanes: WIDTH columns at a time, then those."""
    cdef Py_ssize_t rows = columns // WIDTH, done = rows * WIDTH
    best_of_window[value_t, index_t](
        best, where, rows, WIDTH * lanes, indexed, grid, grid_where
    )
    best_of_window[value_t, index_t](grid, grid_where, WIDTH, lanes, indexed, tops, winners)
    best_of_columns[value_t, index_t](
        best + done * lanes, where + done * lanes, columns - done, lanes, indexed, tops, winners
    )


cdef inline Py_ssize_t column_of(
    const Axis* w, const Tile* tile, Py_ssize_t run, Py_ssize_t* columns,
) noexcept nogil:
    """Where a run begins in a tile, and how long it is. Runs are the windows of all its lines."""
    cdef Py_ssize_t windows = tile.ow1 - tile.ow0
    cdef Py_ssize_t ow = tile.ow0 + run % windows
    columns[0] = window_size(w, ow)
    return run // windows * (tile.w1 - tile.w0) + w.starts[ow] - tile.w0


cdef inline void turn_runs(
    const value_t* best, const index_t* where,  # IN: candidates, one lane of them
    Py_ssize_t lanes,
    const Py_ssize_t* starts, const Py_ssize_t* sizes,
    Py_ssize_t count, Py_ssize_t longest, bint indexed,
    value_t* grid, index_t* grid_where,         # OUT: longest x count
) noexcept nogil:
    """Lay `count` short runs side by side; shorter ones repeat their last column."""
    cdef Py_ssize_t run, column, source
    for run in range(count):
        for column in range(longest):
            source = (starts[run] + min(column, sizes[run] - 1)) * lanes
            grid[column * count + run] = best[source]
            if indexed:
                grid_where[column * count + run] = where[source]


cdef inline void best_of_tile(
    const value_t* best, const index_t* where,  # IN: lines x columns x lanes candidates
    const Axis* w, const Tile* tile, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: LONG x WIDTH
    value_t* tops, index_t* winners,            # OUT: lines x windows x lanes
) noexcept nogil:
    """Reduce lines along W, by vectors over lanes, columns or windows, whichever are many."""
    cdef Py_ssize_t runs = tile.lines * (tile.ow1 - tile.ow0), lanes = tile.lanes
    cdef Py_ssize_t starts[WIDTH]
    cdef Py_ssize_t sizes[WIDTH]
    cdef Py_ssize_t run = 0, count, longest, i, k, lane
    while run < runs:
        starts[0] = column_of(w, tile, run, &sizes[0])
        i = starts[0] * lanes
        count = 1
        if lanes >= 8:
            best_of_window[value_t, index_t](
                best + i, where + i, sizes[0], lanes, indexed, tops, winners
            )
        elif sizes[0] >= LONG:
            best_of_long[value_t, index_t](
                best + i, where + i, sizes[0], lanes, indexed, grid, grid_where, tops, winners
            )
        else:
            longest = sizes[0]
            while count < WIDTH and run + count < runs:
                starts[count] = column_of(w, tile, run + count, &sizes[count])
                if sizes[count] >= LONG:
                    break
                longest = max(longest, sizes[count])
                count += 1
            for lane in range(lanes):
                turn_runs[value_t, index_t](
                    best + lane, where + lane, lanes, starts, sizes, count, longest, indexed,
                    grid, grid_where,
                )
                best_of_columns[value_t, index_t](
                    grid + count, grid_where + count, longest - 1, count, indexed,
                    grid, grid_where,
                )
                for k in range(count):
                    tops[k * lanes + lane] = grid[k]
                    if indexed:
                        winners[k * lanes + lane] = grid_where[k]
        tops += count * lanes
        winners += count * lanes
        run += count


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


cdef inline void store_maxima(
    const Maximum* task, const Tile* tile, const Line* line,
    const value_t* tops, const index_t* winners,    # IN: windows x lanes
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef Py_ssize_t ow, lane
    cdef value_t top
    cdef char* out = at(
        &task.out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    for ow in range(tile.ow0, tile.ow1):
        for lane in range(tile.lanes):
            top = tops[lane]
            if value_t in real_value_t:
                if task.indices.data == NULL and not (top < 0 or top > 0):
                    top = settle[value_t](p, line, ow, tile.lane + lane, top)
            store_maximum[value_t](out + lane * task.out.lane, top, p.element)
        tops += tile.lanes
        out += task.out.w
    if task.indices.data == NULL:
        return
    out = at(&task.indices, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane)
    for _ in range(tile.ow0, tile.ow1):
        for lane in range(tile.lanes):
            if task.indices.itemsize == 4:
                (<int32_t*> (out + lane * task.indices.lane))[0] = <int32_t> winners[lane]
            else:
                (<int64_t*> (out + lane * task.indices.lane))[0] = winners[lane]
        winners += tile.lanes
        out += task.indices.w


cdef void maximum_tile(
    const Maximum* task, Py_ssize_t job,
    value_t* buffers,       # scratch: ROWS pieces of lines
    value_t* best,          # scratch: lines, their windows, turned windows
    index_t* where,         # scratch: likewise
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef Tile tile = locate(p, job)
    cdef Line line
    cdef bint indexed = task.indices.data != NULL
    cdef Py_ssize_t lanes = tile.lanes, w, columns, k, i
    cdef value_t* tops = best + TILE
    cdef index_t* winners = where + TILE

    w = tile.w0
    columns = tile.w1 - tile.w0
    if columns * lanes <= TILE:
        for k in range(tile.lines):
            line = line_of(p, tile.line + k)
            i = k * columns * lanes
            best_of_lines[value_t, index_t](
                p, &tile, &line, tile.w0, tile.w1, buffers, indexed, best + i, where + i
            )
        best_of_tile[value_t, index_t](
            best, where, p.w, &tile, indexed, best + 2 * TILE, where + 2 * TILE, tops, winners
        )
    else:  # a single window, wider than a tile
        line = line_of(p, tile.line)
        while w < tile.w1:
            columns = min(TILE // lanes, tile.w1 - w)
            best_of_lines[value_t, index_t](
                p, &tile, &line, w, w + columns, buffers, indexed, best, where
            )
            if w == tile.w0:
                best_of_window[value_t, index_t](
                    best, where, columns, lanes, indexed, tops, winners
                )
            else:
                best_of_columns[value_t, index_t](
                    best, where, columns, lanes, indexed, tops, winners
                )
            w += columns
    for k in range(tile.lines):
        line = line_of(p, tile.line + k)
        i = k * (tile.ow1 - tile.ow0) * lanes
        store_maxima[value_t, index_t](task, &tile, &line, tops + i, winners + i)


cdef tile_t tile_for(Element element, index_t* where) noexcept nogil:
    if element == UINT8 or element == BOOL:
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


cdef int run_tile(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Maximum* maximum = <const Maximum*> task
    maximum.tile(
        maximum, job, scratch + maximum.values + maximum.positions, scratch,
        scratch + maximum.values,
    )
    return 0


cdef int pool(
    Canonical* c, Windows windows, Element element, bint indexed, int num_threads,
) except -1 nogil:
    cdef Maximum task
    # Indices are computed in 32 bits where the plane allows it, whatever they are stored in.
    cdef bint short_plane = c.sizes[0][0] * c.sizes[0][1] * c.sizes[0][2] <= 0x7FFFFFFF
    task.tile = (
        tile_for[int32_t](element, NULL) if short_plane or not indexed
        else tile_for[int64_t](element, NULL)
    )
    # Three tiles of values and of indices: of lines, of their windows, of turned windows. Halves
    # are kept as float32.
    task.values = 3 * TILE * max(c.arrays[0].itemsize, <Py_ssize_t> sizeof(float))
    task.positions = 3 * TILE * (
        sizeof(int32_t) if short_plane or not indexed else sizeof(int64_t)
    )
    while True:
        task.pooling = plan(c, element, windows, num_threads)
        task.out = c.arrays[1]
        if indexed:
            task.indices = c.arrays[2]
        else:
            task.indices.data = NULL
        run_jobs(
            run_tile, &task, job_count(&task.pooling),
            task.values + task.positions + buffer_size(&task.pooling), num_threads,
        )
        if not advance(c):
            return 0


def maximum(
    x,                  # IN: array of the elements below
    out,                # OUT: likewise, aligned
    indices,            # OUT: int32 or int64, flat within the plane D x H x W; None: not wanted
    Windows windows,    # IN
    Element element,    # IN: what x and out hold
    int num_threads,    # IN
):
    """Store the maxima of `windows`, and where in the plane they stand. No array is empty."""
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, x, False)
        borrow(&c, out, True)
        if indices is not None:
            borrow(&c, indices, True)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            pool(&c, windows, element, c.count == 3, num_threads)
        else:
            with nogil:
                pool(&c, windows, element, c.count == 3, num_threads)
    finally:
        give_back(&c)
