"""Parts of an array that are pooled each by itself: samples up to their lengths, and regions.

Each part has a place, sizes and windows of its own. `part_runs.pyx` pools them.
"""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.call.rules cimport AREA, WEIGHTS, cut_by, first_empty, weighs
from adaptive_pool._kernels.call.tables cimport (
    Axis, _Borders, weigh_alike, weigh_as_given, weigh_axis, window_weight,
)

from adaptive_pool._kernels.call.tables import LONGEST_TABLE as _LONGEST_TABLE, RULES as _RULES

_MOST_BORDERS = 1 << 40      # of the windows of all parts

cdef enum:
    MOST_TABLES = 1 << 20   # borders of windows of the parts that are planned at a time


@cython.final
cdef class Parts:
    """Parts, checked.

    Parameters
    ----------
    function : str
    names : {"lengths", "regions", "items", ""}
        What parts are given by; "items" for regions of one sample that do not overlap, "" for one
        that is all of the input.
    first_axis : int
    sizes, counts : tuple of int
        Lengths of the pooled axes, of all of the input and of the output.
    samples : int
        Length of the first axis of the input.
    rows : ndarray of int64, contiguous
        Regions of shape (K, 1 + 2 n): a sample, then start and end on each pooled axis. Or lengths
        of shape (samples,) or (samples, n).
    rule : str
    tables : tuple of (starts, ends) or None
        For each pooled axis windows from the beginning of a part, as `first_outside` lets them
        pass, of which only what lies in the part counts; or None: by rule. Of a single part, where
        the rule is "area", weights may follow, as `windows_given` takes them.
    """

    def __cinit__(
        self, str function, str names, int first_axis, tuple sizes, tuple counts, samples, rows,
        str rule, tuple tables,
    ):
        cdef int n = <int> len(sizes), missing = 3 - n, a
        self.first_axis, self.ndim, self.rule = first_axis, n, _RULES[rule]
        self.samples, self.count = samples, len(rows)
        check_room(counts, self.count)
        for a in range(3):
            self.sizes[a] = self.counts[a] = 1
            self.tables[a] = NULL
            self.weights[a].unit = 0
            if a >= missing:
                self.sizes[a], self.counts[a] = sizes[a - missing], counts[a - missing]
        take_tables(self, tables)
        self.parts = <Part*> malloc(self.count * sizeof(Part) + 8)
        if self.parts == NULL:
            raise MemoryError(f"no memory for {self.count} parts")
        self.are_items = names == "items"
        take_parts(self, _Borders(rows), names == "lengths")
        check_parts(self, function, names, rule)

    def __dealloc__(self):
        free(self.memory)
        free(self.parts)

    @property
    def at_once(self):
        """Whether all parts are planned at a time: then nothing is written before all is known."""
        return self.count <= room_for(self) and self.samples <= AT_ONCE

    @property
    def largest(self):
        """What a window weighs, at most; of most rules, its elements."""
        cdef int64_t most = 0, product, longest
        cdef Py_ssize_t k, o
        cdef Axis axis
        cdef int a
        cdef int64_t* table = new_table(self)
        for k in range(self.count):
            product = 1
            for a in range(3):
                cut_axis(self, k, a, &axis, table)
                longest = 0
                for o in range(axis.count):
                    longest = max(longest, window_weight(&axis, o))
                product *= longest
            most = max(most, product)
        free(table)
        return most

    def count_elements(
        self,
        int axis,       # IN: a pooled axis
        out,            # OUT: int64 array, contiguous, of shape (parts, windows)
    ):
        """Store what the elements of its part in each window weigh along an axis."""
        cdef _Borders sizes = _Borders(out)
        cdef int a = 3 - self.ndim + axis
        cdef Py_ssize_t k
        cdef int64_t* table = new_table(self)
        for k in range(self.count):
            count_axis(self, k, a, table)
            memcpy(
                sizes.data + k * self.counts[a], table, self.counts[a] * sizeof(int64_t)
            )
        free(table)

    def store_units(
        self,
        out,            # OUT: int64 array, contiguous, of as many elements as there are parts
    ):
        """Store what kernels divide the weights of each part by."""
        cdef _Borders units = _Borders(out)
        cdef Py_ssize_t k
        cdef Axis axis
        cdef int a
        cdef int64_t* table = new_table(self)
        for k in range(self.count):
            units.data[k] = 1
            for a in range(3):
                cut_axis(self, k, a, &axis, table)
                units.data[k] *= axis.unit
        free(table)

    def fill_short(
        self,
        int64_t least,      # IN: elements that a window must have, 1 or more
        bytes filler,       # IN: what results of windows with fewer become, as it is in memory
    ):
        """Say what becomes of windows with few elements."""
        self.least = least
        memcpy(self.filler, <const char*> filler, min(len(filler), 8))


