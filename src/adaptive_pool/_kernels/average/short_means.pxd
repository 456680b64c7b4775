"""The last step of an average of short integers: totals to means, in the type of the output."""
from libc.string cimport memcpy

from adaptive_pool._kernels.average.means cimport means_of_longs, result_of
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, INT8, UINT8, Element, bfloat16_t, float16_t,
    int64_t,
)
from adaptive_pool._kernels.call.tables cimport window_size
from adaptive_pool._kernels.simd.halves cimport narrow_run
from adaptive_pool._kernels.tiles.planes cimport (
    Line, Pooling, Tile, at, line_of, next_line, next_plane,
)

cdef extern from "average/short_means.h":
    int BYTES_OF_TINY "AP_BYTES_OF_TINY"
    int BYTES_BY_FLOAT "AP_BYTES_BY_FLOAT"
    int BYTES_BY_DOUBLE "AP_BYTES_BY_DOUBLE"
    int WORDS_BY_DOUBLE "AP_WORDS_BY_DOUBLE"
    int FLOATS_OF_TINY "AP_FLOATS_OF_TINY"
    int FLOATS_BY_FLOAT "AP_FLOATS_BY_FLOAT"
    int FLOATS_BY_DOUBLE "AP_FLOATS_BY_DOUBLE"
    int DOUBLES "AP_DOUBLES"
    void store_means "ap_short_means"(
        int mode, const void* totals, Py_ssize_t n, const void* scales, double rows, void* out,
    ) noexcept nogil
    bint is_float_scale "ap_is_float_scale"(int mode) noexcept nogil
    void set_scales "ap_set_short_scales"(
        int mode, double lines, const int64_t* starts, const int64_t* ends, Py_ssize_t windows,
        Py_ssize_t lanes, void* scales,
    ) noexcept nogil

cdef enum:
    TINY_WINDOW = 257       # elements whose total fits 16 bits, if they have 8 and no sign
    SMALL_WINDOW = 1024     # elements of 8 bits, for BYTES_BY_FLOAT
    SHORT_WINDOW = 32768    # elements whose total fits 32 bits


cdef struct Means:
    int mode                # how they are computed
    int total_size          # bytes of a total,
    int scale_size          # and of a scale
    Element element         # what they are stored as
    const char* plane       # the scales of all means of a plane, if those are a run in memory


cdef inline Means means_of_short(
    Element element, Element out, double largest,   # IN: elements of a window
) noexcept nogil:
    cdef Means means
    cdef bint bytes_in = element == BOOL or element == UINT8 or element == INT8
    cdef bint tiny = (element == BOOL or element == UINT8) and largest <= TINY_WINDOW
    cdef bint exact = largest <= (65536 if bytes_in else 256)   # totals are below 2**24
    means.element, means.plane = out, NULL
    if out == FLOAT32:
        means.mode = (
            FLOATS_OF_TINY if tiny else FLOATS_BY_FLOAT if exact else FLOATS_BY_DOUBLE
        )
    elif out == FLOAT64 or out == FLOAT16 or out == BFLOAT16:
        means.mode = DOUBLES
    elif out == UINT8 or out == INT8:
        means.mode = (
            BYTES_OF_TINY if tiny else
            BYTES_BY_FLOAT if largest <= SMALL_WINDOW else BYTES_BY_DOUBLE
        )
    else:
        means.mode = WORDS_BY_DOUBLE
    if largest > SHORT_WINDOW:
        means.mode = DOUBLES    # scales are numbers of columns
    means.scale_size = 4 if is_float_scale(means.mode) else 8
    means.total_size = 4 if largest <= SHORT_WINDOW else 8
    if means.mode == BYTES_OF_TINY or means.mode == FLOATS_OF_TINY:
        means.total_size = 2
    return means


cdef inline void scales_of_tile(
    const Pooling* p, const Tile* tile, const Means* means,
    void* scales,           # OUT: windows x lanes
) noexcept nogil:
    """The scales of the windows along W of a tile."""
    if means.plane == NULL:
        set_scales(
            means.mode, 1, p.w.starts + tile.ow0, p.w.ends + tile.ow0, tile.ow1 - tile.ow0,
            tile.lanes, scales,
        )


