"""Sums of short windows, in the order that is part of the contract (docs/design/summation.md).

Of a line of sums, or of a few lines straight from the input, by whatever makes vectors: lanes,
four columns of a window, the lanes of a few channels, or four windows side by side.
"""
from adaptive_pool._kernels.average.accumulators cimport acc_t, merge, nothing, plus
from adaptive_pool._kernels.call.elements cimport int64_t, value_t
from adaptive_pool._kernels.tiles.planes cimport VECTOR
from adaptive_pool._kernels.simd.quads cimport (
    QUADS, add, fold, load, load_some, quad_t, store, sum_columns_by_quads,
)

cdef extern from *:
    """
    /* GCC 12.2 makes vectors of the loop over columns for aarch64, and loses columns of bytes
       (docs/design/processors.md). A loop whose index it knows nothing of, it leaves as it is. */
    #if defined(__aarch64__) && defined(__GNUC__)
    #define ap_hide(index) __asm__ volatile ("" : "+r" (index))
    #else
    #define ap_hide(index) ((void) 0)
    #endif
    """
    void hide "ap_hide"(Py_ssize_t index) noexcept nogil

cdef enum:
    FEW = 4     # running sums of a short window, if they are double


cdef inline void fold_blocks(
    const double* totals,   # IN: FEW x n
    Py_ssize_t n,
    double* sums,           # OUT: n
) noexcept nogil:
    """What is left of any number of running sums in the end is added in this order."""
    cdef Py_ssize_t i
    for i in range(n):
        sums[i] = (totals[i] + totals[2 * n + i]) + (totals[n + i] + totals[3 * n + i])


