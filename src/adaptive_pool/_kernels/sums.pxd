"""Sums of windows, in the order that is part of the contract (docs/design/summation.md).

Lines are added element by element into one line of sums; a window along W is summed on that line
from left to right or, if it has LONG columns and more, in PARTIALS running sums. Runs of elements
that a window consists of go straight from memory to the same running sums.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.accumulators cimport acc_t, merge, nothing, plus
from adaptive_pool._kernels.elements cimport uint16_t, value_t
from adaptive_pool._kernels.planes cimport ROWS
from adaptive_pool._kernels.quads cimport QUADS, add, fold, load, quad_t, store, widen

cdef enum:
    PARTIALS = 16           # running sums of a long window
    LONG = 2 * PARTIALS     # elements that make a window long
    CHAINS = 4              # short windows summed side by side


cdef inline Py_ssize_t add_quads(
    const float* a, const float* b, const float* c, const float* d, Py_ssize_t count,
    Py_ssize_t n, bint first, double* line,
) noexcept nogil:
    """`add_rows` for as many elements as quads hold; returns how many these are."""
    cdef Py_ssize_t i = 0
    cdef quad_t total
    while i + 4 <= n:
        total = widen(a + i) if first else add(load(line + i), widen(a + i))
        if count > 1:
            total = add(total, widen(b + i))
        if count > 2:
            total = add(total, widen(c + i))
            total = add(total, widen(d + i))
        store(line + i, total)
        i += 4
    return i


cdef inline void add_rows(
    const char** rows,      # IN: 1, 2 or ROWS pieces of lines
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first,
    value_t* _,             # the type of the elements
    acc_t* line,            # IN (unless first), OUT: n sums
) noexcept nogil:
    """Add 1, 2 or ROWS runs of n elements, in order, `offset` bytes into their rows.

    Several at a time save round trips of the sums through memory. To be called with a literal
    count and first: each loop is then compiled without a branch in it, and vectorises.
    """
    cdef const value_t* a = <const value_t*> (rows[0] + offset)
    cdef const value_t* b = <const value_t*> (rows[1] + offset) if count > 1 else a
    cdef const value_t* c = <const value_t*> (rows[2] + offset) if count > 2 else a
    cdef const value_t* d = <const value_t*> (rows[3] + offset) if count > 2 else a
    cdef Py_ssize_t done = 0, i
    cdef acc_t total
    if acc_t is double:
        if value_t is float:
            if QUADS:
                done = add_quads(a, b, c, d, count, n, first, line)
    for i in range(done, n):
        total = nothing[acc_t](line) if first else line[i]
        total = plus[acc_t, value_t](total, a[i])
        if count > 1:
            total = plus[acc_t, value_t](total, b[i])
        if count > 2:
            total = plus[acc_t, value_t](total, c[i])
            total = plus[acc_t, value_t](total, d[i])
        line[i] = total


cdef inline void add_some(
    const char** rows, Py_ssize_t count, Py_ssize_t offset, Py_ssize_t n, bint first,
    value_t* _, acc_t* line,
) noexcept nogil:
    """`add_rows` for any count up to ROWS."""
    if count == ROWS and first:
        add_rows[value_t, acc_t](rows, ROWS, offset, n, True, _, line)
    elif count == ROWS:
        add_rows[value_t, acc_t](rows, ROWS, offset, n, False, _, line)
    elif count == 1 and first:
        add_rows[value_t, acc_t](rows, 1, offset, n, True, _, line)
    elif count == 1:
        add_rows[value_t, acc_t](rows, 1, offset, n, False, _, line)
    else:
        if first:
            add_rows[value_t, acc_t](rows, 2, offset, n, True, _, line)
        else:
            add_rows[value_t, acc_t](rows, 2, offset, n, False, _, line)
        if count == 3:
            add_rows[value_t, acc_t](rows + 2, 1, offset, n, False, _, line)


cdef inline void add_column(
    const char** rows,      # IN: 1 to ROWS pieces of lines
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first,
    value_t* _,             # the type of the elements
    acc_t* sums,            # IN (unless first), OUT: n sums
) noexcept nogil:
    """Sum a column of a window over all its rows, then add it to those before. See add_rows."""
    cdef const value_t* a = <const value_t*> (rows[0] + offset)
    cdef const value_t* b = <const value_t*> (rows[1] + offset) if count > 1 else a
    cdef const value_t* c = <const value_t*> (rows[2] + offset) if count > 2 else a
    cdef const value_t* d = <const value_t*> (rows[3] + offset) if count > 3 else a
    cdef Py_ssize_t i
    cdef acc_t total
    for i in range(n):
        total = plus[acc_t, value_t](nothing[acc_t](sums), a[i])
        if count > 1:
            total = plus[acc_t, value_t](total, b[i])
        if count > 2:
            total = plus[acc_t, value_t](total, c[i])
        if count > 3:
            total = plus[acc_t, value_t](total, d[i])
        sums[i] = total if first else merge[acc_t](sums[i], total)


cdef inline void add_columns(
    const acc_t* line,      # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes, bint first,
    acc_t* sums,            # IN (unless first), OUT: lanes
) noexcept nogil:
    """Sum a window along W, or go on with it, from left to right."""
    cdef Py_ssize_t w = 0, lane
    cdef acc_t total
    if first:
        for lane in range(lanes):
            sums[lane] = line[lane]
        w = 1
    while w + 3 < columns:  # four at a time, for the same reason as in add_rows
        for lane in range(lanes):
            total = merge[acc_t](sums[lane], line[w * lanes + lane])
            total = merge[acc_t](total, line[(w + 1) * lanes + lane])
            total = merge[acc_t](total, line[(w + 2) * lanes + lane])
            sums[lane] = merge[acc_t](total, line[(w + 3) * lanes + lane])
        w += 4
    while w < columns:
        for lane in range(lanes):
            sums[lane] = merge[acc_t](sums[lane], line[w * lanes + lane])
        w += 1


cdef inline void add_blocks(
    const acc_t* line,      # IN: a multiple of PARTIALS columns, of one lane
    Py_ssize_t columns,
    acc_t* partials,        # IN, OUT: PARTIALS
) noexcept nogil:
    """`add_partials` in registers."""
    cdef acc_t totals[PARTIALS]
    cdef Py_ssize_t k
    for k in range(PARTIALS):
        totals[k] = partials[k]
    for _ in range(columns // PARTIALS):
        for k in range(PARTIALS):
            totals[k] = merge[acc_t](totals[k], line[k])
        line += PARTIALS
    for k in range(PARTIALS):
        partials[k] = totals[k]


cdef inline void add_partials(
    const acc_t* line,      # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes,
    Py_ssize_t column,      # IN: which column of the window the first of them is
    acc_t* partials,        # IN, OUT: PARTIALS x lanes
) noexcept nogil:
    """Add the column k of a window to the running sum k % PARTIALS."""
    cdef Py_ssize_t k, count
    if lanes == 1 and column % PARTIALS == 0 and columns % PARTIALS == 0:
        add_blocks[acc_t](line, columns, partials)
        return
    while columns > 0:
        column %= PARTIALS
        count = min(columns, PARTIALS - column)
        for k in range(count * lanes):
            partials[column * lanes + k] = merge[acc_t](partials[column * lanes + k], line[k])
        line += count * lanes
        columns -= count
        column += count


cdef inline void clear(acc_t* partials, Py_ssize_t lanes) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(PARTIALS * lanes):
        partials[k] = nothing[acc_t](partials)


cdef inline void sum_partials(
    acc_t* partials,        # IN, destroyed: PARTIALS x lanes
    Py_ssize_t lanes,
    acc_t* sums,            # OUT: lanes
) noexcept nogil:
    """Sum the running sums as a balanced tree: k and k + 8, then k and k + 4, ..."""
    cdef Py_ssize_t k, half = PARTIALS * lanes
    while half > lanes:
        half //= 2
        for k in range(half):
            partials[k] = merge[acc_t](partials[k], partials[half + k])
    for k in range(lanes):
        sums[k] = partials[k]


cdef inline void add_piece(
    const acc_t* line,          # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes,
    Py_ssize_t column,          # IN: which element of the window the first of them is
    Py_ssize_t size,            # IN: the elements of the window
    acc_t* partials,            # IN, OUT, for long windows: PARTIALS x lanes
    acc_t* sums,                # IN, OUT: lanes
) noexcept nogil:
    """Go on with a window, in the order that its size asks for; `sums` are right at its end."""
    cdef Py_ssize_t whole = size - size % PARTIALS, count = 0
    if size < LONG:
        add_columns[acc_t](line, columns, lanes, column == 0, sums)
        return
    if column < whole:
        count = min(columns, whole - column)
        if column == 0:
            clear[acc_t](partials, lanes)
        add_partials[acc_t](line, count, lanes, column, partials)
        if column + count == whole:
            sum_partials[acc_t](partials, lanes, sums)
    add_columns[acc_t](line + count * lanes, columns - count, lanes, False, sums)


cdef inline void sum_chains(
    const acc_t* a, const acc_t* b, const acc_t* c, const acc_t* d,     # IN: where windows begin
    Py_ssize_t step,            # IN: from one element of a window to the next
    Py_ssize_t columns,
    acc_t* totals,              # OUT: CHAINS
) noexcept nogil:
    """Sum windows side by side: one alone would run at the latency of an addition."""
    cdef acc_t p = a[0], q = b[0], r = c[0], t = d[0]
    cdef Py_ssize_t i = step
    for _ in range(1, columns):
        p = merge[acc_t](p, a[i])
        q = merge[acc_t](q, b[i])
        r = merge[acc_t](r, c[i])
        t = merge[acc_t](t, d[i])
        i += step
    totals[0], totals[1], totals[2], totals[3] = p, q, r, t


cdef inline void sum_down(
    const acc_t* lines,         # IN: the window of a lane in each of the lines
    Py_ssize_t count,           # IN: lines, at least CHAINS
    Py_ssize_t line_step, Py_ssize_t step, Py_ssize_t columns,
    acc_t* sums, Py_ssize_t sums_step,  # OUT: count
) noexcept nogil:
    """Sum one short window in several lines."""
    cdef acc_t totals[CHAINS]
    cdef const acc_t* first
    cdef Py_ssize_t k = 0, i
    while k < count:
        k = min(k, count - CHAINS)  # the last ones once more, if need be
        first = lines + k * line_step
        sum_chains[acc_t](
            first, first + line_step, first + 2 * line_step, first + 3 * line_step, step, columns,
            totals,
        )
        for i in range(CHAINS):
            sums[(k + i) * sums_step] = totals[i]
        k += CHAINS


cdef inline void sum_regular(
    const acc_t* line, Py_ssize_t windows, Py_ssize_t lanes, Py_ssize_t size,
    acc_t* sums,                # OUT: windows x lanes
) noexcept nogil:
    """Sum windows of 2, 3 or 4 columns that follow each other. To be called with a literal size."""
    cdef Py_ssize_t ow, lane, i
    cdef acc_t total
    for ow in range(windows):
        for lane in range(lanes):
            i = ow * size * lanes + lane
            total = merge[acc_t](line[i], line[i + lanes])
            if size > 2:
                total = merge[acc_t](total, line[i + 2 * lanes])
            if size > 3:
                total = merge[acc_t](total, line[i + 3 * lanes])
            sums[ow * lanes + lane] = total


cdef inline bint adds_four(acc_t* like) noexcept nogil:
    """Whether `sum_regular_of_three` is a vector's."""
    if acc_t is uint16_t:
        return True
    elif acc_t is double:
        return QUADS
    else:
        return False


