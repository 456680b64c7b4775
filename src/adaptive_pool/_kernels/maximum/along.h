/* Windows whose rows are long, one after the other, in the order of results (largest.h).

   A window is compared in blocks. Where these are no runs of aligned elements they are copied. */
#ifndef AP_MAXIMUM_ALONG_H
#define AP_MAXIMUM_ALONG_H

#include "maximum/reduce.h"

/* A block as runs; `copy` has room for one. */
static ap_window ap_runs_of(const ap_maximum *m, const ap_window *block, char *copy)
{
    ap_window runs = *block;
    if (!m->copied)
        return runs;
    runs.first = copy;
    runs.h_step = block->columns * m->lanes * m->elements->size;
    runs.d_step = block->height * runs.h_step;
    runs.ahead = 0;
    for (ptrdiff_t d = 0; d < block->depth; d++)
        for (ptrdiff_t h = 0; h < block->height; h++, copy += runs.h_step)
            ap_copy_line(
                m, block->first + d * block->d_step + h * block->h_step, block->columns, m->lanes,
                copy);
    return runs;
}

/* A window of more than `most` columns, or one to be copied. `best` is for keys. */
static void ap_compare_blocks(
    const ap_maximum *m, const ap_window *window, ptrdiff_t most, void *best, char *copy,
    void *tops, int64_t *places)
{
    const ptrdiff_t least = ap_least_columns(m);
    const int lanes = (int) m->lanes;
    ap_window block, runs, found[AP_MOST_LANES];
    ap_place at = {0, 0, 0};
    int64_t copied = -1;            /* the number of the block that `copy` holds */
    for (int first = 1; ap_next_block(window, most, &at, &block); first = 0) {
        const ptrdiff_t more = ap_max(least - block.columns, 0);    /* what is left of a row */
        block.first -= more * block.w_step;
        block.number -= more;
        block.columns += more;
        runs = ap_runs_of(m, &block, copy);
        copied = block.number;
        const int won = m->elements->highest(&runs, lanes, m->elements->flip, first, best);
        for (int i = 0; i < lanes; i++)
            if (won >> i & 1)
                found[i] = block;
    }
    for (int i = 0; i < lanes; i++) {
        if (found[i].number != copied)
            runs = ap_runs_of(m, &found[i], copy);
        copied = found[i].number;
        m->elements->find(&runs, lanes, i, m->elements->flip, best, tops, places);
    }
}

/* Bytes of scratch: maxima, their keys, and a block, with what a short row is filled up with. */
static inline ptrdiff_t ap_along_scratch(const ap_maximum *m)
{
    return 2 * AP_MOST_LANES * 8 + (m->copied ? 2 * AP_BLOCK : 0);
}

/* A share of all windows. */
static void ap_compare_along(const ap_maximum *m, ptrdiff_t job, char *scratch)
{
    char *tops = scratch, *best = tops + AP_MOST_LANES * 8, *copy = best + AP_MOST_LANES * 8;
    const ptrdiff_t count = m->w.count, windows = m->planes * m->d.count * m->h.count * count;
    const ptrdiff_t first = windows * job / m->groups, last = windows * (job + 1) / m->groups;
    const ptrdiff_t size = m->elements->size, most = AP_BLOCK / (size * m->lanes);
    const int indexed = m->indices.data != NULL, lanes = (int) m->lanes;
    ap_piece all = {0};     /* read where it lies */
    all.d = m->x.d;
    all.h = m->x.h;
    all.w = m->x.w;
    ptrdiff_t ahead = 0;
    if (m->ahead)
        ahead = m->d.longest * m->h.longest > 1
            ? m->x.h * ap_pieces(AP_AHEAD, m->w.longest * m->lanes * size) : AP_AHEAD;
    ap_window window = ap_window_of(m, &all, ahead);
    for (ptrdiff_t i = first, ow = first % count; i < last; ow = 0) {
        const ptrdiff_t row = i / count, od = row / m->h.count % m->d.count, oh = row % m->h.count;
        const ptrdiff_t plane = row / m->h.count / m->d.count;
        const ptrdiff_t batch = plane / m->channels, channel = plane % m->channels;
        const int64_t d0 = m->d.starts[od], h0 = m->h.starts[oh];
        const char *x = m->x.data + batch * m->x.batch + channel * m->x.channel + d0 * m->x.d
            + h0 * m->x.h;
        char *out = m->out.data + batch * m->out.batch + channel * m->out.channel
            + od * m->out.d + oh * m->out.h;
        char *numbers = NULL;
        if (indexed)
            numbers = m->indices.data + batch * m->indices.batch + channel * m->indices.channel
                + od * m->indices.d + oh * m->indices.h;
        window.depth = m->d.ends[od] - d0;
        window.height = m->h.ends[oh] - h0;
        for (; ow < count && i < last; ow++, i++) {
            const int64_t w0 = m->w.starts[ow];
            int64_t places[AP_MOST_LANES], *found = indexed ? places : NULL;
            window.first = x + w0 * m->x.w;
            window.number = m->number + d0 * m->d_number + h0 * m->h_number + w0;
            window.columns = m->w.ends[ow] - w0;
            if (m->copied || window.depth * window.height * window.columns > most)
                ap_compare_blocks(m, &window, most, best, copy, tops, found);
            else
                m->elements->largest(&window, lanes, m->elements->flip, tops, found);
            if (m->elements->quiet)
                ap_quieten(m->elements, lanes, (uint16_t *) tops);
            ap_copy_words(tops, size, lanes, out + ow * m->out.w, m->out.lane, size);
            for (int lane = 0; indexed && lane < lanes; lane++) {
                const int32_t narrow = (int32_t) places[lane];
                memcpy(
                    numbers + ow * m->indices.w + lane * m->indices.lane,
                    m->indices.itemsize == 4 ? (const void *) &narrow : &places[lane],
                    (size_t) m->indices.itemsize);
            }
        }
    }
}

#endif
