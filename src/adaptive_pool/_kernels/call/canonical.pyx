"""Arrays of any shape and strides, as arrays of six axes: batch, channel, D, H, W, lanes.

A kernel borrows the memory of its arrays, lets `arrange` find the steps, and works through the
places that `advance` goes on to, mostly one. As long as it has borrowed something, the thread
computes in the default floating-point state. Typed memoryviews would say the same of arrays of one
rank and type, and take 0.3 us each to acquire; this takes 0.1.

What Python found out about an array need not be true any more: other threads, or code of the
caller's that runs in between, may have given it another shape. The buffer has the shape of now,
whatever happens next, so what keeps a kernel inside its arrays is looked at again.
"""
from cpython.buffer cimport PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer

from adaptive_pool._kernels.call.floating_point cimport (
    restore_floating_point, use_default_floating_point,
)
from adaptive_pool._kernels.call.tables cimport Axis

CHANGED = "an array was given another shape or dtype during the call"


cdef Py_ssize_t add(Canonical* c, object array, bint writable) except -1:
    """Add an array; returns the bytes of an element."""
    PyObject_GetBuffer(
        array, &c.buffers[c.count], PyBUF_STRIDES | (PyBUF_WRITABLE if writable else 0)
    )
    if c.count == 0:
        use_default_floating_point(&c.caller)
    c.count += 1
    return c.buffers[c.count - 1].itemsize


cdef int borrow(Canonical* c, object array, bint writable, Py_ssize_t itemsize) except -1:
    """Add an array. What was borrowed must be given back, also after an error."""
    if add(c, array, writable) != itemsize:
        raise ValueError(CHANGED)
    return 0


cdef int borrow_indices(Canonical* c, object array, bint writable) except -1:
    """Add an array of int32 or int64, likewise."""
    if add(c, array, writable) not in (4, 8):
        raise ValueError(CHANGED)
    return 0


cdef void give_back(Canonical* c) noexcept:
    cdef int a
    if c.count > 0:
        restore_floating_point(&c.caller)
    for a in range(c.count):
        PyBuffer_Release(&c.buffers[a])


cdef bint fit(const Canonical* c, Windows windows) noexcept:
    """Whether arrays have the sizes that they must have for these windows and each other.

    The first is that which windows are cut from. Indices alone are looked at whatever their sizes.
    """
    cdef const Py_buffer* lead = &c.buffers[0]
    cdef const Axis* axes[3]
    cdef int first = windows.first_axis, last = first + windows.ndim, a, k
    cdef Py_ssize_t size
    axes[0], axes[1], axes[2] = &windows.d, &windows.h, &windows.w
    for a in range(c.count):
        if c.buffers[a].ndim != lead.ndim or lead.ndim < last:
            return False
        for k in range(lead.ndim if c.count > 1 else 0):
            if not first <= k < last:
                size = lead.shape[k]
            elif a == 0:
                size = axes[3 - last + k].size
            elif axes[3 - last + k].count > 0:
                size = axes[3 - last + k].count
            else:   # max backward knows no windows
                size = c.buffers[1].shape[k]
            if c.buffers[a].shape[k] != size:
                return False
    return True


cdef bint joined(const Canonical* c, int outer, int inner) noexcept nogil:
    """Whether two axes have one step in every array."""
    cdef int a
    for a in range(c.count):
        if c.buffers[a].strides[outer] != c.buffers[a].strides[inner] * c.buffers[a].shape[inner]:
            return False
    return True


cdef int axis_of_lanes(
    const Py_buffer* lead, int begin, int first, int last,
) noexcept nogil:
    """The axis whose elements are neighbours in memory, if it is not the last of the pooled."""
    cdef int k
    if lead.strides[last - 1] != lead.itemsize or lead.shape[last - 1] == 1:
        for k in range(begin, lead.ndim):
            if not first <= k < last and lead.shape[k] != 1 and lead.strides[k] == lead.itemsize:
                return k
    return -1


cdef int arrange(Canonical* c, Windows windows) except -1:
    """Find the canonical axes of what was borrowed."""
    if not fit(c, windows):     # before anything else is read of a shape
        raise ValueError(CHANGED)
    arrange_axes(c, 0, windows.first_axis, windows.first_axis + windows.ndim)
    c.here.d, c.here.h, c.here.w = &windows.d, &windows.h, &windows.w
    return 0


cdef void arrange_axes(
    Canonical* c,
    int begin,              # IN: the axes from this one on
    int first, int last,    # IN: the pooled axes first:last
) noexcept nogil:
    """Find the canonical axes of arrays whose axes fit each other."""
    cdef const Py_buffer* lead = &c.buffers[0]
    cdef const Py_buffer* buffer
    cdef Geometry* g = &c.here
    cdef int ends[MOST_AXES]    # the last axis of each run of joined axes
    cdef Py_ssize_t sizes[MOST_AXES]
    cdef Py_ssize_t steps[3]
    cdef int runs = 0, missing = 3 - (last - first), k, a
    cdef int lanes = axis_of_lanes(lead, begin, first, last)
    for k in range(begin, lead.ndim):
        if first <= k < last or k == lanes or lead.shape[k] == 1:
            continue
        if runs > 0 and joined(c, ends[runs - 1], k):
            sizes[runs - 1] *= lead.shape[k]
        else:
            sizes[runs] = lead.shape[k]
            runs += 1
        ends[runs - 1] = k
    g.count, g.bytes = c.count, lead.len
    g.lanes = 1 if lanes < 0 else lead.shape[lanes]
    g.channels = sizes[runs - 1] if runs > 0 else 1
    g.batches = sizes[runs - 2] if runs > 1 else 1
    c.loops = max(runs - 2, 0)
    for k in range(c.loops):
        c.loop_sizes[k] = sizes[k]
        c.position[k] = 0
    for a in range(c.count):
        buffer = &c.buffers[a]
        for k in range(c.loops):
            c.loop_steps[a][k] = buffer.strides[ends[k]]
        for k in range(3):  # D, H, W; the missing ones have size 1
            if k < missing:
                g.sizes[a][k], steps[k] = 1, 0
            else:
                g.sizes[a][k] = buffer.shape[last - 3 + k]
                steps[k] = buffer.strides[last - 3 + k]
        g.arrays[a].data = <char*> buffer.buf
        g.arrays[a].itemsize = buffer.itemsize
        g.arrays[a].batch = buffer.strides[ends[runs - 2]] if runs > 1 else 0
        g.arrays[a].channel = buffer.strides[ends[runs - 1]] if runs > 0 else 0
        g.arrays[a].d, g.arrays[a].h, g.arrays[a].w = steps[0], steps[1], steps[2]
        g.arrays[a].lane = buffer.strides[lanes] if lanes >= 0 else buffer.itemsize
    g.number, g.h_number = 0, g.sizes[0][2]
    g.d_number = g.sizes[0][1] * g.h_number


cdef bint advance(Canonical* c) noexcept nogil:
    """Move all arrays to the next place, or say that there is none."""
    cdef int k = c.loops - 1, a
    while k >= 0:
        c.position[k] += 1
        for a in range(c.count):
            c.here.arrays[a].data += c.loop_steps[a][k]
        if c.position[k] < c.loop_sizes[k]:
            return True
        for a in range(c.count):
            c.here.arrays[a].data -= c.loop_sizes[k] * c.loop_steps[a][k]
        c.position[k] = 0
        k -= 1
    return False