cdef inline void sum_regular_of_three(
    const acc_t* line, Py_ssize_t windows, Py_ssize_t size,
    acc_t* sums,                # OUT: windows x 3, and one more
) noexcept nogil:
    """`sum_regular` for three lanes as if they were four: the next window has the last."""
    cdef acc_t totals[4]
    cdef acc_t column[4]
    cdef Py_ssize_t lane
    cdef quad_t total
    for _ow in range(windows):
        if acc_t is double:
            total = load(line)
            for _i in range(1, size):
                line += 3
                total = add(total, load(line))
            store(sums, total)
        else:
            memcpy(totals, line, sizeof(totals))    # or GCC would put vectors together bit by bit
            for _i in range(1, size):
                line += 3
                memcpy(column, line, sizeof(column))
                for lane in range(4):
                    totals[lane] = merge[acc_t](totals[lane], column[lane])
            memcpy(sums, totals, sizeof(totals))
        line += 3
        sums += 3


cdef inline void sum_columns(
    const char** rows,      # IN: 1 to ROWS pieces of lines
    Py_ssize_t count,
    Py_ssize_t begin, Py_ssize_t step,  # IN: in bytes: the first column, and from one to the next
    Py_ssize_t columns, Py_ssize_t n,
    value_t* _,             # the type of the elements
    acc_t* sums,            # OUT: n sums
) noexcept nogil:
    """Sum a short window of a few lines straight from the input. To be called as add_rows is."""
    add_column[value_t, acc_t](rows, count, begin, n, True, _, sums)
    for _i in range(1, columns):
        begin += step
        add_column[value_t, acc_t](rows, count, begin, n, False, _, sums)


