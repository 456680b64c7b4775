"""Window tables as C arrays."""
cimport cython
from cpython.buffer cimport Py_buffer
from libc.stdint cimport int64_t


cdef struct Axis:
    Py_ssize_t size         # input length I
    Py_ssize_t count        # number of windows O
    Py_ssize_t shortest     # elements of a window, at least and at most
    Py_ssize_t longest
    Py_ssize_t regular      # the size of windows that follow each other, all of one size, or 0
    bint monotone           # starts and ends never fall: the windows that hold an index are a range
    const int64_t* starts
    const int64_t* ends


@cython.final
cdef class _Borders:
    cdef Py_buffer buffer
    cdef int64_t* data
    cdef Py_ssize_t count


@cython.final
cdef class Windows:
    cdef int first_axis     # the pooled axes are first_axis : first_axis + ndim
    cdef int ndim
    cdef Axis d, h, w
    cdef readonly double largest    # elements of a window, at most
    cdef int64_t* memory


cdef void describe_axis(Axis* axis) noexcept nogil


cdef inline bint holds(const Axis* axis, Py_ssize_t o, Py_ssize_t i) noexcept nogil:
    return axis.starts[o] <= i < axis.ends[o]


cdef inline Py_ssize_t window_size(const Axis* axis, Py_ssize_t o) noexcept nogil:
    return axis.ends[o] - axis.starts[o]
