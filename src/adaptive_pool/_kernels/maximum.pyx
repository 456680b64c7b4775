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
from adaptive_pool._kernels.packing cimport (
    Packing, pack, pack_size, packed_results, plan_packing, results_size, unpack,
)
from adaptive_pool._kernels.planes cimport (
    JOBS, LANE_BLOCK, ROWS, TILE, VECTOR, Line, Piece, Pooling, Tile, ap_prefetch, at,
    buffer_size, cut, distance_ahead, input_at, isa, job_count, line_number, line_of, locate,
    next_line, pieces, plan, read_rows, shape_of_piece,
)
from adaptive_pool._kernels.survey cimport LONG, is_long, is_nan, real_value_t, survey
from adaptive_pool._kernels.tables cimport Axis, Windows, window_size
from adaptive_pool._kernels.turning cimport turn

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    WIDTH = 32              # columns that a long window is reduced to at first
    MANY = 1024             # bytes of lanes that are enough of a stream for the memory
    SECOND_CACHE = 2097152  # bytes of input that are not in it
    MOST_LANES = 2048       # lanes of a tile, where nothing but lanes is in it
    FLAT = 128              # elements of a plane that is better a line than a lane of a pack
    MANY_LINES = 32         # lines of a tile, where columns leave room; see survey.pxd
    STRIP = 32              # elements of lines that stay in registers; see survey.pxd
    GRID = 512              # elements of scratch beside a tile of turned lines

ctypedef void (*tile_t)(
    const void* task, Py_ssize_t job, void* buffers, void* best, void* where,
) noexcept nogil


cdef struct Maximum:
    Pooling pooling
    Packing packing
    Array out
    Array indices       # data is NULL if none are wanted
    Axis line           # of planes that are pooled to one number, and the other two axes then
    Axis point
    int64_t ends[3]
    tile_t tile
    Py_ssize_t values       # bytes of a thread's scratch that are for values, and for indices
    Py_ssize_t positions


cdef inline void challenge(
    value_t x, index_t index, value_t* top, index_t* winner,
) noexcept nogil:
    """Put x in the place of `top` if it is larger, or NaN; no branch, so that loops vectorise."""
    cdef bint wins = (x > top[0]) | is_nan[value_t](x)
    top[0] = x if wins else top[0]
    winner[0] = index if wins else winner[0]


cdef inline void best_of_runs(
    const char** runs,          # IN: 1, 2 or ROWS runs of n elements
    const Py_ssize_t* firsts,   # IN: what to put down in `where` for each of them
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first, bint indexed,
    value_t* best,              # IN (unless first), OUT: n maxima
    index_t* where,             # IN (unless first), OUT: n of the `firsts`
) noexcept nogil:
    """Compare 1, 2 or ROWS runs, in order, `offset` bytes on. See add_rows in average.pyx."""
    cdef const value_t* a = <const value_t*> (runs[0] + offset)
    cdef const value_t* b = <const value_t*> (runs[1] + offset) if count > 1 else a
    cdef const value_t* c = <const value_t*> (runs[2] + offset) if count > 2 else a
    cdef const value_t* d = <const value_t*> (runs[3] + offset) if count > 2 else a
    cdef index_t a_where = <index_t> firsts[0]
    cdef index_t b_where = <index_t> firsts[1] if count > 1 else 0
    cdef index_t c_where = <index_t> firsts[2] if count > 2 else 0
    cdef index_t d_where = <index_t> firsts[3] if count > 2 else 0
    cdef Py_ssize_t i
    cdef value_t top
    cdef index_t winner = 0
    if indexed:
        for i in range(n):
            if first:
                top = a[i]
                winner = a_where
            else:
                top = best[i]
                winner = where[i]
                challenge[value_t, index_t](a[i], a_where, &top, &winner)
            if count > 1:
                challenge[value_t, index_t](b[i], b_where, &top, &winner)
            if count > 2:
                challenge[value_t, index_t](c[i], c_where, &top, &winner)
                challenge[value_t, index_t](d[i], d_where, &top, &winner)
            best[i] = top
            where[i] = winner
    else:
        for i in range(n):
            if first:
                top = a[i]
            else:
                top = best[i]
                challenge[value_t, index_t](a[i], 0, &top, &winner)
            if count > 1:
                challenge[value_t, index_t](b[i], 0, &top, &winner)
            if count > 2:
                challenge[value_t, index_t](c[i], 0, &top, &winner)
                challenge[value_t, index_t](d[i], 0, &top, &winner)
            best[i] = top


