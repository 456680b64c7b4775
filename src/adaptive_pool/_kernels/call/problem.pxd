"""One geometry, checked: what is pooled, along which axes, over which windows."""
cimport cython
from libc.stdint cimport int64_t


@cython.final
cdef class Problem:
    cdef readonly tuple input_shape, output_shape
    cdef readonly tuple input_size, output_size     # of these, the pooled axes
    cdef readonly int64_t plane     # elements on the pooled axes: the end of flat indices
    cdef readonly double elements   # of an array of the input's shape and one of the output's
    cdef readonly bint computes     # whether the output has elements
    cdef readonly bint at_once      # whether it is planned all at once: of parts, not all need be
    cdef readonly int first_axis
    cdef readonly int others        # how many axes are not pooled
    cdef readonly object windows

    cpdef cut(self)
