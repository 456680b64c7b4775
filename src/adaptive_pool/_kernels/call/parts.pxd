"""Parts of an array that are pooled each by itself: samples up to their lengths, and regions."""
cimport cython

from adaptive_pool._kernels.call.canonical cimport MOST_ARRAYS, Canonical, Geometry
from adaptive_pool._kernels.call.rules cimport Rule
from adaptive_pool._kernels.call.tables cimport Axis, int64_t
from adaptive_pool._kernels.threads.lists cimport JobList


cdef struct Part:
    int64_t sample      # along the first axis
    int64_t starts[3]   # D, H, W
    int64_t sizes[3]


@cython.final
cdef class Parts:
    cdef int first_axis, ndim
    cdef Rule rule
    cdef const int64_t* tables[3]   # starts, then ends, from the beginning of a part; NULL: by rule
    cdef Py_ssize_t samples
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t sizes[3]        # of the pooled axes of all, and the numbers of windows
    cdef Py_ssize_t counts[3]
    cdef Part* parts
    cdef int64_t* memory
    cdef readonly double elements   # of all parts, on the pooled axes
    cdef bint one_of_each           # one part of each sample, in order, from its beginning on
    cdef int64_t least              # elements that a window must have, or it becomes `filler`
    cdef char filler[8]


# Plans how a part is pooled, in memory of its own.
ctypedef void (*prepare_t)(
    void* memory, const Geometry* g, const void* call, int num_threads, JobList* jobs,
) noexcept nogil


cdef int run_parts(
    Canonical* c, Parts parts, prepare_t prepare, const void* call, Py_ssize_t task_size,
    int num_threads,
) except -1
cdef int run_parts_backward(
    Canonical* c, Parts parts, prepare_t prepare, const void* call, Py_ssize_t task_size,
    int num_threads,
) except -1


# The parts of one sample, in their order.
cdef struct Group:
    const int64_t* order            # numbers of parts
    Py_ssize_t count
    const Part* parts               # all of them
    const Axis* axes                # of each: D, H and W, windows from its beginning on
    Py_ssize_t steps[MOST_ARRAYS]   # bytes from part to part


# Plans how the parts of a sample are added to it.
ctypedef void (*prepare_group_t)(
    void* memory, const Geometry* g, const Group* group, const void* call, int num_threads,
    JobList* jobs,
) noexcept nogil


cdef int run_groups(
    Canonical* c, Parts parts, prepare_group_t prepare, const void* call, Py_ssize_t task_size,
    int num_threads,
) except -1
