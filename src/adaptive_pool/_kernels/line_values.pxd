"""Spreading gradients one lane wide, where few windows hold a line or a column.

Lines are short then, and what is done for each of them is most of the work. So some 500 windows
are turned into values at once, in flat loops over several lines or planes: the shares; the sums of
1, 2, 3 lines below each other; of these the sums of 1, 2, 3 windows side by side. Any run finds its
value among them. Sums across the end of a line or a plane come out too, and are not used.
"""
from adaptive_pool._kernels.elements cimport load_real, one_nan, real_t, store_real
from adaptive_pool._kernels.planes cimport at
from adaptive_pool._kernels.runs cimport Run
from adaptive_pool._kernels.spread cimport (
    FILL, OVERLAP, WINDOWS, Place, Spread, copy_row, factor, share,
)
from adaptive_pool._kernels.tables cimport window_size

cdef enum:
    BATCH = 512                             # windows of several planes at a time
    VALUES = OVERLAP * OVERLAP * WINDOWS    # what scratch has room for


cdef struct Batch:
    # The windows oh0:oh1 x ow0:ow1 of some planes.
    Py_ssize_t oh0
    Py_ssize_t rows
    Py_ssize_t columns
    Py_ssize_t planes
    double* factors         # scratch, WINDOWS of each
    double* shares
    double* lines
    double* sums


cdef inline void find_factors(
    const Spread* s, const Place* place, const Batch* batch, real_t* like,
) noexcept nogil:
    """The factors of all windows of the batch; planes have the same."""
    cdef Py_ssize_t oh, ow, i, n = batch.rows * batch.columns
    cdef double* out = batch.factors
    cdef double lines
    for oh in range(batch.oh0, batch.oh0 + batch.rows):
        lines = window_size(s.d, place.d_run.first) * window_size(s.h, oh)
        for ow in range(place.ow0, place.ow1):
            out[ow - place.ow0] = factor[real_t](lines * <double> window_size(s.w, ow), like)
        out += batch.columns
    for i in range(n * (batch.planes - 1)):
        out[i] = batch.factors[i]