cdef inline void sum_short(
    const acc_t* line, Py_ssize_t step,     # IN: columns of VECTOR lanes, so many elements apart
    Py_ssize_t columns,
    acc_t* sums,                            # OUT: VECTOR
) noexcept nogil:
    """Sum a short window in registers."""
    cdef acc_t totals[FEW * VECTOR]
    cdef Py_ssize_t j, i
    for i in range(FEW * VECTOR if acc_t is double else VECTOR):
        totals[i] = nothing[acc_t](sums)
    if acc_t is double:
        for _k in range(columns // FEW):
            for j in range(FEW):
                for i in range(VECTOR):
                    totals[j * VECTOR + i] += line[i]
                line += step
        for j in range(FEW - 1):
            if j < columns % FEW:
                for i in range(VECTOR):
                    totals[j * VECTOR + i] += line[i]
                line += step
        fold_blocks(totals, VECTOR, sums)
    else:
        for _k in range(columns):
            for i in range(VECTOR):
                totals[i] = merge[acc_t](totals[i], line[i])
            line += step
        for i in range(VECTOR):
            sums[i] = totals[i]


cdef inline double sum_short_of_one(
    const double* line, Py_ssize_t step, Py_ssize_t columns,
    Py_ssize_t least, Py_ssize_t most,      # IN: columns of any such window
) noexcept nogil:
    """`sum_short` for one lane.

    A processor could not foresee `columns`, so no branch depends on it.
    """
    cdef double none = -0.0, a = line[0], b = none, c = none, d = none
    cdef Py_ssize_t k = FEW
    if most > 1:
        b = (line + step if columns > 1 else &none)[0]
    if most > 2:
        c = (line + 2 * step if columns > 2 else &none)[0]
    if most > 3:
        d = (line + 3 * step if columns > 3 else &none)[0]
    while k + FEW <= least:
        line += FEW * step
        a += line[0]
        b += line[step]
        c += line[2 * step]
        d += line[3 * step]
        k += FEW
    while k < most:
        line += FEW * step
        a += (line if k < columns else &none)[0]
        if k + 1 < most:
            b += (line + step if k + 1 < columns else &none)[0]
        if k + 2 < most:
            c += (line + 2 * step if k + 2 < columns else &none)[0]
        if k + 3 < most:
            d += (line + 3 * step if k + 3 < columns else &none)[0]
        k += FEW
    return (a + c) + (b + d)


cdef inline void sum_four_chains(
    const acc_t** first, const Py_ssize_t* columns, Py_ssize_t step,    # IN: four windows
    Py_ssize_t least, Py_ssize_t most,
    acc_t* sums,                                                        # OUT: four
) noexcept nogil:
    """`sum_short_of_one` for sums other than double: one running sum for each of four windows."""
    cdef acc_t none = nothing[acc_t](&none)
    cdef acc_t a = first[0][0], b = first[1][0], c = first[2][0], d = first[3][0]
    cdef Py_ssize_t k, i = 0
    for _k in range(1, least):
        i += step
        a = merge[acc_t](a, first[0][i])
        b = merge[acc_t](b, first[1][i])
        c = merge[acc_t](c, first[2][i])
        d = merge[acc_t](d, first[3][i])
    for k in range(least, most):
        i += step
        a = merge[acc_t](a, (first[0] + i if k < columns[0] else &none)[0])
        b = merge[acc_t](b, (first[1] + i if k < columns[1] else &none)[0])
        c = merge[acc_t](c, (first[2] + i if k < columns[2] else &none)[0])
        d = merge[acc_t](d, (first[3] + i if k < columns[3] else &none)[0])
    sums[0], sums[1], sums[2], sums[3] = a, b, c, d


cdef inline void sum_four_short(
    const double* line,
    const int64_t* starts, const int64_t* ends,     # IN: of four windows
    Py_ssize_t least, Py_ssize_t most,
    double* sums,                                   # OUT: four
) noexcept nogil:
    """`sum_short_of_one` by quads."""
    cdef const double* a = line + starts[0]
    cdef const double* b = line + starts[1]
    cdef const double* c = line + starts[2]
    cdef const double* d = line + starts[3]
    cdef Py_ssize_t k = FEW
    cdef quad_t p, q, r, t
    if least < FEW:
        p, q = load_some(a, ends[0] - starts[0]), load_some(b, ends[1] - starts[1])
        r, t = load_some(c, ends[2] - starts[2]), load_some(d, ends[3] - starts[3])
    else:
        p, q, r, t = load(a), load(b), load(c), load(d)
    while k + FEW <= least:
        p = add(p, load(a + k))
        q = add(q, load(b + k))
        r = add(r, load(c + k))
        t = add(t, load(d + k))
        k += FEW
    while k < most:
        p = add(p, load_some(a + k, ends[0] - starts[0] - k))
        q = add(q, load_some(b + k, ends[1] - starts[1] - k))
        r = add(r, load_some(c + k, ends[2] - starts[2] - k))
        t = add(t, load_some(d + k, ends[3] - starts[3] - k))
        k += FEW
    store(sums, fold(p, q, r, t))


cdef inline void sum_short_of_four(
    const double* line, Py_ssize_t step, Py_ssize_t columns, Py_ssize_t least, Py_ssize_t most,
    double* sums,           # OUT: four
) noexcept nogil:
    """`sum_short` for four lanes."""
    cdef double none[4]
    cdef quad_t a, b, c, d
    cdef Py_ssize_t k = FEW
    none[:] = [-0.0, -0.0, -0.0, -0.0]
    if least < FEW:
        a = load(line)
        b = load(line + step if columns > 1 else none)
        c = load(line + 2 * step if columns > 2 else none)
        d = load(line + 3 * step if columns > 3 else none)
    else:
        a, b, c, d = load(line), load(line + step), load(line + 2 * step), load(line + 3 * step)
    line += FEW * step
    while k + FEW <= least:
        a = add(a, load(line))
        b = add(b, load(line + step))
        c = add(c, load(line + 2 * step))
        d = add(d, load(line + 3 * step))
        line += FEW * step
        k += FEW
    while k < most:
        a = add(a, load(line if k < columns else none))
        b = add(b, load(line + step if k + 1 < columns else none))
        c = add(c, load(line + 2 * step if k + 2 < columns else none))
        d = add(d, load(line + 3 * step if k + 3 < columns else none))
        line += FEW * step
        k += FEW
    store(sums, add(add(a, c), add(b, d)))


cdef inline void sum_short_of_lanes(
    const double* line, Py_ssize_t step,    # IN: columns of n lanes, so many elements apart
    Py_ssize_t columns, Py_ssize_t n,       # IN: four lanes or more
    double* sums,                           # OUT: n
) noexcept nogil:
    """`sum_short` by quads."""
    cdef quad_t a, b, c, d
    cdef const double* column
    cdef Py_ssize_t i = 0
    while i < n:
        i = min(i, n - 4)   # the last ones once more, if need be
        column = line + i
        a = load(column)
        if columns < FEW:
            if columns > 2:
                a = add(a, load(column + 2 * step))
            if columns > 1:
                a = add(a, load(column + step))
        else:
            b, c, d = load(column + step), load(column + 2 * step), load(column + 3 * step)
            for _k in range(columns // FEW - 1):
                column += FEW * step
                a = add(a, load(column))
                b = add(b, load(column + step))
                c = add(c, load(column + 2 * step))
                d = add(d, load(column + 3 * step))
            column += FEW * step
            if columns % FEW > 0:
                a = add(a, load(column))
            if columns % FEW > 1:
                b = add(b, load(column + step))
            if columns % FEW > 2:
                c = add(c, load(column + 2 * step))
            a = add(add(a, c), add(b, d))
        store(sums + i, a)
        i += 4


cdef inline void sum_regular(
    const acc_t* line, Py_ssize_t windows, Py_ssize_t lanes, Py_ssize_t size,
    acc_t* sums,                # OUT: windows x lanes
) noexcept nogil:
    """Sum windows of 2, 3 or 4 columns that follow each other. To be called with a literal size."""
    cdef Py_ssize_t ow, lane, i
    cdef acc_t total, other
    for ow in range(windows):
        for lane in range(lanes):
            i = ow * size * lanes + lane
            total = line[i]
            if acc_t is double and size > 2:    # the order of sum_short
                total += line[i + 2 * lanes]
            other = line[i + lanes]
            if acc_t is double and size > 3:
                other += line[i + 3 * lanes]
            total = merge[acc_t](total, other)
            if acc_t is not double and size > 2:
                total = merge[acc_t](total, line[i + 2 * lanes])
            if acc_t is not double and size > 3:
                total = merge[acc_t](total, line[i + 3 * lanes])
            sums[ow * lanes + lane] = total


cdef inline bint adds_four(acc_t* like) noexcept nogil:
    """Whether `sum_regular_of_four` is a vector's."""
    return acc_t is double and QUADS


cdef inline void sum_regular_of_four(
    const acc_t* line, Py_ssize_t windows, Py_ssize_t lanes, Py_ssize_t size,
    acc_t* sums,                # OUT: windows x lanes, and one more
) noexcept nogil:
    """`sum_regular` for three or four lanes; the next window has the fourth of three."""
    cdef quad_t total, other
    for _ow in range(windows):
        if acc_t is double:
            total, other = load(line), load(line + lanes)
            if size > 2:
                total = add(total, load(line + 2 * lanes))
            if size > 3:
                other = add(other, load(line + 3 * lanes))
            store(sums, add(total, other))
        line += size * lanes
        sums += lanes


cdef inline void add_column(
    const char** rows,      # IN: 1 to ROWS pieces of lines
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first,
    value_t* _,             # the type of the elements
    acc_t* sums,            # IN (unless first), OUT: n sums
) noexcept nogil:
    """Sum a column of a window over all its rows, then add it to those before.

    To be called with a literal count and first: the loop is then compiled without a branch in it.
    """
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


cdef inline void sum_block_of_columns(
    const char** rows, Py_ssize_t count, Py_ssize_t begin, Py_ssize_t step, Py_ssize_t columns,
    const Py_ssize_t n,     # IN: VECTOR at most, and that is better a literal
    value_t* _, acc_t* sums,
) noexcept nogil:
    """`sum_columns` in registers."""
    cdef acc_t totals[FEW * VECTOR]
    cdef Py_ssize_t k, i
    add_column[value_t, acc_t](rows, count, begin, n, True, _, totals)
    if acc_t is double:
        for k in range(1, FEW):
            if k < columns:
                add_column[value_t, acc_t](
                    rows, count, begin + k * step, n, True, _, totals + k * n
                )
            else:
                for i in range(n):
                    totals[k * n + i] = -0.0
        for k in range(FEW, columns):
            add_column[value_t, acc_t](
                rows, count, begin + k * step, n, False, _, totals + k % FEW * n
            )
        fold_blocks(totals, n, sums)
    else:
        for k in range(1, columns):
            hide(k)
            add_column[value_t, acc_t](rows, count, begin + k * step, n, False, _, totals)
        for i in range(n):
            sums[i] = totals[i]


cdef inline void sum_blocks_of_columns(
    const char** rows, Py_ssize_t count, Py_ssize_t begin, Py_ssize_t step, Py_ssize_t columns,
    Py_ssize_t n, value_t* _, acc_t* sums,
) noexcept nogil:
    """`sum_columns` for a literal count."""
    cdef Py_ssize_t i = 0
    if n < VECTOR:
        sum_block_of_columns[value_t, acc_t](rows, count, begin, step, columns, n, _, sums)
        return
    while i < n:
        i = min(i, n - VECTOR)  # the last ones once more, if need be
        sum_block_of_columns[value_t, acc_t](
            rows, count, begin + i * <Py_ssize_t> sizeof(value_t), step, columns, VECTOR, _,
            sums + i,
        )
        i += VECTOR


cdef inline void sum_columns(
    const char** rows,      # IN: 1 to ROWS pieces of lines
    Py_ssize_t count,
    Py_ssize_t begin, Py_ssize_t step,  # IN: in bytes: the first column, and from one to the next
    Py_ssize_t columns, Py_ssize_t n,
    value_t* _,             # the type of the elements
    acc_t* sums,            # OUT: n sums
) noexcept nogil:
    """Sum a short window of a few lines straight from the input."""
    if acc_t is double:
        if value_t is float:
            if QUADS and n >= 4:
                sum_columns_by_quads(rows, count, begin, step, columns, n, sums)
                return
    if count == 1:
        sum_blocks_of_columns[value_t, acc_t](rows, 1, begin, step, columns, n, _, sums)
    elif count == 2:
        sum_blocks_of_columns[value_t, acc_t](rows, 2, begin, step, columns, n, _, sums)
    elif count == 3:
        sum_blocks_of_columns[value_t, acc_t](rows, 3, begin, step, columns, n, _, sums)
    else:
        sum_blocks_of_columns[value_t, acc_t](rows, 4, begin, step, columns, n, _, sums)
