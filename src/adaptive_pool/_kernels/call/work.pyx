"""What a kernel does with arrays: how it plans that, and which arrays it takes."""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.call.canonical cimport Canonical, arrange, borrow, borrow_indices


@cython.final
cdef class Work:
    """One kernel, with all that it is told but for arrays and windows."""

    def __dealloc__(self):
        free(self.call)

    cdef int take(self, Canonical* c, tuple arrays, Windows windows) except -1:
        """Borrow arrays, which must be given back also after an error, and find their axes."""
        cdef int a
        for a in range(self.count):
            if self.kinds[a].itemsize == 0:
                borrow_indices(c, arrays[a], self.kinds[a].writable)
            else:
                borrow(c, arrays[a], self.kinds[a].writable, self.kinds[a].itemsize)
        arrange(c, windows)
        return 0


cdef Work work_of(
    prepare_t prepare, Py_ssize_t task_size,
    const void* call, Py_ssize_t call_size,     # IN: what `prepare` is told, copied
    const Kind* kinds, int count,               # IN: of arrays
):
    cdef Work work = Work()
    work.call = malloc(call_size)
    if work.call == NULL:
        raise MemoryError("no memory for a call")
    memcpy(work.call, call, call_size)
    work.prepare, work.task_size, work.count = prepare, (task_size + 15) // 16 * 16, count
    memcpy(work.kinds, kinds, count * sizeof(Kind))
    return work
