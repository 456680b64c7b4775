"""Lanes side by side in memory: a line of sums, windows x lanes, then each segment of columns.

Values are stored where the segment begins in the first line of the result that has them, and
copied from there to the other columns and lines.
"""
from libc.string cimport memmove, memset

from adaptive_pool._kernels.average_backward.problem cimport (
    LINE, Box, Problem, Scratch, lines_of, next_segments,
)
from adaptive_pool._kernels.average_backward.rows cimport copy_line, repeat
from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.average_backward.shares cimport (
    add_share_run, factor, share_run, sum_windows, take_run, weigh_run, weight_of_line,
)
from adaptive_pool._kernels.average_backward.uncounted cimport copy_counted
from adaptive_pool._kernels.call.elements cimport load_real, real_t
from adaptive_pool._kernels.call.tables cimport holds, window_weight
from adaptive_pool._kernels.tiles.planes cimport at


cdef inline void add_line(
    const Problem* p, const char* run, Py_ssize_t lanes, Py_ssize_t ow0, Py_ssize_t ow1,
    double lines,           # IN: of the windows
    bint begin,             # IN: whether these are the first of the sums
    double* line,           # IN, OUT: (ow1 - ow0) x lanes
    const real_t* like,
) noexcept nogil:
    cdef Py_ssize_t ow, lane, step = p.grad_output.lane
    cdef double f, x
    for ow in range(ow0, ow1):
        f = factor[real_t](lines * <double> window_weight(p.w, ow), like)
        if p.given:
            take_run(run, step, lanes, begin, line)
        elif step != sizeof(real_t):
            for lane in range(lanes):
                share_run[real_t](<const real_t*> (run + lane * step), 1, f, &x)
                line[lane] = x if begin else line[lane] + x
        elif begin:
            share_run[real_t](<const real_t*> run, lanes, f, line)
        else:
            add_share_run[real_t](<const real_t*> run, lanes, f, line)
        run += p.grad_output.w
        line += lanes


cdef inline void add_lines_of(
    const Problem* p, const Box* box, const Segment* d, const Segment* h, Py_ssize_t channel,
    Py_ssize_t ow0, Py_ssize_t ow1,     # IN: the windows along W
    double* line,                       # OUT: (ow1 - ow0) x lanes
    double* shares,                     # scratch: likewise
    const real_t* like,
) noexcept nogil:
    """Add the shares of the windows (od, oh) that hold a line of the result."""
    cdef Py_ssize_t od, oh, n = (ow1 - ow0) * box.lanes
    cdef bint begin = True
    for od in range(d.first, d.last):
        if not holds(p.d, od, d.begin):
            continue
        for oh in range(h.first, h.last):
            if not holds(p.h, oh, h.begin):
                continue
            add_line[real_t](
                p, at(&p.grad_output, box.batch, channel, od, oh, ow0, box.lane), box.lanes,
                ow0, ow1, window_weight(p.d, od) * window_weight(p.h, oh), begin or p.weighted,
                shares if p.weighted else line, like,
            )
            if p.weighted:
                weigh_run(shares, n, weight_of_line(p.d, od, d, p.h, oh, h), begin, line)
            begin = False
    if begin:
        memset(line, 0, n * sizeof(double))


cdef inline void fill_line(
    const Problem* p, const Box* box, const Segment* d, const Segment* h, Py_ssize_t channel,
    const Scratch* scratch,
    char* out,              # OUT: the columns w0:w1 of a line of the result
    const real_t* like,
) noexcept nogil:
    """Add windows as the segments of columns need them, as many as there is room for."""
    cdef const Segment* s = box.w_first
    cdef Py_ssize_t w = box.w0, end, lanes = box.lanes, step = p.grad_input.w
    cdef Py_ssize_t made = box.ow0, kept = box.ow0, room = LINE // lanes
    while w < box.w1:
        end = min(s.end, box.w1)
        if s.last - kept > room:    # what is still needed moves to the beginning
            memmove(
                scratch.line, scratch.line + (s.first - kept) * lanes,
                max(made - s.first, <Py_ssize_t> 0) * lanes * sizeof(double),
            )
            kept = s.first
        if made < s.last:   # as many as there is room for
            made = max(made, s.first)
            add_lines_of[real_t](
                p, box, d, h, channel, made, min(kept + room, box.ow1),
                scratch.line + (made - kept) * lanes, scratch.shares, like,
            )
            made = min(kept + room, box.ow1)
        sum_windows[real_t](
            p.w, s, scratch.line + (s.first - kept) * lanes, lanes, scratch.sums, <real_t*> out,
        )
        repeat(out, lanes * sizeof(real_t), step, end - w)
        out += (end - w) * step
        w = end
        s += 1


cdef inline void copy_lines(
    const Problem* p, const Box* box, const Segment* d, const Segment* h, Py_ssize_t channel,
    const char* line, Py_ssize_t itemsize, char* seen,
) noexcept nogil:
    """Copy a line of the result to all lines of the box that are in two segments."""
    cdef Py_ssize_t i, k
    cdef char* out
    if p.counts_lines:
        copy_counted(
            &p.uncounted,
            lines_of(box, d, channel, max(h.begin, box.h0), min(h.end, box.h1)), line,
            p.grad_input.w, seen,
        )
        return
    for i in range(max(d.begin, box.d0), min(d.end, box.d1)):
        for k in range(max(h.begin, box.h0), min(h.end, box.h1)):
            out = at(&p.grad_input, box.batch, channel, i, k, box.w0, box.lane)
            if out != line:
                copy_line(p, box, line, out, itemsize)


cdef inline void gather_by_lanes(
    const Problem* p, const Box* box, const Scratch* scratch, const real_t* like,
) noexcept nogil:
    cdef const Segment* d
    cdef const Segment* h
    cdef Py_ssize_t channel
    cdef char* out
    for channel in range(box.channel0, box.channel1):
        d, h = box.d_first, box.h_first
        while True:
            out = at(
                &p.grad_input, box.batch, channel, max(d.begin, box.d0),
                max(h.begin, box.h0), box.w0, box.lane,
            )
            fill_line[real_t](p, box, d, h, channel, scratch, out, like)
            copy_lines(p, box, d, h, channel, out, sizeof(real_t), scratch.seen)
            if not next_segments(box, &d, &h):
                break
