"""Planes of few elements for each gradient, of halves: as float32, and rounded as they are stored.

What naming elements costs (names.pxd) is more than rounding them all.
"""
from libc.string cimport memset

from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport index_t
from adaptive_pool._kernels.maximum_backward.addition cimport choose_add
from adaptive_pool._kernels.maximum_backward.names cimport round_run
from adaptive_pool._kernels.maximum_backward.problem cimport Place, Scatter, locate
from adaptive_pool._kernels.maximum_backward.scatter cimport scatter_planes
from adaptive_pool._kernels.simd.halves cimport half_t, widen_run
from adaptive_pool._kernels.tiles.planes cimport at


cdef inline Array floats_at(float* data, Py_ssize_t elements, Py_ssize_t lanes) noexcept nogil:
    """Planes of so many elements, one after the other, without gaps."""
    cdef Py_ssize_t item = sizeof(float)
    return Array(<char*> data, item, 0, elements * lanes * item, 0, 0, lanes * item, item)


cdef inline void widen_planes(
    const Scatter* s, const Place* place, Py_ssize_t first, Py_ssize_t planes,
    float* floats, half_t* _,
) noexcept nogil:
    """The gradients of some planes, which adjoin, and of some lanes."""
    cdef Py_ssize_t w
    cdef half_t* gradients = <half_t*> at(&s.grad_output, place.batch, first, 0, 0, 0, place.lane)
    if place.lanes == s.lanes:
        widen_run[half_t](gradients, planes * s.outputs * s.lanes, floats)
        return
    for w in range(planes * s.outputs):
        widen_run[half_t](gradients + w * s.lanes, place.lanes, floats + w * place.lanes)


cdef inline void round_planes(
    const Scatter* s, const Place* place, Py_ssize_t first, Py_ssize_t planes,
    const float* sums, half_t* _,
) noexcept nogil:
    cdef Py_ssize_t size = s.plane * place.lanes, k, i
    cdef half_t* out
    if place.lanes == s.lanes and s.grad_input.channel == size * s.grad_input.itemsize:
        size, planes = planes * size, 1     # one after the other, without gaps
    for k in range(planes):
        out = <half_t*> at(&s.grad_input, place.batch, first + k, 0, 0, 0, place.lane)
        if place.lanes == s.lanes:
            round_run[half_t](sums + k * size, size, out)
            continue
        for i in range(s.plane):
            round_run[half_t](
                sums + k * size + i * place.lanes, place.lanes, out + i * s.lanes
            )


cdef inline int scatter_widened(
    const Scatter* s, Py_ssize_t job, void* scratch, half_t* like, index_t* like_index,
) noexcept nogil:
    cdef Place place = locate(s, job), here = place
    cdef Scatter wide = s[0]
    cdef float* gradients = <float*> scratch
    cdef float* sums = gradients + s.cleared * s.outputs * place.lanes
    cdef Py_ssize_t first = place.channel0, planes, size = s.plane * place.lanes
    cdef int outside = False
    wide.grad_output = floats_at(gradients, s.outputs, place.lanes)
    wide.grad_input = floats_at(sums, s.plane, place.lanes)
    wide.lanes = wide.named = here.lanes = place.lanes
    wide.add = <void*> choose_add[float, index_t](&wide, NULL, NULL)
    here.batch = here.lane = 0
    while first < place.channel1:
        planes = min(s.cleared, place.channel1 - first)
        widen_planes[half_t](s, &place, first, planes, gradients, like)
        memset(sums, 0, planes * size * sizeof(float))
        wide.indices.data = at(&s.indices, place.batch, first, 0, 0, 0, place.lane)
        outside |= scatter_planes[float, index_t](
            &wide, &here, 0, planes, s.plane, NULL, NULL, like_index
        )
        round_planes[half_t](s, &place, first, planes, sums, like)
        first += planes
    return outside
