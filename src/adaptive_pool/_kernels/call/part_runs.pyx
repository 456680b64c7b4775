"""Parts of a call are planned some at a time, and the jobs of all these are one list.

Each part is a geometry of its own. What lies outside the parts is never read.
"""
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from adaptive_pool._kernels.call.canonical cimport Canonical, Geometry, advance, arrange_axes
from adaptive_pool._kernels.call.parts cimport (
    AT_ONCE, Part, Parts, borders_of, borders_of_axis, count_axis, cut_axis, room_for,
)
from adaptive_pool._kernels.call.tables cimport Axis, describe_axis, int64_t
from adaptive_pool._kernels.threads.lists cimport JobList, run_lists

from adaptive_pool._kernels.call.canonical import CHANGED as _CHANGED

cdef enum:
    JOBS = 4    # for each thread: with fewer parts these are cut


cdef bint is_input(const Canonical* c, int a) noexcept nogil:
    """Whether an array has samples, and not results for each part."""
    return a == 0 or a == c.where or a == c.elements


cdef bint fit(const Canonical* c, Parts parts) noexcept:
    """Whether arrays have the sizes that they must have for these parts and each other."""
    cdef const Py_buffer* lead = &c.buffers[0]
    cdef int first = parts.first_axis, last = first + parts.ndim, a, k
    cdef Py_ssize_t size
    for a in range(c.count):
        if c.buffers[a].ndim != lead.ndim or lead.ndim < last:
            return False
        for k in range(lead.ndim):
            if k == 0:
                size = parts.samples if is_input(c, a) else parts.count
            elif not first <= k < last:
                size = lead.shape[k]
            else:
                size = (
                    parts.sizes[3 - last + k] if is_input(c, a) else parts.counts[3 - last + k]
                )
            if c.buffers[a].shape[k] != size:
                return False
    return True


cdef struct Plan:
    # Memory for parts that are planned at a time.
    Py_ssize_t room         # how many
    Py_ssize_t task_size
    Py_ssize_t borders      # of the windows of a part
    char* tasks
    JobList* lists
    Py_ssize_t* begins
    Axis* axes
    int64_t* tables


cdef int make_room(Plan* plan, Parts parts, Py_ssize_t task_size) except -1:
    cdef Py_ssize_t each
    plan.task_size = (task_size + 15) // 16 * 16
    plan.borders, plan.room = borders_of(parts), min(parts.count, room_for(parts))
    each = (
        plan.task_size + sizeof(JobList) + sizeof(Py_ssize_t) + 3 * sizeof(Axis)
        + plan.borders * <Py_ssize_t> sizeof(int64_t)
    )
    plan.tasks = <char*> malloc(plan.room * each)
    if plan.tasks == NULL:
        raise MemoryError(f"no memory for tables of {plan.borders // 2} windows")
    plan.lists = <JobList*> (plan.tasks + plan.room * plan.task_size)
    plan.axes = <Axis*> (plan.lists + plan.room)
    plan.tables = <int64_t*> (plan.axes + 3 * plan.room)
    plan.begins = <Py_ssize_t*> (plan.tables + plan.room * plan.borders)
    return 0


cdef bint cut_part(
    Parts parts, Py_ssize_t k, bint whole, bint backward, Axis* axes, int64_t* table,
) noexcept nogil:
    """The windows of a part, or False: all are empty.

    Forward, empty ones are as if they had its first element. Or windows are of the whole plane,
    from the beginning of which the part reaches as far as it does.
    """
    cdef Py_ssize_t count, o
    cdef int a
    for a in range(3):
        count = parts.counts[a]
        cut_axis(parts, k, a, &axes[a], table)
        if whole:
            axes[a].size = parts.sizes[a]
        elif axes[a].size == 0:
            return False
        for o in range(0 if backward else count):
            if table[o] == table[count + o]:
                table[o], table[count + o] = 0, 1
        describe_axis(&axes[a])
        table += borders_of_axis(parts, a)
    return True


cdef void place_part(
    const Canonical* c, Parts parts, Py_ssize_t k, bint whole, const Axis* axes, Geometry* g,
) noexcept nogil:
    """The geometry of a part, or of the whole plane that it is of."""
    cdef Part* part = &parts.parts[k]
    cdef int a
    g[0] = c.here
    g.d, g.h, g.w = axes, axes + 1, axes + 2
    for a in range(g.count):
        if not is_input(c, a):
            g.arrays[a].data += k * c.buffers[a].strides[0]
            continue
        g.arrays[a].data += part.sample * c.buffers[a].strides[0]
        if not whole:
            g.arrays[a].data += (
                part.starts[0] * g.arrays[a].d + part.starts[1] * g.arrays[a].h
                + part.starts[2] * g.arrays[a].w
            )
    if not whole:
        for a in range(3):
            g.sizes[0][a] = part.sizes[a]
    g.number += part.starts[0] * g.d_number + part.starts[1] * g.h_number + part.starts[2]


