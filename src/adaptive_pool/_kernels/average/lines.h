/* Output lines, the input lines that each is pooled from, and how these are read and added. */
#ifndef AP_AVERAGE_LINES_H
#define AP_AVERAGE_LINES_H

#include "average/plan.h"
#include "tiles/flags.h"

/* An output line, and its window of input lines. */
typedef struct {
    ptrdiff_t batch, channel, od, oh;
    ptrdiff_t depth, height;
    const char *first;      /* of its input lines, as if W and lanes began with 0 */
    const char *where;      /* likewise, or NULL */
    char *out;              /* likewise */
} ap_line;

typedef struct {
    ptrdiff_t line, lines;  /* output lines */
    ptrdiff_t lane, lanes;
    ptrdiff_t ow0, ow1;     /* windows along W, */
    ptrdiff_t w0, w1;       /* and the columns that they cover */
    ptrdiff_t count;        /* of lines that `divisors` are for */
    double *divisors;       /* scratch: of the windows of a line */
    char *line_sums;        /* scratch: columns x lanes, of lines that have been added */
    char *sums;             /* scratch: of windows */
    char *running;          /* scratch: four for each lane */
    char *copy;             /* scratch: pieces of lines, or results on their way */
    int weighted;           /* whether windows hold elements in part, a literal; then scratch: */
    char *slice;            /* sums, and counts, of the lines of a slice */
    uint32_t *slice_counts, *border_counts;
    int counted;            /* whether not all elements count: a literal. Scratch for that: */
    uint32_t *counts;       /* how many do of each column and lane of lines that have been added, */
    double *numbers;        /* and of each window */
    char *raw, *bytes;      /* elements, and what says whether they count, side by side; */
    uint8_t *flags, *tally; /* which count of copies, and their sums */
} ap_tile;

AP_ALWAYS ap_tile ap_tile_of(
    const ap_average *m, ptrdiff_t job, const int counted, const int weighted)
{
    ap_tile tile; /* all of it at once would be filled slowly */
    tile.count = 0;
    tile.counted = counted;
    tile.weighted = weighted;
    tile.lane = job % m->blocks * m->block;
    tile.lanes = ap_min(m->block, m->lanes - tile.lane);
    job /= m->blocks;
    tile.ow0 = job % m->spans * m->span;
    tile.ow1 = ap_min(tile.ow0 + m->span, m->w.count);
    ap_cover(&m->w, tile.ow0, tile.ow1, &tile.w0, &tile.w1);
    tile.line = job / m->spans * m->group;
    tile.lines = ap_min(m->group, m->lines - tile.line);
    return tile;
}

AP_ALWAYS void ap_find_line(const ap_average *m, const int counted, ap_line *line)
{
    const ptrdiff_t d0 = m->d.starts[line->od], h0 = m->h.starts[line->oh];
    line->depth = m->d.ends[line->od] - d0;
    line->height = m->h.ends[line->oh] - h0;
    line->first = m->x.data + line->batch * m->x.batch + line->channel * m->x.channel
        + d0 * m->x.d + h0 * m->x.h;
    line->where = !counted || m->where.data == NULL ? NULL
        : m->where.data + line->batch * m->where.batch + line->channel * m->where.channel
            + d0 * m->where.d + h0 * m->where.h;
    line->out = m->out.data + line->batch * m->out.batch + line->channel * m->out.channel
        + line->od * m->out.d + line->oh * m->out.h;
}

/* The k-th output line of all, in the order of planes, od, oh. */
AP_ALWAYS ap_line ap_line_of(const ap_average *m, const int counted, ptrdiff_t k)
{
    ap_line line;
    line.oh = k % m->h.count;
    k /= m->h.count;
    line.od = k % m->d.count;
    k /= m->d.count;
    line.channel = k % m->channels;
    line.batch = k / m->channels;
    ap_find_line(m, counted, &line);
    return line;
}