cdef inline void best_of_some(
    const char** runs, const Py_ssize_t* firsts, Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first, bint indexed, value_t* best, index_t* where,
) noexcept nogil:
    """`best_of_runs` for any count up to ROWS."""
    if count == ROWS and first:
        best_of_runs[value_t, index_t](runs, firsts, ROWS, offset, n, True, indexed, best, where)
    elif count == ROWS:
        best_of_runs[value_t, index_t](runs, firsts, ROWS, offset, n, False, indexed, best, where)
    elif count == 1 and first:
        best_of_runs[value_t, index_t](runs, firsts, 1, offset, n, True, indexed, best, where)
    elif count == 1:
        best_of_runs[value_t, index_t](runs, firsts, 1, offset, n, False, indexed, best, where)
    else:
        if first:
            best_of_runs[value_t, index_t](runs, firsts, 2, offset, n, True, indexed, best, where)
        else:
            best_of_runs[value_t, index_t](runs, firsts, 2, offset, n, False, indexed, best, where)
        if count == 3:
            best_of_runs[value_t, index_t](
                runs + 2, firsts + 2, 1, offset, n, False, indexed, best, where
            )


cdef struct Stack:
    # The input lines of one output line, read in place, and how they are numbered.
    Py_ssize_t count
    Py_ssize_t height       # lines after which comes the next depth
    Py_ssize_t step         # bytes from line to line
    Py_ssize_t jump         # and besides, from the last of a depth to the first of the next
    Py_ssize_t number       # the flat index of the first line
    Py_ssize_t columns
    Py_ssize_t skipped      # elements between depths
    Py_ssize_t ahead        # how many bytes further to ask for elements, or 0


cdef inline void best_of_strip(
    const Stack* stack, const char* row, bint indexed,
    value_t* best,              # OUT: STRIP maxima of the lines
    index_t* where,             # OUT: the flat indices of the first elements of their lines
) noexcept nogil:
    """Compare STRIP elements of each line, in registers."""
    cdef value_t tops[STRIP]
    cdef index_t winners[STRIP]
    cdef const value_t* first = <const value_t*> row
    cdef const value_t* x = <const value_t*> (row + stack.step)
    cdef index_t first_number = <index_t> stack.number
    cdef index_t number = <index_t> (stack.number + stack.columns)
    cdef Py_ssize_t k, i, end = stack.height
    if stack.ahead != 0:
        for i in range(0, STRIP * <Py_ssize_t> sizeof(value_t), 64):
            ap_prefetch(row + stack.ahead + i)
            ap_prefetch(row + stack.step + stack.ahead + i)
    for i in range(STRIP):  # something to compute, as in survey.pxd
        tops[i] = first[i]
        winners[i] = first_number
        challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
    for k in range(2, stack.count):
        x = <const value_t*> (<const char*> x + stack.step)
        number += <index_t> stack.columns
        if k == end:
            x = <const value_t*> (<const char*> x + stack.jump)
            number += <index_t> stack.skipped
            end += stack.height
        if stack.ahead != 0:
            for i in range(0, STRIP * <Py_ssize_t> sizeof(value_t), 64):
                ap_prefetch(<const char*> x + stack.ahead + i)
        for i in range(STRIP):
            challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
    for i in range(STRIP):  # the last one once more
        challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
        best[i] = tops[i]
        if indexed:
            where[i] = winners[i]


cdef inline bint suits_strips(const Line* line, Py_ssize_t n) noexcept nogil:
    """Whether no more than two lines' worth of the elements would be compared twice."""
    cdef Py_ssize_t twice = STRIP - 1 - (n - 1) % STRIP
    return n >= STRIP and line.height >= ROWS and twice * line.count <= 2 * n


