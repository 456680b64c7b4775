"""Runs: the indices of an axis that the same windows hold, 2 O + 1 for O windows at most.

Where the table is monotone, these windows are a range and all of first:last hold the run.
Elsewhere some of first:last may not; `holds` tells.
"""
from adaptive_pool._kernels.call.tables cimport Axis, holds


cdef struct Run:
    Py_ssize_t begin
    Py_ssize_t end
    Py_ssize_t first
    Py_ssize_t last


cdef struct Runs:
    Run* items
    Py_ssize_t count


cdef inline Py_ssize_t most_runs(const Axis* axis) noexcept nogil:
    return min(axis.size, 2 * axis.count + 1)


cdef inline Py_ssize_t next_run(const Axis* axis, Run* run) noexcept nogil:
    """Set `run` to that after it; the windows of a monotone axis are found where it left off."""
    cdef Py_ssize_t o, i = run.end
    run.begin = i
    run.end = axis.size
    if axis.monotone:
        while run.first < axis.count and axis.ends[run.first] <= i:
            run.first += 1
        run.last = max(run.last, run.first)
        while run.last < axis.count and axis.starts[run.last] <= i:
            run.last += 1
        if run.first < run.last:
            run.end = axis.ends[run.first]
        if run.last < axis.count:
            run.end = min(run.end, axis.starts[run.last])
        return run.end
    run.first = axis.count
    run.last = 0
    for o in range(axis.count):
        if holds(axis, o, i):
            run.first = min(run.first, o)
            run.last = o + 1
            run.end = min(run.end, axis.ends[o])
        elif axis.starts[o] > i:
            run.end = min(run.end, axis.starts[o])
    run.first = min(run.first, run.last)
    return run.end


cdef inline Runs find_runs(
    const Axis* axis,
    Run* items,     # OUT: room for most_runs()
) noexcept nogil:
    cdef Runs runs
    cdef Run run
    run.begin = run.end = run.first = run.last = 0
    runs.items = items
    runs.count = 0
    while run.end < axis.size:
        next_run(axis, &run)
        items[runs.count] = run
        runs.count += 1
    return runs


cdef inline const Run* run_of(const Runs* runs, Py_ssize_t i) noexcept nogil:
    """The run that index i is in."""
    cdef Py_ssize_t low = 0, high = runs.count - 1, middle
    while low < high:
        middle = (low + high) // 2
        if runs.items[middle].end > i:
            high = middle
        else:
            low = middle + 1
    return runs.items + low


cdef inline Py_ssize_t most_holding(const Runs* runs) noexcept nogil:
    """The most windows that hold an index of a monotone axis; 0 if there is one without."""
    cdef Py_ssize_t k, most = 1
    for k in range(runs.count):
        if runs.items[k].first == runs.items[k].last:
            return 0
        most = max(most, runs.items[k].last - runs.items[k].first)
    return most


cdef inline Py_ssize_t longest_run(const Runs* runs) noexcept nogil:
    cdef Py_ssize_t k, longest = 0
    for k in range(runs.count):
        longest = max(longest, runs.items[k].end - runs.items[k].begin)
    return longest
