"""Average pooling, forward.

Parallel over tiles of output lines. Per tile the axes are separated: the input lines of a (d, h)
window are added element by element into one accumulator line, which is contiguous and vectorises;
windows along W are then reduced on that short line. An overlap of windows is read once per axis,
not once per window.

The order of summation is part of the contract (docs/design/summation.md): lines in row-major
order of (d, h); then along W from left to right or, for windows of LONG columns and more, in
PARTIALS running sums. A window that is all of W goes element by element instead, and has LONG
elements.
"""
from libc.math cimport isfinite
from libc.string cimport memcpy

from adaptive_pool._kernels.accumulators cimport (
    acc_t, mean_t, merge, narrow_real_t, nothing, plus, store_mean, twofold_mean, twofold_t,
    wide_t,
)
from adaptive_pool._kernels.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32,
    UINT64,
    Element, bfloat16_t, float16_t, int8_t, int16_t, int32_t, int64_t, one_nan, real_t, store_real,
    uint8_t, uint16_t, uint32_t, uint64_t, value_t,
)
from adaptive_pool._kernels.halves cimport half_t, narrow_run
from adaptive_pool._kernels.jobs cimport is_brief, run_jobs
from adaptive_pool._kernels.packing cimport (
    PACK, Packing, pack, pack_size, packed_results, plan_packing, results_size, unpack,
)
from adaptive_pool._kernels.planes cimport (
    CHUNK, JOBS, ROWS, TILE, VECTOR, Line, Piece, Pooling, Tile, ask_ahead, at, buffer_size,
    input_at, is_long_piece, isa, job_count, line_of, locate, next_line, pieces, plan, read_rows,
    shape_of_piece, step_of_run,
)
from adaptive_pool._kernels.quads cimport QUADS, add, fold, load, quad_t, store, widen
from adaptive_pool._kernels.tables cimport Axis, Windows, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    PARTIALS = 16           # running sums of a long window
    LONG = 2 * PARTIALS     # elements that make a window long
    PLANES = 64             # pooled to one number each by a job
    SHORT_RUN = 64          # means on their way to halves
    CHAINS = 4              # short windows summed side by side
    TINY_WINDOW = 257       # elements whose sum fits 16 bits, if they have 8 and no sign
    SHORT_WINDOW = 32768    # elements whose sum fits 32 bits, if they have at most 16

# The last step of a job: sums to means, in the type of the output.
ctypedef void (*store_t)(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line, const void* sums,
    double* divisors,
) noexcept nogil


# A job: copied pieces of lines go to `buffers`, the tiles of sums start at `scratch`.
ctypedef void (*tile_t)(
    const void* average, Py_ssize_t job, void* buffers, void* scratch,
) noexcept nogil


cdef struct Average:
    Pooling pooling
    Packing packing
    Array out
    bint planes         # each is one long run in memory, pooled to one number
    tile_t tile
    store_t store
    Py_ssize_t sums     # bytes of a thread's scratch that are for sums


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


cdef inline void sum_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    value_t* buffers,               # scratch for ROWS pieces of lines
    acc_t* sums,                    # OUT: (w1 - w0) x lanes
) noexcept nogil:
    """Sum the input lines of one output line, element by element."""
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef bint long_pieces = p.fetch == NULL and is_long_piece(p, &piece)
    cdef const char* rows[ROWS]
    cdef Py_ssize_t k = 0, count, run, n = (w1 - w0) * tile.lanes, i, m
    if long_pieces:
        piece.step = CHUNK
        piece.length = CHUNK // <Py_ssize_t> sizeof(value_t)
        piece.runs = pieces(n, piece.length)
    while k < line.count:
        count = read_rows(
            p, tile, line, k, ROWS, w0, w1, <char*> buffers, sizeof(value_t), rows
        )
        for run in range(piece.runs):
            i = run * piece.length
            m = min(piece.length, n - i)
            if long_pieces:
                ask_ahead(p, rows, count, run * piece.step, m * <Py_ssize_t> sizeof(value_t))
            add_some[value_t, acc_t](rows, count, run * piece.step, m, k == 0, buffers, sums + i)
        k += count


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


