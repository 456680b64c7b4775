"""The window rules, in exact integers: each table is walked from window to window.

No product is formed that could overflow: sizes and counts may be anything below 2**63.
"""
from libc.stdint cimport int64_t, uint64_t

cdef enum Rule:
    TORCH, SPLIT, UNIFORM, CEIL, AREA


cdef inline int64_t block_of(int64_t size, int64_t count) noexcept nogil:
    """ceil(size / count)"""
    return size // count + (size % count > 0)


cdef inline int64_t first_empty(Rule rule, int64_t size, int64_t count) noexcept nogil:
    """The first of `count` windows that is empty, as are all that follow, or `count`."""
    if size == 0 or count == 0:
        return 0
    elif rule == TORCH or rule == AREA:
        return count
    elif rule == CEIL:
        return block_of(size, block_of(size, count))
    return min(size, count)


cdef inline void cut_by_torch(
    int64_t size, int64_t count, int64_t* starts, int64_t* ends,
) noexcept nogil:
    """floor(i * size / count) to ceil((i + 1) * size / count)"""
    cdef int64_t quotient = size // count, start = 0, i
    cdef uint64_t rest = <uint64_t> (size % count), left = 0    # of i * size, divided by count
    for i in range(count):
        starts[i] = start
        start += quotient
        left += rest
        if left >= <uint64_t> count:
            left -= <uint64_t> count
            start += 1
        ends[i] = start + (left > 0)


cdef inline int64_t common_divisor(int64_t a, int64_t b) noexcept nogil:
    while b > 0:
        a, b = b, a % b
    return a


cdef enum:
    WEIGHTS = 4     # numbers of a window, where elements can differ in weight


cdef inline bint weighs(Rule rule, int64_t size, int64_t count) noexcept nogil:
    """Whether elements of one window can differ in weight."""
    return rule == AREA and count > 0 and size % count > 0


cdef inline void weigh_by_area(
    int64_t size, int64_t count,
    int64_t unit,           # IN: common_divisor(size, count), which weights are divided by
    int64_t* firsts,        # OUT: what the first element weighs, if it is not whole in the window
    int64_t* lasts,         # OUT: likewise the last one, if that is another. Or 0
) noexcept nogil:
    """The part of an element from i * size / count to (i + 1) * size / count, times count.

    Those that are whole in a window of `cut_by_torch` weigh count / unit.
    """
    cdef int64_t whole = count // unit, total = size // unit
    cdef int64_t rest = total % max(whole, 1)
    cdef int64_t left = 0, i    # i * total % whole
    cdef bint single            # whether the window is within one element
    for i in range(count):
        single = total < whole - left
        firsts[i] = total if single else whole - left if left > 0 else 0
        left = left + rest if left < whole - rest else left - (whole - rest)
        lasts[i] = 0 if single else left


cdef inline void cut_by_split(
    int64_t size, int64_t count, int64_t* starts, int64_t* ends,
) noexcept nogil:
    """Windows that follow each other, the first of them one longer: numpy.array_split"""
    cdef int64_t quotient = size // count, rest = size % count, end = 0, i
    for i in range(count):
        starts[i] = end
        end += quotient + (i < rest)
        ends[i] = end


cdef inline void cut_by_uniform(
    int64_t size, int64_t count, int64_t* starts, int64_t* ends,
) noexcept nogil:
    """One step, floor(size / count), and the one length with which the last window fits"""
    cdef int64_t step = size // count, length = size - (count - 1) * step, i
    for i in range(count):
        starts[i] = i * step
        ends[i] = i * step + length


cdef inline void cut_by_blocks(
    int64_t size, int64_t count, int64_t block, int64_t offset, int64_t* starts, int64_t* ends,
) noexcept nogil:
    """Windows of one length that follow each other from `offset` on; the last may be shorter"""
    cdef int64_t start = offset, i
    for i in range(count):
        starts[i] = start
        start = start + block if block < size - start else size
        ends[i] = start


cdef inline void cut_by(
    Rule rule, int64_t size, int64_t count, int64_t* starts, int64_t* ends,
) noexcept nogil:
    """All windows of an axis; none may be empty."""
    if count == 0:
        return
    elif rule == TORCH or rule == AREA:
        cut_by_torch(size, count, starts, ends)
    elif rule == SPLIT:
        cut_by_split(size, count, starts, ends)
    elif rule == UNIFORM:
        cut_by_uniform(size, count, starts, ends)
    else:
        cut_by_blocks(size, count, block_of(size, count), 0, starts, ends)
