/* A tile of max pooling, and how pieces of its input are read: in place, copied, or turned. */
#ifndef AP_MAXIMUM_TILE_H
#define AP_MAXIMUM_TILE_H

#include "maximum/plan.h"
#include "tiles/flags.h"
#include "tiles/transpose.h"

/* One of the lines side by side: an output line, of the first output row of the tile. */
typedef struct {
    const char *data;       /* the first element of its windows, if w was 0 */
    const char *where;      /* likewise, or NULL */
    ptrdiff_t batch, channel, od, oh;
} ap_slot;

typedef struct {
    ptrdiff_t used, width;                  /* slots, and with those that repeat the last one */
    ap_slot slots[AP_STRIP];
    int64_t base[AP_STRIP];
    ptrdiff_t last_d[AP_STRIP], last_h[AP_STRIP];
    ptrdiff_t lane, lanes, rows, ow0, ow1;  /* of a slot */
    ptrdiff_t stride;                       /* results from window to window */
    ptrdiff_t depth, height, w0, w1;        /* inputs that all of it is pooled from */
    int clipped;
    char *tops, *read;                      /* scratch: results, and a piece of the input */
    char *copy;
    char *pairs;                            /* scratch: of rows_first */
    int64_t *where;
    ap_places places;
} ap_tile;

/* A piece of the tile's input, where it is compared. */
typedef struct {
    ptrdiff_t d0, d1, h0, h1, w0, w1;
    const char *data;
    ptrdiff_t d, h, w;                      /* bytes */
} ap_piece;

static inline void ap_find_slot(const ap_maximum *m, ap_tile *tile, ptrdiff_t i)
{
    ap_slot *slot = &tile->slots[i];
    ptrdiff_t d0 = m->d.starts[slot->od], h0 = m->h.starts[slot->oh];
    ptrdiff_t h_end = m->h.ends[slot->oh + tile->rows - 1];
    slot->data = m->x.data + slot->batch * m->x.batch + slot->channel * m->x.channel
        + d0 * m->x.d + h0 * m->x.h + tile->lane * m->x.lane;
    slot->where = NULL;
    if (m->counting != NULL && m->where.data != NULL)
        slot->where = m->where.data + slot->batch * m->where.batch
            + slot->channel * m->where.channel + d0 * m->where.d + h0 * m->where.h
            + tile->lane * m->where.lane;
    tile->base[i] = m->number + d0 * m->d_number + h0 * m->h_number;
    tile->last_d[i] = m->d.ends[slot->od] - d0 - 1;
    tile->last_h[i] = h_end - h0 - 1;
    tile->depth = ap_max(tile->depth, tile->last_d[i] + 1);
    tile->height = ap_max(tile->height, tile->last_h[i] + 1);
}

static inline void ap_find_places(const ap_maximum *m, ap_tile *tile)
{
    ap_places *places = &tile->places;
    places->period = tile->width;
    places->clipped = tile->clipped;
    if (tile->width == 1) {
        for (int i = 0; i < AP_STRIP; i++)  /* a loop that vectorises: small planes are tiles */
            places->base[i] = tile->base[0];
        return;
    }
    for (ptrdiff_t i = 0, slot = 0; i < 2 * AP_STRIP; i++) {
        places->base[i] = tile->base[slot];
        places->last_d[i] = (int32_t) tile->last_d[slot];
        places->last_h[i] = (int32_t) tile->last_h[slot];
        slot = slot + 1 < tile->width ? slot + 1 : 0;
    }
}

static inline void ap_find_tile(const ap_maximum *m, ptrdiff_t job, ap_tile *tile)
{
    ptrdiff_t block = job % m->blocks, lines = m->d.count * m->h.count, i;
    job /= m->blocks;
    tile->lane = m->lanes * block / m->blocks;
    tile->lanes = m->lanes * (block + 1) / m->blocks - tile->lane;
    tile->ow0 = job % m->spans * m->span;
    tile->ow1 = ap_min(tile->ow0 + m->span, m->w.count);
    job /= m->spans;
    ap_cover(&m->w, tile->ow0, tile->ow1, &tile->w0, &tile->w1);
    ptrdiff_t first, oh = 0, od = 0;
    tile->rows = 1;
    tile->depth = tile->height = 0;
    if (m->mixed) {     /* lines of the same row of all planes come first */
        first = job * m->slots;
        tile->used = ap_min(m->slots, m->planes * lines - first);
    } else {
        oh = job % m->row_tiles * m->rows;
        tile->rows = ap_min(m->rows, m->h.count - oh);
        job /= m->row_tiles;
        od = job % m->d.count;
        first = job / m->d.count * m->slots;
        tile->used = ap_min(m->slots, m->planes - first);
    }
    ptrdiff_t plane = m->mixed ? first % m->planes : first;
    if (m->mixed) {
        od = first / m->planes / m->h.count;
        oh = first / m->planes % m->h.count;
    }
    ptrdiff_t batch = plane / m->channels, channel = plane % m->channels;
    for (i = 0; i < tile->used; i++) {
        tile->slots[i].batch = batch;
        tile->slots[i].channel = channel;
        tile->slots[i].od = od;
        tile->slots[i].oh = oh;
        ap_find_slot(m, tile, i);
        if (++channel < m->channels)
            continue;
        channel = 0;
        if (++batch < m->planes / m->channels || !m->mixed)
            continue;
        batch = 0;
        if (++oh == m->h.count) {
            oh = 0;
            od++;
        }
    }
    tile->width = m->way == AP_TURNED ? ap_width(m, tile->used) : 1;
    tile->stride = tile->lanes * tile->width;
    for (; i < tile->width; i++) {
        tile->slots[i] = tile->slots[tile->used - 1];
        ap_find_slot(m, tile, i);
    }
    tile->clipped = 0;
    for (i = 0; i < tile->width; i++)
        tile->clipped |= tile->last_d[i] + 1 < tile->depth || tile->last_h[i] + 1 < tile->height;
    ap_find_places(m, tile);
}

