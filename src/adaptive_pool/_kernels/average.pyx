"""Average pooling, forward.

Parallel over the tiles of all output lines. Per tile the axes are separated: the input lines of
the (d, h) window are added element by element into one accumulator line, which is contiguous and
vectorises; windows along W are then reduced on that short line. An overlap of windows is read
once per axis, not once per window.

The order of summation is part of the contract (docs/design/summation.md): lines in row-major
order of (d, h); then along W from left to right or, for windows of 2 * PARTIALS columns and more,
in PARTIALS running sums, column k of the window going to sum k % PARTIALS.
"""
from cython.parallel cimport prange, threadid
from libc.math cimport isfinite
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.accumulators cimport (
    acc_t, mean_t, merge, nothing, plus, store_mean, twofold_mean, twofold_t, wide_t,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64,
    Element, bfloat16_t, float16_t, int8_t, int16_t, int32_t, int64_t, real_t, store_real,
    uint8_t, uint16_t, uint32_t, uint64_t, value_t, word_t,
)
from adaptive_pool._kernels.planes cimport (
    ROWS, TILE, Array, Piece, Place, Pooling, at, describe, line_at, locate, plan, read_line,
    shape_of_piece,
)
from adaptive_pool._kernels.tables cimport Windows, window_size

cdef enum:
    PARTIALS = 16                           # running sums of a long window; TILE / LANE_BLOCK
    LONG = 2 * PARTIALS                     # columns that make a window long
    SUMS = 3 * 16 * TILE                    # bytes of a job's three tiles of sums, at most
    SCRATCH = SUMS + ROWS * 8 * TILE        # and of its copies of ROWS pieces of lines

# A second name, so that x and out may differ in size.
ctypedef fused out_word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


# The last step of a job: sums to means, in the type of the output.
ctypedef void (*store_t)(
    const Pooling* p, const Array* target, const Place* place, const void* sums, void* out,
) noexcept nogil


cdef struct Average:
    Pooling pooling
    Array out
    store_t store


# A job: the tile of sums starts at `scratch`, copied pieces of lines go to `buffers`.
ctypedef void (*tile_t)(
    const Average* average, Py_ssize_t job, void* scratch, void* buffers,
) noexcept nogil

cdef inline void add_rows(
    const char** rows,      # IN: up to ROWS pieces of lines
    Py_ssize_t count, Py_ssize_t offset,
    Py_ssize_t n, bint first,
    value_t* like,
    acc_t* line,            # IN (unless first), OUT: n sums
) noexcept nogil:
    """Add `count` runs of n elements, in order, `offset` bytes into their rows.

    Several at a time save round trips of the sums through memory. Called with a literal count, so
    that each loop is compiled for its own.
    """
    cdef const value_t* a = <const value_t*> (rows[0] + offset)
    cdef const value_t* b = <const value_t*> (rows[1] + offset) if count > 1 else a
    cdef const value_t* c = <const value_t*> (rows[2] + offset) if count > 2 else a
    cdef const value_t* d = <const value_t*> (rows[3] + offset) if count > 3 else a
    cdef Py_ssize_t i
    cdef acc_t total
    for i in range(n):
        total = nothing[acc_t](line) if first else line[i]
        total = plus[acc_t, value_t](total, a[i])
        if count > 1:
            total = plus[acc_t, value_t](total, b[i])
        if count > 2:
            total = plus[acc_t, value_t](total, c[i])
        if count > 3:
            total = plus[acc_t, value_t](total, d[i])
        line[i] = total


cdef inline void sum_lines(
    const Pooling* p, const Place* place,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1 of the lines
    value_t* buffers,               # scratch for ROWS pieces of lines
    acc_t* line,                    # OUT: (w1 - w0) x lanes sums
) noexcept nogil:
    """Sum the lines of the window d0:d1, h0:h1, element by element."""
    cdef Piece piece = shape_of_piece(p, place, w1 - w0)
    cdef const char* rows[ROWS]
    cdef Py_ssize_t lines = (place.d1 - place.d0) * (place.h1 - place.h0)
    cdef Py_ssize_t k = 0, count, row, run, step, n = piece.length
    cdef acc_t* sums
    while k < lines:
        count = min(lines - k, <Py_ssize_t> ROWS)
        for row in range(count):
            rows[row] = read_line(p, place, k + row, w0, w1, <char*> (buffers + row * TILE))
        for run in range(piece.runs):
            step = run * piece.step
            sums = line + run * n
            if count == 4:
                add_rows[value_t, acc_t](rows, 4, step, n, k == 0, buffers, sums)
            elif count == 3:
                add_rows[value_t, acc_t](rows, 3, step, n, k == 0, buffers, sums)
            elif count == 2:
                add_rows[value_t, acc_t](rows, 2, step, n, k == 0, buffers, sums)
            else:
                add_rows[value_t, acc_t](rows, 1, step, n, k == 0, buffers, sums)
        k += count


