"""Spreading gradients one lane wide, where few windows hold a line or a column.

Lines are short then, and what is done for each of them is most of the work. So some 500 windows
are turned into values at once, in flat loops over several lines or planes: the shares; the sums of
1, 2, 3 lines below each other; of these the sums of 1, 2, 3 windows side by side. Any run finds its
value among them. Sums across the end of a line or a plane come out too, and are not used.
"""
from libc.string cimport memmove

from adaptive_pool._kernels.call.elements cimport int32_t, load_real, real_t
from adaptive_pool._kernels.tiles.planes cimport at
from adaptive_pool._kernels.average_backward.runs cimport Run
from adaptive_pool._kernels.average_backward.spread cimport (
    FILL, OVERLAP, WINDOWS, Place, Spread, copy_row, factor, repeat, share, store_sum,
)
from adaptive_pool._kernels.call.tables cimport window_size

cdef enum:
    BATCH = 512                             # windows of several planes at a time
    VALUES = OVERLAP * OVERLAP * WINDOWS    # what scratch has room for
    SPANS = 2 * WINDOWS + 1
    STEP = 32                               # bytes of a row copied at once,
    SHORT_ROW = 256                         # if it has no more


cdef struct Span:
    # A run of columns from `begin` of a piece on, and where among the values its own is.
    int32_t begin
    int32_t end
    int32_t source
    int32_t windows         # or, if these are not summed along W, how many to add


cdef struct Batch:
    # The windows oh0:oh1 x ow0:ow1 of some planes.
    Py_ssize_t oh0
    Py_ssize_t rows
    Py_ssize_t columns
    Py_ssize_t planes
    double* factors         # scratch, WINDOWS of each
    double* shares          # OVERLAP of them: shares, then sums of 2 and of 3 lines
    double* sums
    const Span* spans
    Py_ssize_t span_count
    bint summed             # whether values are summed along W


cdef inline void find_factors(
    const Spread* s, const Place* place, const Batch* batch, real_t* like,
) noexcept nogil:
    """The factors of all windows of the batch; planes have the same."""
    cdef Py_ssize_t oh, ow, n = batch.rows * batch.columns
    cdef double* out = batch.factors
    cdef double lines
    for oh in range(batch.oh0, batch.oh0 + batch.rows):
        lines = window_size(s.d, place.d_run.first) * window_size(s.h, oh)
        for ow in range(place.ow0, place.ow1):
            out[ow - place.ow0] = factor[real_t](lines * <double> window_size(s.w, ow), like)
        out += batch.columns
    repeat(<char*> batch.factors, n * sizeof(double), n * sizeof(double), batch.planes)


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
        store_sum[real_t](values + i, x[i])


cdef inline void find_values(
    const Spread* s, const Batch* batch, Py_ssize_t planes, real_t* values,
) noexcept nogil:
    """All sums of 1, 2, 3 lines and columns: those of i lines and k columns are the values
    from (OVERLAP * (i - 1) + k - 1) * WINDOWS on. Or only those of lines, after the shares."""
    cdef Py_ssize_t n = planes * batch.rows * batch.columns, i, k
    cdef double* lines = batch.shares
    cdef const double* sums
    for i in range(s.most_lines):
        if i > 0:
            n -= batch.columns
            add_shifted(lines, batch.shares + i * batch.columns, n, lines + WINDOWS)
            lines += WINDOWS
        if not batch.summed:
            continue
        sums = lines
        for k in range(s.most_columns):
            if k > 0:
                add_shifted(sums, lines + k, n - k, batch.sums)
                sums = batch.sums
            store_values[real_t](sums, n - k, values + (OVERLAP * i + k) * WINDOWS)


cdef inline Py_ssize_t find_spans(const Place* place, bint summed, Span* spans) noexcept nogil:
    """The spans of a piece of a row; returns how many."""
    cdef const Run* run = place.w_run
    cdef Py_ssize_t count = 0, windows
    cdef bint more = True
    while more:
        windows = run.last - run.first
        spans[count].begin = <int32_t> (max(run.begin, place.w0) - place.w0)
        spans[count].end = <int32_t> (min(run.end, place.w1) - place.w0)
        spans[count].source = <int32_t> (run.first - place.ow0)
        spans[count].windows = <int32_t> windows
        if summed:
            spans[count].source += <int32_t> ((windows - 1) * WINDOWS)
        more = run.end < place.w1
        count += 1
        run += 1
    return count


cdef inline void fill_span(const Span* span, real_t value, bint short, real_t* row) noexcept nogil:
    """Fill in steps of FILL; what is too much is overwritten by the next span."""
    cdef Py_ssize_t w = span.begin, k
    cdef Py_ssize_t end = span.end
    for k in range(FILL):
        row[w + k] = value
    if not short:
        w += FILL
        while w < end:
            for k in range(FILL):
                row[w + k] = value
            w += FILL


