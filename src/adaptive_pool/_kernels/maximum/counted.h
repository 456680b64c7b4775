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

/* Look again at all results of a tile that are the lowest number. Returns whether a window has no
   element that counts; it is filled, and its index is -1. */
static int ap_settle_lowest(const ap_maximum *m, const ap_tile *tile)
{
    const ptrdiff_t size = m->x.itemsize, windows = tile->ow1 - tile->ow0;
    int empty = 0;
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t ow = 0; ow < windows; ow++)
            for (ptrdiff_t i = 0; i < tile->lanes * tile->width; i++) {
                const ptrdiff_t slot = i % tile->width, lane = i / tile->width;
                const ptrdiff_t result = (row * windows + ow) * tile->stride + i;
                char *top = tile->tops + result * size;
                int64_t *where = tile->where + result;
                if (slot >= tile->used || memcmp(top, m->counting->nothing, (size_t) size) != 0
                    || ap_find_counted(
                        m, tile, slot, tile->slots[slot].oh + row, tile->ow0 + ow, lane, top,
                        where))
                    continue;
                memcpy(top, m->filler, (size_t) size);
                *where = -1;
                empty = 1;
            }
    return empty;
}

#endif
