"""How kernels pool a list of arrays, each into results of its own."""
from adaptive_pool._kernels.call.part_runs cimport prepare_t


# What an array of each item is.
cdef struct Kind:
    Py_ssize_t itemsize     # 0: int32 or int64
    bint writable


cdef int run_items(
    list arrays, list windows, const Kind* kinds, int each, prepare_t prepare, const void* call,
    Py_ssize_t task_size, int num_threads,
) except -1
