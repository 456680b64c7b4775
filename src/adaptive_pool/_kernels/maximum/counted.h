/* Windows of which not all elements count: those whose maximum is the lowest number. It may be an
   element, or stand for one that does not count; and a window may have no other. */
#ifndef AP_MAXIMUM_COUNTED_H
#define AP_MAXIMUM_COUNTED_H

#include "maximum/reduce.h"

/* The first element that counts of a window whose maximum is the lowest number: all that count are.
   Returns whether there is one. */
static int ap_find_counted(
    const ap_maximum *m, const ap_tile *tile, ptrdiff_t slot, ptrdiff_t oh, ptrdiff_t ow,
    ptrdiff_t lane, char *top, int64_t *where)
{
    const ap_slot *s = &tile->slots[slot];
    const ptrdiff_t h0 = m->h.starts[oh] - m->h.starts[s->oh], w0 = m->w.starts[ow];
    const ptrdiff_t depth = m->d.ends[s->od] - m->d.starts[s->od];
    const ptrdiff_t height = m->h.ends[oh] - m->h.starts[oh], size = m->x.itemsize;
    for (ptrdiff_t d = 0; d < depth; d++)
        for (ptrdiff_t h = h0; h < h0 + height; h++)
            for (ptrdiff_t w = w0; w < m->w.ends[ow]; w++) {
                const char *x = s->data + d * m->x.d + h * m->x.h + w * m->x.w + lane * m->x.lane;
                const char *says = s->where == NULL ? NULL
                    : s->where + d * m->where.d + h * m->where.h + w * m->where.w
                        + lane * m->where.lane;
                if (!ap_is_counted(m->counting, x, says))
                    continue;
                memcpy(top, m->counting->nothing, (size_t) size);
                *where = tile->base[slot] + d * m->d_number + h * m->h_number + w;
                return 1;
            }
    return 0;
}

/* The first of n results from i on that is the lowest number, or n. */
#define AP_NEXT_LOWEST(type) \
    do { \
        type word, lowest; \
        memcpy(&lowest, nothing, sizeof lowest); \
        for (; i < n; i++) { \
            memcpy(&word, tops + i * (ptrdiff_t) sizeof word, sizeof word); \
            if (word == lowest) \
                break; \
        } \
    } while (0)

static inline ptrdiff_t ap_next_lowest(
    const char *tops, ptrdiff_t size, ptrdiff_t i, ptrdiff_t n, const char *nothing)
{
    if (size == 1)
        AP_NEXT_LOWEST(uint8_t);
    else if (size == 2)
        AP_NEXT_LOWEST(uint16_t);
    else if (size == 4)
        AP_NEXT_LOWEST(uint32_t);
    else
        AP_NEXT_LOWEST(uint64_t);
    return i;
}

/* Look again at the results of a window that are the lowest number. Returns whether one of them has
   no element that counts; it is filled, and its index is -1. */
static inline int ap_settle_window(
    const ap_maximum *m, const ap_tile *tile, ptrdiff_t row, ptrdiff_t ow, char *tops,
    int64_t *where)
{
    const ptrdiff_t size = m->x.itemsize, n = tile->lanes * tile->width;
    const char *nothing = m->counting->nothing;
    int empty = 0;
    for (ptrdiff_t i = 0; (i = ap_next_lowest(tops, size, i, n, nothing)) < n; i++) {
        const ptrdiff_t slot = i % tile->width, lane = i / tile->width;
        if (slot >= tile->used
            || ap_find_counted(
                m, tile, slot, tile->slots[slot].oh + row, ow, lane, tops + i * size, where + i))
            continue;
        memcpy(tops + i * size, m->filler, (size_t) size);
        where[i] = -1;
        empty = 1;
    }
    return empty;
}

/* All windows of a tile, likewise. */
static int ap_settle_lowest(const ap_maximum *m, const ap_tile *tile)
{
    const ptrdiff_t step = tile->stride * m->x.itemsize;
    char *tops = tile->tops;
    int64_t *where = tile->where;
    int empty = 0;
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++) {
            empty |= ap_settle_window(m, tile, row, ow, tops, where);
            tops += step;
            where += tile->stride;
        }
    return empty;
}

#endif
