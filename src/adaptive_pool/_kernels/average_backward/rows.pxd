"""Rows of the result: filled with the values of their segments, copied to other lines."""
from libc.string cimport memcpy

from adaptive_pool._kernels.average_backward.problem cimport BLOCK, Box, Problem, lines_of
from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.average_backward.uncounted cimport copy_counted
from adaptive_pool._kernels.call.elements cimport real_t, uint16_t, uint32_t, uint64_t
from adaptive_pool._kernels.tiles.planes cimport at

cdef extern from "average_backward/fill.h" nogil:
    void fill_2 "ap_fill_uint16_t"(
        const Py_ssize_t* ends, const Py_ssize_t* sources, Py_ssize_t runs, const uint16_t* values,
        uint16_t* row)
    void fill_4 "ap_fill_uint32_t"(
        const Py_ssize_t* ends, const Py_ssize_t* sources, Py_ssize_t runs, const uint32_t* values,
        uint32_t* row)
    void fill_8 "ap_fill_uint64_t"(
        const Py_ssize_t* ends, const Py_ssize_t* sources, Py_ssize_t runs, const uint64_t* values,
        uint64_t* row)
    void fill_whole_2 "ap_fill_whole_uint16_t"(
        const uint16_t* values, Py_ssize_t rows, Py_ssize_t columns, char* out, Py_ssize_t step)
    void fill_whole_4 "ap_fill_whole_uint32_t"(
        const uint32_t* values, Py_ssize_t rows, Py_ssize_t columns, char* out, Py_ssize_t step)
    void fill_whole_8 "ap_fill_whole_uint64_t"(
        const uint64_t* values, Py_ssize_t rows, Py_ssize_t columns, char* out, Py_ssize_t step)

cdef enum:
    SHORT = 256         # bytes that are copied without a call
    RUNS = 2048         # of one value, that a row or several short ones are filled with


cdef struct Runs:
    # Each ends somewhere, and has a value from somewhere.
    Py_ssize_t count
    Py_ssize_t ends[RUNS]
    Py_ssize_t sources[RUNS]


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


cdef inline void add_runs(
    const Box* box, Py_ssize_t source, Py_ssize_t width,    # IN: of the first value, and between
    Runs* runs,                                             # IN, OUT
) noexcept nogil:
    """Add those of a line: a segment is a run, and one with that before if their value is one."""
    cdef Py_ssize_t i, start = runs.ends[runs.count - 1] - box.w0 if runs.count > 0 else -box.w0
    for i in range(box.segments):
        if runs.count == 0 or runs.sources[runs.count - 1] != source:
            runs.sources[runs.count] = source
            runs.count += 1
        runs.ends[runs.count - 1] = start + min(box.w_first[i].end, box.w1)
        source += width


cdef inline void fill_row(
    const Problem* p, const Runs* runs, const real_t* values, char* out,
) noexcept nogil:
    cdef Py_ssize_t i, w = 0
    if not p.contiguous:
        for i in range(runs.count):
            while w < runs.ends[i]:
                (<real_t*> (out + w * p.grad_input.w))[0] = values[runs.sources[i]]
                w += 1
    elif sizeof(real_t) == 2:
        fill_2(runs.ends, runs.sources, runs.count, <const uint16_t*> values, <uint16_t*> out)
    elif sizeof(real_t) == 4:
        fill_4(runs.ends, runs.sources, runs.count, <const uint32_t*> values, <uint32_t*> out)
    else:
        fill_8(runs.ends, runs.sources, runs.count, <const uint64_t*> values, <uint64_t*> out)


cdef inline void fill_whole(
    const real_t* values, Py_ssize_t planes, Py_ssize_t columns, char* out, Py_ssize_t step,
) noexcept nogil:
    """Fill planes that are one run of one value each."""
    if sizeof(real_t) == 2:
        fill_whole_2(<const uint16_t*> values, planes, columns, out, step)
    elif sizeof(real_t) == 4:
        fill_whole_4(<const uint32_t*> values, planes, columns, out, step)
    else:
        fill_whole_8(<const uint64_t*> values, planes, columns, out, step)


cdef inline void copy_filled(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t k,
    Py_ssize_t end, const Runs* runs, const real_t* values, const char* first,
) noexcept nogil:
    """Copy the first of the lines k:end to all of a segment along D."""
    cdef Py_ssize_t i
    cdef char* out
    for i in range(max(d.begin, box.d0), min(d.end, box.d1)):
        out = at(&p.grad_input, box.batch, channel, i, k, box.w0, 0)
        for _k in range(k, end):
            if not p.contiguous:
                fill_row[real_t](p, runs, values, out)
            elif out != first:
                copy_columns(p, out, <const real_t*> first, runs.ends[runs.count - 1])
            out += p.grad_input.h


cdef inline void fill_lines(
    const Problem* p, const Box* box, const Segment* d, const Segment* h, Py_ssize_t channel,
    Py_ssize_t h0, Py_ssize_t h1, const Runs* runs,
    const real_t* values, Py_ssize_t line,      # IN: and from those of a line to the next
    char* seen,
) noexcept nogil:
    """Fill the lines h0:h1 of a plane, which `h` and the next segments are."""
    cdef Py_ssize_t k = h0, end
    cdef char* first
    while k < h1:
        first = at(&p.grad_input, box.batch, channel, max(d.begin, box.d0), k, box.w0, 0)
        fill_row[real_t](p, runs, values, first)
        end = h1 if p.short_lines else min(h.end, h1)
        if p.short_lines:
            copy_filled[real_t](p, box, d, channel, k, k + 1, runs, values, first)
        elif p.counts_lines:
            copy_counted(
                &p.uncounted, lines_of(box, d, channel, k, end), first, p.grad_input.w, seen
            )
        else:
            copy_filled[real_t](p, box, d, channel, k, end, runs, values, first)
        k = end
        h += 1
        values += line
