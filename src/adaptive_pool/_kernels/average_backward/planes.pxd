"""One lane: planes are turned into lanes, and the rows of the result back.

A job takes PLANES planes after the other. The shares of all its windows are made once, windows x
planes. The lines of windows that hold a line of the result are added; of these the windows that
hold a segment of columns, all planes alike. Columns x planes are turned back into the first line
of each plane that has them, and copied to the others.
"""
from libc.string cimport memcpy, memset

from adaptive_pool._kernels.average_backward.filled cimport (
    add_lines, are_whole, fill_planes, fill_whole_planes,
)
from adaptive_pool._kernels.average_backward.problem cimport (
    BLOCK, COLUMNS, TURN, Box, Problem, Scratch, lines_of,
)
from adaptive_pool._kernels.average_backward.rows cimport copy_columns, copy_run
from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.average_backward.shares cimport (
    factor, share_each, share_run, sum_windows,
)
from adaptive_pool._kernels.average_backward.uncounted cimport copy_counted
from adaptive_pool._kernels.call.elements cimport real_t
from adaptive_pool._kernels.call.tables cimport window_weight
from adaptive_pool._kernels.tiles.planes cimport at
from adaptive_pool._kernels.tiles.transpose cimport transpose


cdef inline void find_factors(
    const Problem* p, const Box* box, double* factors, const real_t* like,
) noexcept nogil:
    cdef Py_ssize_t od, oh, ow
    cdef double lines
    for od in range(box.od0, box.od1):
        for oh in range(box.oh0, box.oh1):
            lines = window_weight(p.d, od) * window_weight(p.h, oh)
            for ow in range(box.ow0, box.ow1):
                factors[ow - box.ow0] = factor[real_t](
                    lines * <double> window_weight(p.w, ow), like
                )
            factors += box.ow1 - box.ow0


cdef inline void turn_in(
    const Problem* p, const char* run, Py_ssize_t n, Py_ssize_t planes, Py_ssize_t width,
    real_t* turned,         # OUT: n x width
) noexcept nogil:
    cdef Py_ssize_t i, plane
    if p.grad_output.w == sizeof(real_t):
        transpose(
            run, p.grad_output.channel, planes, n, <char*> turned, width * sizeof(real_t),
            sizeof(real_t),
        )
        return
    for i in range(n):
        for plane in range(planes):
            turned[i * width + plane] = (
                <const real_t*> (run + i * p.grad_output.w + plane * p.grad_output.channel)
            )[0]


cdef inline void load_shares_of_one(
    const Problem* p, const char* run, Py_ssize_t n, const double* factors,
    real_t* copy,           # scratch: TURN
    double* shares,         # OUT: n
) noexcept nogil:
    cdef Py_ssize_t i = 0, k, count, step = p.grad_output.w
    if step == sizeof(real_t):
        share_each[real_t](<const real_t*> run, n, factors, shares)
        return
    while i < n:
        count = min(n - i, <Py_ssize_t> TURN)
        for k in range(count):
            copy[k] = (<const real_t*> (run + (i + k) * step))[0]
        share_each[real_t](copy, count, factors + i, shares + i)
        i += count


cdef inline void load_shares(
    const Problem* p, const Box* box, Py_ssize_t channel, Py_ssize_t planes, Py_ssize_t width,
    const double* factors,  # IN: of each window of the box
    real_t* turned,         # scratch: TURN x width, 0 where no planes are
    double* shares,         # OUT: windows x width
) noexcept nogil:
    cdef Py_ssize_t od, oh, n, i, k, length, columns = box.ow1 - box.ow0
    cdef Py_ssize_t rows = box.oh1 - box.oh0, step = p.grad_output.w
    cdef const char* run
    length = columns
    if p.grad_output.h == columns * step:   # all lines of it are one run
        rows, length = 1, columns * rows
    for od in range(box.od0, box.od1):
        for oh in range(box.oh0, box.oh0 + rows):
            run = at(&p.grad_output, box.batch, channel, od, oh, box.ow0, 0)
            if width == 1:
                load_shares_of_one[real_t](p, run, length, factors, turned, shares)
                shares += length
                factors += length
                continue
            i = 0
            while i < length:
                n = min(length - i, <Py_ssize_t> TURN)
                turn_in[real_t](p, run + i * step, n, planes, width, turned)
                for k in range(n):
                    share_run[real_t](turned + k * width, width, factors[k], shares)
                    shares += width
                factors += n
                i += n


