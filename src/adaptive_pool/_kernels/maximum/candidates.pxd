"""Comparing candidates for a maximum: a value and where it stands (docs/design/maximum.md).

Lines are compared element by element; windows along W are reduced from what is left. Of two values
the larger wins, of equal ones the first, and of NaNs, which are larger than all else, the last.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport index_t, value_t
from adaptive_pool._kernels.tiles.planes cimport ROWS, ask_for

cdef enum:
    WIDTH = 32              # columns that a long window is reduced to at first
    STRIP = 32              # elements of lines that stay in registers; see survey.pxd

ctypedef fused real_value_t:
    float
    double


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


cdef inline void best_of_runs(
    const char** runs,          # IN: 1, 2 or ROWS runs of n elements
    const Py_ssize_t* firsts,   # IN: what to put down in `where` for each of them
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first, bint indexed,
    value_t* best,              # IN (unless first), OUT: n maxima
    index_t* where,             # IN (unless first), OUT: n of the `firsts`
) noexcept nogil:
    """Compare 1, 2 or ROWS runs, in order, `offset` bytes on.

    To be called with a literal count and first: each loop is then compiled without a branch in it,
    and vectorises.
    """
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


cdef inline void next_row(
    const Stack* stack,
    Py_ssize_t* k, Py_ssize_t* end,             # IN, OUT: the line, and the end of its depth
    const char** row, Py_ssize_t* number,       # IN, OUT: where it is, and its first flat index
) noexcept nogil:
    k[0] += 1
    row[0] += stack.step
    number[0] += stack.columns
    if k[0] == end[0]:
        row[0] += stack.jump
        number[0] += stack.skipped
        end[0] += stack.height


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
    cdef index_t own = <index_t> stack.number, number = <index_t> (stack.number + stack.columns)
    cdef Py_ssize_t k = 1, i, end = stack.height, size = STRIP * <Py_ssize_t> sizeof(value_t)
    cdef Py_ssize_t line = stack.number + stack.columns
    if stack.ahead != 0:
        ask_for(row + stack.ahead, size)
        ask_for(row + stack.step + stack.ahead, size)
    row += stack.step
    for i in range(STRIP):  # something to compute, as in survey.pxd
        tops[i] = first[i]
        winners[i] = own
        challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
    for _line in range(2, stack.count):
        next_row(stack, &k, &end, &row, &line)
        x, number = <const value_t*> row, <index_t> line
        if stack.ahead != 0:
            ask_for(row + stack.ahead, size)
        for i in range(STRIP):
            challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
    for i in range(STRIP):  # the last line once more, something to compute again
        challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
        best[i] = tops[i]
        if indexed:
            where[i] = winners[i]


cdef inline void best_of_window(
    const Stack* stack, const char* row,        # IN: the first element of the window
    Py_ssize_t columns, Py_ssize_t step,        # IN: so many bytes apart
    bint indexed,
    value_t* best,              # OUT: STRIP maxima of the window
    index_t* where,             # OUT: their flat indices
) noexcept nogil:
    """Compare the elements of a window in row-major order, for STRIP lanes, in registers."""
    cdef value_t tops[STRIP]
    cdef index_t winners[STRIP]
    cdef const value_t* first = <const value_t*> row
    cdef const value_t* x = first
    cdef Py_ssize_t k = 0, end = stack.height, w = 2, line = stack.number, i
    cdef index_t own = <index_t> line, number = own
    if columns > 1:     # or the first element once more
        x = <const value_t*> (row + step)
        number += 1
    for i in range(STRIP):  # something to compute, as in survey.pxd
        tops[i] = first[i]
        winners[i] = own
        challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
    if columns <= 2:
        w = 0
        next_row(stack, &k, &end, &row, &line)
    while k < stack.count:
        x = <const value_t*> (row + w * step)
        number = <index_t> (line + w)
        while True:     # at least once, or GCC would keep book of whether
            for i in range(STRIP):
                challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
            w += 1
            if w == columns:
                break
            x = <const value_t*> (<const char*> x + step)
            number += 1
        w = 0
        next_row(stack, &k, &end, &row, &line)
    for i in range(STRIP):  # the last element once more, something to compute again
        challenge[value_t, index_t](x[i], number, &tops[i], &winners[i])
        best[i] = tops[i]
        if indexed:
            where[i] = winners[i]


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
