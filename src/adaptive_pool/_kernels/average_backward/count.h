/* How many elements count in each window, and what becomes of it: numbers, or shares of gradients.

   A job takes some windows of a plane. Of a piece of its input there are flags; those of the lines
   that a window has of it are added, as bytes, and of these sums the columns of each window. */
#ifndef AP_COUNT_H
#define AP_COUNT_H

#include "average_backward/box.h"

enum {
    AP_FLAGS = 65536,   /* of a piece, at most, */
    AP_LINE = 8192,     /* and of a line: columns x lanes */
    AP_MOST_WINDOWS = 2048, /* windows x lanes of a job */
    AP_FEW_WINDOWS = 512,   /* lanes likewise */
    AP_MOST_LINES = 255,    /* that a byte counts */
    AP_PLANES = 32768,  /* elements that several planes are put into one job for */
    AP_FLAGS_SPARE = 64,    /* bytes behind flags, for vectors */
    AP_SHORT = 32,      /* columns of windows that are counted by differences */
    AP_COUNT_JOBS = 4   /* for each thread, if there are so many */
};

/* What is made: numbers, as int64; or from gradients, as float64, what each element gets. */
enum { AP_MAKES_NUMBERS, AP_MAKES_PRODUCTS, AP_MAKES_QUOTIENTS };

typedef struct {
    const ap_counting *counting;
    ap_array x, where, out; /* x or where may have no data */
    ap_axis d, h, w;
    ptrdiff_t channels, batches, lanes;
    int made;
    int64_t least;          /* elements of a window that passes something on */
    /* found by ap_plan_count(): */
    int shared;             /* channels have one mask */
    ptrdiff_t block, span, rows, group; /* lanes, windows, lines of windows, channels of a job */
} ap_count;

/* Windows of a job, and scratch. */
typedef struct {
    ptrdiff_t batch, channel0, channel1, od, oh0, oh1, ow0, ow1, lane, lanes;
    uint8_t *flags, *sums;
    uint32_t *ends;         /* how many elements count before each column */
    uint32_t *numbers;
    double *factors;
    char *seen;
} ap_counted;

static inline ptrdiff_t ap_count_jobs(const ap_count *m)
{
    return m->batches * ap_pieces(m->channels, m->group) * m->d.count
        * ap_pieces(m->h.count, m->rows) * ap_pieces(m->w.count, m->span)
        * ap_pieces(m->lanes, m->block);
}

/* Take windows along W for lines, whose columns are lanes: then these are added as bytes. */
static inline void ap_take_columns(ap_count *m)
{
    if (m->lanes < 16 || m->d.size * m->d.count * m->h.size * m->h.count > 1)
        return;
    const ap_axis w = m->w;
    m->w = m->h;
    m->h = w;
    m->x.h = m->x.w;
    m->where.h = m->where.w;
    m->out.h = m->out.w;
}

static void ap_plan_count(ap_count *m, int threads)
{
    const ptrdiff_t enough = threads > 1 ? AP_COUNT_JOBS * threads : 1;
    ap_take_columns(m);
    m->shared = m->x.data == NULL && m->where.channel == 0;
    m->block = ap_min(m->lanes, AP_FEW_WINDOWS);
    m->span = ap_min(m->w.count, AP_MOST_WINDOWS / m->block);
    m->rows = ap_span( /* whose flags are one piece */
        &m->h, AP_MOST_WINDOWS / (m->block * m->span), AP_FLAGS / ap_min(m->w.size * m->block, AP_LINE));
    m->group = 1;
    const ptrdiff_t jobs = ap_count_jobs(m);
    if (m->shared)
        m->group = ap_pieces(m->channels, ap_pieces(enough, ap_max(jobs / m->channels, 1)));
    else if (jobs > enough)
        m->group = ap_min(
            jobs / enough,
            ap_max(AP_PLANES / (m->d.size * m->h.size * m->w.size * m->lanes), 1));
    m->group = ap_min(m->group, m->channels);
    while (m->rows > 1 && ap_count_jobs(m) < enough)
        m->rows = ap_pieces(m->rows, 2);
    while (m->span > 1 && ap_count_jobs(m) < enough)
        m->span = ap_pieces(m->span, 2);
}

