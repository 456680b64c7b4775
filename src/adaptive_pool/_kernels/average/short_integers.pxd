"""Sums of windows of integers of 8 and 16 bits. They are exact, so their order does not matter.

The input lines of an output line are folded: added element by element, as many as the line has
room for. Windows along W are then summed on that line, all of them in one loop whatever their
sizes. docs/design/packing.md.
"""
from adaptive_pool._kernels.call.elements cimport (
    BOOL, INT8, INT16, UINT8, UINT16, Element, int64_t, uint16_t, uint32_t,
)
from adaptive_pool._kernels.tiles.planes cimport (
    ROWS, TILE, VECTOR, Line, Pooling, Tile, depth_of, input_at, line_of, next_line, step_of_run,
)
from adaptive_pool._kernels.tiles.rows cimport Piece, read_rows, shape_of_piece
from adaptive_pool._kernels.call.tables cimport window_size

cdef extern from "average/short_integers.h":
    void fold "ap_fold_short"(
        const char* row, Py_ssize_t step, Py_ssize_t count, Py_ssize_t n, int itemsize,
        bint negative, bint first, void* line,
    ) noexcept nogil
    Py_ssize_t room "ap_room_for_short"(int itemsize) noexcept nogil
    void sum_windows "ap_sum_short_windows"(
        void* line, Py_ssize_t lines, Py_ssize_t first_column, Py_ssize_t columns,
        Py_ssize_t lanes, Py_ssize_t rows, int itemsize,
        const int64_t* starts, const int64_t* ends, Py_ssize_t windows,
        Py_ssize_t least, Py_ssize_t most, Py_ssize_t regular,
        int size, bint first, void* sums, void* totals,
    ) noexcept nogil
    void take_offset "ap_take_short_offset"(
        Py_ssize_t lanes, Py_ssize_t rows, int itemsize,
        const int64_t* starts, const int64_t* ends, Py_ssize_t windows, bint equal, int size,
        void* totals,
    ) noexcept nogil

cdef extern from "average/short_runs.h" nogil:
    int64_t sum_run "ap_sum_short_run"(
        const void* run, Py_ssize_t n, int itemsize, bint negative,
    ) noexcept

cdef enum:
    RUN = 64        # elements that a run in memory is cut into, as if it were a picture


cdef inline bint is_short(Element element) noexcept nogil:
    return element in (BOOL, UINT8, INT8, UINT16, INT16)


cdef inline bint is_negative(Element element) noexcept nogil:
    """Whether elements have a sign."""
    return element == INT8 or element == INT16


cdef inline void fold_lines(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t row, Py_ssize_t rows,    # IN: the first of the input lines, and how many
    Py_ssize_t w0, Py_ssize_t w1,       # IN: the columns w0:w1
    char* buffers,                      # scratch for ROWS pieces of lines
    char* folded,                       # OUT: (w1 - w0) x lanes
) noexcept nogil:
    """Add input lines element by element."""
    cdef Piece piece = shape_of_piece(p, tile, w1 - w0)
    cdef int itemsize = <int> p.x.itemsize
    cdef bint negative = is_negative(p.element)
    cdef Py_ssize_t depth = depth_of(line, row), left = (depth + 1) * line.height - row
    cdef Py_ssize_t done = 0, count, run, step
    cdef const char* four[ROWS]
    cdef const char* first = input_at(p, line, row, w0, tile.lane)
    cdef const char* top = first - (line.height - left) * p.x.h     # the first of this depth
    while done < rows:
        if p.fetch == NULL:
            count, step = min(rows - done, left), p.x.h
        else:
            count = read_rows(
                p, tile, line, row + done, min(rows - done, <Py_ssize_t> ROWS), w0, w1, buffers,
                itemsize, four,
            )
            first, step = four[0], TILE * itemsize
        for run in range(piece.runs):
            fold(
                first + run * piece.step, step, count, piece.length, itemsize, negative,
                done == 0, folded + 2 * itemsize * run * piece.length,
            )
        done += count
        if p.fetch == NULL:     # all lines of a depth at a time
            top += p.x.d
            first, left = top, line.height


cdef inline void store_total(int64_t sum, int total_size, char* total) noexcept nogil:
    if total_size == 8:
        (<int64_t*> total)[0] = sum
    elif total_size == 4:
        (<uint32_t*> total)[0] = <uint32_t> sum
    else:
        (<uint16_t*> total)[0] = <uint16_t> sum


