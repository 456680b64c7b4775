"""Several results of one array: what the jobs of all of them need is read from memory once.

Every result is planned as if it were alone. Then the array is cut into strips: of each list of jobs
a strip has the same share, and one thread works through what all lists have of it, while that is in
the cache. Jobs are in the order of the memory that they read; where they are fewer than strips, one
of them is of several.
"""
from libc.stdlib cimport free, malloc

from adaptive_pool._kernels.call.canonical cimport Canonical, Geometry, advance, begin, give_back
from adaptive_pool._kernels.call.kernel cimport Kernel
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.threads.lists cimport JobList
from adaptive_pool._kernels.threads.parallel cimport run_jobs

cdef enum:
    STRIP = 262144          # bytes of a strip: for the second cache
    JOBS = 4                # strips for each thread, at least; and jobs, where kernels plan them
    FEW = 8                 # strips for each job are too many
    MOST_STRIPS = 1048576   # one element may stand for all
    FEW_LANES = 64          # which kernels do not cut


cdef struct Result:
    Canonical arrays
    JobList jobs
    char* task


cdef struct Strips:
    const Result* results
    Py_ssize_t results_count
    Py_ssize_t count


cdef Py_ssize_t share(Py_ssize_t jobs, Py_ssize_t strip, Py_ssize_t strips) noexcept nogil:
    """jobs * strip / strips, rounded down; the product itself might overflow."""
    return jobs // strips * strip + jobs % strips * strip // strips


cdef int run_strip(const void* task, Py_ssize_t strip, char* scratch) noexcept nogil:
    cdef const Strips* strips = <const Strips*> task
    cdef const JobList* jobs
    cdef Py_ssize_t k, job
    for k in range(strips.results_count):
        jobs = &strips.results[k].jobs
        for job in range(
            share(jobs.count, strip, strips.count), share(jobs.count, strip + 1, strips.count)
        ):
            jobs.work(jobs.task, job, scratch)
    return 0


cdef bint is_alike(const Canonical* a, const Canonical* b) noexcept nogil:
    """Whether arrays have the same leading axes that no common step joins."""
    cdef int k
    if a.loops != b.loops:
        return False
    for k in range(a.loops):
        if a.loop_sizes[k] != b.loop_sizes[k]:
            return False
    return True


cdef int jobs_wanted(const Geometry* g, Py_ssize_t strips) noexcept nogil:
    """One for each strip, if windows suffice; where there are many lanes, output lines.

    With more jobs than lines these lanes would be cut, but they are read side by side.
    """
    cdef double most = <double> g.batches * g.channels * g.d.count * g.h.count
    if g.lanes <= FEW_LANES:
        most *= g.w.count
    return <int> min(<double> strips, most)


cdef void plan(Result* r, Kernel kernel, Py_ssize_t strips, int num_threads) noexcept:
    """As if it were alone; but with more jobs, if these are much fewer than strips."""
    cdef const Geometry* g = &r.arrays.here
    kernel.prepare(r.task, g, kernel.call, num_threads, &r.jobs)
    if r.jobs.count < strips // FEW and jobs_wanted(g, strips) > JOBS * num_threads:
        kernel.prepare(r.task, g, kernel.call, jobs_wanted(g, strips) // JOBS, &r.jobs)


cdef int run_together(
    Result* results, Py_ssize_t count, tuple kernels, Py_ssize_t first, int num_threads,
) except -1:
    """Pool an array to some results, whose leading axes are alike."""
    cdef Strips strips = Strips(results, count, 1)
    cdef Py_ssize_t bytes = results[0].arrays.here.bytes, cut, size, k
    cdef bint more = True
    for k in range(results[0].arrays.loops):
        bytes //= results[0].arrays.loop_sizes[k]
    cut = max(bytes // STRIP, <Py_ssize_t> (JOBS * num_threads if num_threads > 1 else 1))
    cut = min(cut, <Py_ssize_t> MOST_STRIPS)
    while more:
        size, strips.count = 0, 1
        for k in range(count):
            plan(&results[k], <Kernel> kernels[first + k], cut, num_threads)
            size = max(size, results[k].jobs.scratch_size)
            strips.count = max(strips.count, min(cut, results[k].jobs.count))
        with nogil:
            run_jobs(run_strip, &strips, strips.count, size, num_threads)
        for k in range(count):
            more = advance(&results[k].arrays)
    return 0


def run_results(
    list arrays,        # IN, OUT: tuples, the one input first, of arrays that are not empty
    list windows,       # IN: Windows of each
    tuple kernels,      # IN: the Kernel of each
    int num_threads,    # IN
):
    """Pool one array to several results."""
    cdef Py_ssize_t count = len(kernels), begun = 0, tasks = 0, k
    cdef bint alike = True
    cdef char* task
    for k in range(count):
        tasks += (<Kernel?> kernels[k]).task_size
    cdef Result* results = <Result*> malloc(count * <Py_ssize_t> sizeof(Result) + tasks)
    if results == NULL:
        raise MemoryError(f"no memory for {count} results")
    task = <char*> (results + count)
    try:
        for k in range(count):
            results[k].task = task
            task += (<Kernel> kernels[k]).task_size
            begin(&results[k].arrays)
            begun += 1
            (<Kernel> kernels[k]).take(
                &results[k].arrays, <tuple?> arrays[k], <Windows?> windows[k]
            )
            alike = alike and is_alike(&results[0].arrays, &results[k].arrays)
        if alike:
            run_together(results, count, kernels, 0, num_threads)
        else:
            for k in range(count):
                run_together(results + k, 1, kernels, k, num_threads)
    finally:
        while begun > 0:    # the first one knows the state of the caller's thread
            begun -= 1
            give_back(&results[begun].arrays)
        free(results)