cdef inline void sum_short(
    const acc_t* line,      # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes,
    acc_t* sums,            # OUT: lanes
) noexcept nogil:
    """Sum a window along W from left to right."""
    cdef Py_ssize_t w, lane
    cdef acc_t total
    if lanes < 8:
        for lane in range(lanes):
            total = line[lane]
            for w in range(1, columns):
                total = merge[acc_t](total, line[w * lanes + lane])
            sums[lane] = total
        return
    for lane in range(lanes):
        sums[lane] = line[lane]
    for w in range(1, columns):
        for lane in range(lanes):
            sums[lane] = merge[acc_t](sums[lane], line[w * lanes + lane])


cdef inline void add_partials(
    const acc_t* line,      # IN: columns x lanes, the first of them column 0 modulo PARTIALS
    Py_ssize_t columns, Py_ssize_t lanes,
    acc_t* partials,        # IN, OUT: PARTIALS x lanes
) noexcept nogil:
    cdef Py_ssize_t k, block = PARTIALS * lanes
    for _ in range(columns // PARTIALS):
        for k in range(block):
            partials[k] = merge[acc_t](partials[k], line[k])
        line += block
    for k in range(columns % PARTIALS * lanes):
        partials[k] = merge[acc_t](partials[k], line[k])


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


cdef inline void clear(acc_t* partials, Py_ssize_t lanes) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(PARTIALS * lanes):
        partials[k] = nothing[acc_t](partials)


cdef inline void sum_window(
    const acc_t* line,      # IN: columns x lanes
    Py_ssize_t columns, Py_ssize_t lanes,
    acc_t* partials,        # scratch: PARTIALS x lanes
    acc_t* sums,            # OUT: lanes
) noexcept nogil:
    if columns < LONG:
        sum_short[acc_t](line, columns, lanes, sums)
    else:
        clear[acc_t](partials, lanes)
        add_partials[acc_t](line, columns, lanes, partials)
        sum_partials[acc_t](partials, lanes, sums)


cdef void average_tile(
    const Average* average, Py_ssize_t job, acc_t* scratch, value_t* buffers,
) noexcept nogil:
    cdef const Pooling* p = &average.pooling
    cdef Place place = locate(p, job)
    cdef Py_ssize_t lanes = place.lanes, ow, w, columns
    cdef acc_t* line = scratch                  # sums over (d, h)
    cdef acc_t* sums = scratch + TILE           # sums of whole windows
    cdef acc_t* partials = scratch + 2 * TILE   # running sums of a long window

    if (place.w1 - place.w0) * lanes <= TILE:
        sum_lines[value_t, acc_t](p, &place, place.w0, place.w1, buffers, line)
        for ow in range(place.ow0, place.ow1):
            w = p.w.starts[ow] - place.w0
            sum_window[acc_t](
                line + w * lanes, window_size(p.w, ow), lanes, partials,
                sums + (ow - place.ow0) * lanes,
            )
    else:  # a single window, wider than a tile
        clear[acc_t](partials, lanes)
        w = place.w0
        while w < place.w1:
            columns = min(TILE // lanes // PARTIALS * PARTIALS, place.w1 - w)
            sum_lines[value_t, acc_t](p, &place, w, w + columns, buffers, line)
            add_partials[acc_t](line, columns, lanes, partials)
            w += columns
        sum_partials[acc_t](partials, lanes, sums)
    average.store(
        p, &average.out, &place, sums,
        at(&average.out, place.batch, place.channel, place.od, place.oh, place.ow0, place.lane),
    )


cdef inline int64_t window_count(
    const Pooling* p, const Place* place, Py_ssize_t ow,
) noexcept nogil:
    return (
        <int64_t> (place.d1 - place.d0) * <int64_t> (place.h1 - place.h0) * window_size(p.w, ow)
    )


cdef double mean_of_scaled(
    const Pooling* p, const Place* place, Py_ssize_t ow, Py_ssize_t lane,
) noexcept nogil:
    """The mean of one float64 window whose sum overflows although its mean need not."""
    cdef twofold_t total = nothing[twofold_t](&total)
    cdef double scale = 2.0 ** -64, x
    cdef Py_ssize_t k, w
    for k in range((place.d1 - place.d0) * (place.h1 - place.h0)):
        for w in range(p.w.starts[ow], p.w.ends[ow]):
            memcpy(&x, line_at(p, place, k, w) + lane * p.x.lane, sizeof(double))
            total = plus[twofold_t, double](total, x * scale)
    if not isfinite(total.value):  # there are infinities or NaNs in the window
        return total.value
    return twofold_mean(total, window_count(p, place, ow)) / scale


cdef inline void store_line(
    const Pooling* p, const Array* target, const Place* place,
    const acc_t* sums,      # IN: windows x lanes
    mean_t* out,            # OUT: the first mean
) noexcept nogil:
    """Divide the sums of a tile by the sizes of their windows."""
    cdef Py_ssize_t ow, lane
    cdef int64_t count
    cdef mean_t* mean
    for ow in range(place.ow0, place.ow1):
        count = window_count(p, place, ow)
        for lane in range(place.lanes):
            mean = <mean_t*> (<char*> out + lane * target.lane)
            store_mean[mean_t, acc_t](mean, sums[lane], count)
            if acc_t is twofold_t:
                if mean_t in real_t:
                    if not isfinite(sums[lane].value):
                        store_real[mean_t](mean, mean_of_scaled(p, place, ow, lane))
        sums += place.lanes
        out = <mean_t*> (<char*> out + target.w)


cdef tile_t tile_for(Element element) noexcept nogil:
    if element == UINT8:
        return <tile_t> average_tile[int64_t, uint8_t]
    elif element == INT8:
        return <tile_t> average_tile[int64_t, int8_t]
    elif element == UINT16:
        return <tile_t> average_tile[int64_t, uint16_t]
    elif element == INT16:
        return <tile_t> average_tile[int64_t, int16_t]
    elif element == UINT32:
        return <tile_t> average_tile[int64_t, uint32_t]
    elif element == INT32:
        return <tile_t> average_tile[int64_t, int32_t]
    elif element == UINT64:
        return <tile_t> average_tile[wide_t, uint64_t]
    elif element == INT64:
        return <tile_t> average_tile[wide_t, int64_t]
    elif element == FLOAT64:
        return <tile_t> average_tile[twofold_t, double]
    else:  # halves have been widened
        return <tile_t> average_tile[double, float]


cdef store_t store_real_for(Element out, acc_t* sums) noexcept nogil:
    if out == FLOAT16:
        return <store_t> store_line[acc_t, float16_t]
    elif out == BFLOAT16:
        return <store_t> store_line[acc_t, bfloat16_t]
    elif out == FLOAT32:
        return <store_t> store_line[acc_t, float]
    else:
        return <store_t> store_line[acc_t, double]


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
        return <store_t> store_line[int64_t, uint8_t]
    elif out == INT8:
        return <store_t> store_line[int64_t, int8_t]
    elif out == UINT16:
        return <store_t> store_line[int64_t, uint16_t]
    elif out == INT16:
        return <store_t> store_line[int64_t, int16_t]
    elif out == UINT32:
        return <store_t> store_line[int64_t, uint32_t]
    elif out == INT32:
        return <store_t> store_line[int64_t, int32_t]
    elif out == UINT64:
        return <store_t> store_line[wide_t, uint64_t]
    else:
        return <store_t> store_line[wide_t, int64_t]


def average(
    const word_t[:, :, :, :, :, :] x,   # IN: batch, channel, D, H, W, lanes
    out_word_t[:, :, :, :, :, :] out,     # OUT: batch, channel, OD, OH, OW, lanes
    Windows windows,                    # IN
    Element element,                    # IN: what the words of x are
    Element out_element,                # IN: what the words of out are
    int num_threads,                    # IN
):
    """Average `x` over `windows` into `out`. Neither is empty; `out` is aligned."""
    cdef Average task
    cdef tile_t tile = tile_for(element)
    cdef Py_ssize_t job, jobs
    cdef char* mine
    cdef char* scratch = <char*> malloc(num_threads * SCRATCH)
    if scratch == NULL:
        raise MemoryError
    task.pooling = plan(
        describe(&x[0, 0, 0, 0, 0, 0], x.strides, sizeof(word_t)), element,
        x.shape[0], x.shape[1], x.shape[5], &windows.d, &windows.h, &windows.w,
    )
    task.out = describe(&out[0, 0, 0, 0, 0, 0], out.strides, sizeof(out_word_t))
    task.store = store_for(element, out_element)
    jobs = task.pooling.jobs
    for job in prange(
        jobs, nogil=True, schedule="static", num_threads=num_threads, use_threads_if=num_threads > 1
    ):
        mine = scratch + threadid() * SCRATCH
        tile(&task, job, mine, mine + SUMS)
    free(scratch)
