"""The last step of max pooling: values and indices, stored."""
from libc.string cimport memcpy

from adaptive_pool._kernels.maximum.candidates cimport is_nan, real_value_t
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, Element, bfloat16_t, float16_t, index_t, int32_t, int64_t, store_real,
    uint16_t, value_t, widen_half,
)
from adaptive_pool._kernels.tiles.planes cimport Line, Pooling, Tile, at, input_at
from adaptive_pool._kernels.call.tables cimport window_size


cdef inline value_t settle(
    const Pooling* p, const Line* line, Py_ssize_t ow, Py_ssize_t lane, value_t top,
) noexcept nogil:
    """The element that a zero or NaN maximum is: the first zero or the last NaN of the window."""
    cdef Py_ssize_t columns = window_size(p.w, ow), count = line.count * columns
    cdef Py_ssize_t i, k
    cdef value_t x
    cdef uint16_t half
    cdef const char* element
    for i in range(count):
        k = count - 1 - i if is_nan[value_t](top) else i
        element = input_at(p, line, k // columns, p.w.starts[ow] + k % columns, lane)
        if value_t is float and p.x.itemsize == 2:
            memcpy(&half, element, 2)
            x = widen_half(half, p.element)
        else:
            memcpy(&x, element, sizeof(value_t))
        if x == top or (is_nan[value_t](x) and is_nan[value_t](top)):
            return x
    return top


cdef inline void store_values(
    char* out, Py_ssize_t step, const value_t* tops, Py_ssize_t n, Element element,
) noexcept nogil:
    cdef Py_ssize_t i
    if value_t is float:
        if element == FLOAT16:
            for i in range(n):
                store_real[float16_t](<float16_t*> (out + i * step), tops[i])
            return
        elif element == BFLOAT16:
            for i in range(n):
                store_real[bfloat16_t](<bfloat16_t*> (out + i * step), tops[i])
            return
    if step == <Py_ssize_t> sizeof(value_t):
        memcpy(out, tops, n * sizeof(value_t))
        return
    for i in range(n):
        (<value_t*> (out + i * step))[0] = tops[i]


cdef inline void store_indices(
    const Array* indices, char* out, Py_ssize_t step, const index_t* winners, Py_ssize_t n,
) noexcept nogil:
    cdef Py_ssize_t i
    if indices.itemsize == 4 and step == 4:
        for i in range(n):
            (<int32_t*> out)[i] = <int32_t> winners[i]
    elif indices.itemsize == 4:
        for i in range(n):
            (<int32_t*> (out + i * step))[0] = <int32_t> winners[i]
    elif step == 8:  # a literal, so that it vectorises
        for i in range(n):
            (<int64_t*> out)[i] = winners[i]
    else:
        for i in range(n):
            (<int64_t*> (out + i * step))[0] = winners[i]


cdef inline void settle_all(
    const Pooling* p, const Tile* tile, const Line* line,
    value_t* tops,              # IN, OUT: windows x lanes
) noexcept nogil:
    """Look up which zeros and NaNs the maxima are."""
    cdef Py_ssize_t lanes = tile.lanes, n = (tile.ow1 - tile.ow0) * lanes, i
    cdef int unsettled = 0
    if value_t in real_value_t:
        for i in range(n):
            unsettled |= (tops[i] == 0) | (tops[i] != tops[i])
        if unsettled == 0:
            return
        for i in range(n):
            if not (tops[i] < 0 or tops[i] > 0):
                tops[i] = settle[value_t](
                    p, line, tile.ow0 + i // lanes, tile.lane + i % lanes, tops[i]
                )


cdef inline bint is_run(const Array* results, Py_ssize_t lanes) noexcept nogil:
    """Whether so many lanes of one window and those of the next are neighbours in memory."""
    return results.w == lanes * results.itemsize and (
        lanes == 1 or results.lane == results.itemsize
    )


cdef inline void store_maxima(
    const Pooling* p, const Array* values,
    const Array* indices,       # data is NULL if none are wanted
    const Tile* tile, const Line* line,
    value_t* tops, const index_t* winners,      # IN: windows x lanes
) noexcept nogil:
    cdef Py_ssize_t lanes = tile.lanes, windows = tile.ow1 - tile.ow0, ow
    cdef char* out = at(
        values, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    cdef bint indexed = indices.data != NULL
    if not indexed:
        settle_all[value_t](p, tile, line, tops)
    if is_run(values, lanes):
        store_values[value_t](out, values.itemsize, tops, windows * lanes, p.element)
    elif lanes == 1:
        store_values[value_t](out, values.w, tops, windows, p.element)
    else:
        for ow in range(windows):
            store_values[value_t](
                out + ow * values.w, values.lane, tops + ow * lanes, lanes, p.element
            )
    if not indexed:
        return
    out = at(indices, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane)
    if is_run(indices, lanes):
        store_indices[index_t](indices, out, indices.itemsize, winners, windows * lanes)
    elif lanes == 1:
        store_indices[index_t](indices, out, indices.w, winners, windows)
    else:
        for ow in range(windows):
            store_indices[index_t](
                indices, out + ow * indices.w, indices.lane,
                winners + ow * lanes, lanes,
            )
