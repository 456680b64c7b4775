"""Rows of long segments, or of few planes: a value for each segment, and rows filled with these.

The values of as many lines as there is room for come first; then plane after plane is written from
one end to the other, which is what memory is fast at. Lines that are short and adjoin are one row.
"""
from libc.string cimport memcpy, memset

from adaptive_pool._kernels.average_backward.problem cimport TILE, VALUES, Box, Problem, Scratch
from adaptive_pool._kernels.average_backward.rows cimport (
    RUNS, Runs, add_runs, fill_lines, fill_whole,
)
from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.average_backward.shares cimport (
    add_run, share_run, store_sums, sum_runs, sum_segments_of_one, sum_windows, weigh_run,
    weight_of_line,
)
from adaptive_pool._kernels.call.elements cimport real_t
from adaptive_pool._kernels.call.tables cimport weight_of
from adaptive_pool._kernels.tiles.planes cimport at


cdef inline double* add_lines(
    const Problem* p, const Box* box, const Segment* d, const Segment* h, Py_ssize_t width,
    double* shares,         # IN: of all windows of the box
    double* line,           # scratch, if there is not just one
) noexcept nogil:
    """The sums of the lines of windows that hold a line of the result: windows along W x width."""
    cdef Py_ssize_t n = (box.ow1 - box.ow0) * width, k, od, rows = h.last - h.first
    cdef Py_ssize_t slice = (box.oh1 - box.oh0) * n
    if d.first == d.last or rows == 0:
        memset(line, 0, n * sizeof(double))
        return line
    shares += (d.first - box.od0) * slice + (h.first - box.oh0) * n
    if p.weighted:
        for od in range(d.first, d.last):
            for k in range(rows):
                weigh_run(
                    shares + k * n, n, weight_of_line(p.d, od, d, p.h, h.first + k, h),
                    od == d.first and k == 0, line,
                )
            shares += slice
        return line
    if d.last - d.first == 1 and rows == 1:
        return shares
    if rows > 1:
        sum_runs(shares, rows, n, n, line)
    else:
        memcpy(line, shares, n * sizeof(double))
    for _od in range(d.first + 1, d.last):
        shares += slice
        for k in range(rows):
            add_run(shares + k * n, n, line)
    return line


cdef inline void sum_segments(
    const Problem* p, const Box* box, double* line, Py_ssize_t width,
    double* sums,           # scratch, or OUT if width is 1
    real_t* values,         # OUT: segments x width, unless that is 1
) noexcept nogil:
    cdef const Segment* s = box.w_first
    cdef Py_ssize_t i, ow
    if width == 1 and p.w.firsts != NULL:
        for i in range(box.segments):
            sums[i] = 0
            for ow in range(s.first, s.last):
                sums[i] += line[ow - box.ow0] * <double> weight_of(p.w, ow, s.begin)
            s += 1
        return
    if width == 1:
        sum_segments_of_one(
            line - box.ow0, &s.first, &s.last, sizeof(Segment) // sizeof(Py_ssize_t),
            box.segments, sums,
        )
        return
    for i in range(box.segments):
        sum_windows[real_t](
            p.w, s, line + (s.first - box.ow0) * width, width, sums, values + i * width
        )
        s += 1


cdef inline void fill_planes(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t planes,
    Py_ssize_t width, const Scratch* scratch, real_t* values,
) noexcept nogil:
    """The values of as many lines as there is room for, then plane after plane from them."""
    cdef const Segment* h = box.h_first
    cdef const Segment* first
    cdef Py_ssize_t k = box.h0, begin, end, plane, n = box.segments * width, count, alike
    cdef Py_ssize_t most = TILE if width == 1 else VALUES
    cdef double* line
    cdef double* sums
    cdef Runs runs
    while k < box.h1:
        begin, first, count, runs.count = k, h, 0, 0
        while k < box.h1 and (count + 1) * n <= most:
            end = min(h.end, box.h1)
            if p.short_lines:
                end = min(end, k + (RUNS - runs.count) // box.segments)
            if end == k:
                break
            line = add_lines(p, box, d, h, width, scratch.shares, scratch.line)
            sums = scratch.tile + count * n if width == 1 else scratch.sums
            sum_segments[real_t](p, box, line, width, sums, values + count * n)
            alike = end - k if p.short_lines else 1 if count == 0 else 0
            for _k in range(alike):
                add_runs(box, count * n, width, &runs)
            count += 1
            k = end
            h += 1 if k == h.end else 0
        if width == 1:  # all at once: what was just summed is not ready yet
            store_sums[real_t](scratch.tile, count * n, values)
        for plane in range(planes):
            fill_lines[real_t](
                p, box, d, first, channel + plane, begin, k, &runs, values + plane, n,
                scratch.seen,
            )


cdef inline bint are_whole(const Problem* p, const Box* box) noexcept nogil:
    """Whether a plane is one row that one window covers."""
    return not p.given and not p.weighted and p.contiguous and (
        p.depth == p.height == 1 and box.segments == 1 and
        box.od1 - box.od0 == box.oh1 - box.oh0 == box.ow1 - box.ow0 == 1
    )


cdef inline void fill_whole_planes(
    const Problem* p, const Box* box, const Scratch* scratch, const real_t* _,
) noexcept nogil:
    """Planes of one value each: the share of their window."""
    cdef Py_ssize_t channel = box.channel0, step = p.grad_output.channel, n, i
    cdef real_t* values = <real_t*> scratch.values
    cdef const char* gradients
    while channel < box.channel1:
        n = min(box.channel1 - channel, <Py_ssize_t> VALUES)
        gradients = at(&p.grad_output, box.batch, channel, box.od0, box.oh0, box.ow0, 0)
        if step != sizeof(real_t):
            for i in range(n):
                values[i] = (<const real_t*> (gradients + i * step))[0]
            gradients = <const char*> values
        share_run[real_t](<const real_t*> gradients, n, scratch.factors[0], scratch.shares)
        store_sums[real_t](scratch.shares, n, values)
        fill_whole[real_t](
            values, n, box.w1 - box.w0,
            at(&p.grad_input, box.batch, channel, 0, 0, box.w0, 0), p.grad_input.channel,
        )
        channel += n