/* Go on to the next output line; past the last one, to none that means anything. */
AP_ALWAYS void ap_next_line(const ap_average *m, const int counted, ap_line *line)
{
    if (line->oh + 1 < m->h.count) {
        const ptrdiff_t h0 = m->h.starts[line->oh];
        line->oh++;
        line->height = m->h.ends[line->oh] - m->h.starts[line->oh];
        line->first += (m->h.starts[line->oh] - h0) * m->x.h;
        if (counted && line->where != NULL)
            line->where += (m->h.starts[line->oh] - h0) * m->where.h;
        line->out += m->out.h;
        return;
    }
    line->oh = 0;
    if (++line->od == m->d.count) {
        line->od = 0;
        if (++line->channel == m->channels) {
            line->channel = 0;
            line->batch++;
        }
    }
    ap_find_line(m, counted, line);
}

/* A piece of a line as a run, from any strides. */
static inline void ap_copy_piece(
    const ap_average *m, const char *line, ptrdiff_t columns, ptrdiff_t lanes, char *copy)
{
    const ptrdiff_t size = m->x.itemsize;
    if (lanes == 1) {
        ap_copy_words(line, m->x.w, columns, copy, size, size);
        return;
    }
    for (ptrdiff_t w = 0; w < columns; w++, line += m->x.w, copy += lanes * size)
        ap_copy_words(line, m->x.lane, lanes, copy, size, size);
}

/* Whether the lanes of a column are neighbours, or the columns of one lane. */
static inline int ap_are_neighbours(const ap_array *x, ptrdiff_t columns, ptrdiff_t lanes)
{
    return lanes > 1 ? x->lane == x->itemsize : columns == 1 || x->w == x->itemsize;
}

/* Whether columns x lanes are one run; if `rows` of them are, too. */
static inline int ap_are_runs(
    const ap_array *x, ptrdiff_t columns, ptrdiff_t lanes, ptrdiff_t rows)
{
    return ap_are_neighbours(x, columns, lanes) && (columns == 1 || x->w == lanes * x->itemsize)
        && (rows == 1 || x->h == columns * lanes * x->itemsize);
}

/* A piece of a line, in which what does not count adds nothing, and flags. */
AP_APART void ap_blank_piece(
    const ap_average *m, const ap_tile *tile, const char *line, const char *where,
    ptrdiff_t columns, ptrdiff_t lanes, char *copy, uint8_t *flags)
{
    const ap_counting *c = m->counting;
    const ptrdiff_t row = lanes * m->x.itemsize, n = columns * lanes;
    const int shared = where != NULL && lanes > 1 && m->where.lane == 0;
    ptrdiff_t step = m->x.w, where_step = m->where.w;
    if (!ap_are_neighbours(&m->x, columns, lanes)) {
        ap_copy_piece(m, line, columns, lanes, tile->raw);
        line = tile->raw;
        step = row;
    }
    if (shared) /* all lanes of a column alike */
        memset(tile->bytes, 0, (size_t) lanes);
    else if (where != NULL && !ap_are_neighbours(&m->where, columns, lanes)) {
        for (ptrdiff_t w = 0; w < columns; w++)
            ap_copy_words(
                where + w * m->where.w, m->where.lane, lanes, tile->bytes + w * lanes, 1, 1);
        where = tile->bytes;
        where_step = lanes;
    }
    if (step == row && (where == NULL || where_step == lanes) && !shared) {
        columns = 1;
        lanes = n;
    }
    for (ptrdiff_t w = 0; w < columns; w++, line += step) {
        if (shared)
            c->blank(c, line, *where != 0 ? NULL : tile->bytes, lanes, copy, flags);
        else
            c->blank(c, line, where, lanes, copy, flags);
        where += where != NULL ? where_step : 0;
        copy += lanes * c->size;
        flags += lanes;
    }
}

/* Counts of n elements side by side: of so many rows as bytes, before they are widened. */
typedef struct {
    ptrdiff_t n, rows;
    uint8_t *bytes;
    uint32_t *counts;
} ap_tally;

static inline ap_tally ap_tally_of(const ap_tile *tile, ptrdiff_t n)
{
    const ap_tally tally = {n, 0, tile->tally, tile->counts};
    return tally;
}

static inline void ap_widen_tally(ap_tally *tally)
{
    const uint8_t *AP_RESTRICT bytes = tally->bytes;
    uint32_t *AP_RESTRICT counts = tally->counts;
    for (ptrdiff_t i = 0; tally->rows > 0 && i < tally->n; i++)
        counts[i] += bytes[i];
    tally->rows = 0;
}