cdef inline quad_t sum_blocks(
    const float* run, Py_ssize_t n,     # IN: at least PARTIALS elements
) noexcept nogil:
    """The whole blocks of `sum_run` in running sums, of which four are left."""
    cdef quad_t a = widen(run), b = widen(run + 4), c = widen(run + 8), d = widen(run + 12)
    cdef Py_ssize_t i = PARTIALS
    while i + PARTIALS <= n:
        a = add(a, widen(run + i))
        b = add(b, widen(run + i + 4))
        c = add(c, widen(run + i + 8))
        d = add(d, widen(run + i + 12))
        i += PARTIALS
    return add(add(a, c), add(b, d))


cdef inline void sum_four_runs(
    const char* first, Py_ssize_t step,     # IN: runs of n floats, so many bytes apart
    Py_ssize_t n,
    double* sums,                           # OUT: four
) noexcept nogil:
    """`sum_run` for runs side by side."""
    cdef const float* a = <const float*> first
    cdef const float* b = <const float*> (first + step)
    cdef const float* c = <const float*> (first + 2 * step)
    cdef const float* d = <const float*> (first + 3 * step)
    cdef quad_t p = sum_blocks(a, n)  # in the order in which they lie in memory
    cdef quad_t q = sum_blocks(b, n)
    cdef quad_t r = sum_blocks(c, n)
    cdef quad_t t = sum_blocks(d, n)
    cdef Py_ssize_t i
    store(sums, fold(p, q, r, t))
    for i in range(n - n % PARTIALS, n):
        sums[0] += <double> a[i]
        sums[1] += <double> b[i]
        sums[2] += <double> c[i]
        sums[3] += <double> d[i]


