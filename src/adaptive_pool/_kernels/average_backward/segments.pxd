"""The inverse of a window table: which windows hold an index.

An axis is cut into *segments* of indices that the same windows hold, 2 O + 1 for O windows at most.
Where the table is monotone, all windows first:last hold the segment. Elsewhere some of them may
not; `holds` tells.
"""
from adaptive_pool._kernels.call.tables cimport Axis, holds


cdef struct Segment:
    Py_ssize_t begin
    Py_ssize_t end
    Py_ssize_t first
    Py_ssize_t last


cdef struct Segments:
    Segment* items
    Py_ssize_t count


cdef inline Py_ssize_t most_segments(const Axis* axis) noexcept nogil:
    return min(axis.size, 2 * axis.count + 1)


cdef inline Py_ssize_t next_segment(const Axis* axis, Segment* s) noexcept nogil:
    """Set `s` to that after it; the windows of a monotone axis are found where it left off."""
    cdef Py_ssize_t o, i = s.end
    s.begin = i
    s.end = axis.size
    if axis.monotone:
        while s.first < axis.count and axis.ends[s.first] <= i:
            s.first += 1
        s.last = max(s.last, s.first)
        while s.last < axis.count and axis.starts[s.last] <= i:
            s.last += 1
        if s.first < s.last:
            s.end = axis.ends[s.first]
        if s.last < axis.count:
            s.end = min(s.end, axis.starts[s.last])
        return s.end
    s.first = axis.count
    s.last = 0
    for o in range(axis.count):
        if holds(axis, o, i):
            s.first = min(s.first, o)
            s.last = o + 1
            s.end = min(s.end, axis.ends[o])
        elif axis.starts[o] > i:
            s.end = min(s.end, axis.starts[o])
    s.first = min(s.first, s.last)
    return s.end


cdef inline Segments find_segments(
    const Axis* axis,
    Segment* items,     # OUT: room for most_segments()
) noexcept nogil:
    cdef Segments segments
    cdef Segment s
    s.begin = s.end = s.first = s.last = 0
    segments.items = items
    segments.count = 0
    while s.end < axis.size:
        next_segment(axis, &s)
        items[segments.count] = s
        segments.count += 1
    return segments


cdef inline const Segment* segment_of(const Segments* segments, Py_ssize_t i) noexcept nogil:
    """The segment that index i is in."""
    cdef Py_ssize_t low = 0, high = segments.count - 1, middle
    while low < high:
        middle = (low + high) // 2
        if segments.items[middle].end > i:
            high = middle
        else:
            low = middle + 1
    return segments.items + low


cdef inline Py_ssize_t most_windows(
    const Segments* segments, Py_ssize_t size, Py_ssize_t piece,
) noexcept nogil:
    """The most windows of a monotone axis that hold something of one piece of it."""
    cdef Py_ssize_t i = 0, end, most = 0
    while i < size:
        end = min(i + piece, size)
        most = max(
            most, segment_of(segments, end - 1).last - segment_of(segments, i).first
        )
        i = end
    return most


cdef inline Py_ssize_t most_holding(const Segments* segments) noexcept nogil:
    """The most windows of a monotone axis that hold one index."""
    cdef Py_ssize_t k, most = 0
    for k in range(segments.count):
        most = max(most, segments.items[k].last - segments.items[k].first)
    return most
