"""A kernel with all that it is told but for arrays and windows."""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.call.canonical cimport Canonical, arrange, borrow, borrow_indices


@cython.final
cdef class Kernel:
    """How a kernel plans a call, and which arrays it takes."""

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


cdef Kernel kernel_of(
    prepare_t prepare, Py_ssize_t task_size,
    const void* call, Py_ssize_t call_size,     # IN: what `prepare` is told, copied
    const Kind* kinds, int count,               # IN: of arrays
):
    cdef Kernel kernel = Kernel()
    kernel.call = malloc(call_size)
    if kernel.call == NULL:
        raise MemoryError("no memory for a call")
    memcpy(kernel.call, call, call_size)
    kernel.prepare, kernel.task_size = prepare, (task_size + 15) // 16 * 16
    kernel.count = count
    memcpy(kernel.kinds, kinds, count * sizeof(Kind))
    return kernel
