"""Tables in any order, or thousands of windows to a column: a part of the windows at a time.

The sums of each window are added to all columns that it holds, in a tile that is stored at the end.
"""
from libc.string cimport memset

from adaptive_pool._kernels.average_backward.lanes cimport add_lines_of, copy_lines
from adaptive_pool._kernels.average_backward.problem cimport (
    LINE, Box, Problem, Scratch, next_segments,
)
from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.average_backward.shares cimport add_run, store_sums, weigh_run
from adaptive_pool._kernels.call.elements cimport real_t
from adaptive_pool._kernels.call.tables cimport weight_of
from adaptive_pool._kernels.tiles.planes cimport at


cdef inline void add_to_columns(
    const Problem* p, const Box* box, Py_ssize_t ow0, Py_ssize_t ow1,
    const double* line,     # IN: (ow1 - ow0) x lanes
    double* tile,           # IN, OUT: (w1 - w0) x lanes
) noexcept nogil:
    cdef Py_ssize_t ow, w, begin = box.w0, end = box.w1
    for ow in range(ow0, ow1):
        if p.width == p.w.size:     # else lines have been merged, all of which each window holds
            begin, end = max(p.w.starts[ow], box.w0), min(p.w.ends[ow], box.w1)
        for w in range(begin, end if p.weighted else begin):
            weigh_run(
                line, box.lanes, <double> weight_of(p.w, ow, w), False,
                tile + (w - box.w0) * box.lanes,
            )
        for w in range(begin, begin if p.weighted else end):
            add_run(line, box.lanes, tile + (w - box.w0) * box.lanes)
        line += box.lanes


cdef inline void gather_in_any_order(
    const Problem* p, const Box* box, const Scratch* scratch, const real_t* like,
) noexcept nogil:
    cdef const Segment* d
    cdef const Segment* h
    cdef Py_ssize_t channel, ow, end, w, windows = LINE // box.lanes
    cdef char* out
    for channel in range(box.channel0, box.channel1):
        d, h = box.d_first, box.h_first
        while True:
            memset(
                scratch.tile, 0, (box.w1 - box.w0) * box.lanes * <Py_ssize_t> sizeof(double)
            )
            ow = box.ow0
            while ow < box.ow1:
                end = min(ow + windows, box.ow1)
                add_lines_of[real_t](
                    p, box, d, h, channel, ow, end, scratch.line, scratch.shares, like
                )
                add_to_columns(p, box, ow, end, scratch.line, scratch.tile)
                ow = end
            out = at(
                &p.grad_input, box.batch, channel, max(d.begin, box.d0),
                max(h.begin, box.h0), box.w0, box.lane,
            )
            for w in range(box.w1 - box.w0):
                store_sums[real_t](
                    scratch.tile + w * box.lanes, box.lanes,
                    <real_t*> (out + w * p.grad_input.w),
                )
            copy_lines(p, box, d, h, channel, out, sizeof(real_t), scratch.seen)
            if not next_segments(box, &d, &h):
                break