/* Add rows of flags, a step apart. */
AP_ALWAYS void ap_add_to_tally(
    ap_tally *tally, const uint8_t *flags, ptrdiff_t step, ptrdiff_t rows, const int bools)
{
    for (ptrdiff_t some; rows > 0; rows -= some, flags += some * step) {
        if (tally->rows == AP_TALLY_ROWS)
            ap_widen_tally(tally);
        some = ap_min(rows, AP_TALLY_ROWS - tally->rows);
        ap_add_flags(flags, step, some, rows, tally->n, bools, tally->rows == 0, tally->bytes);
        tally->rows += some;
    }
}

/* Whether only a mask says what counts, and it and the elements, columns x lanes, are runs. To mask
   vectors of two numbers, byte by byte, takes longer than a copy. */
static inline int ap_is_read_in_place(
    const ap_average *m, const char *where, ptrdiff_t columns, ptrdiff_t lanes)
{
    return AP_WIDE >= 4 && where != NULL && !m->counting->omits && !m->counting->has_nodata
        && m->counting->size == m->x.itemsize && ap_is_aligned(&m->x)
        && ap_are_runs(&m->x, columns, lanes, 1) && ap_are_runs(&m->where, columns, lanes, 1);
}

/* Add rows that are runs of elements, as masks are of bytes, where they lie. */
static inline void ap_add_counted_runs(
    const ap_average *m, const char *row, const char *where, ptrdiff_t rows, ptrdiff_t n, int fresh,
    char *target, ap_tally *tally)
{
    const ap_flagged_rows some = {
        row, (const uint8_t *) where, m->x.h, m->where.h, rows, m->ahead};
    m->kind->add_counted_rows(&some, n, fresh, target, m->part);
    ap_add_to_tally(tally, some.flags, some.flag_step, rows, 1);
}

/* Add rows by way of copies, as many at a time as there is room for. */
static inline void ap_add_counted_copies(
    const ap_average *m, const ap_tile *tile, const char *row, const char *where, ptrdiff_t rows,
    ptrdiff_t columns, int fresh, char *target, ap_tally *tally)
{
    const ap_counting *c = m->counting;
    const ptrdiff_t lanes = tile->lanes, n = columns * lanes, step = n * c->size;
    const ptrdiff_t most = ap_max(AP_COPIED / step, 1);
    const ptrdiff_t where_step = where != NULL ? m->where.h : 0;
    const int together = ap_are_runs(&m->x, columns, lanes, rows)
        && (where == NULL || ap_are_runs(&m->where, columns, lanes, rows));
    for (ptrdiff_t k = 0, count; k < rows; k += count, fresh = 0) {
        count = ap_min(most, rows - k);
        if (together)
            c->blank(c, row, where, count * n, tile->copy, tile->flags);
        for (ptrdiff_t i = 0; i < count && !together; i++) {
            const char *x = row + i * m->x.h;
            for (ptrdiff_t at = 0; m->ahead && at < n * m->x.itemsize; at += 64)
                AP_ASK(x + rows * m->x.h + at);
            ap_blank_piece(
                m, tile, x, where + i * where_step, columns, lanes, tile->copy + i * step,
                tile->flags + i * n);
        }
        row += count * m->x.h;
        where += count * where_step;
        ap_add_to_tally(tally, tile->flags, n, count, 0);
        m->kind->add_rows(tile->copy, step, count, n, fresh, 0, target, m->part);
    }
}

/* Add some rows of which not all elements count, by pieces. */
static inline void ap_add_counted(
    const ap_average *m, const ap_tile *tile, const char *row, const char *where, ptrdiff_t rows,
    ptrdiff_t columns, int fresh, char *target)
{
    const ptrdiff_t lanes = tile->lanes, most = ap_max(AP_PIECE / lanes, 1);
    const int in_place = ap_is_read_in_place(m, where, columns, lanes);
    for (ptrdiff_t w = 0, count; w < columns; w += count, target += 8 * count * lanes) {
        count = ap_min(most, columns - w);
        ap_tally tally = {count * lanes, 0, tile->tally, tile->counts + w * lanes};
        if (in_place)
            ap_add_counted_runs(m, row, where, rows, count * lanes, fresh, target, &tally);
        else
            ap_add_counted_copies(m, tile, row, where, rows, count, fresh, target, &tally);
        ap_widen_tally(&tally);
        row += count * m->x.w;
        where += where != NULL ? count * m->where.w : 0;
    }
}