static inline ap_counted ap_counted_of(const ap_count *m, ptrdiff_t job, char *scratch)
{
    ap_counted c;
    c.lane = job % ap_pieces(m->lanes, m->block) * m->block;
    c.lanes = ap_min(m->block, m->lanes - c.lane);
    job /= ap_pieces(m->lanes, m->block);
    c.ow0 = job % ap_pieces(m->w.count, m->span) * m->span;
    c.ow1 = ap_min(c.ow0 + m->span, m->w.count);
    job /= ap_pieces(m->w.count, m->span);
    c.oh0 = job % ap_pieces(m->h.count, m->rows) * m->rows;
    c.oh1 = ap_min(c.oh0 + m->rows, m->h.count);
    job /= ap_pieces(m->h.count, m->rows);
    c.od = job % m->d.count;
    job /= m->d.count;
    c.channel0 = job % ap_pieces(m->channels, m->group) * m->group;
    c.channel1 = ap_min(c.channel0 + m->group, m->channels);
    c.batch = job / ap_pieces(m->channels, m->group);
    c.factors = (double *) scratch;
    c.numbers = (uint32_t *) (c.factors + AP_MOST_WINDOWS);
    c.ends = c.numbers + AP_MOST_WINDOWS;
    c.flags = (uint8_t *) (c.ends + AP_LINE + AP_FLAGS_SPARE);
    c.sums = c.flags + AP_FLAGS + AP_FLAGS_SPARE;
    c.seen = (char *) (c.sums + AP_LINE + AP_FLAGS_SPARE);
    return c;
}

static inline ptrdiff_t ap_count_scratch(void)
{
    return AP_MOST_WINDOWS * (ptrdiff_t) (sizeof(double) + sizeof(uint32_t))
        + (AP_LINE + AP_FLAGS_SPARE) * (ptrdiff_t) (sizeof(uint32_t) + 1) + AP_FLAGS + AP_FLAGS_SPARE
        + (ptrdiff_t) sizeof(ap_seen);
}

/* Add the sums of the columns begin:end that each window has to its number: of one lane, windows
   that are not long. How many count before their end, less those before their begin. */
static inline void ap_add_short_windows(
    const ap_count *m, const ap_counted *c, const uint8_t *AP_RESTRICT sums, ptrdiff_t begin,
    ptrdiff_t end, uint32_t *AP_RESTRICT numbers)
{
    const int64_t *AP_RESTRICT starts = m->w.starts + c->ow0, *AP_RESTRICT ends = m->w.ends + c->ow0;
    const ptrdiff_t windows = c->ow1 - c->ow0;
    uint32_t *AP_RESTRICT before = c->ends, count = 0;
    for (ptrdiff_t w = 0; w < end - begin; w++) {
        before[w] = count;
        count += sums[w];
    }
    before[end - begin] = count;
    if (m->w.monotone && begin <= starts[0] && ends[windows - 1] <= end)
        for (ptrdiff_t i = 0; i < windows; i++)
            numbers[i] += before[ends[i] - begin] - before[starts[i] - begin];
    else
        for (ptrdiff_t i = 0; i < windows; i++)
            if (ap_max(starts[i], begin) < ap_min(ends[i], end))
                numbers[i] += before[ap_min(ends[i], end) - begin]
                    - before[ap_max(starts[i], begin) - begin];
}

/* The same of any windows. */
static inline void ap_add_columns(
    const ap_count *m, const ap_counted *c, const uint8_t *AP_RESTRICT sums, ptrdiff_t begin,
    ptrdiff_t end, uint32_t *AP_RESTRICT numbers)
{
    const ptrdiff_t lanes = c->lanes;
    if (lanes == 1 && m->w.longest < AP_SHORT) {
        ap_add_short_windows(m, c, sums, begin, end, numbers);
        return;
    }
    for (ptrdiff_t ow = c->ow0; ow < c->ow1; ow++, numbers += lanes) {
        const ptrdiff_t w0 = ap_max(m->w.starts[ow], begin) - begin;
        const ptrdiff_t w1 = ap_min(m->w.ends[ow], end) - begin;
        if (lanes == 1) {
            uint32_t count = 0;
            for (ptrdiff_t w = w0; w < w1; w++)
                count += sums[w];
            *numbers += count;
            continue;
        }
        for (ptrdiff_t w = w0; w < w1; w++)
            for (ptrdiff_t lane = 0; lane < lanes; lane++)
                numbers[lane] += sums[w * lanes + lane];
    }
}