cdef inline void sum_run_of_pixels(
    const Pooling* p, const Tile* tile, const char* first, Py_ssize_t step,
    Py_ssize_t size,                    # IN: pixels of tile.lanes elements, so many bytes apart
    int total_size, char* folded, char* sums, char* totals,
) noexcept nogil:
    """Sum a window that is a run in memory, as a picture of about RUN elements to a line."""
    cdef int itemsize = <int> p.x.itemsize
    cdef bint negative = is_negative(p.element)
    cdef Py_ssize_t lanes = tile.lanes, columns = 1, rows, done = 0
    cdef int64_t start = 0, end
    if step == lanes * itemsize and lanes < RUN:
        columns = RUN // lanes
    while done < size:
        rows = 0
        if columns <= size - done:
            rows = min((size - done) // columns, room(itemsize))
        if rows == 0:
            columns, rows = size - done, 1
        end = columns
        fold(
            first + done * step, columns * step, rows, columns * lanes, itemsize, negative, True,
            folded,
        )
        sum_windows(
            folded, 1, 0, columns, lanes, rows, itemsize, &start, &end, 1, columns, columns, 0,
            total_size, done == 0, sums, totals,
        )
        done += rows * columns
    if negative:
        end = size
        take_offset(lanes, 1, itemsize, &start, &end, 1, True, total_size, totals)


cdef inline void sum_line(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t reach,                       # IN: columns that there is room for
    Py_ssize_t least, Py_ssize_t most,      # IN: columns of a window of the tile
    int total_size, char* buffers, char* folded, char* sums,
    char* totals,                           # OUT: windows x lanes
) noexcept nogil:
    """Sum the windows of an output line."""
    cdef int itemsize = <int> p.x.itemsize
    cdef Py_ssize_t lanes = tile.lanes, windows = tile.ow1 - tile.ow0
    cdef Py_ssize_t w0 = tile.w0, w1, row, rows
    cdef const int64_t* starts = p.w.starts + tile.ow0
    cdef const int64_t* ends = p.w.ends + tile.ow0
    cdef int64_t start = 0, end
    while w0 < tile.w1:     # once, but for one window that is wider than a tile
        w1, row = min(w0 + reach, tile.w1), 0
        while row < line.count:
            rows = min(line.count - row, room(itemsize))
            fold_lines(p, tile, line, row, rows, w0, w1, buffers, folded)
            if w1 - w0 < tile.w1 - tile.w0:
                end = w1 - w0
                sum_windows(
                    folded, 1, 0, end, lanes, rows, itemsize, &start, &end, 1, end, end, 0,
                    total_size, row == 0 and w0 == tile.w0, sums, totals,
                )
            else:
                sum_windows(
                    folded, 1, w0, w1 - w0, lanes, rows, itemsize, starts, ends, windows,
                    least, most, p.w.regular, total_size, row == 0, sums, totals,
                )
            row += rows
        w0 = w1
    if is_negative(p.element):
        take_offset(
            lanes, line.count, itemsize, starts, ends, windows, least == most, total_size,
            totals,
        )


cdef inline void sum_lines_together(
    const Pooling* p, const Tile* tile, Py_ssize_t least, Py_ssize_t most, int total_size,
    char* buffers, char* folded, char* sums, char* totals,
) noexcept nogil:
    """Sum the windows of output lines, all of them in one loop."""
    cdef Line line = line_of(p, tile.line)
    cdef int itemsize = <int> p.x.itemsize
    cdef Py_ssize_t lanes = tile.lanes, columns = tile.w1 - tile.w0, k
    cdef Py_ssize_t windows = tile.ow1 - tile.ow0
    for k in range(tile.lines):
        fold_lines(
            p, tile, &line, 0, line.count, tile.w0, tile.w1, buffers,
            folded + k * columns * lanes * 2 * itemsize,
        )
        next_line(p, &line)
    sum_windows(
        folded, tile.lines, tile.w0, columns, lanes, p.d.longest * p.h.longest, itemsize,
        p.w.starts + tile.ow0, p.w.ends + tile.ow0, windows, least, most, p.w.regular, total_size,
        True, sums, totals,
    )
    if not is_negative(p.element):
        return
    line = line_of(p, tile.line)
    for k in range(tile.lines):
        take_offset(
            lanes, line.count, itemsize, p.w.starts + tile.ow0, p.w.ends + tile.ow0, windows,
            least == most, total_size, totals + k * windows * lanes * total_size,
        )
        next_line(p, &line)


cdef inline Py_ssize_t lines_of_short(const Tile* tile) noexcept nogil:
    """How many lines of a tile there is room for."""
    return max(TILE // (max(tile.ow1 - tile.ow0, tile.w1 - tile.w0) * tile.lanes), 1)


cdef inline void sum_short_integers(
    const Pooling* p, const Tile* tile,
    int total_size,     # IN: bytes of a total
    char* buffers,      # scratch for ROWS pieces of lines, for elements that are not read in place
    char* folded,       # scratch: TILE words of 32 bits, and VECTOR more
    char* sums,         # scratch: the same
    char* totals,       # OUT: lines x windows x lanes, and room for a word of 64 bits
) noexcept nogil:
    """Sum the windows of a tile."""
    cdef Line line = line_of(p, tile.line)
    cdef Py_ssize_t least = window_size(p.w, tile.ow0), most = least, ow, step = 0
    cdef Py_ssize_t reach = TILE // tile.lanes
    cdef Py_ssize_t size = (tile.ow1 - tile.ow0) * tile.lanes * total_size
    for ow in range(tile.ow0 + 1, tile.ow1 if p.w.shortest < p.w.longest else 0):
        least = min(least, window_size(p.w, ow))
        most = max(most, window_size(p.w, ow))
    if not p.whole and (
        (tile.w1 - tile.w0) * tile.lanes <= TILE
        and p.d.longest * p.h.longest * most <= room(<int> p.x.itemsize)
    ):
        sum_lines_together(p, tile, least, most, total_size, buffers, folded, sums, totals)
        return
    for _k in range(tile.lines):
        if p.whole:
            step = step_of_run(p, &line)
        if tile.lanes == 1 and step == p.x.itemsize:
            store_total(
                sum_run(
                    input_at(p, &line, 0, 0, tile.lane), line.count * p.w.size,
                    <int> p.x.itemsize, is_negative(p.element),
                ), total_size, totals,
            )
        elif step != 0:
            sum_run_of_pixels(
                p, tile, input_at(p, &line, 0, 0, tile.lane), step, line.count * p.w.size,
                total_size, folded, sums, totals,
            )
        else:
            sum_line(
                p, tile, &line, reach, least, most, total_size, buffers, folded, sums,
                totals,
            )
        totals += size
        next_line(p, &line)