cdef inline void best_of_strips(
    const Pooling* p, const Tile* tile, const Line* line, Py_ssize_t w0,
    Py_ssize_t n,               # IN: elements of an input line, from column w0 on; >= STRIP
    bint indexed,
    value_t* best, index_t* where,
) noexcept nogil:
    cdef const value_t* first = <const value_t*> input_at(p, line, 0, w0, tile.lane)
    cdef Py_ssize_t i = 0, last = n - STRIP
    cdef Stack stack
    stack.count, stack.height, stack.step = line.count, line.height, p.x.h
    stack.jump = p.x.d - line.height * p.x.h
    stack.number = (line.d0 * p.h.size + line.h0) * p.w.size
    stack.columns = p.w.size
    stack.skipped = (p.h.size - line.height) * p.w.size
    stack.ahead = max(p.ahead, line.height * p.x.h) if p.ahead else 0
    while i < n:
        i = min(i, last)    # rather some columns twice than less than STRIP
        if indexed:
            best_of_strip[value_t, index_t](
                &stack, <const char*> (first + i), True, best + i, where + i
            )
        else:
            best_of_strip[value_t, index_t](
                &stack, <const char*> (first + i), False, best + i, where + i
            )
        i += STRIP


cdef inline void best_of_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    value_t* buffers,               # scratch for ROWS pieces of lines
    bint indexed,
    value_t* best,                  # OUT: (w1 - w0) x lanes maxima of the input lines
    index_t* where,                 # OUT: the flat indices of the first elements of their lines
) noexcept nogil:
    """Compare the input lines of one output line, element by element."""
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef const char* rows[ROWS]
    cdef Py_ssize_t firsts[ROWS]
    cdef Py_ssize_t k = 0, count, row, run, n = piece.length
    if p.fetch == NULL and piece.runs == 1 and suits_strips(line, n):
        best_of_strips[value_t, index_t](p, tile, line, w0, n, indexed, best, where)
        return
    while k < line.count:
        count = read_rows(
            p, tile, line, k, ROWS, w0, w1, <char*> buffers, sizeof(value_t), rows
        )
        firsts[0] = line_number(p, line, k) * p.w.size
        for row in range(1, count):
            firsts[row] = firsts[row - 1] + p.w.size
        for run in range(piece.runs):
            best_of_some[value_t, index_t](
                rows, firsts, count, run * piece.step, n, k == 0, indexed,
                best + run * n, where + run * n,
            )
        k += count


cdef inline void add_columns(
    index_t* where,             # IN, OUT: columns x n; from the first of a line to the element
    Py_ssize_t w0, Py_ssize_t columns, Py_ssize_t n,
) noexcept nogil:
    cdef Py_ssize_t w, i
    if n == 1:
        for w in range(columns):
            where[w] += <index_t> (w0 + w)
        return
    for w in range(columns):
        for i in range(n):
            where[w * n + i] += <index_t> (w0 + w)


