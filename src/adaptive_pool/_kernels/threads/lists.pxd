"""What a kernel makes of a geometry: a list of jobs; and several such lists as one."""
from adaptive_pool._kernels.threads.parallel cimport job_t, run_jobs


cdef struct JobList:
    job_t work
    const void* task
    Py_ssize_t count
    Py_ssize_t scratch_size


cdef struct JobLists:
    const JobList* lists
    const Py_ssize_t* begins    # the number of the first job of each
    Py_ssize_t count


cdef inline int run_list(const JobList* jobs, int num_threads) except -1 nogil:
    return run_jobs(jobs.work, jobs.task, jobs.count, jobs.scratch_size, num_threads)


cdef inline int run_listed(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const JobLists* all = <const JobLists*> task
    cdef Py_ssize_t low = 0, high = all.count - 1, middle
    while low < high:
        middle = (low + high + 1) // 2
        if all.begins[middle] <= job:
            low = middle
        else:
            high = middle - 1
    return all.lists[low].work(all.lists[low].task, job - all.begins[low], scratch)


cdef inline int run_lists(
    const JobList* lists, Py_ssize_t count,
    Py_ssize_t* begins,     # scratch: count
    int num_threads,
) except -1 nogil:
    cdef JobLists all = JobLists(lists, begins, count)
    cdef Py_ssize_t jobs = 0, size = 0, k
    for k in range(count):
        begins[k] = jobs
        jobs += lists[k].count
        size = max(size, lists[k].scratch_size)
    return run_jobs(run_listed, &all, jobs, size, num_threads)
