/* The windows of a tile, reduced from its input piece by piece, in the order of memory. */
#ifndef AP_MAXIMUM_REDUCE_H
#define AP_MAXIMUM_REDUCE_H

#include "maximum/tile.h"

static inline char *ap_result_at(
    const ap_array *out, const ap_tile *tile, ptrdiff_t slot, ptrdiff_t row)
{
    const ap_slot *s = &tile->slots[slot];
    return out->data + s->batch * out->batch + s->channel * out->channel + s->od * out->d
        + (s->oh + row) * out->h + tile->ow0 * out->w + tile->lane * out->lane;
}

/* What all windows of a piece have in common. */
static inline ap_window ap_window_of(
    const ap_maximum *m, const ap_piece *piece, ptrdiff_t ahead)
{
    ap_window window = {0};
    window.depth = piece->d1 - piece->d0;
    window.height = piece->h1 - piece->h0;
    window.d_step = piece->d;
    window.h_step = piece->h;
    window.d_number = m->d_number;
    window.h_number = m->h_number;
    window.d_first = (int32_t) piece->d0;
    window.h_first = (int32_t) piece->h0;
    window.ahead = ahead;
    window.w_step = piece->w;
    window.w_number = 1;
    return window;
}

/* Reduce what a piece has of the window (row, ow). */
static inline void ap_reduce(
    const ap_maximum *m, const ap_tile *tile, const ap_piece *piece, ptrdiff_t row, ptrdiff_t ow,
    ap_window *window)
{
    const ap_elements *elements = m->elements;
    const ptrdiff_t first_oh = tile->slots[0].oh, oh = first_oh + row;
    const ptrdiff_t stride = tile->stride;
    const ptrdiff_t result = row * (tile->ow1 - tile->ow0) + ow - tile->ow0;
    const ptrdiff_t begin = ap_max(m->w.starts[ow], piece->w0);
    const ptrdiff_t columns = ap_min(m->w.ends[ow], piece->w1) - begin;
    ptrdiff_t above = 0;    /* rows of the piece */
    if (columns <= 0)
        return;
    if (tile->rows > 1) {
        above = m->h.starts[oh] - m->h.starts[first_oh];
        window->height = m->h.ends[oh] - m->h.starts[oh];
    }
    window->first = piece->data + above * piece->h + (begin - piece->w0) * piece->w;
    window->number = piece->d0 * m->d_number + (piece->h0 + above) * m->h_number + begin;
    window->columns = columns;
    window->last = (columns - 1) * piece->w;
    window->last_number = columns - 1;
    char *tops = tile->tops + result * stride * elements->size;
    int64_t *where = m->indices.data == NULL ? NULL : tile->where + result * stride;
    if (m->direct) {
        tops = ap_result_at(&m->out, tile, 0, row) + (ow - tile->ow0) * m->out.w;
        if (where != NULL)
            where = (int64_t *) (ap_result_at(&m->indices, tile, 0, row)
                + (ow - tile->ow0) * m->indices.w);
    }
    elements->lanes(
        window, &tile->places, stride, elements->flip,
        piece->d0 == 0 && piece->h0 == 0 && begin == m->w.starts[ow], tops, where);
}

/* Go through the input of a tile: all of it, or rows, or pieces of a row. */
static void ap_reduce_tile(const ap_maximum *m, const ap_tile *tile)
{
    const ptrdiff_t size = m->x.itemsize;
    const ptrdiff_t lanes = m->way == AP_TURNED ? tile->stride : tile->lanes;
    ptrdiff_t row = (tile->w1 - tile->w0) * lanes * size;
    int bounded = m->way == AP_TURNED || m->copied;
    ptrdiff_t most = ap_max((bounded ? AP_ROOM : AP_IN_PLACE_ROOM) / row, 1);
    ptrdiff_t columns = tile->w1 - tile->w0;
    ap_ahead ahead = {0, 0};
    if (bounded)
        columns = ap_max(ap_min(columns, AP_ROOM / (lanes * size)), 1);
    int whole = tile->depth * tile->height <= most && columns == tile->w1 - tile->w0;
    ap_piece piece = {0};
    for (ptrdiff_t d = 0; d < tile->depth; d = piece.d1)
        for (ptrdiff_t h = 0; h < tile->height; h = piece.h1) {
            piece.d0 = d;
            piece.h0 = h;
            piece.d1 = whole ? tile->depth : d + 1;
            piece.h1 = whole ? tile->height : ap_min(h + most, tile->height);
            if (m->ahead && (m->blanked || !m->copied)) {
                const int planes = m->way == AP_TURNED && !m->mixed && whole
                    && tile->rows == m->h.count;
                ahead.x = planes ? m->slots * m->x.channel : (piece.h1 - piece.h0) * m->x.h;
                if (tile->slots[0].where != NULL)
                    ahead.where = planes ? m->slots * m->where.channel
                        : (piece.h1 - piece.h0) * m->where.h;
            }
            for (ptrdiff_t w = tile->w0; w < tile->w1; w = piece.w1) {
                piece.w0 = w;
                piece.w1 = ap_min(w + columns, tile->w1);
                if (m->way == AP_TURNED)
                    ap_turn(m, tile, &piece, &ahead);
                else
                    ap_read(m, tile, &piece, &ahead);
                ap_window window = ap_window_of(m, &piece, bounded ? 0 : ahead.x);
                for (ptrdiff_t oh = 0; oh < tile->rows; oh++)
                    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++)
                        ap_reduce(m, tile, &piece, oh, ow, &window);
            }
        }
}

