"""Windows along W, where lanes are few: STRIP of them side by side (docs/design/maximum.md).

Of one lane they are those of many lines, which are turned into lanes; of a few lanes, neighbours
of one line. Where there are less than STRIP, the rest is whatever lies in the scratch: it is
compared along, and not stored.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.maximum.candidates cimport STRIP, Stack, beats, best_of_window, is_nan
from adaptive_pool._kernels.call.elements cimport index_t, value_t
from adaptive_pool._kernels.tiles.planes cimport (
    JOBS, TILE, VECTOR, Line, Pooling, Tile, ask_for, input_at, line_number, next_line, pieces,
    span_of_windows,
)
from adaptive_pool._kernels.maximum.survey cimport LONG, is_long
from adaptive_pool._kernels.call.tables cimport Axis, window_size
from adaptive_pool._kernels.tiles.turning cimport turn


cdef inline bint is_row(const Pooling* p) noexcept nogil:
    return p.d.longest == 1 and p.h.longest == 1


cdef inline bint is_turned(const Pooling* p) noexcept nogil:
    """Whether the windows of many lines are reduced side by side; a strip of each fits a tile."""
    return p.w.longest < LONG and not is_long(p) and (
        p.lanes == 1
        or p.lanes < VECTOR and is_row(p) and p.w.longest * p.lanes * STRIP <= TILE
    )


cdef inline void cut_in_strips(Pooling* p, Py_ssize_t room, int num_threads) noexcept nogil:
    """Cut the work into tiles of STRIP lines, at the price of fewer columns."""
    cdef Py_ssize_t jobs = JOBS * num_threads if num_threads > 1 else 1
    p.group = max(min(p.lines // jobs, <Py_ssize_t> STRIP), <Py_ssize_t> 1)
    p.span = span_of_windows(p.w, room // (p.lanes * STRIP))
    p.groups = pieces(p.lines, p.group)
    p.spans = pieces(p.w.count, p.span)


cdef inline void best_of_grid(
    const value_t* best, const index_t* where,  # IN: candidates of `columns`, STRIP of each
    Py_ssize_t columns, bint indexed,
    index_t number, index_t one,                # IN: to add to `where`: at first, for each column
    value_t* tops, index_t* winners,            # OUT: STRIP maxima and their flat indices
) noexcept nogil:
    """Reduce STRIP windows side by side, in registers."""
    cdef value_t found[STRIP]
    cdef index_t found_where[STRIP]
    cdef const value_t* last = best + (columns - 1) * STRIP
    cdef const index_t* last_where = where + (columns - 1) * STRIP
    cdef index_t last_number = number + <index_t> (columns - 1) * one
    cdef Py_ssize_t _column, i
    cdef value_t x
    cdef index_t index = 0, own
    cdef bint wins
    for i in range(STRIP):  # something to compute, as in survey.pxd
        x = last[i]
        if indexed:
            index = last_where[i] + last_number
            own = where[i] + number
            wins = beats[value_t, index_t](x, index, best[i], own)
            found_where[i] = index if wins else own
        else:
            wins = (x > best[i]) | is_nan[value_t](x)
        found[i] = x if wins else best[i]
    for _column in range(1, columns - 1):
        best += STRIP
        where += STRIP
        number += one
        for i in range(STRIP):
            x = best[i]
            if indexed:
                index = where[i] + number
                own = found_where[i]
                wins = beats[value_t, index_t](x, index, found[i], own)
                # Of a choice GCC makes a branch and masked stores, which the next load waits for.
                found_where[i] = own ^ ((own ^ index) & -<index_t> wins)
            else:
                wins = (x > found[i]) | is_nan[value_t](x)
            found[i] = x if wins else found[i]
    for i in range(STRIP):
        tops[i] = found[i]
        if indexed:
            winners[i] = found_where[i]


cdef inline void put(value_t* target, const value_t* source, Py_ssize_t slot) noexcept nogil:
    """Copy 2, 4 or 8 elements, each by as many bytes as compilers know beforehand."""
    if slot == 2:
        memcpy(target, source, 2 * sizeof(value_t))
    elif slot == 4:
        memcpy(target, source, 4 * sizeof(value_t))
    else:
        memcpy(target, source, 8 * sizeof(value_t))


cdef inline void put_places(
    index_t* target, const index_t* source, Py_ssize_t slot, index_t column,
) noexcept nogil:
    """The same, and add to indices the number of their column."""
    cdef index_t places[8]
    cdef Py_ssize_t i
    put[index_t](places, source, slot)
    if slot == 2:
        for i in range(2):
            places[i] += column
    elif slot == 4:
        for i in range(4):
            places[i] += column
    else:
        for i in range(8):
            places[i] += column
    put[index_t](target, places, slot)


cdef inline void best_of_neighbours(
    const value_t* best, const index_t* where,  # IN: columns x lanes candidates, from w0 on
    const Axis* w, const Tile* tile, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: (columns of a window + 1) x STRIP
    value_t* tops, index_t* winners,            # OUT: windows x lanes
) noexcept nogil:
    """Reduce the windows of a line of 2 to 7 lanes, as many side by side as make a STRIP.

    For each there is a slot of 2, 4 or 8 elements: what follows its lanes, in the scratch that all
    this lies in, is read and written too, and overwritten by the next window.
    """
    cdef Py_ssize_t lanes = tile.lanes, slot = 2 if lanes == 2 else 4 if lanes <= 4 else 8
    cdef Py_ssize_t ow = tile.ow0, windows, start, last, column, o, j
    cdef value_t* found = grid + w.longest * STRIP
    cdef index_t* found_where = grid_where + w.longest * STRIP
    while ow < tile.ow1:
        windows = min(tile.ow1 - ow, STRIP // slot)
        for o in range(STRIP // slot):
            start = w.starts[ow + min(o, windows - 1)] - tile.w0
            last = w.ends[ow + min(o, windows - 1)] - tile.w0 - 1
            for j in range(w.longest):
                column = min(start + j, last)   # rather the last once more than a shorter window
                put[value_t](grid + j * STRIP + o * slot, best + column * lanes, slot)
                if indexed:
                    put_places[index_t](
                        grid_where + j * STRIP + o * slot, where + column * lanes, slot,
                        <index_t> (tile.w0 + column),
                    )
        best_of_grid[value_t, index_t](
            grid, grid_where, w.longest, indexed, 0, 0, found, found_where
        )
        for o in range(windows):
            put[value_t](tops + o * lanes, found + o * slot, slot)
            if indexed:
                put[index_t](winners + o * lanes, found_where + o * slot, slot)
        tops += windows * lanes
        winners += windows * lanes
        ow += windows


cdef inline void best_of_turned(
    value_t* best, index_t* where,              # IN: lines x columns candidates; then scratch
    const Axis* w, const Tile* tile, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: columns x STRIP
    value_t* tops, index_t* winners,            # OUT: lines x windows
) noexcept nogil:
    """Reduce the windows of many lines side by side, after turning lines into lanes."""
    cdef Py_ssize_t n = tile.lines, columns = tile.w1 - tile.w0, windows = tile.ow1 - tile.ow0
    cdef Py_ssize_t size = sizeof(value_t), index_size = sizeof(index_t), ow, first
    turn(<const char*> best, columns * size, n, columns, <char*> grid, STRIP * size, size)
    if indexed:
        turn(
            <const char*> where, columns * index_size, n, columns,
            <char*> grid_where, STRIP * index_size, index_size,
        )
    for ow in range(windows):
        first = w.starts[tile.ow0 + ow] - tile.w0
        best_of_grid[value_t, index_t](
            grid + first * STRIP, grid_where + first * STRIP, window_size(w, tile.ow0 + ow),
            indexed, <index_t> (tile.w0 + first), 1, best + ow * STRIP, where + ow * STRIP,
        )
    turn(<const char*> best, STRIP * size, windows, n, <char*> tops, windows * size, size)
    if indexed:
        turn(
            <const char*> where, STRIP * index_size, windows, n,
            <char*> winners, windows * index_size, index_size,
        )


cdef inline bint is_matrix(const Pooling* p, const Tile* tile, const Line* first) noexcept nogil:
    """Whether the rows of a tile are runs in memory that lie one step apart."""
    return (
        p.fetch == NULL and p.x.w == p.lanes * p.x.itemsize and p.d.count == 1 and p.h.count == 1
        and first.channel + tile.lines <= p.channels
    )


cdef inline void turn_rows(
    const Pooling* p, const Tile* tile, const Line* first, char* grid,
) noexcept nogil:
    """Turn rows straight from the input, and ask for the next tile meanwhile."""
    cdef Py_ssize_t size = p.x.itemsize, left = (tile.w1 - tile.w0) * p.lanes, n, k
    cdef Py_ssize_t ahead = left * size
    cdef const char* source = input_at(p, first, 0, tile.w0, 0)
    if tile.ow1 == p.w.count:
        ahead = tile.lines * p.x.channel - tile.w0 * p.x.w
    while left > 0:
        n = min(left, <Py_ssize_t> STRIP)
        for k in range(tile.lines):
            ask_for(source + k * p.x.channel + ahead, n * size)
        turn(source, p.x.channel, tile.lines, n, grid, STRIP * size, size)
        source += n * size
        grid += n * STRIP * size
        left -= n


cdef inline void best_of_rows(
    const Pooling* p, const Tile* tile, const Line* first,
    const value_t* best,                        # IN: lines x columns x lanes, if not is_matrix
    bint indexed,
    value_t* grid,                              # scratch: columns x lanes x STRIP
    value_t* found, index_t* found_where,       # scratch: windows x lanes x STRIP
    value_t* tops, index_t* winners,            # OUT: lines x windows x lanes
) noexcept nogil:
    """Reduce windows of one row, those of many rows side by side, after turning rows into lanes.

    No candidates are compared: a column has one number in all rows.
    """
    cdef Py_ssize_t n = tile.lines, lanes = tile.lanes, columns = (tile.w1 - tile.w0) * lanes
    cdef Py_ssize_t windows = (tile.ow1 - tile.ow0) * lanes, size = sizeof(value_t), ow, lane, k, i
    cdef const value_t* corner
    cdef Stack stack
    cdef Line line = first[0]
    cdef index_t number
    stack.count = stack.height = 1
    stack.columns = stack.skipped = stack.step = stack.jump = 0
    if is_matrix(p, tile, first):
        turn_rows(p, tile, first, <char*> grid)
    else:
        turn(<const char*> best, columns * size, n, columns, <char*> grid, STRIP * size, size)
    for ow in range(tile.ow0, tile.ow1):
        stack.number = p.w.starts[ow]
        corner = grid + (p.w.starts[ow] - tile.w0) * lanes * STRIP
        for lane in range(lanes):
            best_of_window[value_t, index_t](
                &stack, <const char*> (corner + lane * STRIP), window_size(p.w, ow),
                lanes * STRIP * size, indexed, found, found_where,
            )
            found += STRIP
            found_where += STRIP
    found -= windows * STRIP
    found_where -= windows * STRIP
    turn(<const char*> found, STRIP * size, windows, n, <char*> tops, windows * size, size)
    if indexed:
        turn(
            <const char*> found_where, STRIP * sizeof(index_t), windows, n,
            <char*> winners, windows * sizeof(index_t), sizeof(index_t),
        )
        if p.d.size * p.h.size > 1:
            for k in range(n):
                number = <index_t> (line_number(p, &line, 0) * p.w.size)
                for i in range(windows):
                    winners[k * windows + i] += number
                next_line(p, &line)
