"""Elements that do not count, whose gradient is 0; see uncounted.h."""
from adaptive_pool._kernels.call.canonical cimport Geometry
from adaptive_pool._kernels.call.tables cimport Axis
from adaptive_pool._kernels.tiles.counting cimport counting_t
from adaptive_pool._kernels.tiles.problem cimport array_of, array_t

cdef extern from "average_backward/uncounted.h" nogil:
    ctypedef struct piece_t "ap_piece":
        char* data
        Py_ssize_t steps[5]
    ctypedef struct box_t "ap_box":
        const counting_t* counting
        Py_ssize_t sizes[5]
        piece_t out, from_ "from", x, where
    piece_t ap_piece_of(
        const array_t* a, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d, Py_ssize_t h,
        Py_ssize_t w, Py_ssize_t lane,
    )
    void ap_keep_counted(box_t* box, char* scratch)
    enum:
        SEEN "sizeof(ap_seen)"


cdef struct Uncounted:
    # What does not count of the gradient: elements of x, or where a mask is False.
    const counting_t* counting
    array_t out
    array_t x                   # data NULL: none is needed
    array_t where
    Py_ssize_t ends[3]          # behind what windows hold: the rest is not looked at


cdef struct Place:
    # A box of the result.
    Py_ssize_t batch
    Py_ssize_t channel0
    Py_ssize_t channel1
    Py_ssize_t d0
    Py_ssize_t d1
    Py_ssize_t h0
    Py_ssize_t h1
    Py_ssize_t w0
    Py_ssize_t w1
    Py_ssize_t lane
    Py_ssize_t lanes


cdef inline Py_ssize_t end_of(const Axis* axis) noexcept nogil:
    """Behind the last element that a window holds."""
    cdef Py_ssize_t end = 0, o
    for o in range(axis.count):
        if axis.starts[o] < axis.ends[o]:
            end = max(end, <Py_ssize_t> axis.ends[o])
    return end


cdef inline Uncounted uncounted_of(
    const Geometry* g, const counting_t* counting,
    int elements, int where,    # IN: numbers of arrays, or -1
) noexcept nogil:
    """What does not count, wherever it is."""
    cdef Uncounted u
    u.counting = counting
    u.out = array_of(&g.arrays[0])
    u.x, u.where = u.out, u.out
    u.x.data = u.where.data = NULL
    if elements >= 0:
        u.x = array_of(&g.arrays[elements])
    if where >= 0:
        u.where = array_of(&g.arrays[where])
    u.ends[0], u.ends[1], u.ends[2] = g.sizes[0][0], g.sizes[0][1], g.sizes[0][2]
    return u


cdef inline box_t box_of(const Uncounted* u, const Place* place, bint looks) noexcept nogil:
    cdef box_t box
    cdef Py_ssize_t batch = place.batch, channel = place.channel0
    cdef Py_ssize_t d = place.d0, h = place.h0, w = place.w0, lane = place.lane
    box.counting = u.counting
    box.sizes[0], box.sizes[1] = place.channel1 - channel, place.d1 - d
    box.sizes[2], box.sizes[3], box.sizes[4] = place.h1 - h, place.w1 - w, place.lanes
    box.out = box.from_ = ap_piece_of(&u.out, batch, channel, d, h, w, lane)
    box.x = ap_piece_of(&u.x, batch, channel, d, h, w, lane)
    box.where = ap_piece_of(&u.where, batch, channel, d, h, w, lane)
    if not looks:
        box.x.data = box.where.data = NULL
    return box


cdef inline void zero_uncounted(
    const Uncounted* u, Place place, char* scratch,     # SEEN bytes
) noexcept nogil:
    """Store 0 for what does not count of a box, which may be empty."""
    cdef box_t box
    place.d1, place.h1 = min(place.d1, u.ends[0]), min(place.h1, u.ends[1])
    place.w1 = min(place.w1, u.ends[2])
    box = box_of(u, &place, True)
    ap_keep_counted(&box, scratch)


cdef inline void copy_some(
    const Uncounted* u, const Place* place, const char* line, Py_ssize_t step, bint looks,
    char* scratch,
) noexcept nogil:
    cdef box_t box = box_of(u, place, looks)
    box.from_.data = <char*> line
    box.from_.steps[0] = box.from_.steps[1] = box.from_.steps[2] = 0
    box.from_.steps[3] = step
    ap_keep_counted(&box, scratch)


cdef inline void copy_counted(
    const Uncounted* u, Place place,
    const char* line,       # IN: its first line, which may be that of the result
    Py_ssize_t step,        # IN: from column to column
    char* scratch,          # SEEN bytes
) noexcept nogil:
    """Store a line as all lines of a box, with 0 for what does not count."""
    cdef Py_ssize_t w0 = place.w0, w1 = place.w1
    if place.d0 < u.ends[0] and place.h0 < u.ends[1]:
        place.w1 = min(w1, u.ends[2])
        copy_some(u, &place, line, step, True, scratch)
        place.w0, place.w1 = max(w0, place.w1), w1
    copy_some(u, &place, line + (place.w0 - w0) * step, step, False, scratch)
