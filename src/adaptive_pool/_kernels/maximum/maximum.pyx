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
from adaptive_pool._kernels.maximum.candidates cimport (
    STRIP, Stack, add_columns, best_of_columns, best_of_long, best_of_some, best_of_strip,
    best_of_window,
)
from adaptive_pool._kernels.call.canonical cimport (
    Array, Canonical, advance, arrange, borrow, borrow_indices, give_back,
)
from adaptive_pool._kernels.maximum.columns cimport (
    best_of_neighbours, best_of_rows, best_of_turned, cut_in_strips, is_matrix, is_row, is_turned,
)
from adaptive_pool._kernels.call.elements cimport (
    BOOL, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64,
    Element, index_t, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
    size_of, value_t,
)
from adaptive_pool._kernels.threads.parallel cimport is_brief, run_jobs
from adaptive_pool._kernels.maximum.maxima cimport store_maxima
from adaptive_pool._kernels.tiles.packing cimport (
    LARGEST, Packing, pack, pack_size, packed_results, plan_packing, results_size, unpack,
)
from adaptive_pool._kernels.tiles.planes cimport (
    JOBS, LANE_BLOCK, ROWS, TILE, VECTOR, Line, Piece, Pooling, Tile, ask_for, buffer_size, cut,
    input_at, isa, job_count, line_number, line_of, locate, next_line, pieces,
    plan, read_rows, shape_of_piece,
)
from adaptive_pool._kernels.maximum.survey cimport LONG, is_long, survey
from adaptive_pool._kernels.call.tables cimport Axis, Windows, window_size

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    MANY = 1024             # bytes of lanes that are enough of a stream for the memory
    MOST_LANES = 2048       # lanes of a tile, where nothing but lanes is in it
    FLAT = 128              # elements of a plane that is better a line than a lane of a pack
    GRID = 512              # elements of scratch that a tile of turned lines may need besides

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
    Py_ssize_t room         # elements of a tile, at most
    bint turned             # windows of many lines are reduced side by side: tiles are cut for it
    Py_ssize_t values       # bytes of a thread's scratch that are for values, and for indices
    Py_ssize_t positions


cdef inline bint suits_strips(const Line* line, Py_ssize_t n) noexcept nogil:
    """Whether no more than two lines' worth of the elements would be compared twice."""
    cdef Py_ssize_t twice = STRIP - 1 - (n - 1) % STRIP
    return n >= STRIP and line.height >= ROWS and twice * line.count <= 2 * n


cdef inline Stack stack_of(const Pooling* p, const Line* line) noexcept nogil:
    cdef Stack stack
    stack.count, stack.height, stack.step = line.count, line.height, p.x.h
    stack.jump = p.x.d - line.height * p.x.h
    stack.number = (line.d0 * p.h.size + line.h0) * p.w.size
    stack.columns = p.w.size
    stack.skipped = (p.h.size - line.height) * p.w.size
    stack.ahead = max(p.ahead, line.height * p.x.h) if p.ahead else 0
    return stack


cdef inline void best_of_strips(
    const Pooling* p, const Tile* tile, const Line* line, Py_ssize_t w0,
    Py_ssize_t n,               # IN: elements of an input line, from column w0 on; >= STRIP
    bint indexed,
    value_t* best, index_t* where,
) noexcept nogil:
    cdef const value_t* first = <const value_t*> input_at(p, line, 0, w0, tile.lane)
    cdef Py_ssize_t i = 0, last = n - STRIP
    cdef Stack stack = stack_of(p, line)
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
    cdef Py_ssize_t k
    for k in range(line.count):
        first_of_line = line_number(p, line, k) * p.w.size
        w = p.w.starts[ow]
        while w < p.w.ends[ow]:
            end = p.w.ends[ow] if p.fetch == NULL else min(w + reach, p.w.ends[ow])
            read_rows(p, tile, line, k, 1, w, end, <char*> buffers, sizeof(value_t), row)
            for i in range(end - w):
                runs[count] = row[0] + i * step
                if p.ahead:  # the same place in the next window
                    ask_for(runs[count] + (end - w) * step, step)
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


cdef inline bint suits_windows(const Pooling* p, const Tile* tile) noexcept nogil:
    """Whether STRIP lanes at a time stay in registers for a whole window."""
    return p.fetch == NULL and tile.lanes >= STRIP and p.ahead == 0  # else lanes are a stream


cdef inline void best_of_line(
    const Pooling* p, const Tile* tile, const Line* line, bint indexed,
    value_t* best, index_t* where,      # OUT: windows x lanes
) noexcept nogil:
    """Compare the elements of all windows of a line, STRIP lanes at a time."""
    cdef Stack stack = stack_of(p, line)
    cdef Py_ssize_t first = stack.number, last = tile.lanes - STRIP, ow, i
    cdef const char* row = input_at(p, line, 0, 0, tile.lane)
    cdef const char* corner
    for ow in range(tile.ow0, tile.ow1):
        corner = row + p.w.starts[ow] * p.x.w
        stack.number = first + p.w.starts[ow]
        i = 0
        while i < tile.lanes:
            i = min(i, last)    # rather some lanes twice than less than STRIP
            best_of_window[value_t, index_t](
                &stack, corner + i * <Py_ssize_t> sizeof(value_t), window_size(p.w, ow), p.x.w,
                indexed, best + i, where + i,
            )
            i += STRIP
        best += tile.lanes
        where += tile.lanes