cdef inline void best_of_lanes(
    const Pooling* p, const Tile* tile, const Line* line, Py_ssize_t ow,
    value_t* buffers,           # scratch for a piece of a line
    bint indexed,
    value_t* best,              # OUT: lanes maxima of the window
    index_t* where,             # OUT: their flat indices
) noexcept nogil:
    """Compare the elements of a window in row-major order, by vectors over lanes."""
    cdef Py_ssize_t n = tile.lanes, reach = TILE // n, w, end, i, count = 0, first_of_line
    cdef Py_ssize_t step = p.x.w if p.fetch == NULL else n * <Py_ssize_t> sizeof(value_t)
    # Many lanes one element after the other, which is how they lie; few lanes side by side.
    cdef Py_ssize_t most = 1 if n * <Py_ssize_t> sizeof(value_t) >= MANY else ROWS
    cdef const char* row[ROWS]
    cdef const char* runs[ROWS]
    cdef Py_ssize_t indices[ROWS]
    cdef bint first = True
    cdef Py_ssize_t k, ahead
    for k in range(line.count):
        first_of_line = line_number(p, line, k) * p.w.size
        w = p.w.starts[ow]
        while w < p.w.ends[ow]:
            end = p.w.ends[ow] if p.fetch == NULL else min(w + reach, p.w.ends[ow])
            read_rows(p, tile, line, k, 1, w, end, <char*> buffers, sizeof(value_t), row)
            for i in range(end - w):
                runs[count] = row[0] + i * step
                if p.ahead:  # the same place in the next window
                    for ahead in range(0, step, 64):
                        ap_prefetch(runs[count] + (end - w) * step + ahead)
                indices[count] = first_of_line + w + i
                count += 1
                if count == most:
                    best_of_some[value_t, index_t](
                        runs, indices, most, 0, n, first, indexed, best, where
                    )
                    first = False
                    count = 0
            w = end
            if count > 0 and p.fetch != NULL:  # the next piece takes the place of this one
                best_of_some[value_t, index_t](
                    runs, indices, count, 0, n, first, indexed, best, where
                )
                first = False
                count = 0
    if count > 0:
        best_of_some[value_t, index_t](runs, indices, count, 0, n, first, indexed, best, where)


cdef inline bint beats(value_t x, index_t index, value_t top, index_t winner) noexcept nogil:
    """Whether the candidate (x, index) wins, in whatever order candidates are compared."""
    return (
        (x > top)
        | ((x == top) & (index < winner))
        | (is_nan[value_t](x) & ((is_nan[value_t](top) & (index < winner)) ^ 1))
    )


cdef inline void best_of_columns(
    const value_t* best, const index_t* where,  # IN: candidates of columns, `step` apart
    Py_ssize_t columns, Py_ssize_t step, bint indexed, bint first,
    value_t* top,           # IN (unless first), OUT: the maximum
    index_t* winner,        # IN (unless first), OUT: its flat index
) noexcept nogil:
    """Compare the columns of a window one by one: right for NaNs, too."""
    cdef Py_ssize_t w = 0
    if first:
        top[0] = best[0]
        if indexed:
            winner[0] = where[0]
        w = 1
    while w < columns:
        if indexed:
            if beats[value_t, index_t](best[w * step], where[w * step], top[0], winner[0]):
                top[0] = best[w * step]
                winner[0] = where[w * step]
        elif best[w * step] > top[0] or is_nan[value_t](best[w * step]):
            top[0] = best[w * step]
        w += 1


cdef inline void best_of_pairs(
    const value_t* best, const index_t* where,  # IN: n candidates
    Py_ssize_t n, bint indexed,
    value_t* tops, index_t* winners,            # IN, OUT: n maxima and their flat indices
) noexcept nogil:
    """Compare n pairs of candidates, which may come in any order."""
    cdef Py_ssize_t i
    cdef value_t top
    cdef index_t winner = 0
    cdef bint wins
    if indexed:
        for i in range(n):
            wins = beats[value_t, index_t](best[i], where[i], tops[i], winners[i])
            tops[i] = best[i] if wins else tops[i]
            winners[i] = where[i] if wins else winners[i]
    else:
        for i in range(n):
            top = tops[i]
            challenge[value_t, index_t](best[i], 0, &top, &winner)
            tops[i] = top


cdef inline void best_of_long(
    const value_t* best, const index_t* where,  # IN: columns x lanes candidates, columns >= LONG
    Py_ssize_t columns, Py_ssize_t lanes, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: WIDTH x lanes
    value_t* tops, index_t* winners,            # OUT: lanes maxima
) noexcept nogil:
    """Reduce a long window by vectors: to WIDTH columns first."""
    cdef Py_ssize_t n = WIDTH * lanes, done = n, lane
    memcpy(grid, best, n * sizeof(value_t))
    if indexed:
        memcpy(grid_where, where, n * sizeof(index_t))
    while done < columns * lanes:
        n = min(n, columns * lanes - done)
        best_of_pairs[value_t, index_t](best + done, where + done, n, indexed, grid, grid_where)
        done += n
    for lane in range(lanes):
        best_of_columns[value_t, index_t](
            grid + lane, grid_where + lane, WIDTH, lanes, indexed, True, tops + lane, winners + lane
        )