cdef inline void take_shares(
    const Problem* p, const Box* box, Py_ssize_t channel, Py_ssize_t planes, Py_ssize_t width,
    double* shares,         # OUT: windows x width
) noexcept nogil:
    """Shares that are given."""
    cdef Py_ssize_t od, oh, columns = box.ow1 - box.ow0
    if width > planes:
        memset(
            shares, 0,
            (box.od1 - box.od0) * (box.oh1 - box.oh0) * columns * width
            * <Py_ssize_t> sizeof(double),
        )
    for od in range(box.od0, box.od1):
        for oh in range(box.oh0, box.oh1):
            turn_in[double](
                p, at(&p.grad_output, box.batch, channel, od, oh, box.ow0, 0), columns, planes,
                width, shares,
            )
            shares += columns * width


cdef inline void sum_columns(
    const Problem* p, const Box* box, double* line, Py_ssize_t width, double* sums,
    real_t* values,         # OUT: columns x width
) noexcept nogil:
    """The columns of a line; a segment's are all the same."""
    cdef const Segment* s = box.w_first
    cdef Py_ssize_t w = box.w0, end, first
    cdef const real_t* column
    while w < box.w1:
        end, first = min(s.end, box.w1), s.first - box.ow0
        sum_windows[real_t](p.w, s, line + first * width, width, sums, values)
        column = values     # copied from the first: from each to the next would wait for stores
        w += 1
        values += width
        while w < end:
            copy_run(<char*> values, <const char*> column, width * sizeof(real_t))
            w += 1
            values += width
        s += 1


cdef inline void turn_out(
    const real_t* values,   # IN: columns x width, at least BLOCK columns
    Py_ssize_t columns, Py_ssize_t width,
    char* out, Py_ssize_t step,     # OUT: width x columns
) noexcept nogil:
    """Turn blocks of columns; where the last is no whole one, some are turned twice."""
    cdef Py_ssize_t w = 0, size = sizeof(real_t)
    while True:
        transpose(
            <const char*> (values + w * width), width * size, BLOCK, width, out + w * size, step,
            size,
        )
        if w + BLOCK >= columns:
            return
        w = min(w + BLOCK, columns - BLOCK)


cdef inline void store_rows(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t planes,
    Py_ssize_t width,
    Py_ssize_t h0, Py_ssize_t h1,   # IN: the lines that get them
    const real_t* values,           # IN: columns x width
    Py_ssize_t columns,             # IN: those of a line, or of several that adjoin
    real_t* rows, char* seen,       # scratch
) noexcept nogil:
    """Store columns as rows of planes, in the lines h0:h1 of the box's part of a segment of D."""
    cdef Py_ssize_t size = sizeof(real_t), step = p.grad_input.channel, plane, i, k
    cdef Py_ssize_t d0 = max(d.begin, box.d0), d1 = min(d.end, box.d1)
    cdef char* first = at(&p.grad_input, box.batch, channel, d0, h0, box.w0, 0)
    cdef char* out
    if not p.contiguous or columns < BLOCK or planes < width:
        first, step = <char*> rows, max(columns, <Py_ssize_t> BLOCK) * size
    turn_out[real_t](values, max(columns, <Py_ssize_t> BLOCK), width, first, step)
    for plane in range(planes):
        if p.counts_lines:
            copy_counted(
                &p.uncounted, lines_of(box, d, channel + plane, h0, h1), first, size, seen
            )
            first += step
            continue
        for i in range(d0, d1):
            for k in range(h0, h1):
                out = at(&p.grad_input, box.batch, channel + plane, i, k, box.w0, 0)
                if out != first:
                    copy_columns(p, out, <const real_t*> first, columns)
        first += step


