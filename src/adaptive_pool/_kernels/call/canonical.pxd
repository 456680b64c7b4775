"""How the arrays of a call lie in memory, as the kernels see them."""
from cpython.buffer cimport Py_buffer

from adaptive_pool._kernels.call.floating_point cimport FloatingPoint
from adaptive_pool._kernels.call.tables cimport Axis, Windows, int64_t

cdef enum:
    MOST_ARRAYS = 4
    MOST_AXES = 64


cdef struct Array:
    char* data
    Py_ssize_t itemsize
    Py_ssize_t batch    # this and the following: steps in bytes along the canonical axes
    Py_ssize_t channel
    Py_ssize_t d
    Py_ssize_t h
    Py_ssize_t w
    Py_ssize_t lane


cdef struct Geometry:
    # What a kernel is given: the same place in all arrays, and the windows there. The first array
    # is that which windows are cut from; it decides which axis is lanes.
    int count
    Array arrays[MOST_ARRAYS]
    Py_ssize_t sizes[MOST_ARRAYS][3]    # D, H, W
    Py_ssize_t batches
    Py_ssize_t channels
    Py_ssize_t lanes
    const Axis* d
    const Axis* h
    const Axis* w
    Py_ssize_t bytes                    # of the first array
    int64_t number                      # the flat index of its first element in the plane,
    int64_t d_number                    # and what a step along D or H adds
    int64_t h_number


cdef struct Canonical:
    # The arrays of one call.
    int count
    int where       # the number of that which says what counts, and of that for numbers; or -1
    int counts
    int elements    # backward, the number of the input, if its elements say whether they count
    Geometry here
    # Leading axes that no common step joins to batch or channel.
    int loops
    Py_ssize_t loop_sizes[MOST_AXES]
    Py_ssize_t loop_steps[MOST_ARRAYS][MOST_AXES]
    Py_ssize_t position[MOST_AXES]
    Py_buffer buffers[MOST_ARRAYS]
    FloatingPoint caller    # the state that the calling thread came with


cdef inline void begin(Canonical* c) noexcept:
    """Before anything is borrowed."""
    c.count, c.where, c.counts, c.elements = 0, -1, -1, -1


cdef int borrow(Canonical* c, object array, bint writable, Py_ssize_t itemsize) except -1
cdef int borrow_indices(Canonical* c, object array, bint writable) except -1
cdef void give_back(Canonical* c) noexcept
cdef int arrange(Canonical* c, Windows windows) except -1
cdef void arrange_axes(Canonical* c, int begin, int first, int last) noexcept nogil
cdef bint advance(Canonical* c) noexcept nogil