/* Elements with any step, as a run; any byte of a bool but 0 is 1. */
static inline void ap_copy_run(
    const char *source, ptrdiff_t step, ptrdiff_t n, char *target, ptrdiff_t size, int is_bool)
{
    if (is_bool && step == 1)
        for (ptrdiff_t i = 0; i < n; i++)
            target[i] = source[i] != 0;
    else if (step == size)
        memcpy(target, source, (size_t) (n * size));
    else
        for (ptrdiff_t i = 0; i < n; i++, source += step, target += size)
            if (is_bool)
                *target = *source != 0;
            else
                ap_copy_word(source, target, size);
}

static inline void ap_copy_line(
    const ap_maximum *m, const char *line, ptrdiff_t columns, ptrdiff_t lanes, char *target)
{
    const ptrdiff_t size = m->x.itemsize;
    if (lanes == 1) {
        ap_copy_run(line, m->x.w, columns, target, size, m->is_bool);
        return;
    }
    for (ptrdiff_t w = 0; w < columns; w++)
        ap_copy_run(
            line + w * m->x.w, m->x.lane, lanes, target + w * lanes * size, size, m->is_bool);
}

/* How many bytes further what comes next lies, which is asked for; 0: nothing. */
typedef struct {
    ptrdiff_t x, where;
} ap_ahead;

/* Ask for what comes next of an array: cache lines, or elements that are further apart. */
static inline void ap_ask_ahead(
    const char *from, ptrdiff_t step, ptrdiff_t n, ptrdiff_t ahead)
{
    const ptrdiff_t each = ap_max(step, 64);
    for (ptrdiff_t at = 0; ahead != 0 && at < n * step; at += each)
        AP_ASK(from + at + ahead);
}

/* Elements with any step, as a run in which the lowest stands for what does not count; `where` is
   NULL, or has a byte for each. */
static inline void ap_blank_run(
    const ap_maximum *m, const ap_ahead *ahead, const char *source, ptrdiff_t step,
    const char *where, ptrdiff_t where_step, ptrdiff_t n, char *target)
{
    const ap_counting *c = m->counting;
    const ptrdiff_t size = m->x.itemsize;
    ap_seen seen;
    for (ptrdiff_t done = 0, count; done < n; done += count, target += count * size) {
        const char *from = source + done * step;
        count = ap_min(n - done, AP_ASKED);
        ap_ask_ahead(from, step, count, ahead->x);
        if (where != NULL)
            ap_ask_ahead(where + done * where_step, where_step, count, ahead->where);
        if (step != size) {
            ap_copy_words(from, step, count, seen.raw, size, size);
            from = seen.raw;
        }
        ap_flag_mask(where == NULL ? NULL : where + done * where_step, where_step, count,
                     seen.flags);
        if (c->omits || c->has_nodata)
            c->unflag(c, from, count, seen.flags);
        ap_keep_run(from, target, size, count, seen.flags, c->nothing);
        for (ptrdiff_t i = 0; m->is_bool && i < count; i++)
            target[i] = target[i] != 0;
    }
}

/* Whether columns x lanes are one run; if `rows` of them are one, too. */
static inline int ap_are_runs(
    const ap_array *a, ptrdiff_t columns, ptrdiff_t lanes, ptrdiff_t rows)
{
    return (lanes == 1 || a->lane == a->itemsize) && (columns == 1 || a->w == lanes * a->itemsize)
        && (rows == 1 || a->h == columns * lanes * a->itemsize);
}

/* Some columns of rows of which not all elements count. */
static void ap_blank_rows(
    const ap_maximum *m, const ap_ahead *ahead, const char *line, const char *where, ptrdiff_t rows,
    ptrdiff_t columns, ptrdiff_t lanes, char *target)
{
    const ptrdiff_t size = m->x.itemsize, n = columns * lanes;
    const int masked = where != NULL;
    if (ap_are_runs(&m->x, columns, lanes, rows)
        && (!masked || ap_are_runs(&m->where, columns, lanes, rows))) {
        ap_blank_run(m, ahead, line, size, where, 1, rows * n, target);
        return;
    }
    const int run = ap_are_runs(&m->x, columns, lanes, 1)
        && (!masked || ap_are_runs(&m->where, columns, lanes, 1));
    for (ptrdiff_t h = 0; h < rows; h++, line += m->x.h, target += n * size) {
        if (run)
            ap_blank_run(m, ahead, line, size, where, 1, n, target);
        else if (lanes == 1)
            ap_blank_run(m, ahead, line, m->x.w, where, m->where.w, n, target);
        else
            for (ptrdiff_t w = 0; w < columns; w++)
                ap_blank_run(
                    m, ahead, line + w * m->x.w, m->x.lane, masked ? where + w * m->where.w : NULL,
                    m->where.lane, lanes, target + w * lanes * size);
        where += masked ? m->where.h : 0;
    }
}