cdef inline void best_of_many(
    const value_t* best, const index_t* where,  # IN: columns x lanes x MANY_LINES candidates
    Py_ssize_t columns, Py_ssize_t step, bint indexed,
    value_t* tops, index_t* winners,            # OUT: maxima, `windows` apart
    Py_ssize_t windows,
) noexcept nogil:
    """Reduce a window of MANY_LINES lines that have been turned, in registers."""
    cdef value_t found[MANY_LINES]
    cdef index_t found_where[MANY_LINES]
    cdef const value_t* last = best + (columns - 1) * step
    cdef const index_t* last_where = where + (columns - 1) * step
    cdef Py_ssize_t _column, i
    cdef bint wins
    for i in range(MANY_LINES):     # something to compute, as in survey.pxd
        if indexed:
            wins = beats[value_t, index_t](last[i], last_where[i], best[i], where[i])
            found_where[i] = last_where[i] if wins else where[i]
        else:
            wins = (last[i] > best[i]) | is_nan[value_t](last[i])
        found[i] = last[i] if wins else best[i]
    for _column in range(1, columns - 1):
        best += step
        where += step
        for i in range(MANY_LINES):
            if indexed:
                wins = beats[value_t, index_t](best[i], where[i], found[i], found_where[i])
                found_where[i] = where[i] if wins else found_where[i]
            else:
                wins = (best[i] > found[i]) | is_nan[value_t](best[i])
            found[i] = best[i] if wins else found[i]
    for i in range(MANY_LINES):
        tops[i * windows] = found[i]
        if indexed:
            winners[i * windows] = found_where[i]


cdef inline void best_of_turned(
    const value_t* best, const index_t* where,  # IN: lines x columns x lanes candidates
    const Axis* w, const Tile* tile, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: columns x lanes x lines, and lines
    value_t* tops, index_t* winners,            # OUT: lines x windows x lanes
) noexcept nogil:
    """Reduce the windows of many lines side by side, after turning lines into lanes."""
    cdef Py_ssize_t n = tile.lines, lanes = tile.lanes, columns = (tile.w1 - tile.w0) * lanes
    cdef Py_ssize_t windows = (tile.ow1 - tile.ow0) * lanes, ow, lane, column, k, first
    cdef value_t* found = grid + n * columns
    cdef index_t* found_where = grid_where + n * columns
    turn(
        <const char*> best, columns * sizeof(value_t), n, columns,
        <char*> grid, n * sizeof(value_t), sizeof(value_t),
    )
    if indexed:
        turn(
            <const char*> where, columns * sizeof(index_t), n, columns,
            <char*> grid_where, n * sizeof(index_t), sizeof(index_t),
        )
        add_columns[index_t](grid_where, tile.w0, tile.w1 - tile.w0, n * lanes)
    for ow in range(tile.ow0, tile.ow1):
        for lane in range(lanes):
            first = ((w.starts[ow] - tile.w0) * lanes + lane) * n
            if n == MANY_LINES and indexed:
                best_of_many[value_t, index_t](
                    grid + first, grid_where + first, window_size(w, ow), lanes * n, True,
                    tops, winners, windows,
                )
            elif n == MANY_LINES:
                best_of_many[value_t, index_t](
                    grid + first, grid_where + first, window_size(w, ow), lanes * n, False,
                    tops, winners, windows,
                )
            else:
                memcpy(found, grid + first, n * sizeof(value_t))
                if indexed:
                    memcpy(found_where, grid_where + first, n * sizeof(index_t))
                for column in range(1, window_size(w, ow)):
                    best_of_pairs[value_t, index_t](
                        grid + first + column * lanes * n, grid_where + first + column * lanes * n,
                        n, indexed, found, found_where,
                    )
                for k in range(n):
                    tops[k * windows] = found[k]
                    if indexed:
                        winners[k * windows] = found_where[k]
            tops += 1
            winners += 1


