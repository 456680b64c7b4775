"""Long windows: their maximum first, then where it stands.

Comparing values alone takes a third of what carrying indices along takes. A window is surveyed by
blocks of rows; the few blocks whose maximum beats what came before are searched for it while they
are in the first cache. docs/design/maximum.md has the figures.
"""
from libc.string cimport memchr

from adaptive_pool._kernels.maximum.candidates cimport is_nan, real_value_t
from adaptive_pool._kernels.call.elements cimport index_t, uint8_t, value_t
from adaptive_pool._kernels.tiles.planes cimport (
    ROWS, TILE, Line, Pooling, Tile, ask_for, depth_of, input_at, line_number,
)

cdef enum:
    WIDE = 32           # elements compared side by side; 16 are unrolled to scalars by GCC
    WIDE_OF_THREE = 96  # bytes likewise, but 24 elements at least, if there are three lanes
    MOST_WIDE = 96      # elements
    FEW_LANES = 4
    BLOCK = 4096        # elements of a block of rows, about
    LONG = 64           # columns that make a window of several rows, or lanes, long
    REACH = 8192        # bytes that large inputs are asked for ahead, at least

cdef struct Block:
    # Rows of a window, so many bytes apart, of columns x lanes elements.
    Py_ssize_t step
    Py_ssize_t rows
    Py_ssize_t columns
    Py_ssize_t lanes
    Py_ssize_t ahead        # what lies so many bytes further is asked for, if that is not 0


cdef inline bint is_long(const Pooling* p) noexcept nogil:
    """Whether windows are surveyed. Shorter rows are better compared side by side."""
    if p.lanes > 1:
        return p.lanes <= FEW_LANES and p.w.shortest >= LONG and (
            p.fetch != NULL or p.x.w == p.lanes * p.x.itemsize
        )
    return p.w.shortest >= WIDE and (
        p.w.shortest >= LONG or p.d.longest == 1 and p.h.longest == 1
    )


cdef inline const value_t* row_of(
    const value_t* first, const Block* block, Py_ssize_t k,
) noexcept nogil:
    return <const value_t*> (<const char*> first + k * block.step)


cdef inline value_t larger(value_t x, value_t top) noexcept nogil:
    """One instruction, which takes `top` if one of them is NaN."""
    return x if x > top else top


cdef inline void halve(value_t* tops, const Py_ssize_t half) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(half):
        tops[i] = larger[value_t](tops[i + half], tops[i])


cdef inline void find_nans(
    const value_t* first, const Block* block, value_t* highest,     # IN, OUT: lanes
) noexcept nogil:
    """Put a NaN, if there is one, in the place of the largest element of its lane."""
    cdef const value_t* row
    cdef Py_ssize_t k, w
    for k in range(block.rows):
        row = row_of[value_t](first, block, k)
        for w in range(block.columns * block.lanes):
            if is_nan[value_t](row[w]):
                highest[w % block.lanes] = row[w]


cdef inline void find_highest(
    const value_t* first, const Block* block,
    const Py_ssize_t wide,      # IN: a literal, and a multiple of the lanes
    value_t* highest,           # OUT: lanes
) noexcept nogil:
    """The largest elements, whose sign is left open if they are 0; a NaN if there is one."""
    cdef value_t tops[MOST_WIDE]
    cdef value_t totals[MOST_WIDE]  # NaN if a term is, for an addition that nothing waits for
    cdef const value_t* row
    cdef Py_ssize_t k, w, i, lane, n = block.columns * block.lanes
    cdef Py_ssize_t last = n - wide
    cdef int suspicious = 0
    for i in range(wide):  # something to compute, or GCC would make slow copies of it
        tops[i] = larger[value_t](first[i], first[last + i])
        if value_t in real_value_t:
            totals[i] = first[i] + first[last + i]
    for k in range(block.rows):
        row = row_of[value_t](first, block, k)
        w = 0
        while w < n:
            w = min(w, last)    # rather some columns twice than less than `wide`
            if block.ahead != 0:
                ask_for(
                    <const char*> (row + w) + block.ahead, wide * <Py_ssize_t> sizeof(value_t)
                )
            for i in range(wide):
                tops[i] = larger[value_t](row[w + i], tops[i])
                if value_t in real_value_t:
                    totals[i] += row[w + i]
            w += wide
    if wide == WIDE:
        halve[value_t](tops, 16)
        halve[value_t](tops, 8)
        halve[value_t](tops, 4)
    if block.lanes == 1:
        highest[0] = max(max(tops[0], tops[1]), max(tops[2], tops[3]))
    else:
        for lane in range(block.lanes):
            highest[lane] = tops[lane]
            i = lane + block.lanes
            while i < (4 if wide == WIDE else wide):
                highest[lane] = larger[value_t](tops[i], highest[lane])
                i += block.lanes
    if value_t in real_value_t:
        for i in range(wide):
            suspicious |= totals[i] != totals[i]
        if suspicious:  # or inf - inf
            find_nans[value_t](first, block, highest)


