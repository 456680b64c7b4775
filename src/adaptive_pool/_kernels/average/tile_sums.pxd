"""Ways to sum the windows of a tile. Which one suits a tile, average.pyx decides.

All have the same parameters:

    p, tile     which windows
    buffers     scratch for ROWS pieces of lines, for elements that are not read in place
    lines       scratch: TILE sums, and room for one quad more
    partials    scratch: the running sums of a window, PARTIALS x lanes
    sums        OUT: lines x windows x lanes, and room for one quad more
"""
from adaptive_pool._kernels.average.accumulators cimport acc_t
from adaptive_pool._kernels.call.elements cimport int64_t, value_t
from adaptive_pool._kernels.tiles.planes cimport (
    CHUNK, ROWS, TILE, VECTOR, Line, Pooling, Tile, input_at, line_of, next_line, pieces,
    step_of_run,
)
from adaptive_pool._kernels.tiles.rows cimport (
    Piece, ask_ahead, ask_for, is_long_piece, read_rows, shape_of_piece,
)
from adaptive_pool._kernels.simd.quads cimport QUADS
from adaptive_pool._kernels.average.short_sums cimport (
    adds_four, sum_columns, sum_four_chains, sum_four_short, sum_regular,
    sum_regular_of_four, sum_short, sum_short_of_four, sum_short_of_lanes, sum_short_of_one,
)
from adaptive_pool._kernels.average.stacks cimport are_stacks, sum_stacks
from adaptive_pool._kernels.average.sums cimport (
    LONG, add_piece, add_stack, sum_run, sum_run_of_lanes,
)
from adaptive_pool._kernels.call.tables cimport Axis, window_size


cdef inline void sum_stack(
    const Pooling* p, const char* first, Py_ssize_t height, Py_ssize_t depth, Py_ssize_t n,
    value_t* _, acc_t* sums,
) noexcept nogil:
    """Sum lines that are runs of n elements.

    All lines of a depth at once, or ROWS if they are asked for. By read_rows, which asks for them
    too, it would take up to a fifth longer.
    """
    cdef const char* row
    cdef Py_ssize_t d, k, i, count
    for d in range(depth):
        row, k = first, 0
        while k < height:
            count = height - k
            if p.ahead > 0:
                count = min(count, <Py_ssize_t> ROWS)
                for i in range(count):
                    ask_for(row + i * p.x.h + p.ahead, n * <Py_ssize_t> sizeof(value_t))
            add_stack[value_t, acc_t](
                <const value_t*> row, p.x.h, count, n, k == 0 and d == 0, sums
            )
            row += count * p.x.h
            k += count
        first += p.x.d


cdef inline void sum_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    value_t* buffers,               # scratch for ROWS pieces of lines
    acc_t* sums,                    # OUT: (w1 - w0) x lanes
) noexcept nogil:
    """Sum the input lines of one output line, element by element."""
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef Py_ssize_t k = 0, count, run, n = (w1 - w0) * tile.lanes, depth = 1, i, m
    cdef Py_ssize_t step = p.x.h if p.fetch == NULL else TILE * <Py_ssize_t> sizeof(value_t)
    cdef const char* rows[ROWS]
    cdef bint long_pieces = p.fetch == NULL and is_long_piece(p, &piece)
    if p.fetch == NULL and piece.runs == 1 and not long_pieces:
        if line.count > line.height:
            depth = line.count // line.height
        sum_stack[value_t, acc_t](
            p, input_at(p, line, 0, w0, tile.lane), line.height, depth, n, buffers, sums
        )
        return
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
            add_stack[value_t, acc_t](
                <const value_t*> (rows[0] + run * piece.step), step, count, m, k == 0, sums + i
            )
        k += count


cdef inline void sum_short_by_quads(
    const Axis* w, const Tile* tile,
    const double* lines,        # IN: lines x columns
    double* sums,               # OUT: lines x windows, of which a line has four or more
) noexcept nogil:
    """Sum short windows of one lane, four neighbours at a time; the last four begin early."""
    cdef Py_ssize_t columns = tile.w1 - tile.w0, count = tile.ow1 - tile.ow0, ow
    cdef Py_ssize_t least = w.shortest, most = w.longest
    cdef const int64_t* starts = w.starts + tile.ow0
    cdef const int64_t* ends = w.ends + tile.ow0
    cdef const double* end = sums + tile.lines * count
    lines -= tile.w0
    while sums < end:
        ow = 0
        while ow < count:
            if ow > count - 4:
                ow = count - 4
            sum_four_short(lines, starts + ow, ends + ow, least, most, sums + ow)
            ow += 4
        lines += columns
        sums += count