cdef inline void load_shares(
    const char* source, Py_ssize_t step, const double* factors, Py_ssize_t n, double* shares,
    real_t* like,
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        shares[i] = 0.0 + share[real_t](
            load_real[real_t](<const real_t*> (source + i * step)), factors[i], like
        )


cdef inline void find_shares(
    const Spread* s, const Place* place, const Batch* batch, Py_ssize_t channel, Py_ssize_t planes,
    real_t* like,
) noexcept nogil:
    cdef Py_ssize_t row, plane, n = batch.rows * batch.columns, done = 0
    cdef Py_ssize_t step = s.grad_output.w
    cdef bint lines_adjoin = batch.rows == 1 or s.grad_output.h == batch.columns * step
    cdef const char* source
    if step == sizeof(real_t) and lines_adjoin and (
        planes == 1 or s.grad_output.channel == n * step
    ):
        source = at(
            &s.grad_output, place.batch, channel, place.d_run.first, batch.oh0, place.ow0, 0
        )
        load_shares[real_t](source, sizeof(real_t), batch.factors, planes * n, batch.shares, like)
        return
    for plane in range(planes):
        for row in range(batch.oh0, batch.oh0 + batch.rows):
            source = at(
                &s.grad_output, place.batch, channel + plane, place.d_run.first, row, place.ow0, 0
            )
            load_shares[real_t](
                source, step, batch.factors + done, batch.columns, batch.shares + done, like
            )
            done += batch.columns


cdef inline void add_shifted(
    const double* x, const double* other, Py_ssize_t n, double* out,
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = x[i] + other[i]


cdef inline void store_values(const double* x, Py_ssize_t n, real_t* values) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        store_real[real_t](values + i, one_nan(x[i]))


cdef inline void find_values(
    const Spread* s, const Batch* batch, Py_ssize_t planes, real_t* values,
) noexcept nogil:
    """All sums of 1, 2, 3 lines and columns: value i of the sums of k lines and l columns is at
    (OVERLAP * (k - 1) + l - 1) * WINDOWS + i."""
    cdef Py_ssize_t n = planes * batch.rows * batch.columns, k, l
    cdef const double* lines = batch.shares
    cdef const double* sums
    for k in range(s.most_lines):
        if k > 0:
            n -= batch.columns
            add_shifted(lines, batch.shares + k * batch.columns, n, batch.lines)
            lines = batch.lines
        sums = lines
        for l in range(s.most_columns):
            if l > 0:
                add_shifted(sums, lines + l, n - l, batch.sums)
                sums = batch.sums
            store_values[real_t](sums, n - l, values + (OVERLAP * k + l) * WINDOWS)


cdef inline void fill_row(
    const Place* place,
    const real_t* values,   # IN: those of ow0 and on
    bint short,             # IN: whether no run has more than FILL columns
    real_t* row,            # OUT: the columns w0:w1, and up to FILL more
) noexcept nogil:
    cdef const Run* run = place.w_run
    cdef Py_ssize_t w = place.w0, end, k
    cdef real_t value
    while w < place.w1:
        value = values[(run.last - run.first - 1) * WINDOWS + run.first - place.ow0]
        end = min(run.end, place.w1)
        # What is too much is overwritten by the next run.
        for k in range(FILL):
            row[w - place.w0 + k] = value
        if not short:
            w += FILL
            while w < end:
                for k in range(FILL):
                    row[w - place.w0 + k] = value
                w += FILL
        w = end
        run += 1


cdef inline void fill_lines(
    const Spread* s, const Place* place, const Batch* batch, Py_ssize_t channel,
    Py_ssize_t h, Py_ssize_t h1, const Run* run,    # IN: the lines, and the run of the first
    const real_t* values,                           # IN: those of the plane
    real_t* row,                                    # scratch
) noexcept nogil:
    cdef char* out = at(&s.grad_input, place.batch, channel, place.d, h, place.w0, 0)
    cdef const real_t* line
    while h < h1:
        line = values + (run.last - run.first - 1) * OVERLAP * WINDOWS
        line += (run.first - batch.oh0) * batch.columns
        if s.longest <= FILL:
            fill_row[real_t](place, line, True, row)
        else:
            fill_row[real_t](place, line, False, row)
        for h in range(h, min(run.end, h1)):
            copy_row[real_t](s, place, out, row)
            out += s.grad_input.h
        h = min(run.end, h1)
        run += 1


cdef inline void spread_values(
    const Spread* s, const Place* place,
    double* memory,     # scratch: 4 x WINDOWS
    real_t* values,     # scratch: VALUES
    real_t* row,        # scratch: ROW + FILL
) noexcept nogil:
    cdef const Run* run = place.h_run
    cdef const Run* last
    cdef Py_ssize_t h = place.h0, end, channel, planes, plane
    cdef Batch batch
    batch.factors, batch.shares = memory, memory + WINDOWS
    batch.lines, batch.sums = memory + 2 * WINDOWS, memory + 3 * WINDOWS
    batch.columns = place.ow1 - place.ow0
    while h < place.h1:
        last = run
        while last.end < place.h1 and (last[1].last - run.first) * batch.columns <= WINDOWS:
            last += 1
        end = min(last.end, place.h1)
        batch.oh0 = run.first
        batch.rows = last.last - run.first
        batch.planes = max(
            min(BATCH // (batch.rows * batch.columns), place.channel1 - place.channel0),
            <Py_ssize_t> 1,
        )
        find_factors[real_t](s, place, &batch, row)
        channel = place.channel0
        while channel < place.channel1:
            planes = min(batch.planes, place.channel1 - channel)
            find_shares[real_t](s, place, &batch, channel, planes, row)
            find_values[real_t](s, &batch, planes, values)
            for plane in range(planes):
                fill_lines[real_t](
                    s, place, &batch, channel + plane, h, end, run,
                    values + plane * batch.rows * batch.columns, row,
                )
            channel += planes
        h = end
        run = last + 1
