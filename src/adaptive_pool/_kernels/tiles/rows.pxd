"""Reading the input lines of a tile, in place or by copies."""
from adaptive_pool._kernels.tiles.planes cimport ROWS, TILE, Line, Pooling, Tile, depth_of, input_at

cdef extern from "simd/compiler.h" nogil:
    void ask "AP_ASK"(const char* place) noexcept


cdef inline void ask_for(const char* first, Py_ssize_t size) noexcept nogil:
    """Ask for `size` bytes, a cache line at a time."""
    cdef Py_ssize_t i
    for i in range(0, size, 64):
        ask(first + i)


cdef inline Py_ssize_t read_rows(
    const Pooling* p, const Tile* tile, const Line* line,
    Py_ssize_t k, Py_ssize_t most,  # IN: the first of the input lines, and how many at most
    Py_ssize_t w0, Py_ssize_t w1,   # IN: the columns w0:w1
    char* buffers,                  # scratch for ROWS pieces, TILE elements apart
    Py_ssize_t itemsize,            # IN: of the elements of the pieces
    const char** rows,              # OUT
) noexcept nogil:
    """Point to the next input lines, 1, 2 or ROWS: in place, or copied to `buffers`."""
    cdef const char* first = input_at(p, line, k, w0, tile.lane)
    cdef Py_ssize_t left = min(most, line.height - k + depth_of(line, k) * line.height)
    cdef Py_ssize_t count = ROWS if left >= ROWS else 2 if left >= 2 else 1
    cdef Py_ssize_t row
    for row in range(count):
        rows[row] = first + row * p.x.h
    if p.fetch == NULL:
        return count
    for row in range(count):
        rows[row] = buffers + row * TILE * itemsize
        p.fetch(first + row * p.x.h, p.x.w, p.x.lane, w1 - w0, tile.lanes, <char*> rows[row])
    return count


cdef struct Piece:
    # The shape in memory of what read_rows finds: `runs` runs of `length` elements.
    Py_ssize_t runs
    Py_ssize_t length
    Py_ssize_t step     # bytes from run to run


cdef inline Piece shape_of_piece(
    const Pooling* p, const Tile* tile, Py_ssize_t columns,
) noexcept nogil:
    cdef Piece piece
    if p.fetch != NULL or p.lanes == 1 or p.x.w == tile.lanes * p.x.itemsize:
        piece.runs, piece.length, piece.step = 1, columns * tile.lanes, 0
    else:
        piece.runs, piece.length, piece.step = columns, tile.lanes, p.x.w
    return piece