cdef inline void sum_short_windows(
    const Axis* w, const Tile* tile, Py_ssize_t lane,
    const acc_t* lines,         # IN: lines x columns x lanes
    acc_t* sums,                # OUT: lines x windows x lanes, of which one lane is meant
) noexcept nogil:
    """Sum short windows of one lane, four at a time.

    The last four may have windows behind the last line: nothing comes of what scratch holds there.
    """
    cdef Py_ssize_t ow = tile.ow0, ow1 = tile.ow1, lanes = tile.lanes
    cdef Py_ssize_t columns = (tile.w1 - tile.w0) * lanes
    cdef Py_ssize_t least = w.shortest, most = w.longest, left = tile.lines * (ow1 - ow), i
    cdef const acc_t* first[4]
    cdef Py_ssize_t sizes[4]
    cdef acc_t four[4]
    lines += lane - tile.w0 * lanes
    sums += lane
    while left > 0:
        for i in range(4):
            first[i] = lines + w.starts[ow] * lanes
            sizes[i] = window_size(w, ow)
            ow += 1
            if ow == ow1:
                ow = tile.ow0
                lines += columns
        if acc_t is double:
            for i in range(4):
                four[i] = sum_short_of_one(first[i], lanes, sizes[i], least, most)
        else:
            sum_four_chains[acc_t](first, sizes, lanes, least, most, four)
        for i in range(min(left, <Py_ssize_t> 4)):
            sums[i * lanes] = four[i]
        sums += 4 * lanes
        left -= 4


cdef inline void sum_windows(
    const Pooling* p, const Tile* tile,
    const acc_t* lines,         # IN: lines x columns x lanes
    acc_t* partials,            # scratch: PARTIALS x lanes
    acc_t* sums,                # OUT: lines x windows x lanes
) noexcept nogil:
    """Sum all windows of a tile along W where lanes are too few for vectors."""
    cdef Py_ssize_t lanes = tile.lanes, windows = (tile.ow1 - tile.ow0) * lanes
    cdef Py_ssize_t line_step = (tile.w1 - tile.w0) * lanes
    cdef Py_ssize_t size, lane, ow, k, count, most = min(p.w.longest, <Py_ssize_t> LONG - 1)
    cdef bint of_four = (lanes == 3 or lanes == 4) and adds_four[acc_t](sums)
    cdef const acc_t* first
    if acc_t is double:
        if QUADS and lanes == 1 and p.w.longest < LONG and tile.ow1 - tile.ow0 >= 4:
            sum_short_by_quads(p.w, tile, lines, sums)
            return
    if 2 <= p.w.regular <= 4:
        for k in range(tile.lines):
            first = lines + k * line_step
            count = tile.ow1 - tile.ow0
            if of_four:
                sum_regular_of_four[acc_t](first, count, lanes, p.w.regular, sums)
            elif p.w.regular == 2:
                sum_regular[acc_t](first, count, lanes, 2, sums)
            elif p.w.regular == 3:
                sum_regular[acc_t](first, count, lanes, 3, sums)
            else:
                sum_regular[acc_t](first, count, lanes, 4, sums)
            sums += windows
        return
    if p.w.longest < LONG and not (of_four and acc_t is double):
        for lane in range(lanes):
            sum_short_windows[acc_t](p.w, tile, lane, lines, sums)
        return
    for _k in range(tile.lines):
        for ow in range(tile.ow0, tile.ow1):
            first = lines + (p.w.starts[ow] - tile.w0) * lanes
            size = window_size(p.w, ow)
            if acc_t is double:
                if of_four and size < LONG:     # the next window has the fourth of three
                    sum_short_of_four(first, lanes, size, p.w.shortest, most, sums)
                    sums += lanes
                    continue
            add_piece[acc_t](first, size, lanes, 0, size, partials, sums)
            sums += lanes
        lines += line_step


cdef inline void sum_few_lanes(
    const Pooling* p, const Tile* tile, value_t* buffers, acc_t* lines, acc_t* partials,
    acc_t* sums,
) noexcept nogil:
    """Lanes too few for vectors: all lines first, then all windows along W."""
    cdef Line line
    cdef Py_ssize_t k, n = (tile.w1 - tile.w0) * tile.lanes
    if acc_t is double:
        if value_t is float:
            if are_stacks(p, tile):
                sum_stacks(p, tile, lines)
                sum_windows[acc_t](p, tile, lines, partials, sums)
                return
    line = line_of(p, tile.line)
    for k in range(tile.lines):
        sum_lines[value_t, acc_t](p, tile, &line, tile.w0, tile.w1, buffers, lines + k * n)
        next_line(p, &line)
    sum_windows[acc_t](p, tile, lines, partials, sums)


