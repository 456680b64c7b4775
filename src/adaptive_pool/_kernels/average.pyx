"""Average pooling, forward.

Parallel over tiles of output lines. Per tile the axes are separated: the input lines of a (d, h)
window are added element by element into one accumulator line, which is contiguous and vectorises;
windows along W are then reduced on that short line. An overlap of windows is read once per axis,
not once per window.

The order of summation is part of the contract (docs/design/summation.md): lines in row-major
order of (d, h); then along W from left to right or, for windows of 2 * PARTIALS columns and more,
in PARTIALS running sums, column k of the window going to sum k % PARTIALS.
"""
from libc.math cimport isfinite
from libc.string cimport memcpy

from adaptive_pool._kernels.accumulators cimport (
    acc_t, mean_t, merge, nothing, plus, store_mean, twofold_mean, twofold_t, wide_t,
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
from adaptive_pool._kernels.jobs cimport is_brief, run_jobs
from adaptive_pool._kernels.planes cimport (
    ROWS, TILE, Line, Piece, Pooling, Tile, at, buffer_size, input_at,
    isa, job_count, line_of, locate, plan, read_line, rows_at_once, shape_of_piece,
)
from adaptive_pool._kernels.tables cimport Windows, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    PARTIALS = 16           # running sums of a long window
    LONG = 2 * PARTIALS     # columns that make a window long

# The last step of a job: sums to means, in the type of the output.
ctypedef void (*store_t)(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line, const void* sums,
) noexcept nogil


# A job: copied pieces of lines go to `buffers`, the tiles of sums start at `scratch`.
ctypedef void (*tile_t)(
    const void* average, Py_ssize_t job, void* buffers, void* scratch,
) noexcept nogil


cdef struct Average:
    Pooling pooling
    Array out
    tile_t tile
    store_t store
    Py_ssize_t sums     # bytes of a thread's scratch that are for sums


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
    cdef Py_ssize_t i
    cdef acc_t total
    for i in range(n):
        total = nothing[acc_t](line) if first else line[i]
        total = plus[acc_t, value_t](total, a[i])
        if count > 1:
            total = plus[acc_t, value_t](total, b[i])
        if count > 2:
            total = plus[acc_t, value_t](total, c[i])
            total = plus[acc_t, value_t](total, d[i])
        line[i] = total


cdef inline void sum_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    value_t* buffers,               # scratch for ROWS pieces of lines
    acc_t* sums,                    # OUT: (w1 - w0) x lanes
) noexcept nogil:
    """Sum the input lines of one output line, element by element."""
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef const char* rows[ROWS]
    cdef Py_ssize_t k = 0, count, row, run, step, n = piece.length
    while k < line.count:
        count = rows_at_once(line.count - k)
        for row in range(count):
            rows[row] = read_line(
                p, tile, line, k + row, w0, w1, <char*> (buffers + row * TILE)
            )
        for run in range(piece.runs):
            step = run * piece.step
            if count == ROWS and k == 0:
                add_rows[value_t, acc_t](rows, ROWS, step, n, True, buffers, sums + run * n)
            elif count == ROWS:
                add_rows[value_t, acc_t](rows, ROWS, step, n, False, buffers, sums + run * n)
            elif count == 2 and k == 0:
                add_rows[value_t, acc_t](rows, 2, step, n, True, buffers, sums + run * n)
            elif count == 2:
                add_rows[value_t, acc_t](rows, 2, step, n, False, buffers, sums + run * n)
            elif k == 0:
                add_rows[value_t, acc_t](rows, 1, step, n, True, buffers, sums + run * n)
            else:
                add_rows[value_t, acc_t](rows, 1, step, n, False, buffers, sums + run * n)
        k += count


cdef inline void sum_short(
    const acc_t* line,      # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes, bint first,
    acc_t* sums,            # IN (unless first), OUT: lanes
) noexcept nogil:
    """Sum a window along W, or go on with it, from left to right."""
    cdef Py_ssize_t w = 0, lane
    cdef acc_t total
    if lanes == 1:  # a chain of additions; those of neighbouring windows overlap
        total = nothing[acc_t](sums) if first else sums[0]
        for w in range(columns):
            total = merge[acc_t](total, line[w])
        sums[0] = total
        return
    if first:
        for lane in range(lanes):
            sums[lane] = nothing[acc_t](sums)
    if lanes < 8:  # too few for a vector: a chain for each
        for lane in range(lanes):
            total = sums[lane]
            for w in range(columns):
                total = merge[acc_t](total, line[w * lanes + lane])
            sums[lane] = total
        return
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


cdef inline void clear(acc_t* partials, Py_ssize_t lanes) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(PARTIALS * lanes):
        partials[k] = nothing[acc_t](partials)


cdef inline void add_partials(
    const acc_t* line,      # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes,
    Py_ssize_t column,      # IN: which column of the window the first of them is
    acc_t* partials,        # IN, OUT: PARTIALS x lanes
) noexcept nogil:
    cdef Py_ssize_t k, count
    while columns > 0:
        column %= PARTIALS
        count = min(columns, PARTIALS - column)
        for k in range(count * lanes):
            partials[column * lanes + k] = merge[acc_t](partials[column * lanes + k], line[k])
        line += count * lanes
        columns -= count
        column += count


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


