"""Lists of arrays, whose jobs are one list.

Each item is a call of its own, with arrays and windows of its own; what is common is what a kernel
does with them, and the threads.
"""
from libc.stdlib cimport free, malloc

from adaptive_pool._kernels.call.canonical cimport Canonical, advance, begin, give_back
from adaptive_pool._kernels.call.kernel cimport Kernel
from adaptive_pool._kernels.call.part_runs cimport prepare_t
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.lists cimport JobList, run_list, run_lists

cdef enum:
    THREAD = 16384  # bytes that are worth a thread
    SHARES = 8      # of the work for each thread: an item with more than one of them is cut


cdef struct Plan:
    # Memory for items that are planned at a time.
    Canonical* items
    char* tasks
    JobList* lists
    Py_ssize_t* begins
    Py_ssize_t task_size


cdef int make_room(Plan* plan, Py_ssize_t room, Py_ssize_t task_size) except -1:
    plan.task_size = task_size
    plan.items = <Canonical*> malloc(
        room * (<Py_ssize_t> sizeof(Canonical) + plan.task_size + <Py_ssize_t> sizeof(JobList)
                + <Py_ssize_t> sizeof(Py_ssize_t))
    )
    if plan.items == NULL:
        raise MemoryError(f"no memory for {room} items")
    plan.tasks = <char*> (plan.items + room)
    plan.lists = <JobList*> (plan.tasks + room * plan.task_size)
    plan.begins = <Py_ssize_t*> (plan.lists + room)
    return 0


cdef int run_planned(
    const Plan* plan, Py_ssize_t count, Kernel kernel, int num_threads,
) except -1 nogil:
    """Run a kernel for items whose arrays are known."""
    cdef prepare_t prepare = kernel.prepare
    cdef const void* call = kernel.call
    cdef Py_ssize_t k
    cdef double bytes = 0   # of what one element may stand for, so that integers overflow
    cdef int found
    cdef char* task
    for k in range(count):
        bytes += <double> plan.items[k].here.bytes
    if bytes < <double> num_threads * THREAD:
        num_threads = <int> (bytes / THREAD) + 1
    for k in range(count):
        prepare(
            plan.tasks + k * plan.task_size, &plan.items[k].here, call,
            num_threads if plan.items[k].here.bytes > bytes / (SHARES * num_threads) else 1,
            plan.lists + k,
        )
    found = run_lists(plan.lists, count, plan.begins, num_threads)
    for k in range(count):
        task = plan.tasks + k * plan.task_size
        while advance(&plan.items[k]):
            prepare(task, &plan.items[k].here, call, num_threads, plan.lists + k)
            found |= run_list(plan.lists + k, num_threads)
    return found


def run_items(
    list arrays,                # IN, OUT: of each a tuple, as the kernel takes them; none is empty
    list windows,               # IN: Windows of each
    Kernel kernel not None,     # IN
    int num_threads,            # IN
):
    """Run a kernel for each item. Returns what jobs do, or-ed over all."""
    cdef Py_ssize_t count = len(arrays), begun = 0, k
    cdef Plan plan
    cdef bint found
    make_room(&plan, count, kernel.task_size)
    try:
        for k in range(count):
            begin(&plan.items[k])
            begun += 1
            kernel.take(&plan.items[k], <tuple?> arrays[k], <Windows?> windows[k])
        with nogil:
            found = run_planned(&plan, count, kernel, num_threads) != 0
    finally:
        while begun > 0:    # the first one knows the state of the caller's thread
            begun -= 1
            give_back(&plan.items[begun])
        free(plan.items)
    return found