/* Add what lines h0:h1 of the columns w0:w1 have of each window: flags that were made of them, or
   a mask, whose lines are `step` bytes apart. */
AP_ALWAYS void ap_count_lines(
    const ap_count *m, const ap_counted *c, const uint8_t *flags, ptrdiff_t step, const int bools,
    ptrdiff_t h0, ptrdiff_t h1, ptrdiff_t w0, ptrdiff_t w1)
{
    const ptrdiff_t n = (w1 - w0) * c->lanes;
    uint32_t *numbers = c->numbers;
    for (ptrdiff_t oh = c->oh0; oh < c->oh1; oh++, numbers += (c->ow1 - c->ow0) * c->lanes) {
        const ptrdiff_t last = ap_min(m->h.ends[oh], h1);
        for (ptrdiff_t h = ap_max(m->h.starts[oh], h0), rows; h < last; h += rows) {
            const uint8_t *sums = flags + (h - h0) * step;
            rows = ap_min(last - h, AP_MOST_LINES);
            if (rows > 1 || bools) {
                ap_add_flags(sums, step, rows, h1 - h, n, bools, 1, c->sums);
                sums = c->sums;
            }
            ap_add_columns(m, c, sums, w0, w1, numbers);
        }
    }
}

static inline void ap_flag_some(
    const ap_box *b, char *out, char *from, char *x, char *where, ptrdiff_t rows, ptrdiff_t n,
    ap_seen *seen)
{
    (void) from;
    ap_flag_rows(b, x, where, rows, n, seen->raw, (uint8_t *) out);
}

/* Count some lines and columns of a slice by flags of them. */
static inline void ap_count_flags(
    const ap_count *m, const ap_counted *c, ptrdiff_t channel, ptrdiff_t d, ptrdiff_t h0,
    ptrdiff_t h1, ptrdiff_t w0, ptrdiff_t w1)
{
    const ptrdiff_t n = (w1 - w0) * c->lanes;
    const ap_piece flags = {(char *) c->flags, 1, {0, 0, n, c->lanes, 1}};
    ap_box b = {
        m->counting, {1, 1, h1 - h0, w1 - w0, c->lanes}, flags, flags,
        ap_piece_of(&m->x, c->batch, channel, d, h0, w0, c->lane),
        ap_piece_of(&m->where, c->batch, channel, d, h0, w0, c->lane)};
    ap_each_rows(&b, ap_flag_some, c->seen);
    ap_count_lines(m, c, c->flags, n, 0, h0, h1, w0, w1);
}

/* Count a plane. */
static inline void ap_count_plane(const ap_count *m, const ap_counted *c, ptrdiff_t channel)
{
    ptrdiff_t h_begin, h_end, w_begin, w_end;
    ap_cover(&m->h, c->oh0, c->oh1, &h_begin, &h_end);
    ap_cover(&m->w, c->ow0, c->ow1, &w_begin, &w_end);
    const ptrdiff_t columns = ap_min(w_end - w_begin, AP_LINE / c->lanes);
    const int direct = m->x.data == NULL && (c->lanes == 1 || m->where.lane == 1)
        && (columns == 1 || m->where.w == c->lanes);
    const ptrdiff_t rows = direct ? h_end - h_begin : AP_FLAGS / (columns * c->lanes);
    memset(c->numbers, 0,
           (size_t) ((c->oh1 - c->oh0) * (c->ow1 - c->ow0) * c->lanes) * sizeof *c->numbers);
    for (ptrdiff_t d = m->d.starts[c->od]; d < m->d.ends[c->od]; d++)
        for (ptrdiff_t h = h_begin, h1 = h; h < h_end; h = h1)
            for (ptrdiff_t w = w_begin, w1 = w; w < w_end; w = w1) {
                h1 = ap_min(h + rows, h_end);
                w1 = ap_min(w + columns, w_end);
                const ap_piece where = ap_piece_of(
                    &m->where, c->batch, channel, d, h, w, c->lane);
                if (direct)
                    ap_count_lines(
                        m, c, (const uint8_t *) where.data, where.steps[2], 1, h, h1, w, w1);
                else
                    ap_count_flags(m, c, channel, d, h, h1, w, w1);
            }
}