cdef inline void sum_across(
    const Pooling* p, const Tile* tile, Py_ssize_t ow,  # IN: the first of CHAINS short windows
    const acc_t* line,          # IN: columns x lanes of the tile, from a lane on
    acc_t* sums,                # OUT: CHAINS, tile.lanes apart
) noexcept nogil:
    """Sum neighbouring short windows of one line."""
    cdef acc_t totals[CHAINS]
    cdef const acc_t* first[CHAINS]
    cdef acc_t none = nothing[acc_t](sums)
    cdef Py_ssize_t least = window_size(p.w, ow), most = least, size, i, k
    for i in range(CHAINS):
        size = window_size(p.w, ow + i)
        least, most = min(least, size), max(most, size)
        first[i] = line + (p.w.starts[ow + i] - tile.w0) * tile.lanes
    sum_chains[acc_t](first[0], first[1], first[2], first[3], tile.lanes, least, totals)
    for k in range(least, most):  # sizes differ by one as a rule, and a CPU could not foresee which
        for i in range(CHAINS):
            totals[i] = merge[acc_t](
                totals[i],
                (first[i] + k * tile.lanes if k < window_size(p.w, ow + i) else &none)[0],
            )
    for i in range(CHAINS):
        sums[i * tile.lanes] = totals[i]


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


cdef inline void sum_windows(
    const Pooling* p, const Tile* tile,
    const acc_t* lines,         # IN: lines x columns x lanes
    acc_t* partials,            # scratch: PARTIALS x lanes
    acc_t* sums,                # OUT: lines x windows x lanes
) noexcept nogil:
    """Sum all windows of a tile along W where lanes are too few for vectors."""
    cdef Py_ssize_t lanes = tile.lanes, windows = (tile.ow1 - tile.ow0) * lanes
    cdef Py_ssize_t line_step = (tile.w1 - tile.w0) * lanes
    cdef Py_ssize_t ow = tile.ow0, size, lane, k, count
    cdef const acc_t* first
    if 2 <= p.w.regular <= 4:
        for k in range(tile.lines):
            first = lines + k * line_step
            count = tile.ow1 - tile.ow0
            if p.w.regular == 2 and lanes == 3:
                sum_regular[acc_t](first, count, 3, 2, sums)
            elif p.w.regular == 2:
                sum_regular[acc_t](first, count, lanes, 2, sums)
            elif p.w.regular == 3:
                sum_regular[acc_t](first, count, lanes, 3, sums)
            else:
                sum_regular[acc_t](first, count, lanes, 4, sums)
            sums += windows
        return
    while ow < tile.ow1:
        first = lines + (p.w.starts[ow] - tile.w0) * lanes
        size = window_size(p.w, ow)
        count = 1
        if tile.lines >= CHAINS and size < LONG:
            for lane in range(lanes):
                sum_down[acc_t](
                    first + lane, tile.lines, line_step, lanes, size, sums + lane, windows
                )
        elif p.w.longest < LONG and ow + CHAINS <= tile.ow1:
            count = CHAINS
            for k in range(tile.lines):
                for lane in range(lanes):
                    sum_across[acc_t](
                        p, tile, ow, lines + k * line_step + lane, sums + k * windows + lane
                    )
        else:
            for k in range(tile.lines):
                add_piece[acc_t](
                    first + k * line_step, size, lanes, 0, size, partials, sums + k * windows
                )
        ow += count
        sums += count * lanes


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


cdef inline void sum_small(
    const Pooling* p, const Tile* tile, const Line* line,
    value_t* buffers,       # scratch for ROWS pieces of lines
    acc_t* sums,            # OUT: windows x lanes
) noexcept nogil:
    """Sum the short windows of an output line of at most ROWS lines, by vectors over lanes."""
    cdef const char* rows[ROWS]
    cdef Py_ssize_t n = tile.lanes, row = 0, ow, begin, size
    cdef Py_ssize_t step = p.x.w if p.fetch == NULL else n * <Py_ssize_t> sizeof(value_t)
    while row < line.count:
        row += read_rows(
            p, tile, line, row, ROWS, tile.w0, tile.w1, <char*> (buffers + row * TILE),
            sizeof(value_t), rows + row,
        )
    for ow in range(tile.ow0, tile.ow1):
        begin = (p.w.starts[ow] - tile.w0) * step
        size = window_size(p.w, ow)
        if line.count == 1:
            sum_columns[value_t, acc_t](rows, 1, begin, step, size, n, buffers, sums)
        elif line.count == 2:
            sum_columns[value_t, acc_t](rows, 2, begin, step, size, n, buffers, sums)
        elif line.count == 3:
            sum_columns[value_t, acc_t](rows, 3, begin, step, size, n, buffers, sums)
        else:
            sum_columns[value_t, acc_t](rows, 4, begin, step, size, n, buffers, sums)
        sums += n


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


