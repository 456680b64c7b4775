"""Rows of the result: filled with the values of their segments, copied to other lines."""
from libc.string cimport memcpy

from adaptive_pool._kernels.average_backward.problem cimport BLOCK, Box, Problem
from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.average_backward.shares cimport sum_windows
from adaptive_pool._kernels.call.elements cimport real_t
from adaptive_pool._kernels.tiles.planes cimport at

cdef enum:
    SHORT = 256         # bytes that are copied without a call


cdef inline void copy_run(char* out, const char* run, Py_ssize_t size) noexcept nogil:
    """memcpy() without a call for short runs, by pieces that overlap."""
    cdef Py_ssize_t i = 0
    if size > SHORT:
        memcpy(out, run, size)
    elif size >= 32:
        while i < size - 32:
            memcpy(out + i, run + i, 32)
            i += 32
        memcpy(out + size - 32, run + size - 32, 32)
    elif size >= 16:
        memcpy(out, run, 16)
        memcpy(out + size - 16, run + size - 16, 16)
    elif size >= 8:
        memcpy(out, run, 8)
        memcpy(out + size - 8, run + size - 8, 8)
    elif size >= 4:
        memcpy(out, run, 4)
        memcpy(out + size - 4, run + size - 4, 4)
    else:  # the element of a half
        memcpy(out, run, 2)


cdef inline void repeat(
    char* first, Py_ssize_t size, Py_ssize_t step, Py_ssize_t times,
) noexcept nogil:
    """Repeat the `size` bytes at `first` every `step` bytes until they are there `times` times."""
    cdef Py_ssize_t k, done = size, whole = size * times
    if step != size or size >= SHORT:   # steps may be negative
        for k in range(1, times):
            copy_run(first + k * step, first, size)
        return
    while done < whole:
        size = min(done, whole - done)
        copy_run(first + done, first, size)
        done += size


cdef inline void copy_line(
    const Problem* p, const Box* box, const char* line, char* out, Py_ssize_t itemsize,
) noexcept nogil:
    """Copy the box's piece of a line of the result to another."""
    cdef Py_ssize_t w, size = box.lanes * itemsize, columns = box.w1 - box.w0
    if p.contiguous and box.lanes == p.lanes:
        copy_run(out, line, columns * size)
        return
    for w in range(columns):
        copy_run(out + w * p.grad_input.w, line + w * p.grad_input.w, size)


cdef inline void copy_columns(
    const Problem* p, char* out, const real_t* row, Py_ssize_t columns,
) noexcept nogil:
    cdef Py_ssize_t w
    if p.contiguous:
        copy_run(out, <const char*> row, columns * sizeof(real_t))
        return
    for w in range(columns):
        (<real_t*> (out + w * p.grad_input.w))[0] = row[w]


cdef inline void fill_row(
    const Box* box, Py_ssize_t segments,
    const real_t* values, Py_ssize_t width,     # IN: of each segment, so far apart
    real_t* row,                                # OUT: the columns of the box
) noexcept nogil:
    """Fill in steps of BLOCK columns; what one writes too much, the next segment overwrites."""
    cdef Py_ssize_t columns = box.w1 - box.w0, w = 0, end, i, k
    cdef real_t value
    for i in range(segments):
        value = values[i * width]
        end = min(box.w_first[i].end, box.w1) - box.w0
        while w < end and w + BLOCK <= columns:
            for k in range(BLOCK):
                row[w + k] = value
            w += BLOCK
        for k in range(w, end):
            row[k] = value
        w = end


cdef inline void fill_rows(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t planes,
    Py_ssize_t width, Py_ssize_t h0, Py_ssize_t h1, double* line, double* sums,
    real_t* values,         # scratch: segments x width
    real_t* scratch,        # a row
) noexcept nogil:
    """Make a row of each plane from the values of its segments, and copy it to all its lines."""
    cdef const Segment* s = box.w_first
    cdef Py_ssize_t plane, i, k, count = 0, d0 = max(d.begin, box.d0)
    cdef real_t* row = scratch
    cdef char* out
    while True:
        sum_windows[real_t](
            line + (s.first - box.ow0) * width, s.last - s.first, width, sums,
            values + count * width,
        )
        count += 1
        if s.end >= box.w1:
            break
        s += 1
    for plane in range(planes):
        if p.contiguous:
            row = <real_t*> at(&p.grad_input, box.batch, channel + plane, d0, h0, box.w0, 0)
        fill_row[real_t](box, count, values + plane, width, row)
        for i in range(d0, min(d.end, box.d1)):
            for k in range(h0, h1):
                out = at(&p.grad_input, box.batch, channel + plane, i, k, box.w0, 0)
                if out != <char*> row:
                    copy_columns(p, out, row, box.w1 - box.w0)