cdef inline void best_of_tile(
    const value_t* best, index_t* where,        # IN: lines x columns x lanes candidates
    const Axis* w, const Tile* tile, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: TILE and WIDTH x lanes
    value_t* tops, index_t* winners,            # OUT: lines x windows x lanes
) noexcept nogil:
    """Reduce all windows of a tile along W where lanes are too few for vectors."""
    cdef Py_ssize_t lanes = tile.lanes, columns = tile.w1 - tile.w0, k, ow, lane, start, size
    if tile.lines >= VECTOR and w.longest < LONG:
        best_of_turned[value_t, index_t](
            best, where, w, tile, indexed, grid, grid_where, tops, winners
        )
        return
    for k in range(tile.lines):
        if indexed:
            add_columns[index_t](where + k * columns * lanes, tile.w0, columns, lanes)
        for ow in range(tile.ow0, tile.ow1):
            start = (k * columns + w.starts[ow] - tile.w0) * lanes
            size = window_size(w, ow)
            if size >= LONG:
                best_of_long[value_t, index_t](
                    best + start, where + start, size, lanes, indexed, grid, grid_where,
                    tops, winners,
                )
            else:
                for lane in range(lanes):
                    best_of_columns[value_t, index_t](
                        best + start + lane, where + start + lane, size, lanes, indexed, True,
                        tops + lane, winners + lane,
                    )
            tops += lanes
            winners += lanes


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


cdef inline void store_values(
    char* out, Py_ssize_t step, const value_t* tops, Py_ssize_t n, Element element,
) noexcept nogil:
    cdef Py_ssize_t i
    if value_t is float:
        if element == FLOAT16:
            for i in range(n):
                store_real[float16_t](<float16_t*> (out + i * step), tops[i])
            return
        elif element == BFLOAT16:
            for i in range(n):
                store_real[bfloat16_t](<bfloat16_t*> (out + i * step), tops[i])
            return
    if step == <Py_ssize_t> sizeof(value_t):
        memcpy(out, tops, n * sizeof(value_t))
        return
    for i in range(n):
        (<value_t*> (out + i * step))[0] = tops[i]


cdef inline void store_indices(
    const Array* indices, char* out, Py_ssize_t step, const index_t* winners, Py_ssize_t n,
) noexcept nogil:
    cdef Py_ssize_t i
    if indices.itemsize == 4:
        for i in range(n):
            (<int32_t*> (out + i * step))[0] = <int32_t> winners[i]
    elif step == 8:  # a literal, so that it vectorises
        for i in range(n):
            (<int64_t*> out)[i] = winners[i]
    else:
        for i in range(n):
            (<int64_t*> (out + i * step))[0] = winners[i]


cdef inline void settle_all(
    const Pooling* p, const Tile* tile, const Line* line,
    value_t* tops,              # IN, OUT: windows x lanes
) noexcept nogil:
    """Look up which zeros and NaNs the maxima are."""
    cdef Py_ssize_t lanes = tile.lanes, n = (tile.ow1 - tile.ow0) * lanes, i
    cdef int unsettled = 0
    if value_t in real_value_t:
        for i in range(n):
            unsettled |= (tops[i] == 0) | (tops[i] != tops[i])
        if unsettled == 0:
            return
        for i in range(n):
            if not (tops[i] < 0 or tops[i] > 0):
                tops[i] = settle[value_t](
                    p, line, tile.ow0 + i // lanes, tile.lane + i % lanes, tops[i]
                )


