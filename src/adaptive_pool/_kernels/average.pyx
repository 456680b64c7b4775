"""Average pooling, forward.

Parallel over tiles of output lines. Per tile the axes are separated: the input lines of a (d, h)
window are added element by element into one accumulator line, which is contiguous and vectorises;
windows along W are then reduced on that short line. An overlap of windows is read once per axis,
not once per window.

A window that is all of W is summed element by element instead, as one run of all its lines: it is
long if it has LONG elements (docs/design/summation.md).
"""
from adaptive_pool._kernels.accumulators cimport acc_t, merge, nothing, twofold_t, wide_t
from adaptive_pool._kernels.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32,
    UINT64,
    Element, bfloat16_t, float16_t, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
    uint32_t, uint64_t, value_t,
)
from adaptive_pool._kernels.jobs cimport is_brief, run_jobs
from adaptive_pool._kernels.means cimport store_means
from adaptive_pool._kernels.packing cimport (
    PACK, Packing, pack, pack_size, packed_results, plan_packing, results_size, unpack,
)
from adaptive_pool._kernels.planes cimport (
    CHUNK, JOBS, ROWS, TILE, VECTOR, Line, Piece, Pooling, Tile, ask_ahead, buffer_size, input_at,
    is_long_piece, isa, job_count, line_of, locate, next_line, pieces, plan, read_rows,
    shape_of_piece, step_of_run,
)
from adaptive_pool._kernels.quads cimport QUADS
from adaptive_pool._kernels.sums cimport (
    CHAINS, LONG, PARTIALS, add_piece, add_rows, add_some, adds_four, sum_chains, sum_columns,
    sum_down, sum_four_runs, sum_regular, sum_regular_of_three, sum_run, sum_run_of_lanes,
)
from adaptive_pool._kernels.tables cimport Windows, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    PLANES = 64             # pooled to one number each by a job
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
    cdef bint of_three = lanes == 3 and adds_four[acc_t](sums)
    cdef const acc_t* first
    if 2 <= p.w.regular <= 4:
        for k in range(tile.lines):
            first = lines + k * line_step
            count = tile.ow1 - tile.ow0
            if of_three and p.w.regular == 2:
                sum_regular_of_three[acc_t](first, count, 2, sums)
            elif of_three and p.w.regular == 3:
                sum_regular_of_three[acc_t](first, count, 3, sums)
            elif of_three:
                sum_regular_of_three[acc_t](first, count, 4, sums)
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
