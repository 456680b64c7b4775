"""What a kernel does with arrays, as those who run it for several of them know it."""
cimport cython

from adaptive_pool._kernels.call.canonical cimport Canonical
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.call.tables cimport Windows

cdef enum:
    MOST_RESULTS = 2


# What an array is.
cdef struct Kind:
    Py_ssize_t itemsize     # 0: int32 or int64
    bint writable


@cython.final
cdef class Work:
    cdef prepare_t prepare
    cdef Py_ssize_t task_size   # of what is prepared
    cdef void* call             # what `prepare` is told
    cdef int count              # of arrays, the input first
    cdef Kind kinds[1 + MOST_RESULTS]

    cdef int take(self, Canonical* c, tuple arrays, Windows windows) except -1


cdef Work work_of(
    prepare_t prepare, Py_ssize_t task_size, const void* call, Py_ssize_t call_size,
    const Kind* kinds, int count,
)