cdef void average_tile(
    const Average* average, Py_ssize_t job, value_t* buffers, acc_t* scratch,
) noexcept nogil:
    cdef const Pooling* p = &average.pooling
    cdef Tile tile = locate(p, job)
    cdef Line line
    cdef Py_ssize_t lanes = tile.lanes, reach = TILE // lanes, k, ow, w, begin, end
    cdef acc_t* sums = scratch + TILE           # of whole windows
    cdef acc_t* partials = scratch + 2 * TILE   # running sums of a long window
    cdef const acc_t* piece
    cdef acc_t* total

    for k in range(tile.lines):
        line = line_of(p, tile.line + k)
        w = tile.w0
        while w < tile.w1:  # once, unless a single window reaches further than a tile
            sum_lines[value_t, acc_t](
                p, &tile, &line, w, min(w + reach, tile.w1), buffers, scratch
            )
            for ow in range(tile.ow0, tile.ow1):
                begin, end = max(p.w.starts[ow], w), min(p.w.ends[ow], w + reach)
                piece = scratch + (begin - w) * lanes
                total = sums + (ow - tile.ow0) * lanes
                if window_size(p.w, ow) < LONG:
                    sum_short[acc_t](
                        piece, end - begin, lanes, begin == p.w.starts[ow], total
                    )
                    continue
                if begin == p.w.starts[ow]:
                    clear[acc_t](partials, lanes)
                add_partials[acc_t](
                    piece, end - begin, lanes, begin - p.w.starts[ow], partials
                )
                if end == p.w.ends[ow]:
                    sum_partials[acc_t](partials, lanes, total)
            w += reach
        average.store(p, &average.out, &tile, &line, sums)


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


cdef inline void store_means(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line,
    const acc_t* sums,      # IN: windows x lanes
    mean_t* mean,           # the type of the output
) noexcept nogil:
    """Divide the sums of the windows of a line by their sizes."""
    cdef Py_ssize_t ow, lane, count
    cdef char* target = at(
        out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    for ow in range(tile.ow0, tile.ow1):
        count = line.count * window_size(p.w, ow)
        for lane in range(tile.lanes):
            mean = <mean_t*> (target + lane * out.lane)
            store_mean[mean_t, acc_t](mean, sums[lane], count)
            if acc_t is twofold_t:
                if mean_t in real_t:
                    if not (isfinite(sums[lane].value) and isfinite(sums[lane].error)):
                        store_real[mean_t](
                            mean, one_nan(mean_of_scaled(p, line, ow, tile.lane + lane))
                        )
        sums += tile.lanes
        target += out.w


cdef tile_t tile_for(Element element) noexcept nogil:
    if element == UINT8 or element == BOOL:
        return <tile_t> average_tile[uint8_t, int64_t]
    elif element == INT8:
        return <tile_t> average_tile[int8_t, int64_t]
    elif element == UINT16:
        return <tile_t> average_tile[uint16_t, int64_t]
    elif element == INT16:
        return <tile_t> average_tile[int16_t, int64_t]
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


cdef store_t store_for(Element element, Element out) noexcept nogil:
    """The store for means of `element` kept as `out`: a float, or the same integers."""
    if element == FLOAT64:
        return store_real_for[twofold_t](out, NULL)
    elif element == FLOAT16 or element == BFLOAT16 or element == FLOAT32:
        return store_real_for[double](out, NULL)
    elif element != out and (element == UINT64 or element == INT64):
        return store_real_for[wide_t](out, NULL)
    elif element != out:
        return store_real_for[int64_t](out, NULL)
    elif out == UINT8:
        return <store_t> store_means[int64_t, uint8_t]
    elif out == INT8:
        return <store_t> store_means[int64_t, int8_t]
    elif out == UINT16:
        return <store_t> store_means[int64_t, uint16_t]
    elif out == INT16:
        return <store_t> store_means[int64_t, int16_t]
    elif out == UINT32:
        return <store_t> store_means[int64_t, uint32_t]
    elif out == INT32:
        return <store_t> store_means[int64_t, int32_t]
    elif out == UINT64:
        return <store_t> store_means[wide_t, uint64_t]
    else:
        return <store_t> store_means[wide_t, int64_t]


cdef int run_tile(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Average* average = <const Average*> task
    average.tile(average, job, scratch + average.sums, scratch)
    return 0


cdef int pool(
    Canonical* c, Windows windows, Element element, Element out_element, int num_threads,
) except -1 nogil:
    cdef Average task
    task.tile = tile_for(element)
    task.store = store_for(element, out_element)
    while True:
        task.pooling = plan(c, element, windows, num_threads)
        task.out = c.arrays[1]
        task.sums = (2 * TILE + PARTIALS * task.pooling.lane_block) * (
            sizeof(twofold_t) if element == FLOAT64 or element == UINT64 or element == INT64
            else sizeof(double)
        )
        run_jobs(
            run_tile, &task, job_count(&task.pooling), task.sums + buffer_size(&task.pooling),
            num_threads,
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
