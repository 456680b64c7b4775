"""Gradients added, or values put, at their indices: one loop for each way that windows lie.

Each index is looked at as it is used, whatever was checked before.
"""
from adaptive_pool._kernels.call.elements cimport index_t
from adaptive_pool._kernels.maximum_backward.names cimport (
    Names, are_put, item_t, widen_for, widen_t,
)
from adaptive_pool._kernels.maximum_backward.problem cimport FEW, Place, Scatter

cdef extern from "maximum_backward/add.h" nogil:
    ctypedef struct Plane "ap_plane":
        Py_ssize_t size
        Py_ssize_t begin
        Py_ssize_t end
        size_t ready
        Py_ssize_t h
        Py_ssize_t w
        Py_ssize_t d_step
        Py_ssize_t h_step
        Py_ssize_t w_step
    void ap_clear(char* element, Py_ssize_t n, Py_ssize_t step, Py_ssize_t size) noexcept
    Py_ssize_t ap_index(const char* index, int size) noexcept
    Py_ssize_t ap_offset(const Plane* plane, Py_ssize_t i, bint flat) noexcept
    int ap_add_run(
        const Plane* plane, int size, bint puts, int index_size, bint flat, bint whole,
        const char* gradient, Py_ssize_t gradient_step, const char* index, Py_ssize_t index_step,
        Py_ssize_t n, char* element, Py_ssize_t side, Names* names, widen_t widen,
    ) noexcept


cdef inline Plane plane_of(const Scatter* s, const Place* place, Py_ssize_t ready) noexcept nogil:
    """A plane of which the elements up to `ready` are cleared."""
    return Plane(
        s.plane, place.begin, place.end, ready - place.begin, s.sizes[1], s.sizes[2],
        s.grad_input.d, s.grad_input.h, s.grad_input.w,
    )


# The loops over the windows of a line: one is chosen for a call. They are called by pointer,
# because inside a larger function the compiler keeps their variables in memory.
ctypedef int (*add_t)(
    const Scatter* s, const Place* place, const Plane* plane, const char* gradient,
    const char* index, Py_ssize_t n, Py_ssize_t planes,     # IN: windows along W; planes in a row
    char* element, Names* names, void* like, void* like_index,  # OUT: the first of the plane
) noexcept nogil


cdef inline int add_neighbours(
    const Scatter* s, const Place* place, const Plane* plane, const char* gradient,
    const char* index, Py_ssize_t n, Py_ssize_t planes,
    char* element, Names* names, item_t* like, index_t* like_index,
) noexcept nogil:
    """One lane, whose windows are neighbours in memory; whole planes without gaps."""
    cdef Plane packed = plane[0]
    cdef int outside = False
    packed.w_step = sizeof(item_t)
    for _plane in range(planes):
        outside |= ap_add_run(
            &packed, sizeof(item_t), are_put(like), sizeof(index_t), True, True,
            gradient, sizeof(item_t), index, sizeof(index_t), n, element, 0, names,
            widen_for(like),
        )
        gradient += s.grad_output.channel
        index += s.indices.channel
        element += s.grad_input.channel
    return outside


cdef inline int add_lanes(
    const Scatter* s, const Place* place, const Plane* plane, const char* gradient,
    const char* index, Py_ssize_t n, Py_ssize_t planes,
    char* element, Names* names, item_t* like, index_t* like_index,
) noexcept nogil:
    """Lanes that are neighbours in memory; whole planes."""
    cdef int outside = False
    cdef Py_ssize_t w
    for _plane in range(planes):
        for w in range(n):
            outside |= ap_add_run(
                plane, sizeof(item_t), are_put(like), sizeof(index_t), True, True,
                gradient + w * s.grad_output.w, sizeof(item_t), index + w * s.indices.w,
                sizeof(index_t), place.lanes, element, sizeof(item_t), names, widen_for(like),
            )
        gradient += s.grad_output.channel
        index += s.indices.channel
        element += s.grad_input.channel
    return outside


cdef inline int add_lanes_of_part(
    const Scatter* s, const Place* place, const Plane* plane, const char* gradient,
    const char* index, Py_ssize_t n, Py_ssize_t planes,
    char* element, Names* names, item_t* like, index_t* like_index,
) noexcept nogil:
    """The same for a part of a plane."""
    cdef int outside = False
    cdef Py_ssize_t w
    for w in range(n):
        outside |= ap_add_run(
            plane, sizeof(item_t), are_put(like), sizeof(index_t), True, False,
            gradient + w * s.grad_output.w, sizeof(item_t), index + w * s.indices.w,
            sizeof(index_t), place.lanes, element, sizeof(item_t), names, widen_for(like),
        )
    return outside


cdef inline int add_anything(
    const Scatter* s, const Place* place, const Plane* plane, const char* gradient,
    const char* index, Py_ssize_t n, Py_ssize_t planes,
    char* element, Names* names, item_t* like, index_t* like_index,
) noexcept nogil:
    cdef int outside = False
    cdef Py_ssize_t lane
    for _plane in range(planes):
        for lane in range(place.lanes):
            outside |= ap_add_run(
                plane, sizeof(item_t), are_put(like), sizeof(index_t), s.flat, False,
                gradient + lane * s.grad_output.lane, s.grad_output.w,
                index + lane * s.indices.lane, s.indices.w, n,
                element + lane * s.grad_input.lane, 0, names, widen_for(like),
            )
        gradient += s.grad_output.channel
        index += s.indices.channel
        element += s.grad_input.channel
    return outside


cdef inline add_t choose_add(const Scatter* s, item_t* _, index_t* __) noexcept nogil:
    cdef bint lanes = s.neighbours and s.flat and s.lanes >= FEW
    if lanes and s.parts > 1:
        return <add_t> add_lanes_of_part[item_t, index_t]
    elif lanes:
        return <add_t> add_lanes[item_t, index_t]
    elif (
        s.parts == 1 and s.lanes == 1 and s.packed
        and s.grad_output.w == sizeof(item_t) and s.indices.w == sizeof(index_t)
    ):
        return <add_t> add_neighbours[item_t, index_t]
    else:
        return <add_t> add_anything[item_t, index_t]