cdef inline void best_of_tile(
    value_t* best, index_t* where,              # IN: lines x columns x lanes candidates
    const Axis* w, const Tile* tile, bint turned, bint indexed,
    value_t* grid, index_t* grid_where,         # scratch: TILE and WIDTH x lanes
    value_t* tops, index_t* winners,            # OUT: lines x windows x lanes
) noexcept nogil:
    """Reduce all windows of a tile along W where lanes are too few for vectors."""
    cdef Py_ssize_t lanes = tile.lanes, columns = tile.w1 - tile.w0, k, ow, lane, start, size
    if turned and tile.lines >= VECTOR:
        if indexed:
            best_of_turned[value_t, index_t](
                best, where, w, tile, True, grid, grid_where, tops, winners
            )
        else:
            best_of_turned[value_t, index_t](
                best, where, w, tile, False, grid, grid_where, tops, winners
            )
        return
    if lanes > 1 and w.longest < LONG:
        for k in range(tile.lines):
            start = k * columns * lanes
            best_of_neighbours[value_t, index_t](
                best + start, where + start, w, tile, indexed, grid, grid_where, tops, winners
            )
            tops += (tile.ow1 - tile.ow0) * lanes
            winners += (tile.ow1 - tile.ow0) * lanes
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
    cdef value_t* tops = best + task.room
    cdef value_t* grid = best + 2 * task.room
    cdef index_t* winners = where + task.room
    cdef bint surveyed = is_long(p)
    cdef bint rows = task.turned and is_row(p) and tile.lines >= VECTOR
    cdef bint matrix = rows and is_matrix(p, &tile, &first)

    for k in range(tile.lines):
        if matrix:  # turned from where it is
            break
        i = k * windows
        if suits_windows(p, &tile):
            if indexed:
                best_of_line[value_t, index_t](p, &tile, &line, True, tops + i, winners + i)
            else:
                best_of_line[value_t, index_t](p, &tile, &line, False, tops + i, winners + i)
        elif lanes >= VECTOR:
            for ow in range(tile.ow0, tile.ow1):
                i = k * windows + (ow - tile.ow0) * lanes
                best_of_lanes[value_t, index_t](
                    p, &tile, &line, ow, buffers, indexed, tops + i, winners + i
                )
        elif surveyed:
            survey[value_t, index_t](
                p, &tile, &line, buffers, indexed, tops + k * windows, winners + k * windows
            )
        elif rows:
            i = k * columns * lanes
            best_of_lines[value_t, index_t](
                p, &tile, &line, tile.w0, tile.w1, buffers, False, best + i, where + i
            )
        elif tile.lines * columns * lanes <= task.room:
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
    if rows:
        if indexed:
            best_of_rows[value_t, index_t](
                p, &tile, &first, best, True, grid, best, where, tops, winners
            )
        else:
            best_of_rows[value_t, index_t](
                p, &tile, &first, best, False, grid, best, where, tops, winners
            )
    elif lanes < VECTOR and not surveyed and tile.lines * columns * lanes <= task.room:
        best_of_tile[value_t, index_t](
            best, where, p.w, &tile, task.turned, indexed, grid, where + 2 * task.room, tops,
            winners,
        )
    line = first
    for k in range(tile.lines):
        store_maxima[value_t, index_t](
            p, &task.out, &task.indices, &tile, &line, tops + k * windows, winners + k * windows
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
    cdef Py_ssize_t k, columns
    inner.pooling = pack(packing, &maximum.pooling, job, free_scratch)
    free_scratch += pack_size(packing)
    inner.out = packed_results(packing, &inner.pooling, &maximum.out, free_scratch)
    free_scratch += results_size(packing, &maximum.out)
    if maximum.indices.data != NULL:
        inner.indices = packed_results(packing, &inner.pooling, &maximum.indices, free_scratch)
    inner.turned = False
    # As many lines to a tile as there is room for.
    columns = max(inner.pooling.w.size, inner.pooling.w.count)
    inner.pooling.group = max(
        min(inner.pooling.lines, TILE // (inner.pooling.lanes * columns)), <Py_ssize_t> 1
    )
    inner.pooling.groups = pieces(inner.pooling.lines, inner.pooling.group)
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
    while True:
        task.pooling = plan(c, element, windows, 1, num_threads)
        task.room = TILE
        task.turned = is_turned(&task.pooling)
        if task.turned:
            if not is_row(&task.pooling) and task.pooling.w.size * STRIP > TILE:
                task.room = 2 * TILE    # longer pieces of several rows
            cut_in_strips(&task.pooling, task.room, num_threads)
        # Three tiles of values and of indices: of lines, of their windows, of turned lines. Halves
        # are kept as float32.
        task.values = (3 * task.room + GRID) * max(c.arrays[0].itemsize, <Py_ssize_t> sizeof(float))
        task.positions = (3 * task.room + GRID) * (
            sizeof(int32_t) if short_plane or not indexed else sizeof(int64_t)
        )
        task.packing = plan_packing(c, &task.pooling, LARGEST)
        if (task.packing.groups == 0 or task.packing.plane >= FLAT) and flatten(&task, num_threads):
            task.packing.groups = 0
            task.turned = is_turned(&task.pooling)
            if task.turned:
                cut_in_strips(&task.pooling, task.room, num_threads)
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
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(element))
        if indices is not None:
            borrow_indices(&c, indices, True)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            pool(&c, windows, element, c.count == 3, num_threads)
        else:
            with nogil:
                pool(&c, windows, element, c.count == 3, num_threads)
    finally:
        give_back(&c)
