"""Sums of windows, in the order that is part of the contract (docs/design/summation.md).

Lines are added element by element into one line of sums; a window along W is summed on that line
in FEW running sums (short_sums.pxd) or, if it has LONG columns and more, in PARTIALS. Runs of
elements that a window consists of go straight from memory to the same running sums.
"""
from adaptive_pool._kernels.average.accumulators cimport acc_t, merge, nothing, plus
from adaptive_pool._kernels.call.elements cimport value_t
from adaptive_pool._kernels.tiles.planes cimport ROWS
from adaptive_pool._kernels.simd.quads cimport QUADS, add, add_widened, fold, quad_t, store, widen
from adaptive_pool._kernels.average.short_sums cimport FEW, sum_columns
from adaptive_pool._kernels.average.stacks cimport STACKS, add_lines

cdef enum:
    PARTIALS = 16           # running sums of a long window
    LONG = 2 * PARTIALS     # elements that make a window long


cdef inline void add_row(const value_t* a, Py_ssize_t n, bint first, acc_t* line) noexcept nogil:
    """Add n elements to as many sums, or set these to the first."""
    cdef Py_ssize_t i
    cdef acc_t none = nothing[acc_t](line)
    for i in range(n):
        line[i] = plus[acc_t, value_t](none if first else line[i], a[i])


cdef inline void add_two_rows(
    const value_t* a, const value_t* b, Py_ssize_t n, bint first, acc_t* line,
) noexcept nogil:
    """Two at a time save a round trip of the sums through memory."""
    cdef Py_ssize_t i
    cdef acc_t none = nothing[acc_t](line), total
    for i in range(n):
        total = plus[acc_t, value_t](none if first else line[i], a[i])
        line[i] = plus[acc_t, value_t](total, b[i])


cdef inline void add_four_rows(
    const value_t* a, const value_t* b, const value_t* c, const value_t* d, Py_ssize_t n,
    bint first, acc_t* line,
) noexcept nogil:
    cdef Py_ssize_t i
    cdef acc_t none = nothing[acc_t](line), total
    for i in range(n):
        total = plus[acc_t, value_t](none if first else line[i], a[i])
        total = plus[acc_t, value_t](total, b[i])
        total = plus[acc_t, value_t](total, c[i])
        line[i] = plus[acc_t, value_t](total, d[i])


cdef inline const value_t* row_after(
    const value_t* row, Py_ssize_t step,
) noexcept nogil:
    return <const value_t*> (<const char*> row + step)


cdef inline void add_stack(
    const value_t* a, Py_ssize_t step, Py_ssize_t count,    # IN: runs, so many bytes apart
    Py_ssize_t n, bint first,
    acc_t* line,                                            # IN (unless first), OUT: n sums
) noexcept nogil:
    """Add runs of n elements, element by element, in order.

    Behind the last sum there is room for a quad, whose rest is stored as it was.
    """
    cdef const value_t* b
    cdef const value_t* c
    cdef const value_t* d
    if acc_t is double and value_t is float:
        if STACKS:
            add_lines(<const char*> a, step, count, n, first, line)
            return
    while count > 0:
        b = row_after[value_t](a, step)
        c = row_after[value_t](b, step)
        d = row_after[value_t](c, step)
        if count >= 4:
            add_four_rows[value_t, acc_t](a, b, c, d, n, first, line)
        elif count == 1:
            add_row[value_t, acc_t](a, n, first, line)
        else:
            add_two_rows[value_t, acc_t](a, b, n, first, line)
            if count == 3:
                add_row[value_t, acc_t](c, n, False, line)
        a = row_after[value_t](d, step)
        count -= 4
        first = False


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
    Py_ssize_t most,        # IN: how many running sums there are
    acc_t* partials,        # IN, OUT: most x lanes
) noexcept nogil:
    """Add the column k of a window to the running sum k % most."""
    cdef Py_ssize_t k, count
    if lanes == 1 and most == PARTIALS and column % PARTIALS == 0 and columns % PARTIALS == 0:
        add_blocks[acc_t](line, columns, partials)
        return
    while columns > 0:
        column %= most
        count = min(columns, most - column)
        for k in range(count * lanes):
            partials[column * lanes + k] = merge[acc_t](partials[column * lanes + k], line[k])
        line += count * lanes
        columns -= count
        column += count


cdef inline void sum_partials(
    acc_t* partials,        # IN, destroyed: most x lanes
    Py_ssize_t most, Py_ssize_t lanes,
    acc_t* sums,            # OUT: lanes
) noexcept nogil:
    """Sum 4 or 16 running sums as a balanced tree: of 16, k and k + 8, then k and k + 4, ..."""
    cdef Py_ssize_t k, half = most * lanes
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
    acc_t* partials,            # IN, OUT: PARTIALS x lanes
    acc_t* sums,                # IN, OUT: lanes
) noexcept nogil:
    """Go on with a window, in the order that its size asks for; `sums` are right at its end."""
    cdef Py_ssize_t most = PARTIALS if size >= LONG else FEW if acc_t is double else 1
    cdef Py_ssize_t whole = size if size < LONG else size - size % PARTIALS, count = 0, k, lane
    if column < whole:
        count = min(columns, whole - column)
        if column == 0:
            for k in range(most * lanes):
                partials[k] = nothing[acc_t](partials)
        add_partials[acc_t](line, count, lanes, column, most, partials)
        if column + count == whole:
            sum_partials[acc_t](partials, most, lanes, sums)
    for k in range(count, columns):     # behind the last whole block
        for lane in range(lanes):
            sums[lane] = merge[acc_t](sums[lane], line[k * lanes + lane])


cdef inline quad_t sum_blocks(
    const float* run, Py_ssize_t n,     # IN: at least PARTIALS elements
) noexcept nogil:
    """The whole blocks of `sum_run` in running sums, of which four are left."""
    cdef quad_t a = widen(run), b = widen(run + 4), c = widen(run + 8), d = widen(run + 12)
    cdef Py_ssize_t i = PARTIALS
    while i + PARTIALS <= n:
        a = add_widened(a, widen(run + i))
        b = add_widened(b, widen(run + i + 4))
        c = add_widened(c, widen(run + i + 8))
        d = add_widened(d, widen(run + i + 12))
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
    cdef Py_ssize_t k, i = 0, whole = n - n % PARTIALS
    for k in range(PARTIALS):
        totals[k] = nothing[acc_t](sums)
    if acc_t is double:
        if value_t is float:
            if QUADS:
                store(totals, sum_blocks(run, n))
                i = whole
    if i < whole:
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
    cdef Py_ssize_t whole = size - size % PARTIALS, i = 0, k, count
    if size < LONG:
        sum_columns[value_t, acc_t](&run, 1, 0, step, size, n, _, sums)
        return
    while i < whole:
        count = min((whole - i) // PARTIALS, <Py_ssize_t> ROWS)
        for k in range(PARTIALS):
            add_stack[value_t, acc_t](
                <const value_t*> (run + (i + k) * step), PARTIALS * step, count, n, i == 0,
                partials + k * n,
            )
        i += count * PARTIALS
    sum_partials[acc_t](partials, PARTIALS, n, sums)
    add_stack[value_t, acc_t](
        <const value_t*> (run + i * step), step, size - i, n, False, sums
    )
