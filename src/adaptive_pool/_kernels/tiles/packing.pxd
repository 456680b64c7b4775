"""Small planes as lanes: PACK of them are turned, pooled as channels_last is, and turned back.

On a plane of 14 x 14 what is done for each line and window outweighs the arithmetic; side by side,
PACK planes share it, and every loop is a vector's. docs/design/packing.md has the figures.
"""
from adaptive_pool._kernels.call.canonical cimport Array, Geometry
from adaptive_pool._kernels.tiles.planes cimport Pooling, cut, pieces
from adaptive_pool._kernels.tiles.rows cimport ask_for
from adaptive_pool._kernels.tiles.transpose cimport transpose

cdef enum:
    PACK = 32           # planes side by side
    FEWEST = 4          # planes that are worth it
    COLUMNS = 32        # of a plane, at most
    LARGEST = 1024      # elements of a plane, or outputs, at most: the pack stays in the caches
    PIECE = 32          # elements of a plane that are turned at a time


cdef struct Packing:
    Py_ssize_t groups       # of PACK channels in a batch
    Py_ssize_t plane        # elements of a plane
    Py_ssize_t outputs      # of a plane
    Py_ssize_t itemsize


cdef inline bint is_plane(const Geometry* g, int a) noexcept nogil:
    """Whether the planes of an array are runs in memory."""
    cdef const Array* x = &g.arrays[a]
    cdef const Py_ssize_t* sizes = &g.sizes[a][0]
    return (
        (sizes[2] == 1 or x.w == x.itemsize)
        and (sizes[1] == 1 or x.h == sizes[2] * x.itemsize)
        and (sizes[0] == 1 or x.d == sizes[1] * sizes[2] * x.itemsize)
    )


cdef inline Packing plan_packing(
    const Geometry* g, const Pooling* p,
    Py_ssize_t most,        # IN: elements of a plane that is worth it, LARGEST at most
) noexcept nogil:
    """How to pack; no groups where it is not worth it."""
    cdef Packing packing
    cdef bint planes = True
    cdef int a
    packing.plane = p.d.size * p.h.size * p.w.size
    packing.outputs = p.d.count * p.h.count * p.w.count
    packing.itemsize = p.x.itemsize
    packing.groups = pieces(g.channels, PACK)
    for a in range(g.count):
        planes = planes and is_plane(g, a)
    if not planes or g.lanes != 1 or g.channels < FEWEST or p.w.size > COLUMNS or (
        packing.plane > most or packing.outputs > LARGEST
    ):
        packing.groups = 0
    return packing


cdef inline Py_ssize_t pack_size(const Packing* packing) noexcept nogil:
    """Bytes of scratch for packed planes and for pieces that are converted."""
    return PACK * (packing.plane + PIECE) * packing.itemsize


cdef inline Py_ssize_t results_size(const Packing* packing, const Array* out) noexcept nogil:
    """Bytes of scratch for the results of a pack."""
    return PACK * packing.outputs * out.itemsize


cdef inline Array packed_array(
    char* data, const Py_ssize_t lanes, Py_ssize_t itemsize, Py_ssize_t h, Py_ssize_t w,
) noexcept nogil:
    cdef Array x
    x.data, x.itemsize, x.lane = data, itemsize, itemsize
    x.w = lanes * itemsize
    x.h = w * x.w
    x.d = h * x.h
    x.channel = x.batch = 0
    return x


cdef inline Pooling pack(
    const Packing* packing, const Pooling* p, Py_ssize_t job, char* scratch,
) noexcept nogil:
    """Pack a group of planes; return how to pool the pack, which lies in `scratch`."""
    cdef Pooling inner = p[0]
    cdef Py_ssize_t channel = job % packing.groups * PACK, i = 0, k, n
    cdef Py_ssize_t size = packing.itemsize, step = PIECE * size
    cdef const char* first = p.x.data + job // packing.groups * p.x.batch + channel * p.x.channel
    cdef const char* following = first + PACK * p.x.channel
    cdef char* piece = scratch + PACK * packing.plane * size
    cdef char* target = scratch
    inner.lanes = min(p.channels - channel, <Py_ssize_t> PACK)
    inner.channels = 1
    inner.lines = p.d.count * p.h.count
    inner.x = packed_array(scratch, inner.lanes, size, p.h.size, p.w.size)
    inner.fetch = NULL
    cut(&inner, 1)
    while i < packing.plane:
        n = min(packing.plane - i, <Py_ssize_t> PIECE)
        for k in range(inner.lanes):
            ask_for(following + k * p.x.channel, n * p.x.itemsize)
        if p.fetch == NULL:
            transpose(first, p.x.channel, inner.lanes, n, target, inner.x.w, size)
        else:
            for k in range(inner.lanes):
                p.fetch(first + k * p.x.channel, p.x.itemsize, 0, n, 1, piece + k * step)
            transpose(piece, step, inner.lanes, n, target, inner.x.w, size)
        first += n * p.x.itemsize
        following += n * p.x.itemsize
        target += n * inner.x.w
        i += n
    return inner


cdef inline Array packed_results(
    const Packing* packing, const Pooling* inner, const Array* out, char* scratch,
) noexcept nogil:
    """Where the results of a pack go, before they are turned."""
    return packed_array(scratch, inner.lanes, out.itemsize, inner.h.count, inner.w.count)


cdef inline void unpack(
    const Packing* packing, const Pooling* inner, Py_ssize_t job,
    const Array* packed,    # IN: outputs x lanes
    const Array* out,       # OUT
) noexcept nogil:
    cdef Py_ssize_t channel = job % packing.groups * PACK
    transpose(
        packed.data, packed.w, packing.outputs, inner.lanes,
        out.data + job // packing.groups * out.batch + channel * out.channel, out.channel,
        out.itemsize,
    )
