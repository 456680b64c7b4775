"""Elements that do not count, whose gradient is 0; see uncounted.h."""
from adaptive_pool._kernels.call.canonical cimport Geometry
from adaptive_pool._kernels.call.tables cimport Axis
from adaptive_pool._kernels.tiles.counting cimport counting_t
from adaptive_pool._kernels.tiles.problem cimport array_of, array_t

cdef extern from "average_backward/uncounted.h" nogil:
    ctypedef struct piece_t "ap_piece":
        pass
    piece_t ap_piece_of(
        const array_t* a, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d, Py_ssize_t h,
        Py_ssize_t w, Py_ssize_t lane,
    )
    void ap_zero_uncounted(
        const counting_t* c, piece_t out, piece_t x, piece_t where, Py_ssize_t columns,
        Py_ssize_t lanes, char* scratch,
    )
    enum:
        SEEN "sizeof(ap_seen)"


cdef struct Uncounted:
    # What does not count of the gradient: elements of x, or where a mask is False.
    const counting_t* counting
    array_t out
    array_t x                   # data NULL: none is needed
    array_t where


cdef inline Uncounted uncounted_of(
    const Geometry* g, const counting_t* counting,
    int elements, int where,    # IN: numbers of arrays, or -1
) noexcept nogil:
    cdef Uncounted u
    u.counting = counting
    u.out = array_of(&g.arrays[0])
    u.x, u.where = u.out, u.out
    u.x.data = u.where.data = NULL
    if elements >= 0:
        u.x = array_of(&g.arrays[elements])
    if where >= 0:
        u.where = array_of(&g.arrays[where])
    return u


cdef inline Py_ssize_t end_of(const Axis* axis) noexcept nogil:
    """Behind the last element that a window holds: what lies there is not looked at."""
    cdef Py_ssize_t end = 0, o
    for o in range(axis.count):
        if axis.starts[o] < axis.ends[o]:
            end = max(end, <Py_ssize_t> axis.ends[o])
    return end


cdef inline void zero_line(
    const Uncounted* u, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d, Py_ssize_t h,
    Py_ssize_t w0, Py_ssize_t w1, Py_ssize_t lane, Py_ssize_t lanes, char* scratch,
) noexcept nogil:
    """Store 0 for what does not count of the columns w0:w1 of a line."""
    if w0 < w1:
        ap_zero_uncounted(
            u.counting,
            ap_piece_of(&u.out, batch, channel, d, h, w0, lane),
            ap_piece_of(&u.x, batch, channel, d, h, w0, lane),
            ap_piece_of(&u.where, batch, channel, d, h, w0, lane),
            w1 - w0, lanes, scratch,
        )