cdef inline void sum_whole_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    value_t* buffers,       # scratch for a piece of a line
    acc_t* piece,           # scratch: TILE
    acc_t* partials,        # scratch: PARTIALS x lanes
    acc_t* sums,            # OUT: lanes
) noexcept nogil:
    """Sum a window of whole lines, element after element in row-major order."""
    cdef Py_ssize_t lanes = tile.lanes, size = line.count * p.w.size, reach = TILE // lanes
    cdef Py_ssize_t k, w, columns, column = 0, run, step = step_of_run(p, line)
    cdef Piece shape
    cdef const char* row[ROWS]
    cdef const char* first = input_at(p, line, 0, 0, tile.lane)
    if lanes == 1 and step == p.x.itemsize and size >= LONG:
        sum_run[value_t, acc_t](<const value_t*> first, size, sums)
        return
    if step != 0:
        sum_run_of_lanes[value_t, acc_t](first, step, size, lanes, buffers, partials, sums)
        return
    for k in range(line.count):
        w = 0
        while w < p.w.size:
            columns = min(reach, p.w.size - w)
            shape = shape_of_piece(p, tile, columns)
            read_rows(
                p, tile, line, k, 1, w, w + columns, <char*> buffers, sizeof(value_t), row
            )
            for run in range(shape.runs):
                add_rows[value_t, acc_t](
                    row, 1, run * shape.step, shape.length, True, buffers,
                    piece + run * shape.length,
                )
            add_piece[acc_t](piece, columns, lanes, column, size, partials, sums)
            w += columns
            column += columns


