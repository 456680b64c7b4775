"""What a kernel does with arrays, as those who run it for several of them know it."""
cimport cython

from adaptive_pool._kernels.call.canonical cimport MOST_ARRAYS, Canonical, Geometry
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.call.tables cimport Windows


# What an array is.
cdef struct Kind:
    Py_ssize_t itemsize     # 0: int32 or int64
    bint writable


# Finishes the means of a box on their way to memory, and says how much scratch that takes.
ctypedef void (*finish_t)(
    const Geometry* box, double* means, double* scratch, const void* call,
) noexcept nogil
ctypedef Py_ssize_t (*finish_size_t)(const Geometry* box) noexcept nogil


@cython.final
cdef class Work:
    cdef prepare_t prepare
    cdef Py_ssize_t task_size   # of what is prepared
    cdef void* call             # what `prepare` is told
    cdef int count              # of arrays, the input first
    cdef Kind kinds[MOST_ARRAYS]
    cdef finish_t finish        # NULL where results are stored as they are
    cdef finish_size_t finish_size

    cdef int take(self, Canonical* c, tuple arrays, Windows windows) except -1


cdef Work work_of(
    prepare_t prepare, Py_ssize_t task_size, const void* call, Py_ssize_t call_size,
    const Kind* kinds, int count,
)