/* Add some rows, a step apart, element by element: `columns` x `lanes` of each. */
static inline void ap_add_pieces(
    const ap_average *m, const ap_tile *tile, const char *row, ptrdiff_t step, ptrdiff_t rows,
    ptrdiff_t columns, int fresh, char *target)
{
    const ptrdiff_t lanes = tile->lanes;
    if (m->copied)
        for (ptrdiff_t k = 0; k < rows; k++, row += step, fresh = 0) {
            ap_copy_piece(m, row, columns, lanes, tile->copy);
            m->kind->add_rows(tile->copy, 0, 1, columns * lanes, fresh, 0, target, m->part);
        }
    else if (lanes == 1 || m->x.w == lanes * m->x.itemsize)
        m->kind->add_rows(row, step, rows, columns * lanes, fresh, m->ahead, target, m->part);
    else
        for (ptrdiff_t w = 0; w < columns; w++)
            m->kind->add_rows(
                row + w * m->x.w, step, rows, lanes, fresh, m->ahead, target + 8 * w * lanes,
                m->part);
}

/* Where the numbers of windows belong whose sums belong at `target`. */
static inline double *ap_numbers_of(const ap_tile *tile, const char *target)
{
    return tile->numbers + (target - tile->sums) / 8;
}

/* Add how many elements count of each lane of some columns to the numbers of a window, which has
   less than 2**32 of them. */
static inline void ap_add_counts(
    const ap_tile *tile, const uint32_t *AP_RESTRICT counts, ptrdiff_t columns,
    double *AP_RESTRICT numbers)
{
    uint32_t totals[AP_MOST_LANES];
    const ptrdiff_t lanes = tile->lanes;
    if (lanes == 1) {
        uint32_t count = 0;
        for (ptrdiff_t w = 0; w < columns; w++)
            count += counts[w];
        *numbers += (double) count;
        return;
    }
    memset(totals, 0, (size_t) lanes * sizeof *totals);
    for (ptrdiff_t w = 0; w < columns; w++, counts += lanes)
        for (ptrdiff_t lane = 0; lane < lanes; lane++)
            totals[lane] += counts[lane];
    for (ptrdiff_t lane = 0; lane < lanes; lane++)
        numbers[lane] += (double) totals[lane];
}

/* The numbers of a window, of lines that have been added from column w0 on. */
static inline void ap_count_window(
    const ap_average *m, const ap_tile *tile, ptrdiff_t ow, ptrdiff_t w0, double *numbers)
{
    const ap_weights w = ap_weights_of(&m->w, ow);
    const uint32_t *first = tile->counts + (m->w.starts[ow] - w0) * tile->lanes;
    const uint32_t *last = tile->counts + (m->w.ends[ow] - 1 - w0) * tile->lanes;
    for (ptrdiff_t lane = 0; lane < tile->lanes; lane++)
        numbers[lane] = 0;
    ap_add_counts(tile, first + (w.first > 0) * tile->lanes, w.inner, numbers);
    for (ptrdiff_t lane = 0; lane < tile->lanes && tile->weighted; lane++)
        numbers[lane] = (double) w.whole * numbers[lane]
            + (double) w.first * first[lane] + (double) w.last * last[lane];
}

/* The numbers of windows of few lanes: how many elements count before their end, less those before
   their begin. */
AP_ALWAYS void ap_count_by_ends(
    const ap_average *m, const ap_tile *tile, const ptrdiff_t lanes, double *AP_RESTRICT numbers)
{
    const ptrdiff_t n = (tile->w1 - tile->w0) * lanes;
    const int64_t *AP_RESTRICT starts = m->w.starts, *AP_RESTRICT ends = m->w.ends;
    uint32_t *AP_RESTRICT counts = tile->counts;
    for (ptrdiff_t lane = 0; lane < lanes; lane++) {
        uint32_t before = 0, count;
        for (ptrdiff_t i = lane; i < n; i += lanes, before += count) {
            count = counts[i];
            counts[i] = before;
        }
        counts[n + lane] = before;
    }
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++)
        for (ptrdiff_t lane = 0; lane < lanes; lane++) {
            const ptrdiff_t start = (starts[ow] - tile->w0) * lanes + lane;
            const ptrdiff_t end = (ends[ow] - tile->w0) * lanes + lane;
            *numbers++ = (double) (counts[end] - counts[start]);
        }
}