cdef int check_room(tuple counts, Py_ssize_t parts) except -1:
    """Raise for tables that no machine has memory for: sizes of what is here do not overflow."""
    cdef object windows = sum(counts)
    if windows >= _LONGEST_TABLE or windows * parts >= _MOST_BORDERS:
        raise MemoryError(f"no memory for tables of {counts} windows, of {parts} parts")
    return 0


cdef int take_tables(Parts parts, tuple tables) except -1:
    cdef _Borders starts, ends
    cdef Py_ssize_t total = 0
    cdef int a = 2 - <int> len(tables)
    cdef int64_t* next
    for table in tables:
        if table is not None:
            total += 2 * len(table[0]) + (2 * len(table[2]) if len(table) > 2 else 0)
    parts.memory = next = <int64_t*> malloc(total * sizeof(int64_t) + 8)
    if next == NULL:
        raise MemoryError(f"no memory for tables of {total // 2} windows")
    for table in tables:
        a += 1
        if table is not None:
            starts, ends = _Borders(table[0]), _Borders(table[1])
            memcpy(next, starts.data, starts.count * sizeof(int64_t))
            memcpy(next + starts.count, ends.data, ends.count * sizeof(int64_t))
            parts.tables[a] = next
            next += 2 * starts.count
            if len(table) > 2:
                next = take_weights(&parts.weights[a], table, next)
    return 0


cdef int64_t* take_weights(Given* given, tuple table, int64_t* room) except NULL:
    """Copy the weights of a table; return what room is left."""
    cdef _Borders firsts = _Borders(table[2]), lasts = _Borders(table[3])
    cdef Py_ssize_t count = firsts.count
    given.whole, given.total, given.unit = table[4], table[5], table[6]
    given.firsts = room if count > 0 else NULL
    given.lasts = room + count
    memcpy(room, firsts.data, count * sizeof(int64_t))
    memcpy(room + count, lasts.data, count * sizeof(int64_t))
    return room + 2 * count


cdef void take_parts(Parts parts, _Borders rows, bint are_lengths) noexcept:
    cdef Py_ssize_t width = rows.count // parts.count if parts.count > 0 else 0, k
    cdef const int64_t* row = rows.data
    cdef Part* part
    cdef int missing = 3 - parts.ndim, a, i
    parts.elements, parts.one_of_each = 0, parts.count == parts.samples
    for k in range(parts.count):
        part = &parts.parts[k]
        part.sample = k if are_lengths else row[0]
        for a in range(3):
            i = a - missing
            part.starts[a], part.sizes[a] = 0, 1
            if i >= 0 and are_lengths:
                part.sizes[a] = row[i if width > 1 else 0]
            elif i >= 0:
                part.starts[a], part.sizes[a] = row[1 + 2 * i], row[2 + 2 * i] - row[1 + 2 * i]
            parts.one_of_each = parts.one_of_each and part.starts[a] == 0
        parts.one_of_each = parts.one_of_each and part.sample == k
        parts.elements += <double> part.sizes[0] * <double> part.sizes[1] * <double> part.sizes[2]
        row += width


