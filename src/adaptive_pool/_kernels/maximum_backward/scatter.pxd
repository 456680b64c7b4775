"""One job: planes are cleared, gradients added, and what they leave made the same everywhere.

Or values are put there, which are words.
"""
from libc.string cimport memset

from adaptive_pool._kernels.call.elements cimport (
    index_t, int32_t, one_nan, real_t, uint32_t, uint64_t,
)
from adaptive_pool._kernels.maximum_backward.addition cimport (
    Plane, add_t, ap_clear, ap_index, ap_offset, plane_of,
)
from adaptive_pool._kernels.maximum_backward.names cimport Names, no_names, round_sums
from adaptive_pool._kernels.maximum_backward.problem cimport CHUNK, CLEAR, Place, Scatter, locate
from adaptive_pool._kernels.simd.halves cimport half_t
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
    """Set elements begin:end of a plane to zero, whose bits are all zero."""
    cdef Plane plane = plane_of(s, place, 0)
    cdef char* first = at(&s.grad_input, place.batch, channel, 0, 0, 0, place.lane)
    cdef char* element
    cdef Py_ssize_t step = s.grad_input.w, size = place.lanes * s.grad_input.itemsize, n
    while begin < end:
        element = first + ap_offset(&plane, begin, s.flat)
        n = end - begin if s.flat else min(end - begin, s.sizes[2] - begin % s.sizes[2])
        ap_clear(element, n, step, size)
        begin += n


cdef inline int scatter_line(
    const Scatter* s, const Place* place, const Place* some, Plane* plane, add_t add,
    const char* gradient, const char* index, Py_ssize_t first, Py_ssize_t planes,
    Py_ssize_t* ready,      # IN, OUT: how far the plane is cleared
    Names* names, real_t* like, index_t* like_index,
) noexcept nogil:
    """Add the windows of a line."""
    cdef Py_ssize_t ow = 0, n, top, size = s.lanes * s.grad_input.itemsize
    cdef int outside = False
    while ow < s.windows[2]:
        n = s.windows[2] - ow
        if ready[0] < place.end:
            n = min(n, max(CHUNK // some.lanes, <Py_ssize_t> 1))
            top = highest[index_t](s, some, index, n, like_index)
            if top >= ready[0]:
                top = min(max(top + 1, ready[0] + CLEAR // size), place.end)
                clear(s, place, first, ready[0], top)
                ready[0] = top
                plane.ready = top - place.begin
        outside |= add(
            s, some, plane, gradient, index, n, planes,
            at(&s.grad_input, place.batch, first, 0, 0, 0, some.lane), names, like, like_index,
        )
        ow += n
        gradient += n * s.grad_output.w
        index += n * s.indices.w
    return outside


cdef inline int scatter_planes(
    const Scatter* s, const Place* place, Py_ssize_t first, Py_ssize_t planes,
    Py_ssize_t ready,       # IN: how far they are cleared; the rest is, just ahead of the indices
    void* scratch, real_t* like, index_t* like_index,
) noexcept nogil:
    cdef Py_ssize_t k, od, oh
    cdef Place some = place[0]
    cdef Plane plane = plane_of(s, place, ready)
    cdef Names names
    cdef const char* gradient
    cdef const char* index
    cdef int outside = False
    cdef add_t add = <add_t> s.add
    while some.lane < place.lane + place.lanes:
        some.lanes = min(s.named, place.lane + place.lanes - some.lane)
        if real_t in half_t:
            names = no_names(scratch, planes * s.outputs * some.lanes)
        for k in range(s.region_count):
            for od in range(s.windows[0]):
                for oh in range(s.windows[1]):
                    gradient = at(&s.grad_output, place.batch, first, od, oh, 0, some.lane)
                    index = at(&s.indices, place.batch, first, od, oh, 0, some.lane)
                    outside |= scatter_line[real_t, index_t](
                        s, place, &some, &plane, add,
                        gradient + s.regions[k] * s.gradient_step,
                        index + s.regions[k] * s.index_step, first, planes, &ready, &names, like,
                        like_index,
                    )
        if ready < place.end:
            clear(s, place, first, ready, place.end)
            ready = place.end
            plane.ready = ready - place.begin
        if real_t in half_t:
            round_sums(&names, like)
        some.lane += some.lanes
    return outside


cdef inline int scatter_small(
    const Scatter* s, const Place* place, void* scratch, real_t* like, index_t* like_index,
) noexcept nogil:
    """Add to planes that are cleared whole, some of them at once."""
    cdef Py_ssize_t size = s.plane * s.grad_input.w
    cdef Py_ssize_t first = place.channel0, planes, channel
    cdef int outside = False
    while first < place.channel1:
        planes = min(s.cleared, place.channel1 - first)
        if s.packed and place.lanes == s.lanes and (planes == 1 or s.grad_input.channel == size):
            memset(at(&s.grad_input, place.batch, first, 0, 0, 0, 0), 0, planes * size)
        else:
            for channel in range(first, first + planes):
                clear(s, place, channel, 0, s.plane)
        outside |= scatter_planes[real_t, index_t](
            s, place, first, planes, s.plane, scratch, like, like_index
        )
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


cdef inline void unify_line(
    const Scatter* s, const Place* place, const Plane* plane, const char* index, char* first,
    real_t* _, index_t* __,
) noexcept nogil:
    cdef Py_ssize_t lane, i
    cdef real_t* element
    for _ow in range(s.windows[2]):
        for lane in range(place.lanes):
            i = ap_index(index + lane * s.indices.lane, sizeof(index_t))
            if place.begin <= i < place.end:
                element = <real_t*> (
                    first + lane * s.grad_input.lane + ap_offset(plane, i, s.flat)
                )
                if real_t not in half_t:
                    element[0] = <real_t> one_nan(element[0])
        index += s.indices.w


cdef inline void unify_all(
    const Scatter* s, const Place* place, real_t* like, index_t* like_index,
) noexcept nogil:
    """Make every NaN that the additions of a job have left the same."""
    cdef Py_ssize_t channel, od, oh, k
    cdef Plane plane = plane_of(s, place, place.end)
    cdef char* first
    for channel in range(place.channel0, place.channel1):
        first = at(&s.grad_input, place.batch, channel, 0, 0, 0, place.lane)
        for k in range(s.region_count):
            for od in range(s.windows[0]):
                for oh in range(s.windows[1]):
                    unify_line[real_t, index_t](
                        s, place, &plane,
                        s.regions[k] * s.index_step + <const char*> at(
                            &s.indices, place.batch, channel, od, oh, 0, place.lane
                        ),
                        first, like, like_index,
                    )


cdef inline int scatter(
    const Scatter* s, Py_ssize_t job, void* scratch, real_t* like, index_t* like_index,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef int outside
    cdef bint finite = True     # so are halves: rounding makes every NaN the same
    if not s.puts and real_t not in half_t:
        finite = are_finite[real_t](s, &place, like)
    if s.small:
        outside = scatter_small[real_t, index_t](s, &place, scratch, like, like_index)
    else:
        outside = scatter_planes[real_t, index_t](
            s, &place, place.channel0, 1, place.begin, scratch, like, like_index
        )
    if not finite:
        unify_all[real_t, index_t](s, &place, like, like_index)
    return outside