/* The numbers of the windows of a tile, of lines that have been added from its first column on. */
static inline void ap_count_windows(const ap_average *m, const ap_tile *tile, const char *target)
{
    double *numbers = ap_numbers_of(tile, target);
    if (tile->lanes == 1 && !tile->weighted) {
        ap_count_by_ends(m, tile, 1, numbers);
        return;
    }
    if (ap_has_few_lanes(m) && !tile->weighted) {
        ap_count_by_ends(m, tile, tile->lanes, numbers);
        return;
    }
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, numbers += tile->lanes)
        ap_count_window(m, tile, ow, tile->w0, numbers);
}

static inline void ap_clear_counts(const ap_tile *tile, ptrdiff_t columns)
{
    memset(tile->counts, 0, (size_t) (columns * tile->lanes) * sizeof *tile->counts);
}

/* Add the input lines of an output line of which not all elements count. */
static inline void ap_add_counted_lines(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t w0, ptrdiff_t w1,
    char *target)
{
    const char *first = line->first + w0 * m->x.w + tile->lane * m->x.lane;
    const char *where = line->where;
    ap_clear_counts(tile, w1 - w0);
    if (where != NULL)
        where += w0 * m->where.w + tile->lane * m->where.lane;
    for (ptrdiff_t d = 0; d < line->depth; d++, first += m->x.d) {
        ap_add_counted(m, tile, first, where, line->height, w1 - w0, d == 0, target);
        where += where != NULL ? m->where.d : 0;
    }
}

/* Weigh some rows, as far as their columns. */
static inline void ap_weigh_pieces(
    const ap_average *m, const ap_tile *tile, const ap_rows *rows, ptrdiff_t columns, char *target)
{
    const ptrdiff_t lanes = tile->lanes;
    if (m->copied || lanes == 1 || m->x.w == lanes * m->x.itemsize) {
        m->kind->weigh_rows(rows, columns * lanes, target, m->part);
        return;
    }
    ap_rows column = *rows;
    for (ptrdiff_t w = 0; w < columns; w++, column.row += m->x.w, target += 8 * lanes) {
        m->kind->weigh_rows(&column, lanes, target, m->part);
        column.first += m->x.w;
        column.last += m->x.w;
    }
}

/* Sums and counts of lines: before * what is there + all * those of a slice. */
static inline void ap_weigh_lines(
    const ap_average *m, const ap_tile *tile, int64_t before, int64_t all, const char *slice,
    const uint32_t *slice_counts, ptrdiff_t columns, char *target)
{
    const ap_weights w = {before, all, 0, before > 0};
    const ptrdiff_t n = columns * tile->lanes;
    ap_all_weigh[m->kind->family].sums(w, slice, slice, n, target, m->part);
    if (tile->counted)
        ap_weigh_counts(w, slice_counts, slice_counts, n, tile->counts);
}

/* Add a row to what weighs so much before, by way of a copy, and count it. */
static inline void ap_weigh_copy(
    const ap_average *m, const ap_tile *tile, int64_t before, int64_t weight, const char *row,
    const char *where, ptrdiff_t columns, char *target)
{
    const ap_weights w = {1, weight, 0, 0}, counts = {before, weight, 0, before > 0};
    const ap_rows rows = {tile->copy, tile->copy, tile->copy, 0, w, before, 1, 0};
    if (tile->counted) {
        ap_tile border = *tile;
        border.counts = tile->border_counts;
        ap_clear_counts(&border, columns);
        ap_blank_piece(m, tile, row, where, columns, tile->lanes, tile->copy, tile->flags);
        ap_tally tally = ap_tally_of(&border, columns * tile->lanes);
        ap_add_to_tally(&tally, tile->flags, tally.n, 1, 0);
        ap_widen_tally(&tally);
        ap_weigh_counts(counts, border.counts, border.counts, columns * tile->lanes, tile->counts);
    } else
        ap_copy_piece(m, row, columns, tile->lanes, tile->copy);
    m->kind->weigh_rows(&rows, columns * tile->lanes, target, m->part);
}

