"""Gradients added in grad_input itself, which is cleared just ahead of the indices."""
from libc.string cimport memset

from adaptive_pool._kernels.call.elements cimport (
    index_t, int32_t, one_nan, real_t, uint32_t, uint64_t,
)
from adaptive_pool._kernels.maximum_backward.addition cimport add_t, choose_add, read_index
from adaptive_pool._kernels.maximum_backward.problem cimport CHUNK, CLEAR, Place, Scatter, locate
from adaptive_pool._kernels.tiles.planes cimport at


cdef inline Py_ssize_t highest_of(
    const char* index, Py_ssize_t step, Py_ssize_t n, index_t* _,
) noexcept nogil:
    cdef Py_ssize_t k, size = sizeof(index_t)
    cdef index_t most = 0, i
    cdef int32_t word, most_word = 0
    if step == size:
        # Of indices inside, upper words are 0; maxima of 32 bits take one instruction.
        for k in range(n * size // 4):
            word = (<const int32_t*> index)[k]
            most_word = word if word > most_word else most_word
        return most_word
    for k in range(n):
        i = (<const index_t*> (index + k * step))[0]
        most = i if i > most else most
    return most


cdef inline Py_ssize_t highest(
    const Scatter* s, const Place* place, const char* index, Py_ssize_t n, index_t* like,
) noexcept nogil:
    """The highest index of n windows along W, or something higher."""
    cdef Py_ssize_t w, most = 0
    if s.plane > 0x7FFFFFFF:
        return s.plane - 1
    if place.lanes == 1:
        return highest_of(index, s.indices.w, n, like)
    if s.indices.w == place.lanes * s.indices.lane:
        return highest_of(index, s.indices.lane, n * place.lanes, like)
    for w in range(n):
        most = max(
            most, highest_of(index + w * s.indices.w, s.indices.lane, place.lanes, like)
        )
    return most


cdef inline void clear(
    const Scatter* s, const Place* place, Py_ssize_t channel, Py_ssize_t begin, Py_ssize_t end,
) noexcept nogil:
    """Set elements begin:end of a dense plane to zero, whose bits are all zero."""
    cdef char* start = at(&s.grad_input, place.batch, channel, 0, 0, begin, place.lane)
    cdef Py_ssize_t size = place.lanes * s.grad_input.itemsize, i
    if place.lanes == s.lanes:
        memset(start, 0, (end - begin) * size)
        return
    for i in range(end - begin):
        memset(start + i * s.grad_input.w, 0, size)


cdef inline int scatter_ahead(
    const Scatter* s, const Place* place, Py_ssize_t channel, real_t* gradient, index_t* index,
) noexcept nogil:
    """Add to a plane that is cleared here, just ahead of the indices."""
    cdef Py_ssize_t od, oh, ow, n, top, ready = place.begin
    cdef Py_ssize_t stride = max(CLEAR // s.grad_input.w, <Py_ssize_t> 1)
    cdef Py_ssize_t chunk = max(CHUNK // place.lanes, <Py_ssize_t> 1)
    cdef char* sums = at(&s.grad_input, place.batch, channel, 0, 0, place.begin, place.lane)
    cdef const char* from_index
    cdef int outside = False
    cdef add_t add = choose_add[real_t, index_t](s, s.parts == 1, NULL, NULL)
    for od in range(s.windows[0]):
        for oh in range(s.windows[1]):
            ow = 0
            while ow < s.windows[2]:
                n = min(s.windows[2] - ow, chunk)
                from_index = at(&s.indices, place.batch, channel, od, oh, ow, place.lane)
                if ready < place.end:
                    top = highest[index_t](s, place, from_index, n, index)
                    if top >= ready:
                        top = min(max(top + 1, ready + stride), place.end)
                        clear(s, place, channel, ready, top)
                        ready = top
                outside |= add(
                    s, place, at(&s.grad_output, place.batch, channel, od, oh, ow, place.lane),
                    from_index, n, 1, ready - place.begin, sums, s.grad_input.w, gradient, index,
                )
                ow += n
    clear(s, place, channel, ready, place.end)
    return outside


cdef inline int scatter_small(
    const Scatter* s, const Place* place, real_t* gradient, index_t* index,
) noexcept nogil:
    """Add to planes that are cleared whole, some of them at once."""
    cdef Py_ssize_t size = s.plane * s.grad_input.w
    cdef Py_ssize_t first = place.channel0, planes, od, oh, plane
    cdef char* sums = at(&s.grad_input, place.batch, first, 0, 0, 0, 0)
    cdef int outside = False
    cdef add_t add = choose_add[real_t, index_t](s, True, NULL, NULL)
    while first < place.channel1:
        planes = min(s.cleared, place.channel1 - first)
        if planes == 1 or s.grad_input.channel == size:
            memset(sums, 0, planes * size)
        else:
            for plane in range(planes):
                memset(sums + plane * s.grad_input.channel, 0, size)
        for od in range(s.windows[0]):
            for oh in range(s.windows[1]):
                outside |= add(
                    s, place, at(&s.grad_output, place.batch, first, od, oh, 0, 0),
                    at(&s.indices, place.batch, first, od, oh, 0, 0),
                    s.windows[2], planes, s.plane, sums, s.grad_input.w, gradient, index,
                )
        sums += planes * s.grad_input.channel
        first += planes
    return outside


cdef inline bint are_finite(const Scatter* s, const Place* place, real_t* _) noexcept nogil:
    """Whether gradients are finite, if they have no gaps: then no sum of them becomes NaN."""
    cdef Py_ssize_t k, n = (place.channel1 - place.channel0) * s.windows[2] * s.lanes
    cdef const char* gradient = at(&s.grad_output, place.batch, place.channel0, 0, 0, 0, 0)
    cdef uint32_t narrow = 0
    cdef uint64_t wide = 0
    if not s.dense:
        return False
    # An exponent of ones, and no other, reaches the bit of the sign when one is added to it.
    for k in range(n):
        if real_t is double:
            wide |= ((<const uint64_t*> gradient)[k] << 1 >> 1) + (<uint64_t> 1 << 52)
        elif real_t is float:
            narrow |= ((<const uint32_t*> gradient)[k] << 1 >> 1) + 0x800000
    return (wide >> 63 | narrow >> 31) == 0


cdef inline void unify(
    const Scatter* s, const Place* place, Py_ssize_t i, char* sums, real_t* _,
) noexcept nogil:
    if place.begin <= i < place.end:
        sums += (i - place.begin) * s.grad_input.w
        if real_t is double:
            (<double*> sums)[0] = one_nan((<double*> sums)[0])
        elif real_t is float:
            (<float*> sums)[0] = <float> one_nan((<float*> sums)[0])


cdef inline void unify_all(
    const Scatter* s, const Place* place, real_t* like, index_t* like_index,
) noexcept nogil:
    """Make every NaN that the additions of a job have left the same."""
    cdef Py_ssize_t channel, od, oh, ow, lane, i
    cdef const char* index
    cdef char* sums
    for channel in range(place.channel0, place.channel1):
        sums = at(&s.grad_input, place.batch, channel, 0, 0, place.begin, place.lane)
        for od in range(s.windows[0]):
            for oh in range(s.windows[1]):
                for ow in range(s.windows[2]):
                    index = at(&s.indices, place.batch, channel, od, oh, ow, place.lane)
                    for lane in range(place.lanes):
                        i = read_index[index_t](index + lane * s.indices.lane, like_index)
                        unify[real_t](s, place, i, sums + lane * s.grad_input.lane, like)


cdef inline int scatter_in_place(
    const Scatter* s, Py_ssize_t job, void* _, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef int outside
    cdef bint finite = are_finite[real_t](s, &place, gradient)
    if s.small:
        outside = scatter_small[real_t, index_t](s, &place, gradient, index)
    else:
        outside = scatter_ahead[real_t, index_t](s, &place, place.channel0, gradient, index)
    if not finite:
        unify_all[real_t, index_t](s, &place, gradient, index)
    return outside