cdef int check_parts(Parts parts, str function, str names, str rule) except -1:
    cdef Py_ssize_t k
    cdef int64_t empty
    cdef const Part* part
    cdef int missing = 3 - parts.ndim, a
    for k in range(parts.count):
        part = &parts.parts[k]
        if not 0 <= part.sample < parts.samples:
            raise ValueError(
                f"{function}: regions must name samples in 0:{parts.samples}, "
                f"got {part.sample} in regions[{k}]"
            )
        for a in range(missing, 3):
            # Not by their sum, which might overflow.
            if part.starts[a] < 0 or part.sizes[a] < 0 or (
                part.sizes[a] > parts.sizes[a] - part.starts[a]
            ):
                raise bad_part(parts, function, names, k, a)
            empty = first_empty(parts.rule, part.sizes[a], parts.counts[a])
            if parts.tables[a] == NULL and part.sizes[a] > 0 and empty < parts.counts[a]:
                of = f", that of {names}[{k}] on pooled axis {a - missing}," if names else ""
                raise ValueError(
                    f"{function}: window rule {rule!r} leaves window {empty} empty for input size "
                    f"{part.sizes[a]}{of} and output size {parts.counts[a]}"
                )
    return 0


cdef object bad_part(Parts parts, str function, str names, Py_ssize_t k, int a):
    cdef const Part* part = &parts.parts[k]
    cdef int axis = a - 3 + parts.ndim
    if names == "lengths":
        return ValueError(
            f"{function}: lengths must lie in 0:{parts.sizes[a] + 1} for pooled axis {axis} of "
            f"length {parts.sizes[a]}, got {part.sizes[a]} for sample {k}"
        )
    return ValueError(
        f"{function}: 0 <= start <= end <= {parts.sizes[a]} must hold on pooled axis {axis}, "
        f"got {part.starts[a]} to {part.starts[a] + part.sizes[a]} in regions[{k}]"
    )


cdef void cut_axis(
    Parts parts, Py_ssize_t k, int a,
    Axis* axis,         # OUT: yet to be described
    int64_t* table,     # OUT: its borders and weights
) noexcept nogil:
    """The windows of a part on an axis, from its beginning on; empty ones end where they start."""
    cdef int64_t size = parts.parts[k].sizes[a]
    cdef Py_ssize_t count = parts.counts[a], o
    axis.size, axis.count = size, count
    axis.starts, axis.ends = table, table + count
    weigh_alike(axis, count if parts.rule == AREA and a >= 3 - parts.ndim else 1)
    if parts.tables[a] != NULL:
        for o in range(count):
            table[o] = min(parts.tables[a][o], size)
            table[count + o] = min(parts.tables[a][count + o], size)
        if parts.weights[a].unit > 0:
            weigh_as_given(axis, table + 2 * count, &parts.weights[a])
    elif size > 0:
        cut_by(parts.rule, size, count, table, table + count)
        if weighs(parts.rule, size, count):
            weigh_axis(axis, table + 2 * count)
    else:
        for o in range(2 * count):
            table[o] = 0


cdef Py_ssize_t borders_of_axis(Parts parts, int a) noexcept nogil:
    """Borders of windows, and weights, if they have some."""
    return (2 + (WEIGHTS if parts.rule == AREA else 0)) * parts.counts[a]


cdef Py_ssize_t borders_of(Parts parts) noexcept nogil:
    return borders_of_axis(parts, 0) + borders_of_axis(parts, 1) + borders_of_axis(parts, 2)


cdef int64_t* new_table(Parts parts) except NULL:
    """Room for the windows of all axes."""
    cdef Py_ssize_t borders = borders_of(parts)
    cdef int64_t* table = <int64_t*> malloc(borders * sizeof(int64_t) + 8)
    if table == NULL:
        raise MemoryError(f"no memory for the table of {borders // 2} windows")
    return table


cdef void count_axis(Parts parts, Py_ssize_t k, int a, int64_t* table) noexcept nogil:
    """What the elements of each window of a part weigh on an axis; `table` has room for these."""
    cdef Axis axis
    cdef Py_ssize_t o
    cut_axis(parts, k, a, &axis, table)
    for o in range(axis.count):
        table[o] = window_weight(&axis, o) * axis.unit


cdef Py_ssize_t room_for(Parts parts) noexcept:
    """How many parts are planned at a time, at most."""
    cdef Py_ssize_t borders = max(borders_of(parts), <Py_ssize_t> 1)
    return max(min(<Py_ssize_t> AT_ONCE, MOST_TABLES // borders), <Py_ssize_t> 1)
