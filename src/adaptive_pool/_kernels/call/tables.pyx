"""What calls say of axes: sizes, and window tables, copied once into C arrays.

So a call acquires no buffer for its tables, and looks at its sizes in no loop of Python.
"""
cimport cython
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.mem cimport PyMem_Free, PyMem_Malloc


def are_sizes(
    value,              # IN: anything
    bint or_none,       # IN: whether None is taken for a size
):
    """Whether `value` is a tuple of ints that can be sizes; not of subclasses, so not of bools."""
    cdef int overflow
    if type(value) is not tuple:
        return False
    for size in <tuple> value:
        if type(size) is int:
            if PyLong_AsLongLongAndOverflow(size, &overflow) < 0 or overflow:
                return False
        elif not (or_none and size is None):
            return False
    return True


def are_strings(
    values,             # IN: a tuple of anything
    Py_ssize_t count,   # IN: how many of the last to look at
):
    """Whether the last values are strings; not of subclasses, which may do anything."""
    cdef Py_ssize_t k, size = len(<tuple> values)
    for k in range(size - count, size):
        if type((<tuple> values)[k]) is not str:
            return False
    return True


@cython.final
cdef class Windows:
    """The pooled axes of an array, and their windows.

    Parameters
    ----------
    first_axis : int
        The first of them.
    axes : sequence of (size, starts, ends)
        Input length and the int64 tables of each axis, one to three. They are copied and not
        checked: ``0 <= start < end <= size`` must hold.
    """

    def __cinit__(self, int first_axis, axes):
        cdef const int64_t[::1] starts, ends
        cdef Axis* axis
        cdef Axis* all_axes[3]
        cdef Py_ssize_t total = sum(2 * len(starts_) for _, starts_, _ in axes)
        cdef Py_ssize_t i, used = 0
        all_axes[0], all_axes[1], all_axes[2] = &self.d, &self.h, &self.w
        self.first_axis = first_axis
        self.ndim = <int> len(axes)
        self.memory = <int64_t*> PyMem_Malloc((total + 2) * sizeof(int64_t))
        if self.memory == NULL:
            raise MemoryError
        self.memory[0], self.memory[1] = 0, 1
        for k in range(3 - self.ndim):  # an axis that is not there: one window of one element
            all_axes[k][0] = Axis(1, 1, 1, 1, 1, True, self.memory, self.memory + 1)
        used = 2
        for k, (size, starts, ends) in enumerate(axes):
            axis = all_axes[3 - self.ndim + k]
            axis.size = size
            axis.count = starts.shape[0]
            axis.shortest, axis.longest = size, 0
            axis.regular = ends[0] - starts[0] if axis.count > 0 else 0
            axis.monotone = True
            axis.starts = self.memory + used
            axis.ends = self.memory + used + axis.count
            for i in range(axis.count):
                self.memory[used + i] = starts[i]
                self.memory[used + axis.count + i] = ends[i]
                axis.shortest = min(axis.shortest, ends[i] - starts[i])
                axis.longest = max(axis.longest, ends[i] - starts[i])
                if ends[i] - starts[i] != axis.regular or (i > 0 and starts[i] != ends[i - 1]):
                    axis.regular = 0
                if i > 0 and (starts[i] < starts[i - 1] or ends[i] < ends[i - 1]):
                    axis.monotone = False
            used += 2 * axis.count
        self.largest = <double> self.d.longest * self.h.longest * self.w.longest

    def __dealloc__(self):
        PyMem_Free(self.memory)