cdef void fill(const Geometry* g, int a, Py_ssize_t place, const char* filler) noexcept nogil:
    """Fill the results of all planes and lanes, `place` bytes behind the first."""
    cdef Py_ssize_t batch, channel, lane
    cdef char* out
    for batch in range(g.batches):
        for channel in range(g.channels):
            for lane in range(g.lanes):
                out = (
                    g.arrays[a].data + batch * g.arrays[a].batch + channel * g.arrays[a].channel
                    + lane * g.arrays[a].lane + place
                )
                memcpy(out, filler, g.arrays[a].itemsize)


cdef void fill_short(
    const Canonical* c, const Geometry* g, Parts parts, Py_ssize_t k, int64_t* table,
) noexcept nogil:
    """Fill the results of windows with too few elements; `table` is scratch for all borders."""
    cdef Py_ssize_t od, oh, ow
    cdef int64_t* sizes[3]
    cdef int64_t elements, none = -1, zero = 0
    cdef const char* filler
    cdef int a
    for a in range(3):
        sizes[a] = table
        count_axis(parts, k, a, table)
        table += borders_of_axis(parts, a)
    for od in range(parts.counts[0]):
        for oh in range(parts.counts[1]):
            elements = sizes[0][od] * sizes[1][oh]
            for ow in range(parts.counts[2]):
                if elements * sizes[2][ow] >= parts.least:
                    continue
                for a in range(1, g.count):
                    filler = &parts.filler[0]
                    if a == c.where or (a == c.counts and elements * sizes[2][ow] > 0):
                        continue
                    elif a == c.counts:
                        filler = <const char*> &zero
                    elif a > 1:
                        filler = <const char*> &none
                    fill(
                        g, a,
                        od * g.arrays[a].d + oh * g.arrays[a].h + ow * g.arrays[a].w, filler,
                    )


cdef int run_some(
    const Canonical* c, Parts parts, prepare_t prepare, const void* call, const Plan* plan,
    Py_ssize_t begin, Py_ssize_t end, bint whole, bint backward, int num_threads,
) except -1 nogil:
    """Pool some parts, and fill the results of their windows with few elements; or go back."""
    cdef Geometry g
    cdef Py_ssize_t planned = 0, k
    cdef int found = False
    cdef Axis* axes
    cdef int64_t* table
    for k in range(begin, end):
        axes = plan.axes + 3 * planned
        table = plan.tables + planned * plan.borders
        if not cut_part(parts, k, whole, backward, axes, table):
            continue
        place_part(c, parts, k, whole, axes, &g)
        prepare(
            plan.tasks + planned * plan.task_size, &g, call,
            1 if parts.count >= JOBS * num_threads else num_threads, plan.lists + planned,
        )
        planned += 1
    if planned > 0:
        found = run_lists(plan.lists, planned, plan.begins, num_threads)
    for k in range(begin, begin if backward else end):
        place_part(c, parts, k, False, plan.axes, &g)
        fill_short(c, &g, parts, k, plan.tables)
    return found


cdef int run_parts(
    Canonical* c, Parts parts, prepare_t prepare, const void* call, Py_ssize_t task_size,
    int num_threads,
) except -1:
    """Pool all parts of the first array into the others. None of them is empty.

    Returns what jobs do, or-ed over all.
    """
    return run_all(c, parts, prepare, call, task_size, False, False, num_threads)


cdef int run_parts_backward(
    Canonical* c, Parts parts, prepare_t prepare, const void* call, Py_ssize_t task_size,
    int num_threads,
) except -1:
    """The adjoint, for parts that do not overlap.

    Of parts of one sample only what they hold of the first array is written. Else there is one of
    each sample, all of which is written.
    """
    return run_all(c, parts, prepare, call, task_size, not parts.are_items, True, num_threads)


