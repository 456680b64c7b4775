"""Parts of an array that are pooled each by itself: samples up to their lengths, and regions."""
cimport cython

from adaptive_pool._kernels.call.rules cimport Rule
from adaptive_pool._kernels.call.tables cimport Axis, Given, int64_t

cdef enum:
    AT_ONCE = 256   # parts, or samples, that are planned at a time


cdef struct Part:
    int64_t sample      # along the first axis
    int64_t starts[3]   # D, H, W
    int64_t sizes[3]


@cython.final
cdef class Parts:
    cdef int first_axis, ndim
    cdef Rule rule
    cdef const int64_t* tables[3]   # starts, then ends, from the beginning of a part; NULL: by rule
    cdef Given weights[3]           # of such windows; their unit is 0 if they say nothing
    cdef Py_ssize_t samples
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t sizes[3]        # of the pooled axes of all, and the numbers of windows
    cdef Py_ssize_t counts[3]
    cdef Part* parts
    cdef int64_t* memory
    cdef readonly double elements   # of all parts, on the pooled axes
    cdef bint one_of_each           # one part of each sample, in order, from its beginning on
    cdef bint are_items             # of one sample, none of which overlap
    cdef int64_t least              # elements that a window must have, or it becomes `filler`
    cdef char filler[8]


cdef void cut_axis(
    Parts parts, Py_ssize_t k, int a, Axis* axis, int64_t* table,
) noexcept nogil
cdef Py_ssize_t borders_of_axis(Parts parts, int a) noexcept nogil
cdef Py_ssize_t borders_of(Parts parts) noexcept nogil
cdef Py_ssize_t room_for(Parts parts) noexcept
cdef void count_axis(Parts parts, Py_ssize_t k, int a, int64_t* table) noexcept nogil
