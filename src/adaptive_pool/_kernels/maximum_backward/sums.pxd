"""Gradients added in a tile of sums, float32 for halves, which are rounded as they are stored."""
from libc.string cimport memset

from adaptive_pool._kernels.call.elements cimport index_t, one_nan, real_t, store_real, uint32_t
from adaptive_pool._kernels.maximum_backward.addition cimport add_t, choose_add
from adaptive_pool._kernels.maximum_backward.problem cimport SCRATCH, ZEROS, Place, Scatter, locate
from adaptive_pool._kernels.simd.halves cimport half_t, narrow_floats
from adaptive_pool._kernels.tiles.planes cimport at


cdef inline void store_one(real_t* out, const void* sums, Py_ssize_t k) noexcept nogil:
    cdef double x
    if real_t is double:
        x = (<const double*> sums)[k]
    else:
        x = (<const float*> sums)[k]
    store_real[real_t](out, one_nan(x))


cdef inline void store_run(real_t* out, const void* sums, Py_ssize_t n) noexcept nogil:
    """Store sums side by side. Most are 0, whose bits are 0 in every type."""
    cdef Py_ssize_t k = 0, i
    cdef const uint32_t* words = <const uint32_t*> sums
    cdef uint32_t any_bits
    if real_t in half_t:
        while k + ZEROS <= n:
            any_bits = 0
            for i in range(ZEROS):
                any_bits |= words[k + i]
            if any_bits == 0:
                memset(out + k, 0, ZEROS * sizeof(real_t))
            else:
                narrow_floats[real_t](<const float*> sums + k, ZEROS, out + k)
            k += ZEROS
    for i in range(k, n):
        store_one[real_t](out + i, sums, i)


cdef inline void store_sums(
    const Scatter* s, const Place* place, Py_ssize_t channel, const void* sums, real_t* _,
) noexcept nogil:
    cdef Py_ssize_t i, w, line, k = 0
    cdef char* out
    cdef Py_ssize_t size = sizeof(real_t)
    cdef bint side_by_side = s.lanes == 1 or s.grad_input.lane == size
    if s.flat and place.lanes == s.lanes and side_by_side and s.grad_input.w == s.lanes * size:
        out = at(&s.grad_input, place.batch, channel, 0, 0, place.begin, 0)
        store_run[real_t](<real_t*> out, sums, (place.end - place.begin) * s.lanes)
        return
    for i in range(place.begin, place.end):
        w = i
        line = 0
        if not s.flat:
            w = i % s.sizes[2]
            line = i // s.sizes[2]
        out = at(
            &s.grad_input, place.batch, channel, line // s.sizes[1], line % s.sizes[1], w,
            place.lane,
        )
        if s.grad_input.lane == size:
            if real_t is double:
                store_run[real_t](<real_t*> out, <const double*> sums + k, place.lanes)
            else:
                store_run[real_t](<real_t*> out, <const float*> sums + k, place.lanes)
            k += place.lanes
            continue
        for _lane in range(place.lanes):
            store_one[real_t](<real_t*> out, sums, k)
            out += s.grad_input.lane
            k += 1


cdef inline int scatter_by_tiles(
    const Scatter* s, Py_ssize_t job, void* sums, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place whole = locate(s, job)
    cdef Place place = whole
    cdef Py_ssize_t channel, od, oh
    cdef Py_ssize_t size = sizeof(double) if real_t is double else sizeof(float)
    cdef Py_ssize_t elements = SCRATCH // (size * place.lanes)
    cdef int outside = False
    cdef bint whole_planes = s.plane <= elements and s.parts == 1
    cdef add_t add = choose_add[real_t, index_t](s, whole_planes, NULL, NULL)
    for channel in range(place.channel0, place.channel1):
        place.begin = whole.begin
        while place.begin < whole.end:
            place.end = min(place.begin + elements, whole.end)
            memset(sums, 0, (place.end - place.begin) * place.lanes * size)
            for od in range(s.windows[0]):
                for oh in range(s.windows[1]):
                    outside |= add(
                        s, &place,
                        at(&s.grad_output, place.batch, channel, od, oh, 0, place.lane),
                        at(&s.indices, place.batch, channel, od, oh, 0, place.lane),
                        s.windows[2], 1, place.end - place.begin,
                        <char*> sums, place.lanes * size, gradient, index,
                    )
            store_sums[real_t](s, &place, channel, sums, gradient)
            place.begin = place.end
    return outside