cdef inline void average_planes(
    const Average* average, Py_ssize_t job, value_t* _, acc_t* scratch,
) noexcept nogil:
    """A job of planes that are runs in memory, pooled to one number each: stored as lanes are."""
    cdef Pooling p = average.pooling
    cdef Array out = average.out
    cdef Py_ssize_t jobs = pieces(p.channels, p.group), done = 0, k
    cdef Tile tile
    cdef Line line = line_of(&p, job // jobs * p.channels + job % jobs * p.group)
    cdef Py_ssize_t size = line.count * p.w.size
    cdef double* divisors = <double*> (scratch + PLANES)
    cdef const char* first
    p.x.lane, out.lane = p.x.channel, out.channel
    tile.lane = tile.w0 = tile.ow0 = 0
    tile.lanes, tile.w1, tile.ow1 = min(p.group, p.channels - line.channel), p.w.size, 1
    first = input_at(&p, &line, 0, 0, 0)
    if acc_t is double:
        if value_t is float:
            if QUADS:
                while done + 4 <= tile.lanes:
                    sum_four_runs(first + done * p.x.lane, p.x.lane, size, scratch + done)
                    done += 4
    for k in range(done, tile.lanes):
        sum_run[value_t, acc_t](<const value_t*> (first + k * p.x.lane), size, scratch + k)
    divisors[0] = 0
    average.store(&p, &out, &tile, &line, scratch, divisors)


cdef inline void average_tile(
    const Average* average, Py_ssize_t job, value_t* buffers, acc_t* scratch,
) noexcept nogil:
    if average.planes:
        average_planes[value_t, acc_t](average, job, buffers, scratch)
        return
    cdef const Pooling* p = &average.pooling
    cdef Tile tile = locate(p, job)
    cdef Line first = line_of(p, tile.line), line = first
    cdef Py_ssize_t lanes = tile.lanes, columns = tile.w1 - tile.w0, k, ow, w, end
    cdef Py_ssize_t windows = tile.ow1 - tile.ow0
    cdef acc_t* sums = scratch + TILE           # of whole windows
    cdef acc_t* partials = scratch + 2 * TILE   # running sums of a long window
    cdef double* divisors = <double*> (partials + PARTIALS * lanes)
    # Long windows of one line are runs in memory.
    cdef bint direct = lanes == 1 and p.fetch == NULL and p.w.shortest >= LONG and (
        p.d.longest == 1 and p.h.longest == 1
    )

    for k in range(tile.lines):
        if p.whole:
            sum_whole_lines[value_t, acc_t](
                p, &tile, &line, buffers, scratch, partials, sums + k * lanes
            )
        elif direct:
            for ow in range(windows):
                sum_run[value_t, acc_t](
                    <const value_t*> input_at(p, &line, 0, p.w.starts[tile.ow0 + ow], 0),
                    window_size(p.w, tile.ow0 + ow), sums + k * windows + ow,
                )
        elif columns * lanes > TILE:  # a single window, wider than a tile
            w = tile.w0
            while w < tile.w1:
                end = min(w + TILE // lanes, tile.w1)
                sum_lines[value_t, acc_t](p, &tile, &line, w, end, buffers, scratch)
                add_piece[acc_t](scratch, end - w, lanes, w - tile.w0, columns, partials, sums)
                w = end
        elif lanes < VECTOR:
            sum_lines[value_t, acc_t](
                p, &tile, &line, tile.w0, tile.w1, buffers, scratch + k * columns * lanes
            )
        elif line.count <= ROWS and p.w.longest < LONG:
            sum_small[value_t, acc_t](p, &tile, &line, buffers, sums + k * windows * lanes)
        else:
            sum_lines[value_t, acc_t](p, &tile, &line, tile.w0, tile.w1, buffers, scratch)
            for ow in range(tile.ow0, tile.ow1):
                add_piece[acc_t](
                    scratch + (p.w.starts[ow] - tile.w0) * lanes, window_size(p.w, ow), lanes,
                    0, window_size(p.w, ow), partials,
                    sums + (k * windows + ow - tile.ow0) * lanes,
                )
        next_line(p, &line)
    if lanes < VECTOR and not p.whole and not direct and columns * lanes <= TILE:
        sum_windows[acc_t](p, &tile, scratch, partials, sums)
    line = first
    divisors[0] = 0
    for k in range(tile.lines):
        average.store(p, &average.out, &tile, &line, sums + k * windows * lanes, divisors)
        next_line(p, &line)


cdef double mean_of_scaled(
    const Pooling* p, const Line* line, Py_ssize_t ow, Py_ssize_t lane,
) noexcept nogil:
    """The mean of one float64 window whose sum overflows although its mean need not."""
    cdef twofold_t total = nothing[twofold_t](&total)
    cdef double scale = 2.0 ** -64, x
    cdef Py_ssize_t k, w
    for k in range(line.count):
        for w in range(p.w.starts[ow], p.w.ends[ow]):
            memcpy(&x, input_at(p, line, k, w, lane), sizeof(double))
            total = plus[twofold_t, double](total, x * scale)
    if not isfinite(total.value):  # there are infinities or NaNs in the window
        return total.value
    return twofold_mean(total, line.count * window_size(p.w, ow)) / scale


cdef inline bint are_equal(const Axis* w) noexcept nogil:
    """Whether all windows are of one size."""
    return w.shortest == w.longest


cdef inline void prepare_divisors(
    const Pooling* p, const Tile* tile, const Line* line, Py_ssize_t lanes, bint inverse,
    double* divisors,       # OUT: 1 + windows x lanes
) noexcept nogil:
    """The sizes of the windows of a line, or their inverses, each `lanes` times, from 1 on.

    One window stands for all if they are equal. divisors[0] is the number of input lines that
    they are for.
    """
    cdef Py_ssize_t ow, lane
    cdef double lines = <double> line.count, size
    if divisors[0] == lines:
        return
    divisors[0] = lines
    divisors += 1
    for ow in range(tile.ow0, tile.ow0 + 1 if are_equal(p.w) else tile.ow1):
        size = lines * <double> window_size(p.w, ow)
        for lane in range(lanes):
            divisors[lane] = 1.0 / size if inverse else size
        divisors += lanes


cdef inline void store_run(
    const acc_t* sums, Py_ssize_t n,
    const double* divisors, Py_ssize_t step,    # IN: step 1: one for each sum; 0: one for all
    mean_t* mean,                               # OUT: n
) noexcept nogil:
    """Store means side by side. To be called with a literal step, so that it vectorises."""
    cdef Py_ssize_t i, done = 0, count
    cdef double means[SHORT_RUN]
    if acc_t is double:
        if mean_t in half_t:
            while done < n:
                count = min(n - done, <Py_ssize_t> SHORT_RUN)
                for i in range(count):
                    means[i] = one_nan(sums[done + i] * divisors[(done + i) * step])
                narrow_run[mean_t](means, count, mean + done)
                done += count
    for i in range(done, n):
        if acc_t is double:
            if mean_t in narrow_real_t:
                store_real[mean_t](&mean[i], one_nan(sums[i] * divisors[i * step]))
            else:
                store_mean[mean_t, acc_t](&mean[i], sums[i], divisors[i * step])
        else:
            store_mean[mean_t, acc_t](&mean[i], sums[i], divisors[i * step])


cdef inline void store_means(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line,
    const acc_t* sums,      # IN: windows x lanes
    double* divisors,       # scratch: what was prepared last
    mean_t* mean,           # the type of the output
) noexcept nogil:
    """Divide the sums of the windows of a line by their sizes."""
    cdef Py_ssize_t ow, lane, lanes = tile.lanes, windows = tile.ow1 - tile.ow0
    cdef Py_ssize_t step = 0 if are_equal(p.w) else 1
    cdef char* target = at(
        out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    # Few lanes, side by side, are stored as one run.
    cdef bint run = lanes < VECTOR and out.w == lanes * <Py_ssize_t> sizeof(mean_t) and (
        lanes == 1 or out.lane == <Py_ssize_t> sizeof(mean_t)
    )
    if acc_t is twofold_t:  # one by one: some may have to be done again
        run = False
    if acc_t is double:
        prepare_divisors(p, tile, line, lanes if run else 1, mean_t in narrow_real_t, divisors)
    else:
        prepare_divisors(p, tile, line, lanes if run else 1, False, divisors)
    divisors += 1
    if run and are_equal(p.w):
        store_run[acc_t, mean_t](sums, windows * lanes, divisors, 0, <mean_t*> target)
        return
    elif run:
        store_run[acc_t, mean_t](sums, windows * lanes, divisors, 1, <mean_t*> target)
        return
    elif acc_t is twofold_t:
        pass
    elif lanes > 1 and out.lane == <Py_ssize_t> sizeof(mean_t):
        for ow in range(windows):
            store_run[acc_t, mean_t](sums, lanes, divisors + ow * step, 0, <mean_t*> target)
            sums += lanes
            target += out.w
        return
    for ow in range(windows):
        for lane in range(lanes):
            mean = <mean_t*> (target + lane * out.lane)
            store_run[acc_t, mean_t](sums + lane, 1, divisors + ow * step, 0, mean)
            if acc_t is twofold_t:
                if mean_t in real_t:
                    if not (isfinite(sums[lane].value) and isfinite(sums[lane].error)):
                        store_real[mean_t](
                            mean,
                            one_nan(mean_of_scaled(p, line, tile.ow0 + ow, tile.lane + lane)),
                        )
        sums += lanes
        target += out.w


cdef tile_t tile_for_short(Element element, acc_t* sums) noexcept nogil:
    if element == UINT8 or element == BOOL:
        return <tile_t> average_tile[uint8_t, acc_t]
    elif element == INT8:
        return <tile_t> average_tile[int8_t, acc_t]
    elif element == UINT16:
        return <tile_t> average_tile[uint16_t, acc_t]
    else:
        return <tile_t> average_tile[int16_t, acc_t]


cdef tile_t tile_for(Element element, bint tiny_sums, bint short_sums) noexcept nogil:
    if tiny_sums:
        return <tile_t> average_tile[uint8_t, uint16_t]
    elif element in (BOOL, UINT8, INT8, UINT16, INT16):
        if short_sums:
            return tile_for_short[int32_t](element, NULL)
        return tile_for_short[int64_t](element, NULL)
    elif element == UINT32:
        return <tile_t> average_tile[uint32_t, int64_t]
    elif element == INT32:
        return <tile_t> average_tile[int32_t, int64_t]
    elif element == UINT64:
        return <tile_t> average_tile[uint64_t, wide_t]
    elif element == INT64:
        return <tile_t> average_tile[int64_t, wide_t]
    elif element == FLOAT64:
        return <tile_t> average_tile[double, twofold_t]
    else:  # halves have been widened
        return <tile_t> average_tile[float, double]


cdef store_t store_real_for(Element out, acc_t* sums) noexcept nogil:
    if out == FLOAT16:
        return <store_t> store_means[acc_t, float16_t]
    elif out == BFLOAT16:
        return <store_t> store_means[acc_t, bfloat16_t]
    elif out == FLOAT32:
        return <store_t> store_means[acc_t, float]
    else:
        return <store_t> store_means[acc_t, double]


cdef store_t store_short_for(Element out, acc_t* sums) noexcept nogil:
    if out == UINT8:
        return <store_t> store_means[acc_t, uint8_t]
    elif out == INT8:
        return <store_t> store_means[acc_t, int8_t]
    elif out == UINT16:
        return <store_t> store_means[acc_t, uint16_t]
    elif out == INT16:
        return <store_t> store_means[acc_t, int16_t]
    else:
        return store_real_for[acc_t](out, NULL)


cdef store_t store_for(
    Element element, Element out, bint tiny_sums, bint short_sums,
) noexcept nogil:
    """The store for means of `element` kept as `out`: a float, or the same integers."""
    if element == FLOAT64:
        return store_real_for[twofold_t](out, NULL)
    elif element == FLOAT16 or element == BFLOAT16 or element == FLOAT32:
        return store_real_for[double](out, NULL)
    elif element == UINT64 or element == INT64:
        if out == UINT64:
            return <store_t> store_means[wide_t, uint64_t]
        elif out == INT64:
            return <store_t> store_means[wide_t, int64_t]
        return store_real_for[wide_t](out, NULL)
    elif tiny_sums:
        return store_short_for[uint16_t](out, NULL)
    elif short_sums:
        return store_short_for[int32_t](out, NULL)
    elif out == UINT32:
        return <store_t> store_means[int64_t, uint32_t]
    elif out == INT32:
        return <store_t> store_means[int64_t, int32_t]
    else:
        return store_short_for[int64_t](out, NULL)


cdef bint are_long_runs(const Pooling* p) noexcept nogil:
    """Whether planes are pooled to one number each, by `sum_run`, which no packing improves on."""
    cdef Line line
    if not p.whole or p.d.count * p.h.count > 1 or p.lanes > 1:
        return False
    line = line_of(p, 0)
    return line.count * p.w.size >= LONG and step_of_run(p, &line) == p.x.itemsize


cdef int run_tile(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Average* average = <const Average*> task
    average.tile(average, job, scratch + average.sums, scratch)
    return 0


cdef int run_pack(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Average* average = <const Average*> task
    cdef const Packing* packing = &average.packing
    cdef Average inner = average[0]
    cdef Py_ssize_t k
    inner.pooling = pack(packing, &average.pooling, job, scratch + average.sums)
    inner.out = packed_results(
        packing, &inner.pooling, &average.out, scratch + average.sums + pack_size(packing)
    )
    for k in range(job_count(&inner.pooling)):
        inner.tile(&inner, k, NULL, scratch)
    unpack(packing, &inner.pooling, job, &inner.out, &average.out)
    return 0


cdef int pool(
    Canonical* c, Windows windows, Element element, Element out_element, int num_threads,
) except -1 nogil:
    cdef Average task
    cdef bint tiny_sums = (
        (element == UINT8 or element == BOOL) and windows.largest <= TINY_WINDOW
    )
    cdef bint short_sums = c.arrays[0].itemsize <= 2 and windows.largest <= SHORT_WINDOW
    task.tile = tile_for(element, tiny_sums, short_sums)
    task.store = store_for(element, out_element, tiny_sums, short_sums)
    while True:
        task.pooling = plan(c, element, windows, 1, num_threads)
        task.packing = plan_packing(c, &task.pooling)
        task.out = c.arrays[1]
        # Tiles of sums of lines and of windows, running sums, divisors.
        task.sums = (2 * TILE + PARTIALS * max(task.pooling.lane_block, <Py_ssize_t> PACK)) * (
            sizeof(twofold_t) if element == FLOAT64 or element == UINT64 or element == INT64
            else sizeof(double)
        ) + (1 + TILE) * sizeof(double)
        task.planes = are_long_runs(&task.pooling)
        if task.planes:
            task.pooling.group = max(1, min(PLANES, c.channels // (JOBS * num_threads)))
            run_jobs(
                run_tile, &task, c.batches * pieces(c.channels, task.pooling.group), task.sums,
                num_threads,
            )
        elif task.packing.groups > 0:
            run_jobs(
                run_pack, &task, c.batches * task.packing.groups,
                task.sums + pack_size(&task.packing) + results_size(&task.packing, &task.out),
                num_threads,
            )
        else:
            run_jobs(
                run_tile, &task, job_count(&task.pooling),
                task.sums + buffer_size(&task.pooling), num_threads,
            )
        if not advance(c):
            return 0


def average(
    x,                      # IN: array of the elements below
    out,                    # OUT: array, aligned
    Windows windows,        # IN
    Element element,        # IN: what x holds
    Element out_element,    # IN: what out holds
    int num_threads,        # IN
):
    """Average `x` over `windows` into `out`. Neither is empty."""
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, x, False)
        borrow(&c, out, True)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            pool(&c, windows, element, out_element, num_threads)
        else:
            with nogil:
                pool(&c, windows, element, out_element, num_threads)
    finally:
        give_back(&c)
