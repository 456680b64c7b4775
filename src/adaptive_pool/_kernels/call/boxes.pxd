"""Results that are finished on their way to memory, as kernels ask for it."""
from adaptive_pool._kernels.call.canonical cimport Geometry
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.threads.lists cimport JobList

# Finishes the results of a box, which are numbers side by side, on their way to memory; and says
# how much scratch that takes.
ctypedef void (*finish_t)(
    const Geometry* box, double* results, double* scratch, const void* call,
) noexcept nogil
ctypedef Py_ssize_t (*finish_size_t)(const Geometry* box) noexcept nogil


# What is done with a box: the beginning of what `prepare_boxes` is told, of which all of it is told
# to `finish`, and what lies `inner` bytes behind the beginning to `prepare`.
cdef struct BoxCall:
    prepare_t prepare           # of the kernel; its second array holds numbers
    Py_ssize_t task_size        # of what that prepares
    Py_ssize_t inner
    finish_t finish
    finish_size_t finish_size


cdef Py_ssize_t boxes_size(const BoxCall* call) noexcept nogil
cdef void prepare_boxes(
    void* memory, const Geometry* g, const void* call, int num_threads, JobList* jobs,
) noexcept nogil
