/* Output lines, the input lines that each is pooled from, and how these are read and added. */
#ifndef AP_AVERAGE_LINES_H
#define AP_AVERAGE_LINES_H

#include "average/plan.h"

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
    int counted;            /* whether not all elements count: a literal. Scratch for that: */
    uint32_t *counts;       /* how many do of each column and lane of lines that have been added, */
    double *numbers;        /* and of each window */
    char *raw, *bytes;      /* elements, and what says whether they count, side by side */
} ap_tile;

AP_ALWAYS ap_tile ap_tile_of(const ap_average *m, ptrdiff_t job, const int counted)
{
    ap_tile tile; /* all of it at once would be filled slowly */
    tile.count = 0;
    tile.counted = counted;
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

/* A piece of a line, in which what does not count adds nothing. */
static inline void ap_blank_piece(
    const ap_average *m, const ap_tile *tile, const char *line, const char *where,
    ptrdiff_t columns, ptrdiff_t lanes, char *copy)
{
    const ap_counting *c = m->counting;
    const ptrdiff_t size = m->x.itemsize, n = columns * lanes;
    const int adjoin = lanes > 1 ? m->x.lane == size && (columns == 1 || m->x.w == lanes * size)
                                 : columns == 1 || m->x.w == size;
    uint32_t *counts = tile->counts;
    if (!adjoin && !(lanes > 1 && m->x.lane == size)) {
        ap_copy_piece(m, line, columns, lanes, tile->raw);
        line = tile->raw;
    }
    const ptrdiff_t step = line == tile->raw || adjoin ? lanes * size : m->x.w;
    if (where == NULL && (adjoin || line == tile->raw)) {
        c->blank(c, line, NULL, n, copy, counts);
        return;
    }
    if (where != NULL && lanes > 1 && m->where.lane == 0) { /* all lanes of a column alike */
        memset(tile->bytes, 0, (size_t) lanes);
        for (ptrdiff_t w = 0; w < columns; w++, line += step, where += m->where.w) {
            c->blank(c, line, *where != 0 ? NULL : tile->bytes, lanes, copy, counts);
            copy += lanes * c->size;
            counts += lanes;
        }
        return;
    }
    if (where != NULL && !(lanes > 1 ? m->where.lane == 1 && (columns == 1 || m->where.w == lanes)
                                     : columns == 1 || m->where.w == 1)) {
        for (ptrdiff_t w = 0; w < columns; w++)
            ap_copy_words(
                where + w * m->where.w, m->where.lane, lanes, tile->bytes + w * lanes, 1, 1);
        where = tile->bytes;
    }
    const ptrdiff_t run = step == lanes * size ? n : lanes;
    for (ptrdiff_t done = 0; done < n; done += run, line += step) {
        c->blank(c, line, where, run, copy, counts);
        where += where != NULL ? run : 0;
        copy += run * c->size;
        counts += run;
    }
}

/* Add some rows of which not all elements count, as many at a time as there is room for. */
static inline void ap_add_counted(
    const ap_average *m, const ap_tile *tile, const char *row, const char *where, ptrdiff_t rows,
    ptrdiff_t columns, int fresh, char *target)
{
    const ptrdiff_t n = columns * tile->lanes, step = n * m->counting->size;
    const ptrdiff_t most = ap_max(8 * AP_SUMS / step, 1);
    for (ptrdiff_t k = 0, count; k < rows; k += count, fresh = 0) {
        count = ap_min(most, rows - k);
        for (ptrdiff_t i = 0; i < count; i++) {
            ap_blank_piece(m, tile, row, where, columns, tile->lanes, tile->copy + i * step);
            row += m->x.h;
            where += where != NULL ? m->where.h : 0;
        }
        m->kind->add_rows(tile->copy, step, count, n, fresh, 0, target, m->part);
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

/* Add how many elements count of each lane of some columns to the numbers of a window. */
static inline void ap_add_counts(
    const ap_tile *tile, const uint32_t *counts, ptrdiff_t columns, double *numbers)
{
    const ptrdiff_t lanes = tile->lanes;
    if (lanes == 1) {
        int64_t count = 0;
        for (ptrdiff_t w = 0; w < columns; w++)
            count += counts[w];
        *numbers += (double) count;
        return;
    }
    for (ptrdiff_t w = 0; w < columns; w++, counts += lanes)
        for (ptrdiff_t lane = 0; lane < lanes; lane++)
            numbers[lane] += counts[lane];
}

/* The numbers of the windows of a tile, of lines that have been added from its first column on. */
static inline void ap_count_windows(const ap_average *m, const ap_tile *tile, const char *target)
{
    double *numbers = ap_numbers_of(tile, target);
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, numbers += tile->lanes) {
        for (ptrdiff_t lane = 0; lane < tile->lanes; lane++)
            numbers[lane] = 0;
        ap_add_counts(
            tile, tile->counts + (m->w.starts[ow] - tile->w0) * tile->lanes,
            m->w.ends[ow] - m->w.starts[ow], numbers);
    }
}

/* Add the input lines of an output line of which not all elements count. */
static inline void ap_add_counted_lines(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t w0, ptrdiff_t w1,
    char *target)
{
    const char *first = line->first + w0 * m->x.w + tile->lane * m->x.lane;
    const char *where = line->where;
    memset(tile->counts, 0, (size_t) ((w1 - w0) * tile->lanes) * sizeof *tile->counts);
    if (where != NULL)
        where += w0 * m->where.w + tile->lane * m->where.lane;
    for (ptrdiff_t d = 0; d < line->depth; d++, first += m->x.d) {
        ap_add_counted(m, tile, first, where, line->height, w1 - w0, d == 0, target);
        where += where != NULL ? m->where.d : 0;
    }
}

/* Add the input lines of an output line, as far as the columns w0:w1. */
AP_ALWAYS void ap_add_lines(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t w0, ptrdiff_t w1,
    char *target)
{
    if (tile->counted) {
        ap_add_counted_lines(m, tile, line, w0, w1, target);
        return;
    }
    const char *first = line->first + w0 * m->x.w + tile->lane * m->x.lane;
    for (ptrdiff_t d = 0; d < line->depth; d++, first += m->x.d)
        ap_add_pieces(m, tile, first, m->x.h, line->height, w1 - w0, d == 0, target);
}

#endif
