"""One geometry, checked: what is pooled, along which axes, over which windows.

Sizes are plain ints below 2**63 here, and numbers of axes are in order; nothing else is known.
"""
cimport cython
from libc.stdint cimport int64_t

from adaptive_pool._kernels.call.rules cimport Rule, first_empty

from adaptive_pool._kernels.call.tables import RULES as _RULES, windows_by_rule, windows_given

cdef extern from *:
    const Py_ssize_t MOST_BYTES "PY_SSIZE_T_MAX"


def check_addressable(
    str function,           # IN: of the caller, for errors
    tuple shape,            # IN: of the result
    int64_t itemsize,       # IN: of the result
):
    """Raise for a result too large for any machine, before anything is allocated."""
    must_be_addressable(function, shape, itemsize)


cdef int must_be_addressable(str function, tuple shape, int64_t itemsize) except -1:
    cdef int64_t extent = itemsize, size
    for length in shape:
        size = max(<int64_t> length, 1)     # as NumPy does
        if size > MOST_BYTES // extent:
            raise ValueError(f"{function}: a result of shape {shape} is too large to address")
        extent *= size
    return 0


def check_not_empty(str function, int64_t size, int64_t count, str rule):
    """Raise if a rule leaves a window empty: from the first of them on, all are."""
    must_not_be_empty(function, size, count, rule)


cdef int must_not_be_empty(str function, int64_t size, int64_t count, str rule) except -1:
    cdef Rule by = _RULES[rule]
    cdef int64_t first = first_empty(by, size, count)
    if first < count:
        raise ValueError(
            f"{function}: window rule {rule!r} leaves window {first} empty "
            f"for input size {size} and output size {count}"
        )
    return 0


cdef double product(tuple shape) except -1:
    """In floating point: the output has another type, so both together need not be addressable."""
    cdef double result = 1
    for size in shape:
        result *= <int64_t> size
    return result


cdef int64_t plane_of(tuple sizes) except -1:
    cdef int64_t result = 1
    for size in sizes:
        result *= <int64_t> size
    return result


@cython.final
cdef class Problem:
    """A geometry.

    Parameters
    ----------
    function : str
    input_shape : tuple of int
    first_axis : int
        The first of the pooled axes.
    counts : tuple of int or None
        The lengths of the pooled axes of the output; None keeps an axis as it is.
    windows : str, tuple of (starts, ends), or None
        A rule; or int64 arrays for each pooled axis, which fit it; or what windows there are is not
        known, as in max pooling backward.
    itemsize : int
        That of the largest result.
    """

    def __cinit__(
        self, str function, tuple input_shape, int first_axis, tuple counts, windows, itemsize,
    ):
        cdef int ndim = <int> len(counts), last = first_axis + ndim
        cdef int k
        cdef tuple pooled = input_shape[first_axis:last]
        for count in counts:
            if count is None:
                counts = tuple([s if c is None else c for s, c in zip(pooled, counts)])
                break
        self.input_shape, self.input_size, self.output_size = input_shape, pooled, counts
        self.output_shape = input_shape[:first_axis] + counts + input_shape[last:]
        self.first_axis, self.windows, self.at_once = first_axis, windows, True
        self.others = <int> len(input_shape) - ndim
        must_be_addressable(function, self.output_shape, itemsize)
        self.plane = plane_of(pooled)
        self.elements = product(self.output_shape)
        self.computes = self.elements > 0
        self.elements += product(input_shape)
        if self.computes and windows is not None and 0 in pooled:
            raise ValueError(
                f"{function}: a pooled axis of x is empty but the output is not, "
                f"got shape {input_shape} and output size {counts}"
            )
        if type(windows) is str:
            # What is wrong with a rule is wrong also where nothing is to be computed.
            for k in range(ndim):
                if pooled[k]:
                    must_not_be_empty(function, pooled[k], counts[k], windows)

    cpdef cut(self):
        """The windows as kernels read them, or None where nothing is to be computed.

        It is for when there is an array for the result: a size that no result can have takes no
        memory for tables either.
        """
        if not self.computes:
            return None
        elif type(self.windows) is str:
            return windows_by_rule(
                self.first_axis, self.input_size, self.output_size, _RULES[self.windows],
            )
        elif self.windows is None:
            return windows_by_rule(self.first_axis, self.input_size, (0,) * len(self.input_size), 0)
        return windows_given(self.first_axis, self.input_size, self.windows)