/* The lines of a slice, weighed, by way of copies. */
static inline void ap_weigh_copies(
    const ap_average *m, const ap_tile *tile, const ap_line *line, const char *x,
    const char *where, ptrdiff_t columns, char *target)
{
    const ap_weights w = ap_weights_of(&m->h, line->oh);
    const ptrdiff_t below = line->height - 1, step = where != NULL ? m->where.h : 0;
    const char *inner = x + (w.first > 0) * m->x.h;
    int64_t before = w.inner > 0 ? w.whole : 0;
    if (tile->counted)
        ap_clear_counts(tile, columns);
    if (w.inner > 0 && tile->counted)
        ap_add_counted(m, tile, inner, where + (w.first > 0) * step, w.inner, columns, 1, target);
    else if (w.inner > 0)
        ap_add_pieces(m, tile, inner, m->x.h, w.inner, columns, 1, target);
    if (w.first > 0) {
        ap_weigh_copy(m, tile, before, w.first, x, where, columns, target);
        before = 1;
    }
    if (w.last > 0) {
        ap_weigh_copy(m, tile, before, w.last, x + below * m->x.h, where + below * step, columns,
                      target);
        before = 1;
    }
    if (before != 1)
        ap_weigh_lines(m, tile, before, 0, tile->slice, tile->slice_counts, columns, target);
}

/* The lines of a slice, weighed: before * what is there + all * their sum. */
static inline void ap_weigh_slice(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t d, ptrdiff_t w0,
    ptrdiff_t columns, int64_t before, int64_t all, char *target)
{
    const char *x = line->first + d * m->x.d + w0 * m->x.w + tile->lane * m->x.lane;
    const char *where = line->where == NULL ? NULL
        : line->where + d * m->where.d + w0 * m->where.w + tile->lane * m->where.lane;
    const ap_weights w = ap_weights_of(&m->h, line->oh);
    const ap_rows rows = {
        x + (w.first > 0) * m->x.h, x, x + (line->height - 1) * m->x.h, m->x.h, w, before, all,
        m->ahead};
    ap_tile slice = *tile;
    if (!m->copied)
        ap_weigh_pieces(m, tile, &rows, columns, target);
    else if (before == 0 && all == 1)
        ap_weigh_copies(m, tile, line, x, where, columns, target);
    else {
        slice.counts = tile->slice_counts;
        ap_weigh_copies(m, &slice, line, x, where, columns, tile->slice);
        ap_weigh_lines(m, tile, before, all, tile->slice, slice.counts, columns, target);
    }
}

/* Add the input lines of an output line whose window holds elements in part: slices, which are
   weighed along H, along D. */
AP_APART void ap_add_weighted_lines(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t w0, ptrdiff_t w1,
    char *target)
{
    const ap_weights w = ap_weights_of(&m->d, line->od);
    const ptrdiff_t columns = w1 - w0;
    int64_t before = w.inner > 0 ? w.whole : 0;
    for (ptrdiff_t k = 0; k < w.inner; k++)
        ap_weigh_slice(m, tile, line, k + (w.first > 0), w0, columns, k > 0, 1, target);
    if (w.first > 0) {
        ap_weigh_slice(m, tile, line, 0, w0, columns, before, w.first, target);
        before = 1;
    }
    if (w.last > 0) {
        ap_weigh_slice(m, tile, line, line->depth - 1, w0, columns, before, w.last, target);
        before = 1;
    }
    if (before != 1)
        ap_weigh_lines(m, tile, before, 0, tile->slice, tile->slice_counts, columns, target);
}

/* Add the input lines of an output line, as far as the columns w0:w1. */
AP_ALWAYS void ap_add_lines(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t w0, ptrdiff_t w1,
    char *target)
{
    if (tile->weighted && (m->d.firsts != NULL || m->h.firsts != NULL)) {
        ap_add_weighted_lines(m, tile, line, w0, w1, target);
        return;
    }
    if (tile->counted) {
        ap_add_counted_lines(m, tile, line, w0, w1, target);
        return;
    }
    const char *first = line->first + w0 * m->x.w + tile->lane * m->x.lane;
    for (ptrdiff_t d = 0; d < line->depth; d++, first += m->x.d)
        ap_add_pieces(m, tile, first, m->x.h, line->height, w1 - w0, d == 0, target);
}

#endif
