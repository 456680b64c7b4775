/* The results of a tile: NaNs of halves made quiet, values and indices stored. */
#ifndef AP_MAXIMUM_STORE_H
#define AP_MAXIMUM_STORE_H

#include "maximum/along.h"
#include "maximum/counted.h"

/* Store results: [row][window][lane][slot] in `source`, `stride` apart from window to window. */
static void ap_store(
    const ap_maximum *m, const ap_array *out, const ap_tile *tile, const char *source,
    ptrdiff_t stride)
{
    const int size = (int) out->itemsize;
    const ptrdiff_t windows = tile->ow1 - tile->ow0, step = stride * size, slots = tile->width;
    int run = out->w == tile->lanes * size && (tile->lanes == 1 || out->lane == size);
    if (slots > 1 && run) {
        char *lines[AP_STRIP];
        int plane = tile->rows == 1 || out->h == windows * out->w;
        ptrdiff_t rows = (plane ? tile->rows : 1) * windows * tile->lanes;
        for (ptrdiff_t row = 0; row < (plane ? 1 : tile->rows); row++) {
            for (ptrdiff_t i = 0; i < tile->used; i++)
                lines[i] = ap_result_at(out, tile, i, row);
            ap_lanes_to_lines(
                source + row * windows * step, slots * size, rows, lines, tile->used, size);
        }
        return;
    }
    for (ptrdiff_t row = 0; row < tile->rows; row++)
        for (ptrdiff_t ow = 0; ow < windows; ow++, source += step)
            for (ptrdiff_t i = 0; i < tile->used; i++) {
                char *target = ap_result_at(out, tile, i, row) + ow * out->w;
                if (slots == 1 && out->lane == size && tile->lanes > 1)
                    memcpy(target, source, (size_t) (tile->lanes * size));
                else
                    ap_copy_words(
                        source + i * size, slots * size, tile->lanes, target, out->lane, size);
            }
}

/* One tile; `scratch` is laid out by ap_scratch_size(). */
static int ap_run_tile(const void *task, ptrdiff_t job, char *scratch)
{
    const ap_maximum *m = task;
    const ptrdiff_t size = m->x.itemsize;
    int empty = 0;
    ap_tile tile;
    if (m->way == AP_ALONG) {
        ap_compare_along(m, job, scratch);
        return 0;
    }
    tile.where = (int64_t *) scratch;
    tile.tops = scratch + m->results * 8;
    tile.read = tile.tops + ap_pieces(m->results * size, 64) * 64;
    tile.copy = tile.read + AP_ROOM + AP_STRIP * 64;
    tile.pairs = tile.read;
    if (m->rows_first)
        tile.copy = tile.pairs + 5 * AP_ROOM + 2 * AP_STRIP * 64;
    ap_find_tile(m, job, &tile);
    const ptrdiff_t stride = tile.stride;
    const ptrdiff_t windows = tile.rows * (tile.ow1 - tile.ow0), n = windows * stride;
    const int indexed = m->indices.data != NULL;
    if (m->rows_first) {
        ap_reduce_rows(m, &tile);
        if (!indexed && m->elements->doubtful(tile.tops, n, m->elements->flip)) {
            ap_maximum again = *m;
            again.indices = m->out; /* the sign of a zero, or which NaN: places tell */
            ap_reduce_rows(&again, &tile);
        }
    } else {
        ap_reduce_tile(m, &tile);
    }
    if (m->direct) {
        for (ptrdiff_t row = 0; row < tile.rows && m->elements->quiet; row++)
            for (ptrdiff_t ow = 0; ow < tile.ow1 - tile.ow0; ow++)
                ap_quieten(m->elements, stride, (uint16_t *) (
                    ap_result_at(&m->out, &tile, 0, row) + ow * m->out.w));
        return 0;
    }
    if (m->counting != NULL)
        empty = ap_settle_lowest(m, &tile);
    if (m->elements->quiet)
        ap_quieten(m->elements, n, (uint16_t *) tile.tops);
    ap_store(m, &m->out, &tile, tile.tops, stride);
    if (indexed) {
        if (m->indices.itemsize == 4)
            for (ptrdiff_t i = 0; i < n; i++) {
                int32_t narrow = (int32_t) tile.where[i];
                memcpy((char *) tile.where + 4 * i, &narrow, 4);
            }
        ap_store(m, &m->indices, &tile, (const char *) tile.where, stride);
    }
    return empty;
}

static inline ptrdiff_t ap_scratch_size(const ap_maximum *m)
{
    if (m->way == AP_ALONG)
        return ap_along_scratch(m);
    ptrdiff_t size = m->results * 8 + ap_pieces(m->results * m->x.itemsize, 64) * 64;
    if (m->way == AP_TURNED || m->copied)
        size += AP_ROOM + AP_STRIP * 64;
    if (m->way == AP_TURNED && m->copied)
        size += AP_ROOM + AP_STRIP * 64;
    if (m->rows_first)
        size += 4 * AP_ROOM + AP_STRIP * 64;
    return size;
}

#endif