cdef inline void scales_of_plane(
    const Pooling* p,
    Means* means,           # IN, OUT
    double* scales,         # OUT: outputs of a plane x lanes
) noexcept nogil:
    """The scales of all windows of a plane."""
    cdef Py_ssize_t od, oh, n = p.w.count * p.lanes * means.scale_size
    cdef char* line = <char*> scales
    for od in range(p.d.count):
        for oh in range(p.h.count):
            set_scales(
                means.mode, <double> (window_size(p.d, od) * window_size(p.h, oh)), p.w.starts,
                p.w.ends, p.w.count, p.lanes, line,
            )
            line += n
    means.plane = <const char*> scales


cdef inline void store_run_of_short(
    const Means* means, const char* totals, Py_ssize_t n, const void* scales,
    Py_ssize_t rows,        # IN: of a window, if the scales are of columns
    double* spare,          # scratch: n
    void* out,              # OUT: n means
) noexcept nogil:
    cdef Py_ssize_t i
    if means.total_size == 8:
        for i in range(n):
            spare[i] = (<const double*> scales)[i] * <double> rows
        means_of_longs(result_of(means.element), totals, n, spare, <char*> out)
    elif means.element == FLOAT16:
        store_means(means.mode, totals, n, scales, <double> rows, spare)
        narrow_run[float16_t](spare, n, <float16_t*> out)
    elif means.element == BFLOAT16:
        store_means(means.mode, totals, n, scales, <double> rows, spare)
        narrow_run[bfloat16_t](spare, n, <bfloat16_t*> out)
    else:
        store_means(means.mode, totals, n, scales, <double> rows, out)


cdef inline void store_short_line(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line, const Means* means,
    const char* totals,     # IN: windows x lanes
    const void* scales,     # IN: the same
    double* spare,          # scratch: twice as many
) noexcept nogil:
    """Store the means of a line, by way of `spare` if they are no run in memory."""
    cdef Py_ssize_t lanes = tile.lanes, windows = tile.ow1 - tile.ow0, n = windows * lanes
    cdef Py_ssize_t size = out.itemsize, lane
    cdef bint run = lanes == 1 or out.lane == size      # whether the lanes of a window are one
    cdef char* target = at(
        out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    cdef char* found = <char*> (spare + n)
    if run and (windows == 1 or out.w == lanes * size):
        store_run_of_short(means, totals, n, scales, line.count, spare, target)
        return
    store_run_of_short(means, totals, n, scales, line.count, spare, found)
    for _ow in range(windows):
        if run:
            memcpy(target, found, lanes * size)
        elif size == 1:
            for lane in range(lanes):
                target[lane * out.lane] = found[lane]
        else:
            for lane in range(lanes):
                memcpy(target + lane * out.lane, found + lane * size, size)
        target += out.w
        found += lanes * size


cdef inline void store_short_tile(
    const Pooling* p, const Array* out, const Tile* tile, const Means* means,
    const char* totals,     # IN: lines x windows x lanes
    const void* scales,     # IN: windows x lanes, if none are kept for planes
    double* spare,          # scratch: 2 x TILE
) noexcept nogil:
    """Store the means of a tile: planes as runs, if they are, or line by line."""
    cdef Line line = line_of(p, tile.line)
    cdef Py_ssize_t k = 0, first, count, n = (tile.ow1 - tile.ow0) * tile.lanes
    while k < tile.lines:
        if means.plane != NULL:
            first = line.od * p.h.count + line.oh
            count = min(tile.lines - k, p.d.count * p.h.count - first)
            store_run_of_short(
                means, totals, count * n, means.plane + first * n * means.scale_size, 1, spare,
                at(out, line.batch, line.channel, line.od, line.oh, 0, tile.lane),
            )
            next_plane(p, &line)
        else:
            count = 1
            store_short_line(p, out, tile, &line, means, totals, scales, spare)
            next_line(p, &line)
        totals += count * n * means.total_size
        k += count