/* Rows of a slot, copied as those of which not all elements count. */
static inline void ap_blank_block(
    const ap_maximum *m, const ap_tile *tile, ptrdiff_t slot, ptrdiff_t d, ptrdiff_t h,
    ptrdiff_t w0, ptrdiff_t w1, ptrdiff_t x_ahead, ap_window *window)
{
    char *copy = tile->copy;
    ap_ahead ahead = {x_ahead, 0};
    if (x_ahead != 0 && tile->slots[slot].where != NULL)
        ahead.where = slot + 1 < tile->used
            ? tile->slots[slot + 1].where - tile->slots[slot].where
            : tile->slots[0].where - tile->slots[slot].where + tile->height * m->where.h;
    window->first = copy;
    window->h_step = (w1 - w0) * m->lanes * m->x.itemsize;
    window->d_step = window->height * window->h_step;
    for (ptrdiff_t k = 0; k < window->depth; k++, copy += window->d_step)
        ap_copy_slot(
            m, tile, &ahead, slot, d + k, h, window->height, w0, w1 - w0, m->lanes, copy);
}

/* Compare the rows of each line column by column, turn what is left, and reduce windows of it. */
static void ap_reduce_rows(const ap_maximum *m, const ap_tile *tile)
{
    const ap_elements *elements = m->elements;
    const ptrdiff_t size = elements->size, least = ap_pieces(ap_strip((int) size), m->lanes);
    /* As many columns as fill a strip, be they of other windows. */
    const ptrdiff_t w0 = ap_max(ap_min(tile->w0, tile->w1 - least), 0);
    const ptrdiff_t w1 = ap_max(tile->w1, w0 + least);
    const ptrdiff_t n = (w1 - w0) * m->lanes, all = n * m->slots * size;
    /* Rows that are compared at a time. */
    const ptrdiff_t most = (m->blanked ? AP_COPY : AP_ROOM) / (n * size);
    const int indexed = m->indices.data != NULL;
    char *tops = tile->pairs, *turned_tops = tops + all;
    char *rows = turned_tops + all, *turned_rows = rows + all;
    const char *lines[AP_STRIP];
    ap_piece none = {0};
    none.d = m->x.d;
    none.h = m->x.h;
    ap_window window = ap_window_of(m, &none, 0);
    window.columns = window.h_count = 1;
    for (ptrdiff_t i = 0; i < tile->used; i++) {
        const ptrdiff_t depth = tile->last_d[i] + 1, height = tile->last_h[i] + 1;
        const int whole = depth * height <= most;
        ptrdiff_t ahead = 0;
        if (m->ahead) /* the next line, or the first one of the next tile */
            ahead = tile->slots[i + 1 < tile->used ? i + 1 : 0].data - tile->slots[i].data
                + (i + 1 < tile->used ? 0 : tile->height * m->x.h);
        window.ahead = m->blanked ? 0 : ahead;
        window.d_count = height;
        for (ptrdiff_t d = 0; d < depth; d += window.depth)
            for (ptrdiff_t h = 0; h < height; h += window.height) {
                window.depth = whole ? depth : 1;
                window.height = whole ? height : ap_min(ap_max(most, 1), height - h);
                window.first = ap_line_of(m, tile, i, d, h, w0);
                if (m->blanked)
                    ap_blank_block(m, tile, i, d, h, w0, w1, ahead, &window);
                elements->rows(
                    &window, n, elements->flip, d * height + h, tops + i * n * size,
                    indexed ? rows + i * n * size : NULL);
            }
    }
    for (ptrdiff_t i = 0; i < m->slots; i++)
        lines[i] = tops + ap_min(i, tile->used - 1) * n * size;
    ap_lines_to_lanes(lines, m->slots, n, 0, turned_tops, m->slots * size, (int) size);
    for (ptrdiff_t i = 0; i < m->slots; i++)
        lines[i] += rows - tops;
    if (indexed)
        ap_lines_to_lanes(lines, m->slots, n, 0, turned_rows, m->slots * size, (int) size);
    window.depth = tile->depth;
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++) {
        const ptrdiff_t result = (ow - tile->ow0) * m->stride;
        const ptrdiff_t first = (m->w.starts[ow] - w0) * m->stride * size;
        window.number = m->w.starts[ow];
        elements->pairs(
            turned_tops + first, indexed ? turned_rows + first : NULL,
            m->w.ends[ow] - m->w.starts[ow], m->stride, elements->flip, &window, &tile->places,
            tile->tops + result * size, tile->where + result);
    }
}

#endif