cdef inline void fill_row(
    const Span* spans, Py_ssize_t count,
    const real_t* values,   # IN: those of a line
    bint short,             # IN: whether no span has more than FILL columns
    real_t* row,            # OUT: the columns w0:w1, and up to FILL more
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        fill_span[real_t](spans + i, values[spans[i].source], short, row)


cdef inline void sum_row(
    const Span* spans, Py_ssize_t count,
    const double* sums,     # IN: those of a line
    real_t* row,            # OUT: the columns w0:w1, and up to FILL more
) noexcept nogil:
    """fill_row() from sums that are still to be added along W."""
    cdef Py_ssize_t i
    cdef int32_t k
    cdef double x
    cdef real_t value
    for i in range(count):
        x = sums[spans[i].source]
        for k in range(1, spans[i].windows):
            x += sums[spans[i].source + k]
        store_sum[real_t](&value, x)
        fill_span[real_t](spans + i, value, False, row)


cdef inline void copy_ahead(
    const Spread* s, const Place* place, char* out, const char* limit, const real_t* row,
) noexcept nogil:
    """copy_row(), in steps of 32 bytes if a short row is followed by what is yet to be written."""
    cdef Py_ssize_t size = place.w1 * <Py_ssize_t> sizeof(real_t), i = 0
    if size > SHORT_ROW or out + size + STEP > limit:
        copy_row[real_t](s, place, out, row, sizeof(real_t))
        return
    while i < size:
        # Rows shorter than a step overlap. Half a step is a load and a store, a whole one a call.
        memmove(out + i, <const char*> row + i, STEP // 2)
        memmove(out + i + STEP // 2, <const char*> row + i + STEP // 2, STEP // 2)
        i += STEP


cdef inline void fill_lines(
    const Spread* s, const Place* place, const Batch* batch, Py_ssize_t channel,
    Py_ssize_t h, Py_ssize_t h1, const Run* run,    # IN: the lines, and the run of the first
    Py_ssize_t first,       # IN: the value of the window (oh0, ow0) of the plane
    const char* limit,      # IN: up to where what follows a row is memory that is written later
    const real_t* values,   # IN
    real_t* scratch,        # ROW + FILL
) noexcept nogil:
    cdef char* out = at(&s.grad_input, place.batch, channel, place.d, h, place.w0, 0)
    cdef Py_ssize_t ahead = (place.w1 + FILL) * <Py_ssize_t> sizeof(real_t), line, _line
    cdef real_t* row
    while h < h1:
        row = <real_t*> out if out + ahead <= limit else scratch
        line = first + (run.first - batch.oh0) * batch.columns
        if batch.summed:
            line += (run.last - run.first - 1) * OVERLAP * WINDOWS
            if s.longest <= FILL:
                fill_row[real_t](batch.spans, batch.span_count, values + line, True, row)
            else:
                fill_row[real_t](batch.spans, batch.span_count, values + line, False, row)
        else:
            line += (run.last - run.first - 1) * WINDOWS
            sum_row[real_t](batch.spans, batch.span_count, batch.shares + line, row)
        for _line in range(h, min(run.end, h1)):
            if <char*> row != out:
                copy_ahead[real_t](s, place, out, limit, row)
            out += s.grad_input.h
        h = min(run.end, h1)
        run += 1


cdef inline const char* limit_of(
    const Spread* s, const Place* place, Py_ssize_t channel, Py_ssize_t h, Py_ssize_t h1,
) noexcept nogil:
    """The end of the rows that follow each other in memory, and are written in that order.

    The lines h:h1 of all channels are written before the next lines are, so the rows end at line
    h1 of the channel or, if these are all lines, of the job's last. NULL: rows do not adjoin.
    """
    cdef Py_ssize_t row = s.width * s.grad_input.w
    if not s.contiguous or place.w1 - place.w0 < s.width or (
        s.height > 1 and s.grad_input.h != row
    ):
        return NULL
    if h1 - h == s.height and (
        s.channels == 1 or s.grad_input.channel == s.height * row
    ):
        channel = place.channel1 - 1
    return at(&s.grad_input, place.batch, channel, place.d, h1 - 1, 0, 0) + row


cdef inline void spread_values(
    const Spread* s, const Place* place,
    double* memory,     # scratch: (2 + OVERLAP) x WINDOWS
    Span* spans,        # scratch: SPANS
    real_t* values,     # scratch: VALUES
    real_t* row,        # scratch: ROW + FILL
) noexcept nogil:
    cdef const Run* run = place.h_run
    cdef const Run* last
    cdef Py_ssize_t h = place.h0, end, channel, planes, plane
    cdef Batch batch
    batch.factors, batch.sums, batch.shares = memory, memory + WINDOWS, memory + 2 * WINDOWS
    batch.columns = place.ow1 - place.ow0
    # Sums along W that are made for all windows are worth it if most are used.
    batch.summed = s.w.count * s.most_columns <= s.w.size
    batch.spans = spans
    batch.span_count = find_spans(place, batch.summed, spans)
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
                    plane * batch.rows * batch.columns,
                    limit_of(s, place, channel + plane, h, end), values, row,
                )
            channel += planes
        h = end
        run = last + 1
