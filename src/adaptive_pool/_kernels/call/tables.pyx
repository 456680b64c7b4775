"""What calls say of axes: sizes, and windows, as C arrays.

So a call acquires no buffer for its tables, and looks at its sizes in no loop of Python.
"""
cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.call.rules cimport (
    AREA, CEIL, SPLIT, TORCH, UNIFORM, WEIGHTS, Rule, common_divisor, cut_by, cut_by_blocks,
    weigh_by_area, weighs,
)

# A table of this length would hold 32 GiB.
LONGEST_TABLE = 1 << 31

RULES = {"torch": TORCH, "split": SPLIT, "uniform": UNIFORM, "ceil": CEIL, "area": AREA}


def are_sizes(
    value,              # IN: anything
    bint or_none,       # IN: whether None is taken for a size
):
    """Whether `value` is a tuple of ints that can be sizes; not of subclasses, so not of bools."""
    cdef int overflow
    if type(value) is not tuple:
        return False
    for size in <tuple> value:
        if type(size) is int:
            if PyLong_AsLongLongAndOverflow(size, &overflow) < 0 or overflow:
                return False
        elif not (or_none and size is None):
            return False
    return True


@cython.final
cdef class _Borders:
    """One int64 array of our own, contiguous, for as long as this object lives."""

    def __cinit__(self, array):
        PyObject_GetBuffer(array, &self.buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
        self.data = <int64_t*> self.buffer.buf
        self.count = self.buffer.len // <Py_ssize_t> sizeof(int64_t)

    def __dealloc__(self):
        PyBuffer_Release(&self.buffer)


def cut(
    starts, ends,       # OUT: int64 arrays of one length, for as many windows
    int64_t size,       # IN: of the axis
    Rule rule,          # IN: leaves none of the windows empty
):
    """Cut an axis by a rule."""
    cdef _Borders first = _Borders(starts), last = _Borders(ends)
    cut_by(rule, size, first.count, first.data, last.data)


def cut_in_blocks(
    starts, ends,       # OUT: int64 arrays of one length, for as many windows
    int64_t size,       # IN: of the axis
    int64_t block,      # IN: length of a window
    int64_t offset,     # IN: where the first starts
):
    """Cut an axis into blocks; none may be empty."""
    cdef _Borders first = _Borders(starts), last = _Borders(ends)
    cut_by_blocks(size, first.count, block, offset, first.data, last.data)


def weigh(
    firsts, lasts,      # OUT: int64 arrays, for as many windows
    int64_t size,       # IN: of the axis
):
    """Store what elements weigh that windows by area hold in part, see rules.pxd; or 0."""
    cdef _Borders first = _Borders(firsts), last = _Borders(lasts)
    weigh_by_area(size, first.count, 1, first.data, last.data)


def first_outside(
    starts, ends,       # IN: int64 arrays of one length
    int64_t size,       # IN: of the axis
):
    """The first window for which 0 <= start < end <= size does not hold, or their number."""
    cdef _Borders first = _Borders(starts), last = _Borders(ends)
    cdef Py_ssize_t i
    for i in range(first.count):
        if not 0 <= first.data[i] < last.data[i] <= size:
            return i
    return first.count


@cython.final
cdef class Windows:
    """The pooled axes of an array, and their windows: see `windows_by_rule`, `windows_given`."""

    def __dealloc__(self):
        PyMem_Free(self.memory)


cdef Windows new_windows(
    int first_axis, tuple sizes, tuple counts, Rule rule, Py_ssize_t more,
):
    """Windows whose tables are still to be filled in, by `describe`; with room for more numbers."""
    cdef Windows windows = Windows()
    cdef Axis* axis
    cdef Py_ssize_t total = 2 + more
    cdef int k
    for size, count in zip(sizes, counts):
        if count >= LONGEST_TABLE:
            raise MemoryError(f"no memory for the table of {count} windows")
        total += 2 * <Py_ssize_t> count
        if weighs(rule, size, count):
            total += WEIGHTS * <Py_ssize_t> count
    windows.first_axis = first_axis
    windows.ndim = <int> len(sizes)
    windows.memory = <int64_t*> PyMem_Malloc(total * sizeof(int64_t))
    if windows.memory == NULL:
        raise MemoryError(f"no memory for tables of {counts} windows")
    windows.memory[0], windows.memory[1] = 0, 1
    total = 2
    for k in range(3):
        axis = axis_of(windows, k)
        axis.size = axis.count = 1  # an axis that is not there: one window of one element
        axis.starts, axis.ends = windows.memory, windows.memory + 1
        weigh_alike(axis, 1)
        if k >= 3 - windows.ndim:
            axis.size, axis.count = sizes[k - 3 + windows.ndim], counts[k - 3 + windows.ndim]
            axis.starts = windows.memory + total
            axis.ends = axis.starts + axis.count
            total += 2 * axis.count
            if weighs(rule, axis.size, axis.count):
                total += WEIGHTS * axis.count
            elif rule == AREA:
                weigh_alike(axis, axis.count)
    return windows


cdef void weigh_alike(Axis* axis, int64_t unit) noexcept nogil:
    axis.firsts = axis.lasts = axis.whole_starts = axis.whole_ends = NULL
    axis.whole, axis.total, axis.unit, axis.fewest, axis.most = 1, 0, unit, 0, 0


cdef void weigh_axis(Axis* axis, int64_t* weights) noexcept nogil:
    """Fill in what elements of its windows weigh, in room for WEIGHTS numbers of each."""
    axis.unit = common_divisor(axis.size, axis.count)
    axis.whole, axis.total = axis.count // axis.unit, axis.size // axis.unit
    weigh_by_area(axis.size, axis.count, axis.unit, weights, weights + axis.count)
    find_whole(axis, weights)


cdef void weigh_as_given(Axis* axis, int64_t* weights, const Given* given) noexcept nogil:
    """The same as a caller says."""
    weigh_alike(axis, given.unit)
    if given.firsts != NULL:
        axis.whole, axis.total = given.whole, given.total
        memcpy(weights, given.firsts, axis.count * sizeof(int64_t))
        memcpy(weights + axis.count, given.lasts, axis.count * sizeof(int64_t))
        find_whole(axis, weights)


cdef void find_whole(Axis* axis, int64_t* weights) noexcept nogil:
    """Fill in what windows hold whole; weights of the first and the last elements are there."""
    cdef Py_ssize_t count = axis.count, i
    cdef int64_t* starts = weights + 2 * count
    cdef int64_t* ends = weights + 3 * count
    axis.firsts, axis.lasts = weights, weights + count
    axis.whole_starts, axis.whole_ends = starts, ends
    axis.fewest, axis.most = axis.size, 0
    for i in range(count):
        starts[i] = axis.starts[i] + (axis.firsts[i] > 0)
        ends[i] = axis.ends[i] - (axis.lasts[i] > 0)
        axis.fewest = min(axis.fewest, <Py_ssize_t> (ends[i] - starts[i]))
        axis.most = max(axis.most, <Py_ssize_t> (ends[i] - starts[i]))


cdef Axis* axis_of(Windows windows, int k) noexcept:
    return &windows.d if k == 0 else &windows.h if k == 1 else &windows.w


cdef void describe_axis(Axis* axis) noexcept nogil:
    """Fill in what follows from the table of an axis."""
    cdef Py_ssize_t i, size
    axis.shortest, axis.longest = axis.size, 0
    axis.regular = window_size(axis, 0) if axis.count > 0 else 0
    axis.monotone = True
    for i in range(axis.count):
        size = window_size(axis, i)
        axis.shortest = min(axis.shortest, size)
        axis.longest = max(axis.longest, size)
        if size != axis.regular or (i > 0 and axis.starts[i] != axis.ends[i - 1]):
            axis.regular = 0
        if i > 0 and (axis.starts[i] < axis.starts[i - 1] or axis.ends[i] < axis.ends[i - 1]):
            axis.monotone = False


cdef int64_t most_weight(const Axis* axis) noexcept nogil:
    """What a window weighs, at most."""
    return axis.longest if axis.firsts == NULL else axis.total


cdef void describe(Windows windows) noexcept:
    """Fill in what follows from the tables."""
    cdef int k
    windows.largest = 1
    for k in range(3):
        describe_axis(axis_of(windows, k))
        windows.largest *= most_weight(axis_of(windows, k))


def windows_by_rule(
    int first_axis,     # IN: the first of the pooled axes, one to three
    tuple sizes,        # IN: their lengths
    tuple counts,       # IN: the numbers of windows, none of which may be empty; 0: no table
    Rule rule,
):
    """The windows that a rule cuts axes into."""
    cdef Windows windows = new_windows(first_axis, sizes, counts, rule, 0)
    cdef Axis* axis
    cdef int k
    for k in range(3 - windows.ndim, 3):
        axis = axis_of(windows, k)
        cut_by(rule, axis.size, axis.count, <int64_t*> axis.starts, <int64_t*> axis.ends)
        if weighs(rule, axis.size, axis.count):
            weigh_axis(axis, <int64_t*> axis.ends + axis.count)
    describe(windows)
    return windows


def windows_given(
    int first_axis,     # IN: the first of the pooled axes, one to three
    tuple sizes,        # IN: their lengths
    tuple tables,       # IN: for each of them (starts, ends), as `first_outside` lets them pass,
                        # or also (firsts, lasts, whole, total, unit): what elements weigh
):
    """Windows of any other kind."""
    cdef tuple counts = tuple([len(table[0]) for table in tables])
    cdef Py_ssize_t more = WEIGHTS * <Py_ssize_t> sum(
        [count for table, count in zip(tables, counts) if len(table) > 2]
    )
    cdef Windows windows = new_windows(first_axis, sizes, counts, TORCH, more)
    cdef int64_t* weights = windows.memory + 2 + 2 * <Py_ssize_t> sum(counts)
    cdef Axis* axis
    cdef _Borders firsts, lasts
    cdef Given given
    cdef int k = 3 - windows.ndim
    for table in tables:
        axis = axis_of(windows, k)
        memcpy(<int64_t*> axis.starts, _Borders(table[0]).data, axis.count * sizeof(int64_t))
        memcpy(<int64_t*> axis.ends, _Borders(table[1]).data, axis.count * sizeof(int64_t))
        if len(table) > 2:
            firsts, lasts = _Borders(table[2]), _Borders(table[3])
            given.firsts = firsts.data if firsts.count > 0 else NULL
            given.lasts = lasts.data
            given.whole, given.total, given.unit = table[4], table[5], table[6]
            weigh_as_given(axis, weights, &given)
            weights += WEIGHTS * axis.count
        k += 1
    describe(windows)
    return windows
