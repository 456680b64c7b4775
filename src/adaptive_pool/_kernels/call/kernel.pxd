"""A kernel with all that it is told but for arrays and windows, to be run for several of these."""
cimport cython

from adaptive_pool._kernels.call.canonical cimport MOST_ARRAYS, Canonical
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.call.tables cimport Windows


# What an array is.
cdef struct Kind:
    Py_ssize_t itemsize     # 0: int32 or int64
    bint writable


@cython.final
cdef class Kernel:
    cdef prepare_t prepare
    cdef Py_ssize_t task_size   # of what is prepared
    cdef void* call             # what `prepare` is told
    cdef int count              # of arrays; the first is that which windows are cut from
    cdef Kind kinds[MOST_ARRAYS]

    cdef int take(self, Canonical* c, tuple arrays, Windows windows) except -1


cdef Kernel kernel_of(
    prepare_t prepare, Py_ssize_t task_size, const void* call, Py_ssize_t call_size,
    const Kind* kinds, int count,
)
