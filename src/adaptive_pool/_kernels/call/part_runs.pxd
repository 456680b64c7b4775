"""How kernels pool the parts of an array, or add them to it."""
from adaptive_pool._kernels.call.canonical cimport MOST_ARRAYS, Canonical, Geometry
from adaptive_pool._kernels.call.parts cimport Part, Parts
from adaptive_pool._kernels.call.tables cimport Axis, int64_t
from adaptive_pool._kernels.threads.lists cimport JobList


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