/* What shares are made with: 0 for a window that passes nothing on. */
static inline void ap_find_factors(const ap_count *m, const ap_counted *c, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const double number = c->numbers[i];
        c->factors[i] = m->made == AP_MAKES_QUOTIENTS ? number : 1.0 / number;
    }
}

/* Gradients become shares; those of windows with few elements become 0. */
static inline void ap_share_run(
    const ap_count *m, double *AP_RESTRICT shares, const double *AP_RESTRICT factors,
    const uint32_t *AP_RESTRICT numbers, ptrdiff_t n)
{
    const int64_t least = m->least;
    if (m->made == AP_MAKES_QUOTIENTS)
        for (ptrdiff_t i = 0; i < n; i++)
            shares[i] = (int64_t) numbers[i] < least ? 0.0 : 0.0 + shares[i] / factors[i];
    else
        for (ptrdiff_t i = 0; i < n; i++)
            shares[i] = (int64_t) numbers[i] < least ? 0.0 : 0.0 + shares[i] * factors[i];
}

/* Store what is made of the numbers of a line, windows x lanes, one by one. */
static inline void ap_store_line(
    const ap_count *m, const ap_counted *c, char *out, ptrdiff_t first)
{
    for (ptrdiff_t ow = 0; ow < c->ow1 - c->ow0; ow++)
        for (ptrdiff_t lane = 0; lane < c->lanes; lane++, first++) {
            char *place = out + ow * m->out.w + lane * m->out.lane;
            if (m->made == AP_MAKES_NUMBERS)
                *(int64_t *) place = c->numbers[first];
            else
                ap_share_run(m, (double *) place, c->factors + first, c->numbers + first, 1);
        }
}

/* All lines of a job. */
static inline void ap_store_counted(const ap_count *m, const ap_counted *c, char *out)
{
    const ptrdiff_t lines = c->oh1 - c->oh0, windows = c->ow1 - c->ow0, lanes = c->lanes;
    const ptrdiff_t n = windows * lanes;
    const int run = m->made != AP_MAKES_NUMBERS && (lanes == 1 || m->out.lane == 8)
        && (windows == 1 || m->out.w == 8 * lanes);
    const int together = run && (lines == 1 || m->out.h == 8 * n);
    if (together)
        ap_share_run(m, (double *) out, c->factors, c->numbers, lines * n);
    for (ptrdiff_t k = 0; !together && k < lines; k++, out += m->out.h)
        if (run)
            ap_share_run(m, (double *) out, c->factors + k * n, c->numbers + k * n, n);
        else
            ap_store_line(m, c, out, k * n);
}

static int ap_run_count(const void *task, ptrdiff_t job, char *scratch)
{
    const ap_count *m = task;
    const ap_counted c = ap_counted_of(m, job, scratch);
    const ptrdiff_t n = (c.oh1 - c.oh0) * (c.ow1 - c.ow0) * c.lanes;
    for (ptrdiff_t channel = c.channel0; channel < c.channel1; channel++) {
        if (channel == c.channel0 || !m->shared) {
            ap_count_plane(m, &c, channel);
            ap_find_factors(m, &c, n);
        }
        ap_store_counted(m, &c,
            m->out.data + c.batch * m->out.batch + channel * m->out.channel + c.od * m->out.d
                + c.oh0 * m->out.h + c.ow0 * m->out.w + c.lane * m->out.lane);
    }
    return 0;
}

#endif