static inline const char *ap_line_of(
    const ap_maximum *m, const ap_tile *tile, ptrdiff_t slot, ptrdiff_t d, ptrdiff_t h,
    ptrdiff_t w)
{
    d = ap_min(d, tile->last_d[slot]);
    h = ap_min(h, tile->last_h[slot]);
    return tile->slots[slot].data + d * m->x.d + h * m->x.h + w * m->x.w;
}

static inline const char *ap_where_of(
    const ap_maximum *m, const ap_tile *tile, ptrdiff_t slot, ptrdiff_t d, ptrdiff_t h,
    ptrdiff_t w)
{
    if (tile->slots[slot].where == NULL)
        return NULL;
    d = ap_min(d, tile->last_d[slot]);
    h = ap_min(h, tile->last_h[slot]);
    return tile->slots[slot].where + d * m->where.d + h * m->where.h + w * m->where.w;
}

/* Copy rows of a slot, as far as some columns; more than one only if not all elements count. */
static inline void ap_copy_slot(
    const ap_maximum *m, const ap_tile *tile, const ap_ahead *ahead, ptrdiff_t slot, ptrdiff_t d,
    ptrdiff_t h, ptrdiff_t rows, ptrdiff_t w, ptrdiff_t columns, ptrdiff_t lanes, char *target)
{
    const char *line = ap_line_of(m, tile, slot, d, h, w);
    if (m->counting != NULL)
        ap_blank_rows(
            m, ahead, line, ap_where_of(m, tile, slot, d, h, w), rows, columns, lanes, target);
    else
        ap_copy_line(m, line, columns, lanes, target);
}

/* Turn the lines of a piece into lanes. */
static void ap_turn(
    const ap_maximum *m, const ap_tile *tile, ap_piece *piece, const ap_ahead *ahead)
{
    const ptrdiff_t size = m->x.itemsize, columns = piece->w1 - piece->w0;
    const char *lines[AP_STRIP];
    piece->w = m->lanes * tile->width * size;
    piece->h = columns * piece->w;
    piece->d = (piece->h1 - piece->h0) * piece->h;
    /* Rows that are one run in memory are turned together. */
    int run = !m->copied && !tile->clipped && columns == m->w.size
        && (piece->h1 - piece->h0 == 1 || m->x.h == columns * m->lanes * size);
    run = run || (m->counting != NULL && !tile->clipped);   /* or become one */
    ptrdiff_t rows = run ? piece->h1 - piece->h0 : 1;
    char *target = tile->read;
    piece->data = target;
    for (ptrdiff_t d = piece->d0; d < piece->d1; d++)
        for (ptrdiff_t h = piece->h0; h < piece->h1; h += rows, target += rows * piece->h) {
            for (ptrdiff_t i = 0; i < tile->width; i++) {
                lines[i] = ap_line_of(m, tile, i, d, h, piece->w0);
                if (m->copied) {
                    char *copy = tile->copy
                        + ap_min(i, tile->used - 1) * rows * columns * m->lanes * size;
                    if (i < tile->used)
                        ap_copy_slot(
                            m, tile, ahead, i, d, h, rows, piece->w0, columns, m->lanes, copy);
                    lines[i] = copy;
                }
            }
            ap_lines_to_lanes(
                lines, tile->width, rows * columns * m->lanes, m->copied ? 0 : ahead->x, target,
                tile->width * size, (int) size);
        }
}

/* A piece of one line side by side, in place or copied. */
static void ap_read(
    const ap_maximum *m, const ap_tile *tile, ap_piece *piece, const ap_ahead *ahead)
{
    const ptrdiff_t size = m->x.itemsize, columns = piece->w1 - piece->w0;
    if (!m->copied) {
        piece->data = ap_line_of(m, tile, 0, piece->d0, piece->h0, piece->w0);
        piece->d = m->x.d;
        piece->h = m->x.h;
        piece->w = m->x.w;
        return;
    }
    piece->w = tile->lanes * size;
    piece->h = columns * piece->w;
    piece->d = (piece->h1 - piece->h0) * piece->h;
    piece->data = tile->read;
    char *target = tile->read;
    for (ptrdiff_t d = piece->d0; d < piece->d1; d++)
        for (ptrdiff_t h = piece->h0; h < piece->h1; h++, target += piece->h)
            ap_copy_slot(m, tile, ahead, 0, d, h, 1, piece->w0, columns, tile->lanes, target);
}

#endif