cdef inline Py_ssize_t find_first(
    const value_t* row, Py_ssize_t columns, value_t top,
) noexcept nogil:
    """The first element that equals `top`, or `columns`: another thread may be writing to them."""
    cdef Py_ssize_t w = 0, i
    cdef int found = 0
    cdef const value_t* place
    if sizeof(top) == 1:
        place = <const value_t*> memchr(row, <int> <uint8_t> top, columns)
        return columns if place == NULL else place - row
    while w < columns:
        w = min(w, columns - WIDE)
        for i in range(WIDE):
            found |= row[w + i] == top
        if found:
            for i in range(WIDE):
                if row[w + i] == top:
                    return w + i
        w += WIDE
    return columns


cdef inline Py_ssize_t find_in_lane(
    const value_t* row, const Block* block, Py_ssize_t lane, value_t top,
) noexcept nogil:
    """The first column whose element in a lane equals `top`, or `columns`."""
    cdef Py_ssize_t n = block.columns * block.lanes, w = find_first[value_t](row, n, top)
    if block.lanes == 1:
        return w
    while w < n and (row[w] != top or w % block.lanes != lane):
        w += 1
    return w // block.lanes


cdef inline Py_ssize_t find_last_nan(
    const value_t* row, const Block* block, Py_ssize_t lane,
) noexcept nogil:
    """The last column whose element in a lane is NaN, or `columns`."""
    cdef Py_ssize_t w = block.columns
    while w > 0:
        w -= 1
        if is_nan[value_t](row[w * block.lanes + lane]):
            return w
    return block.columns


cdef inline Py_ssize_t place_of(
    const value_t* first, const Block* block, Py_ssize_t lane, value_t top, Py_ssize_t* column,
) noexcept nogil:
    """The row and column of the maximum: of the first of equal elements, or of the last NaN."""
    cdef Py_ssize_t k
    if is_nan[value_t](top):
        for k in range(block.rows - 1, -1, -1):
            column[0] = find_last_nan[value_t](row_of[value_t](first, block, k), block, lane)
            if column[0] < block.columns:
                return k
    for k in range(block.rows):
        column[0] = find_in_lane[value_t](row_of[value_t](first, block, k), block, lane, top)
        if column[0] < block.columns:
            return k
    column[0] = 0   # it is gone: another thread wrote over it
    return 0


cdef inline Py_ssize_t end_of_piece(
    Py_ssize_t w0, Py_ssize_t w1, Py_ssize_t lanes,
) noexcept nogil:
    """Where to cut the columns w0:w1, which only a window wider than a tile needs."""
    return w1 if (w1 - w0) * lanes <= TILE else w0 + TILE // (2 * lanes)


cdef inline void survey(
    const Pooling* p, const Tile* tile, const Line* line,
    value_t* buffers,       # scratch for ROWS pieces of lines
    bint indexed,
    value_t* tops,          # OUT: windows x lanes maxima
    index_t* winners,       # OUT: their flat indices
) noexcept nogil:
    """Compare the elements of windows that are long along W, some rows of all windows at a time."""
    cdef Py_ssize_t lanes = p.lanes, most = max(BLOCK // (p.w.longest * lanes), <Py_ssize_t> 1)
    cdef Py_ssize_t k = 0, w0, w1, w, ow, row, lane, i, column = 0
    cdef const char* lines
    cdef const value_t* first
    cdef Block block
    cdef value_t highest[FEW_LANES]
    block.lanes = lanes
    if p.fetch != NULL:
        most = min(most, <Py_ssize_t> ROWS)
    while k < line.count:
        block.rows = min(most, line.height - k + depth_of(line, k) * line.height)
        w0 = tile.w0
        while w0 < tile.w1:
            w1 = end_of_piece(w0, tile.w1, lanes)
            lines = input_at(p, line, k, w0, tile.lane)
            block.step = p.x.h
            block.ahead = max(<Py_ssize_t> REACH, block.rows * p.x.h) if p.ahead else 0
            if p.fetch != NULL:
                block.ahead = 0
                for row in range(block.rows):
                    p.fetch(
                        lines + row * p.x.h, p.x.w, p.x.lane, w1 - w0, lanes, buffers + row * TILE
                    )
                lines = <const char*> buffers
                block.step = TILE * sizeof(buffers[0])
            for ow in range(tile.ow1 - tile.ow0):
                w = max(<Py_ssize_t> p.w.starts[tile.ow0 + ow], w0)
                first = <const value_t*> lines + (w - w0) * lanes
                block.columns = min(<Py_ssize_t> p.w.ends[tile.ow0 + ow], w1) - w
                if lanes == 3:
                    find_highest[value_t](
                        first, &block,
                        max(24, WIDE_OF_THREE // <Py_ssize_t> sizeof(value_t)), highest,
                    )
                else:
                    find_highest[value_t](first, &block, WIDE, highest)
                for lane in range(lanes):
                    i = ow * lanes + lane
                    if not (
                        k == 0 and w0 == tile.w0 or highest[lane] > tops[i]
                        or is_nan[value_t](highest[lane])
                    ):
                        continue
                    tops[i] = highest[lane]
                    if indexed:
                        row = place_of[value_t](first, &block, lane, highest[lane], &column)
                        tops[i] = row_of[value_t](first, &block, row)[column * lanes + lane]
                        winners[i] = <index_t> (
                            (line_number(p, line, k) + row) * p.w.size + w + column
                        )
            w0 = w1
        k += block.rows