cdef inline void store_maxima(
    const Maximum* task, const Tile* tile, const Line* line,
    value_t* tops, const index_t* winners,      # IN: windows x lanes
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef Py_ssize_t lanes = tile.lanes, windows = tile.ow1 - tile.ow0, ow
    cdef char* out = at(
        &task.out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    cdef bint indexed = task.indices.data != NULL
    if not indexed:
        settle_all[value_t](p, tile, line, tops)
    if lanes == 1:
        store_values[value_t](out, task.out.w, tops, windows, p.element)
    else:
        for ow in range(windows):
            store_values[value_t](
                out + ow * task.out.w, task.out.lane, tops + ow * lanes, lanes, p.element
            )
    if not indexed:
        return
    out = at(&task.indices, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane)
    if lanes == 1:
        store_indices[index_t](&task.indices, out, task.indices.w, winners, windows)
    else:
        for ow in range(windows):
            store_indices[index_t](
                &task.indices, out + ow * task.indices.w, task.indices.lane,
                winners + ow * lanes, lanes,
            )


cdef void maximum_tile(
    const Maximum* task, Py_ssize_t job,
    value_t* buffers,       # scratch: ROWS pieces of lines
    value_t* best,          # scratch: lines, their windows
    index_t* where,         # scratch: likewise
) noexcept nogil:
    cdef const Pooling* p = &task.pooling
    cdef Tile tile = locate(p, job)
    cdef Line first = line_of(p, tile.line), line = first
    cdef bint indexed = task.indices.data != NULL
    cdef Py_ssize_t lanes = tile.lanes, columns = tile.w1 - tile.w0, w, end, k, ow, lane, i
    cdef Py_ssize_t windows = (tile.ow1 - tile.ow0) * lanes
    cdef value_t* tops = best + TILE
    cdef index_t* winners = where + TILE
    cdef bint surveyed = is_long(p)

    for k in range(tile.lines):
        if lanes >= VECTOR:
            for ow in range(tile.ow0, tile.ow1):
                i = k * windows + (ow - tile.ow0) * lanes
                best_of_lanes[value_t, index_t](
                    p, &tile, &line, ow, buffers, indexed, tops + i, winners + i
                )
        elif surveyed:
            survey[value_t, index_t](
                p, &tile, &line, buffers, indexed, tops + k * windows, winners + k * windows
            )
        elif tile.lines * columns * lanes <= TILE:
            i = k * columns * lanes
            best_of_lines[value_t, index_t](
                p, &tile, &line, tile.w0, tile.w1, buffers, indexed, best + i, where + i
            )
        else:  # a single window of a single line, wider than a tile
            w = tile.w0
            while w < tile.w1:
                end = min(w + TILE // lanes, tile.w1)
                best_of_lines[value_t, index_t](
                    p, &tile, &line, w, end, buffers, indexed, best, where
                )
                if indexed:
                    add_columns[index_t](where, w, end - w, lanes)
                for lane in range(lanes):
                    best_of_columns[value_t, index_t](
                        best + lane, where + lane, end - w, lanes, indexed, w == tile.w0,
                        tops + lane, winners + lane,
                    )
                w = end
        next_line(p, &line)
    if lanes < VECTOR and not surveyed and tile.lines * columns * lanes <= TILE:
        best_of_tile[value_t, index_t](
            best, where, p.w, &tile, indexed, best + 2 * TILE, where + 2 * TILE, tops, winners
        )
    line = first
    for k in range(tile.lines):
        store_maxima[value_t, index_t](
            task, &tile, &line, tops + k * windows, winners + k * windows
        )
        next_line(p, &line)


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


cdef bint flatten(Maximum* task, int num_threads) noexcept nogil:
    """Take planes for lines, if they are pooled to one number and are runs in memory."""
    cdef Pooling* p = &task.pooling
    cdef Py_ssize_t size = p.d.size * p.h.size * p.w.size
    if 1 < p.lanes < VECTOR or p.d.count * p.h.count * p.w.count > 1 or (
        p.d.longest * p.h.longest * p.w.longest < size or p.w.size == 1
        or p.h.size > 1 and p.x.h != p.w.size * p.x.w
        or p.d.size > 1 and p.x.d != p.h.size * p.w.size * p.x.w
    ):
        return False
    task.ends[:] = [0, 1, size]
    task.point = p.w[0]
    task.point.size = task.point.shortest = task.point.longest = 1
    task.point.starts, task.point.ends = &task.ends[0], &task.ends[1]
    task.line = task.point
    task.line.size = task.line.shortest = task.line.longest = size
    task.line.ends = &task.ends[2]
    p.d = p.h = &task.point
    p.w = &task.line
    cut(p, 2 * VECTOR, num_threads)
    if p.lane_block == LANE_BLOCK and p.lines * pieces(p.lanes, MOST_LANES) >= JOBS * num_threads:
        p.lane_block = min(p.lanes, <Py_ssize_t> MOST_LANES)
        p.lane_blocks = pieces(p.lanes, p.lane_block)
    return True


cdef int run_tile(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Maximum* maximum = <const Maximum*> task
    maximum.tile(
        maximum, job, scratch + maximum.values + maximum.positions, scratch,
        scratch + maximum.values,
    )
    return 0


cdef int run_pack(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Maximum* maximum = <const Maximum*> task
    cdef const Packing* packing = &maximum.packing
    cdef Maximum inner = maximum[0]
    cdef char* free_scratch = scratch + maximum.values + maximum.positions
    cdef Py_ssize_t k
    inner.pooling = pack(packing, &maximum.pooling, job, free_scratch)
    free_scratch += pack_size(packing)
    inner.out = packed_results(packing, &inner.pooling, &maximum.out, free_scratch)
    free_scratch += results_size(packing, &maximum.out)
    if maximum.indices.data != NULL:
        inner.indices = packed_results(packing, &inner.pooling, &maximum.indices, free_scratch)
    for k in range(job_count(&inner.pooling)):
        inner.tile(&inner, k, NULL, scratch, scratch + maximum.values)
    unpack(packing, &inner.pooling, job, &inner.out, &maximum.out)
    if maximum.indices.data != NULL:
        unpack(packing, &inner.pooling, job, &inner.indices, &maximum.indices)
    return 0


cdef int pool(
    Canonical* c, Windows windows, Element element, bint indexed, int num_threads,
) except -1 nogil:
    cdef Maximum task
    # Indices are computed in 32 bits where the plane allows it, whatever they are stored in.
    cdef bint short_plane = c.sizes[0][0] * c.sizes[0][1] * c.sizes[0][2] <= 0x7FFFFFFF
    cdef Py_ssize_t scratch
    task.tile = (
        tile_for[int32_t](element, NULL) if short_plane or not indexed
        else tile_for[int64_t](element, NULL)
    )
    # Three tiles of values and of indices: of lines, of their windows, of turned lines. Halves are
    # kept as float32.
    task.values = (3 * TILE + GRID) * max(c.arrays[0].itemsize, <Py_ssize_t> sizeof(float))
    task.positions = (3 * TILE + GRID) * (
        sizeof(int32_t) if short_plane or not indexed else sizeof(int64_t)
    )
    cdef Py_ssize_t lines = 2 * VECTOR
    if c.lanes * max(windows.w.size, windows.w.count) * MANY_LINES <= TILE:
        lines = MANY_LINES
    while True:
        task.pooling = plan(c, element, windows, lines, num_threads)
        # Pieces of many lanes are worth asking for even of inputs that the third cache holds.
        if c.lanes * c.arrays[0].itemsize >= MANY and c.buffers[0].len > SECOND_CACHE:
            task.pooling.ahead = distance_ahead(&task.pooling)
        task.packing = plan_packing(c, &task.pooling)
        if (task.packing.groups == 0 or task.packing.plane >= FLAT) and flatten(&task, num_threads):
            task.packing.groups = 0
        task.out = c.arrays[1]
        if indexed:
            task.indices = c.arrays[2]
        else:
            task.indices.data = NULL
        scratch = task.values + task.positions
        if task.packing.groups > 0:
            scratch += pack_size(&task.packing) + results_size(&task.packing, &task.out)
            if indexed:
                scratch += results_size(&task.packing, &task.indices)
            run_jobs(run_pack, &task, c.batches * task.packing.groups, scratch, num_threads)
        else:
            scratch += buffer_size(&task.pooling)
            run_jobs(run_tile, &task, job_count(&task.pooling), scratch, num_threads)
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