cdef inline void sum_run(
    const value_t* run, Py_ssize_t n,   # IN: at least LONG elements
    acc_t* sums,                        # OUT: one
) noexcept nogil:
    """Sum a window that is one run in memory: what `add_piece` does, straight from the input."""
    cdef acc_t totals[PARTIALS]
    cdef Py_ssize_t k, i = PARTIALS, whole = n - n % PARTIALS
    if acc_t is double:
        if value_t is float:
            if QUADS:
                store(totals, sum_blocks(run, n))
                i = whole
    if i < whole:
        for k in range(PARTIALS):
            totals[k] = plus[acc_t, value_t](nothing[acc_t](sums), run[k])
        while i < whole:
            for k in range(PARTIALS):
                totals[k] = plus[acc_t, value_t](totals[k], run[i + k])
            i += PARTIALS
        for k in range(PARTIALS // 2):
            totals[k] = merge[acc_t](totals[k], totals[PARTIALS // 2 + k])
        for k in range(PARTIALS // 4):
            totals[k] = merge[acc_t](totals[k], totals[PARTIALS // 4 + k])
    totals[0] = merge[acc_t](
        merge[acc_t](totals[0], totals[2]), merge[acc_t](totals[1], totals[3])
    )
    for i in range(whole, n):
        totals[0] = plus[acc_t, value_t](totals[0], run[i])
    sums[0] = totals[0]


cdef inline void sum_run_of_lanes(
    const char* run, Py_ssize_t step,   # IN: `size` times n elements, so many bytes apart
    Py_ssize_t size, Py_ssize_t n,
    value_t* _,             # the type of the elements
    acc_t* partials,        # scratch: PARTIALS x n
    acc_t* sums,            # OUT: n
) noexcept nogil:
    """What `sum_run` does, for lanes: in one pass, ROWS elements of each running sum at a time."""
    cdef Py_ssize_t whole = size - size % PARTIALS if size >= LONG else 0, i = 0, k, row, count
    cdef const char* rows[ROWS]
    while i < whole:
        count = min((whole - i) // PARTIALS, <Py_ssize_t> ROWS)
        for k in range(PARTIALS):
            for row in range(count):
                rows[row] = run + (i + k + row * PARTIALS) * step
            add_some[value_t, acc_t](rows, count, 0, n, i == 0, _, partials + k * n)
        i += count * PARTIALS
    if whole > 0:
        sum_partials[acc_t](partials, n, sums)
    while i < size:
        count = min(size - i, <Py_ssize_t> ROWS)
        for row in range(count):
            rows[row] = run + (i + row) * step
        add_some[value_t, acc_t](rows, count, 0, n, i == 0, _, sums)
        i += count
