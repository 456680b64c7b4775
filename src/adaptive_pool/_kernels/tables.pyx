"""Window tables, copied once into C arrays, so that a call acquires no buffer for them."""
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc


@cython.final
cdef class Windows:
    """The windows of the axes D, H and W of one canonical problem.

    Parameters
    ----------
    axes : sequence of three (size, starts, ends)
        Input length and the int64 tables of each axis. They are copied and not checked:
        ``0 <= start < end <= size`` must hold.
    """

    def __cinit__(self, axes):
        cdef const int64_t[::1] starts, ends
        cdef Axis* axis
        cdef Py_ssize_t total = sum(2 * len(starts_) for _, starts_, _ in axes)
        cdef Py_ssize_t i, used = 0
        self.memory = <int64_t*> PyMem_Malloc(max(total, 1) * sizeof(int64_t))
        if self.memory == NULL:
            raise MemoryError
        for k, (size, starts, ends) in enumerate(axes):
            axis = &self.d if k == 0 else &self.h if k == 1 else &self.w
            axis.size = size
            axis.count = starts.shape[0]
            axis.monotone = True
            axis.starts = self.memory + used
            axis.ends = self.memory + used + axis.count
            for i in range(axis.count):
                self.memory[used + i] = starts[i]
                self.memory[used + axis.count + i] = ends[i]
                if i > 0 and (starts[i] < starts[i - 1] or ends[i] < ends[i - 1]):
                    axis.monotone = False
            used += 2 * axis.count

    def __dealloc__(self):
        PyMem_Free(self.memory)
