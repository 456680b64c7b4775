"""Window tables as C arrays."""
cimport cython
from cpython.buffer cimport Py_buffer
from libc.stdint cimport int64_t


cdef struct Axis:
    Py_ssize_t size         # input length I
    Py_ssize_t count        # number of windows O
    Py_ssize_t shortest     # elements of a window, at least and at most
    Py_ssize_t longest
    Py_ssize_t regular      # the size of windows that follow each other, all of one size, or 0
    bint monotone           # starts and ends never fall: the windows that hold an index are a range
    const int64_t* starts
    const int64_t* ends
    # Where the rule is "area": weights, see rules.pxd.
    const int64_t* firsts   # of the elements that windows hold in part; NULL: none does
    const int64_t* lasts
    const int64_t* whole_starts     # the others, which may be none
    const int64_t* whole_ends
    Py_ssize_t fewest       # how many these are, at least and at most
    Py_ssize_t most
    int64_t whole           # what they weigh
    int64_t total           # of a window, if there are `firsts`
    int64_t unit            # that all are divided by


cdef struct Given:              # what elements weigh in some of the windows of an axis
    const int64_t* firsts       # NULL: all weigh alike
    const int64_t* lasts
    int64_t whole, total, unit  # as an Axis has them


@cython.final
cdef class _Borders:
    cdef Py_buffer buffer
    cdef int64_t* data
    cdef Py_ssize_t count


@cython.final
cdef class Windows:
    cdef int first_axis     # the pooled axes are first_axis : first_axis + ndim
    cdef int ndim
    cdef Axis d, h, w
    cdef readonly double largest    # what a window weighs, at most; of most rules, its elements
    cdef int64_t* memory


cdef void describe_axis(Axis* axis) noexcept nogil
cdef void weigh_alike(Axis* axis, int64_t unit) noexcept nogil
cdef void weigh_axis(Axis* axis, int64_t* weights) noexcept nogil
cdef void weigh_as_given(Axis* axis, int64_t* weights, const Given* given) noexcept nogil
cdef int64_t most_weight(const Axis* axis) noexcept nogil


cdef inline bint holds(const Axis* axis, Py_ssize_t o, Py_ssize_t i) noexcept nogil:
    return axis.starts[o] <= i < axis.ends[o]


cdef inline Py_ssize_t window_size(const Axis* axis, Py_ssize_t o) noexcept nogil:
    return axis.ends[o] - axis.starts[o]


cdef inline int64_t window_weight(const Axis* axis, Py_ssize_t o) noexcept nogil:
    return axis.total if axis.firsts != NULL else window_size(axis, o)


cdef inline int64_t weight_of(const Axis* axis, Py_ssize_t o, Py_ssize_t i) noexcept nogil:
    """What index i weighs in a window that holds it."""
    if axis.firsts == NULL:
        return 1
    elif i == axis.starts[o] and axis.firsts[o] > 0:
        return axis.firsts[o]
    elif i == axis.ends[o] - 1 and axis.lasts[o] > 0:
        return axis.lasts[o]
    return axis.whole
