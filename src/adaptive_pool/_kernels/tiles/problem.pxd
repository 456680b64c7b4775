"""Arrays and axes as kernels in C see them; see problem.h."""
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport int64_t
from adaptive_pool._kernels.call.tables cimport Axis

cdef extern from "tiles/problem.h" nogil:
    ctypedef struct array_t "ap_array":
        char* data
        Py_ssize_t itemsize, batch, channel, d, h, w, lane
    ctypedef struct axis_t "ap_axis":
        Py_ssize_t size, count, shortest, longest
        bint monotone
        const int64_t* starts
        const int64_t* ends
        const int64_t* firsts
        const int64_t* lasts
        const int64_t* whole_starts
        const int64_t* whole_ends
        Py_ssize_t fewest, most
        int64_t whole, total, unit


cdef inline array_t array_of(const Array* x) noexcept nogil:
    cdef array_t array
    array.data, array.itemsize, array.batch, array.channel = x.data, x.itemsize, x.batch, x.channel
    array.d, array.h, array.w, array.lane = x.d, x.h, x.w, x.lane
    return array


cdef inline axis_t axis_of(const Axis* windows) noexcept nogil:
    cdef axis_t axis
    axis.size, axis.count = windows.size, windows.count
    axis.shortest, axis.longest = windows.shortest, windows.longest
    axis.monotone, axis.starts, axis.ends = windows.monotone, windows.starts, windows.ends
    axis.firsts, axis.lasts = windows.firsts, windows.lasts
    axis.whole_starts, axis.whole_ends = windows.whole_starts, windows.whole_ends
    axis.fewest, axis.most = windows.fewest, windows.most
    axis.whole, axis.total, axis.unit = windows.whole, windows.total, windows.unit
    return axis