cdef inline void store_lines(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t planes,
    Py_ssize_t width, Py_ssize_t* begin, Py_ssize_t end,
    const real_t* values, const Scratch* scratch,
) noexcept nogil:
    """Store the short lines begin:end that have been collected, as one long one."""
    store_rows[real_t](
        p, box, d, channel, planes, width, begin[0], begin[0] + 1, values,
        (end - begin[0]) * p.width, <real_t*> scratch.rows, scratch.seen,
    )
    begin[0] = end


cdef inline void gather_short_lines(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t planes,
    Py_ssize_t width, const Scratch* scratch, real_t* values,
) noexcept nogil:
    """Lines that adjoin are collected, so that what is stored is long."""
    cdef const Segment* h = box.h_first
    cdef Py_ssize_t k = box.h0, begin = box.h0, most = COLUMNS // p.width
    cdef Py_ssize_t n = p.width * width
    cdef double* line
    cdef real_t* first
    while k < box.h1:
        line = add_lines(p, box, d, h, width, scratch.shares, scratch.line)
        if k - begin == most:
            store_lines[real_t](
                p, box, d, channel, planes, width, &begin, k, values, scratch
            )
        first = values + (k - begin) * n
        sum_columns[real_t](p, box, line, width, scratch.sums, first)
        k += 1
        while k < min(h.end, box.h1):
            if k - begin == most:
                store_lines[real_t](
                    p, box, d, channel, planes, width, &begin, k, values, scratch
                )
            memcpy(values + (k - begin) * n, first, n * sizeof(real_t))
            k += 1
        h += 1
    store_lines[real_t](
        p, box, d, channel, planes, width, &begin, k, values, scratch
    )


cdef inline void gather_lines(
    const Problem* p, const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t planes,
    Py_ssize_t width, const Scratch* scratch, real_t* values,
) noexcept nogil:
    cdef const Segment* h = box.h_first
    cdef Py_ssize_t k = box.h0, end
    cdef double* line
    while k < box.h1:
        end = min(h.end, box.h1)
        line = add_lines(p, box, d, h, width, scratch.shares, scratch.line)
        sum_columns[real_t](p, box, line, width, scratch.sums, values)
        store_rows[real_t](
            p, box, d, channel, planes, width, k, end, values, box.w1 - box.w0,
            <real_t*> scratch.rows, scratch.seen,
        )
        k = end
        h += 1


cdef inline void gather_planes(
    const Problem* p, const Box* box, const Scratch* scratch, Py_ssize_t channel,
    Py_ssize_t planes,
    Py_ssize_t width,       # IN: of a line of lanes: of PLANES, or less
    const real_t* like,
) noexcept nogil:
    cdef real_t* turned = <real_t*> scratch.turned
    cdef real_t* values = <real_t*> scratch.values
    cdef const Segment* d = box.d_first
    cdef Py_ssize_t i = box.d0
    if width > planes:
        memset(turned, 0, TURN * width * sizeof(real_t))
    if p.given:
        take_shares(p, box, channel, planes, width, scratch.shares)
    else:
        load_shares[real_t](p, box, channel, planes, width, scratch.factors, turned, scratch.shares)
    while i < box.d1:
        if p.filled:
            fill_planes[real_t](p, box, d, channel, planes, width, scratch, values)
        elif p.short_lines:
            gather_short_lines[real_t](p, box, d, channel, planes, width, scratch, values)
        else:
            gather_lines[real_t](p, box, d, channel, planes, width, scratch, values)
        i = d.end
        d += 1


cdef inline void gather_by_planes(
    const Problem* p, const Box* box, const Scratch* scratch, const real_t* like,
) noexcept nogil:
    cdef Py_ssize_t channel = box.channel0, planes, width
    find_factors[real_t](p, box, scratch.factors, like)
    if are_whole(p, box):
        fill_whole_planes[real_t](p, box, scratch, like)
        return
    while channel < box.channel1:
        planes = min(box.channel1 - channel, p.planes)
        width = planes if p.planes == 1 else (planes + 7) // 8 * 8
        gather_planes[real_t](p, box, scratch, channel, planes, width, like)
        channel += planes