cdef inline void sum_few_lines(
    const Pooling* p, const Tile* tile, value_t* buffers, acc_t* _lines, acc_t* _partials,
    acc_t* sums,
) noexcept nogil:
    """Short windows of ROWS lines at most: straight from the input, by vectors over lanes."""
    cdef const char* rows[ROWS]
    cdef Py_ssize_t n = tile.lanes, row, ow
    cdef Py_ssize_t step = p.x.w if p.fetch == NULL else n * <Py_ssize_t> sizeof(value_t)
    cdef Line line = line_of(p, tile.line)
    for _k in range(tile.lines):
        row = 0
        while row < line.count:
            row += read_rows(
                p, tile, &line, row, ROWS, tile.w0, tile.w1, <char*> (buffers + row * TILE),
                sizeof(value_t), rows + row,
            )
        for ow in range(tile.ow0, tile.ow1):
            sum_columns[value_t, acc_t](
                rows, line.count, (p.w.starts[ow] - tile.w0) * step, step, window_size(p.w, ow), n,
                buffers, sums,
            )
            sums += n
        next_line(p, &line)


cdef inline void sum_many_lines(
    const Pooling* p, const Tile* tile, value_t* buffers, acc_t* lines, acc_t* partials,
    acc_t* sums,
) noexcept nogil:
    """Lines first, one after the other, and each reduced along W while it is at hand."""
    cdef Line line = line_of(p, tile.line)
    cdef Py_ssize_t ow, size, lane, lanes = tile.lanes
    cdef const acc_t* first
    for _k in range(tile.lines):
        sum_lines[value_t, acc_t](p, tile, &line, tile.w0, tile.w1, buffers, lines)
        for ow in range(tile.ow0, tile.ow1):
            first = lines + (p.w.starts[ow] - tile.w0) * lanes
            size = window_size(p.w, ow)
            if size >= LONG:
                add_piece[acc_t](first, size, lanes, 0, size, partials, sums)
            elif acc_t is double and QUADS:
                sum_short_of_lanes(first, lanes, size, lanes, sums)
            else:
                lane = 0
                while lane < lanes:
                    lane = min(lane, lanes - VECTOR)    # the last ones once more, if need be
                    sum_short[acc_t](first + lane, lanes, size, sums + lane)
                    lane += VECTOR
            sums += lanes
        next_line(p, &line)


cdef inline void sum_wide(
    const Pooling* p, const Tile* tile, value_t* buffers, acc_t* lines, acc_t* partials,
    acc_t* sums,
) noexcept nogil:
    """A window that is wider than a tile, piece by piece."""
    cdef Line line = line_of(p, tile.line)
    cdef Py_ssize_t w, end
    for _k in range(tile.lines):
        w = tile.w0
        while w < tile.w1:
            end = min(w + TILE // tile.lanes, tile.w1)
            sum_lines[value_t, acc_t](p, tile, &line, w, end, buffers, lines)
            add_piece[acc_t](
                lines, end - w, tile.lanes, w - tile.w0, tile.w1 - tile.w0, partials, sums
            )
            w = end
        sums += tile.lanes
        next_line(p, &line)


cdef inline void sum_runs(
    const Pooling* p, const Tile* tile, value_t* _buffers, acc_t* _lines, acc_t* _partials,
    acc_t* sums,
) noexcept nogil:
    """Long windows of single lines: runs in memory."""
    cdef Line line = line_of(p, tile.line)
    cdef Py_ssize_t ow
    for _k in range(tile.lines):
        for ow in range(tile.ow0, tile.ow1):
            sum_run[value_t, acc_t](
                <const value_t*> input_at(p, &line, 0, p.w.starts[ow], 0), window_size(p.w, ow),
                sums,
            )
            sums += 1
        next_line(p, &line)


cdef inline void sum_whole_lines(
    const Pooling* p, const Tile* tile, value_t* buffers, acc_t* lines, acc_t* partials,
    acc_t* sums,
) noexcept nogil:
    """Windows of whole lines: element after element in row-major order."""
    cdef Line line = line_of(p, tile.line), single
    cdef Py_ssize_t lanes = tile.lanes, size, reach = TILE // lanes
    cdef Py_ssize_t k, w, columns, column, step
    cdef const char* first
    for _k in range(tile.lines):
        size, step, column = line.count * p.w.size, step_of_run(p, &line), 0
        first = input_at(p, &line, 0, 0, tile.lane)
        if lanes == 1 and step == p.x.itemsize and size >= LONG:
            sum_run[value_t, acc_t](<const value_t*> first, size, sums)
        elif step != 0:
            sum_run_of_lanes[value_t, acc_t](first, step, size, lanes, buffers, partials, sums)
        for k in range(0 if step != 0 else line.count):
            single = line
            single.d0 += k // line.height
            single.h0 += k % line.height
            single.height = single.count = 1
            w = 0
            while w < p.w.size:
                columns = min(reach, p.w.size - w)
                sum_lines[value_t, acc_t](p, tile, &single, w, w + columns, buffers, lines)
                add_piece[acc_t](lines, columns, lanes, column, size, partials, sums)
                w += columns
                column += columns
        sums += lanes
        next_line(p, &line)