cdef int run_all(
    Canonical* c, Parts parts, prepare_t prepare, const void* call, Py_ssize_t task_size,
    bint whole, bint backward, int num_threads,
) except -1:
    cdef Plan plan
    cdef Py_ssize_t k = 0, end
    cdef int found = False
    if not fit(c, parts):
        raise ValueError(_CHANGED)
    arrange_axes(c, 1, parts.first_axis, parts.first_axis + parts.ndim)
    make_room(&plan, parts, task_size)
    try:
        with nogil:
            while True:
                k = 0
                while k < parts.count:
                    end = min(k + plan.room, parts.count)
                    found |= run_some(
                        c, parts, prepare, call, &plan, k, end, whole, backward, num_threads
                    )
                    k = end
                if not advance(c):
                    break
    finally:
        free(plan.tasks)
    return found


cdef struct Groups:
    # All parts, sorted by their samples.
    char* memory
    Axis* axes
    int64_t* order
    int64_t* begins     # samples + 1: where in `order` those of a sample begin
    char* tasks
    JobList* lists
    Py_ssize_t* first_jobs
    Py_ssize_t room     # samples that are planned at a time


cdef int make_groups(Groups* groups, Parts parts, Py_ssize_t task_size) except -1:
    """Sort parts by their samples, and cut the windows of all."""
    cdef Py_ssize_t borders = borders_of(parts), k, next
    cdef int64_t* table
    cdef int a
    groups.room = min(parts.samples, <Py_ssize_t> AT_ONCE)
    groups.memory = <char*> malloc(
        groups.room * (task_size + sizeof(JobList) + sizeof(Py_ssize_t))
        + 3 * parts.count * <Py_ssize_t> sizeof(Axis)
        + (parts.count * (borders + 1) + parts.samples + 2) * <Py_ssize_t> sizeof(int64_t)
    )
    if groups.memory == NULL:
        raise MemoryError(f"no memory for tables of {parts.count} parts")
    groups.tasks = groups.memory
    groups.lists = <JobList*> (groups.tasks + groups.room * task_size)
    groups.first_jobs = <Py_ssize_t*> (groups.lists + groups.room)
    groups.axes = <Axis*> (groups.first_jobs + groups.room)
    table = <int64_t*> (groups.axes + 3 * parts.count)
    groups.order = table + parts.count * borders
    groups.begins = groups.order + parts.count
    for k in range(parts.samples + 2):
        groups.begins[k] = 0
    for k in range(parts.count):
        groups.begins[parts.parts[k].sample + 2] += 1
    for k in range(2, parts.samples + 2):
        groups.begins[k] += groups.begins[k - 1]
    for k in range(parts.count):
        next = parts.parts[k].sample + 1
        groups.order[groups.begins[next]] = k
        groups.begins[next] += 1
        for a in range(3):
            cut_axis(parts, k, a, &groups.axes[3 * k + a], table)
            table += borders_of_axis(parts, a)
    return 0


cdef int run_groups(
    Canonical* c, Parts parts, prepare_group_t prepare, const void* call, Py_ssize_t task_size,
    int num_threads,
) except -1:
    """Add all parts to their samples: the adjoint of `run_parts`, for parts that may overlap.

    Returns what jobs do, or-ed over all.
    """
    cdef Groups groups
    cdef Group group
    cdef Geometry g
    cdef Py_ssize_t begin, end, k
    cdef int found = False, a
    if not fit(c, parts):
        raise ValueError(_CHANGED)
    arrange_axes(c, 1, parts.first_axis, parts.first_axis + parts.ndim)
    task_size = (task_size + 15) // 16 * 16
    make_groups(&groups, parts, task_size)
    group.parts, group.axes = parts.parts, groups.axes
    for a in range(c.count):
        group.steps[a] = c.buffers[a].strides[0]
    try:
        with nogil:
            while True:
                begin = 0
                while begin < parts.samples:
                    end = min(begin + groups.room, parts.samples)
                    for k in range(begin, end):
                        g = c.here
                        for a in range(c.count):
                            if is_input(c, a):
                                g.arrays[a].data += k * group.steps[a]
                        group.order = groups.order + groups.begins[k]
                        group.count = groups.begins[k + 1] - groups.begins[k]
                        prepare(
                            groups.tasks + (k - begin) * task_size, &g, &group, call,
                            1 if parts.samples >= JOBS * num_threads else num_threads,
                            groups.lists + (k - begin),
                        )
                    found |= run_lists(
                        groups.lists, end - begin, groups.first_jobs, num_threads
                    )
                    begin = end
                if not advance(c):
                    break
    finally:
        free(groups.memory)
    return found
