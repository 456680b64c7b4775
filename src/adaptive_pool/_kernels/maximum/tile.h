/* A tile of max pooling: its input is read piece by piece, in the order of memory; windows are
   reduced from each piece, and what they give is stored at the end. */
#ifndef AP_MAXIMUM_TILE_H
#define AP_MAXIMUM_TILE_H

#include "maximum/plan.h"
#include "tiles/transpose.h"

/* One of the lines side by side: an output line, of the first output row of the tile. */
typedef struct {
    const char *data;       /* the first element of its windows, if w was 0 */
    ptrdiff_t batch, channel, od, oh;
} ap_slot;

typedef struct {
    ptrdiff_t used;                         /* slots; the others repeat the last one */
    ap_slot slots[AP_STRIP];
    int64_t base[AP_STRIP];
    ptrdiff_t last_d[AP_STRIP], last_h[AP_STRIP];
    ptrdiff_t lane, lanes, rows, ow0, ow1;  /* of a slot */
    ptrdiff_t depth, height, w0, w1;        /* inputs that all of it is pooled from */
    int clipped;
    char *tops, *read;                      /* scratch: results, and a piece of the input */
    char *copy;
    char *candidates;                       /* scratch: of rows_first */
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
    slot->data = m->x.data + slot->batch * m->x.batch + slot->channel * m->x.channel + d0 * m->x.d + h0 * m->x.h
        + tile->lane * m->x.lane;
    tile->base[i] = (d0 * m->h.size + h0) * m->w.size;
    tile->last_d[i] = m->d.ends[slot->od] - d0 - 1;
    tile->last_h[i] = h_end - h0 - 1;
    tile->depth = ap_max(tile->depth, tile->last_d[i] + 1);
    tile->height = ap_max(tile->height, tile->last_h[i] + 1);
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
    for (; i < m->slots; i++) {
        tile->slots[i] = tile->slots[tile->used - 1];
        ap_find_slot(m, tile, i);
    }
    tile->clipped = 0;
    for (i = 0; i < m->slots; i++)
        tile->clipped |= tile->last_d[i] + 1 < tile->depth || tile->last_h[i] + 1 < tile->height;
    for (i = 0; i < AP_STRIP; i++) {
        ptrdiff_t slot = i & (m->slots - 1);    /* a power of 2 */
        tile->places.base[i] = tile->base[slot];
        tile->places.last_d[i] = (int32_t) tile->last_d[slot];
        tile->places.last_h[i] = (int32_t) tile->last_h[slot];
        tile->places.own[i] = 0;
    }
    if (m->way == AP_ALONG)
        for (i = m->lanes; i < AP_STRIP; i++)
            tile->places.own[i] = tile->places.own[i - m->lanes] + 1;
    tile->places.clipped = tile->clipped;
}

/* Elements with any steps, as a run; any byte of a bool but 0 is 1. */
static inline void ap_copy_line(
    const ap_maximum *m, const char *line, ptrdiff_t columns, ptrdiff_t lanes, char *target)
{
    const ptrdiff_t size = m->x.itemsize;
    for (ptrdiff_t w = 0; w < columns; w++)
        for (ptrdiff_t lane = 0; lane < lanes; lane++, target += size) {
            const char *source = line + w * m->x.w + lane * m->x.lane;
            if (m->is_bool)
                *target = *source != 0;
            else if (size == 1)
                *target = *source;
            else if (size == 2)
                memcpy(target, source, 2);
            else if (size == 4)
                memcpy(target, source, 4);
            else
                memcpy(target, source, 8);
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

/* Turn the lines of a piece into lanes. */
static void ap_turn(const ap_maximum *m, const ap_tile *tile, ap_piece *piece, ptrdiff_t ahead)
{
    const ptrdiff_t size = m->x.itemsize, columns = piece->w1 - piece->w0;
    const char *lines[AP_STRIP];
    piece->w = m->lanes * m->slots * size;
    piece->h = columns * piece->w;
    piece->d = (piece->h1 - piece->h0) * piece->h;
    /* Rows that are one run in memory are turned together. */
    int run = !m->copied && !tile->clipped && columns == m->w.size
        && (piece->h1 - piece->h0 == 1 || m->x.h == columns * m->lanes * size);
    ptrdiff_t rows = run ? piece->h1 - piece->h0 : 1;
    char *target = tile->read;
    piece->data = target;
    for (ptrdiff_t d = piece->d0; d < piece->d1; d++)
        for (ptrdiff_t h = piece->h0; h < piece->h1; h += rows, target += rows * piece->h) {
            for (ptrdiff_t i = 0; i < m->slots; i++) {
                lines[i] = ap_line_of(m, tile, i, d, h, piece->w0);
                if (m->copied) {
                    char *copy = tile->copy + ap_min(i, tile->used - 1) * columns * m->lanes * size;
                    if (i < tile->used)
                        ap_copy_line(m, lines[i], columns, m->lanes, copy);
                    lines[i] = copy;
                }
            }
            ptrdiff_t used = ap_pieces(tile->used, AP_LINES) * AP_LINES;
            ap_lines_to_lanes(
                lines, used, rows * columns * m->lanes, m->copied ? 0 : ahead, target,
                m->slots * size, (int) size);
        }
}

/* A piece of one line side by side, in place or copied. */
static void ap_read(const ap_maximum *m, const ap_tile *tile, ap_piece *piece)
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
            ap_copy_line(
                m, ap_line_of(m, tile, 0, d, h, piece->w0), columns, tile->lanes, target);
}

static inline char *ap_result_at(
    const ap_array *out, const ap_tile *tile, ptrdiff_t slot, ptrdiff_t row)
{
    const ap_slot *s = &tile->slots[slot];
    return out->data + s->batch * out->batch + s->channel * out->channel + s->od * out->d
        + (s->oh + row) * out->h + tile->ow0 * out->w + tile->lane * out->lane;
}

/* Reduce what a piece has of the window (row, ow). */
static void ap_reduce(
    const ap_maximum *m, const ap_tile *tile, const ap_piece *piece, ptrdiff_t row, ptrdiff_t ow,
    ptrdiff_t ahead)
{
    const ap_elements *elements = m->elements;
    const ptrdiff_t oh = tile->slots[0].oh + row, result = row * (tile->ow1 - tile->ow0) + ow
        - tile->ow0;
    ptrdiff_t begin = ap_max(m->w.starts[ow], piece->w0), end = ap_min(m->w.ends[ow], piece->w1);
    ptrdiff_t above = m->h.starts[oh] - m->h.starts[tile->slots[0].oh]; /* rows of the tile */
    ptrdiff_t columns = end - begin, stride = m->way == AP_IN_PLACE ? tile->lanes : m->stride;
    if (columns <= 0)
        return;
    ap_window window;
    window.depth = piece->d1 - piece->d0;
    window.height = piece->h1 - piece->h0;
    if (tile->rows > 1)
        window.height = m->h.ends[oh] - m->h.starts[oh];
    window.d_step = piece->d;
    window.h_step = piece->h;
    window.first = piece->data + above * piece->h + (begin - piece->w0) * piece->w;
    window.number = (piece->d0 * m->h.size + piece->h0 + above) * m->w.size + begin;
    window.d_number = m->h.size * m->w.size;
    window.h_number = m->w.size;
    window.d_first = (int32_t) piece->d0;
    window.h_first = (int32_t) piece->h0;
    window.ahead = ahead;
    if (m->way == AP_ALONG) {
        ptrdiff_t strip = ap_strip(elements->size), most = strip / m->lanes;
        window.columns = ap_pieces(columns * m->lanes, strip);
        window.w_step = strip * elements->size;
        window.last = (columns * m->lanes - strip) * elements->size;
        window.w_number = most;
        window.last_number = columns - most;
    } else {
        window.columns = columns;
        window.w_step = piece->w;
        window.last = (columns - 1) * piece->w;
        window.w_number = 1;
        window.last_number = columns - 1;
    }
    char *tops = tile->tops + result * stride * elements->size;
    int64_t *where = m->indices.data == NULL ? NULL : tile->where + result * stride;
    if (m->direct) {
        tops = ap_result_at(&m->out, tile, 0, row) + (ow - tile->ow0) * m->out.w;
        if (where != NULL)
            where = (int64_t *) (ap_result_at(&m->indices, tile, 0, row)
                + (ow - tile->ow0) * m->indices.w);
    }
    elements->lanes(
        &window, &tile->places, stride, elements->flip,
        piece->d0 == 0 && piece->h0 == 0 && begin == m->w.starts[ow], tops,
        where);
}

/* Go through the input of a tile: all of it, or rows, or pieces of a row. */
static void ap_reduce_tile(const ap_maximum *m, const ap_tile *tile)
{
    const ptrdiff_t size = m->x.itemsize;
    const ptrdiff_t lanes = m->way == AP_TURNED ? m->stride : tile->lanes;
    ptrdiff_t row = (tile->w1 - tile->w0) * lanes * size;
    int bounded = m->way == AP_TURNED || m->copied;
    ptrdiff_t most = ap_max((bounded ? AP_ROOM : AP_IN_PLACE_ROOM) / row, 1);
    ptrdiff_t columns = tile->w1 - tile->w0, ahead = 0;
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
            if (m->ahead && !m->copied) {
                ahead = (piece.h1 - piece.h0) * m->x.h;
                if (m->way == AP_TURNED && !m->mixed && whole && tile->rows == m->h.count)
                    ahead = m->slots * m->x.channel;
            }
            for (ptrdiff_t w = tile->w0; w < tile->w1; w = piece.w1) {
                piece.w0 = w;
                piece.w1 = ap_min(w + columns, tile->w1);
                if (m->way == AP_TURNED)
                    ap_turn(m, tile, &piece, ahead);
                else
                    ap_read(m, tile, &piece);
                for (ptrdiff_t oh = 0; oh < tile->rows; oh++)
                    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++)
                        ap_reduce(m, tile, &piece, oh, ow, bounded ? 0 : ahead);
            }
        }
}

/* Compare the rows of each line column by column, turn what is left, and reduce windows of it. */
static void ap_reduce_rows(const ap_maximum *m, const ap_tile *tile)
{
    const ap_elements *elements = m->elements;
    const ptrdiff_t size = elements->size, n = (tile->w1 - tile->w0) * m->lanes;
    const ptrdiff_t all = n * m->slots;
    char *tops = tile->candidates, *turned_tops = tops + all * size;
    int64_t *where = (int64_t *) (turned_tops + all * size), *turned = where + all;
    const char *lines[AP_STRIP], *places[AP_STRIP];
    const int indexed = m->indices.data != NULL;
    ap_places own = {0};
    for (ptrdiff_t i = 0; i < m->slots; i++) {
        const ptrdiff_t slot = ap_min(i, tile->used - 1);
        lines[i] = tops + slot * n * size;
        places[i] = (const char *) (where + slot * n);
    }
    for (ptrdiff_t i = 0; i < tile->used; i++) {
        const ptrdiff_t most = ap_max(AP_ROOM / (n * size), 1);
        const int whole = (tile->last_d[i] + 1) * (tile->last_h[i] + 1) <= most;
        ap_window window = {0};
        window.columns = 1;
        if (m->ahead) /* the next line, or the first one of the next tile */
            window.ahead = tile->slots[i + 1 < tile->used ? i + 1 : 0].data - tile->slots[i].data
                + (i + 1 < tile->used ? 0 : tile->height * m->x.h);
        window.d_step = m->x.d;
        window.h_step = m->x.h;
        window.d_number = m->h.size * m->w.size;
        window.h_number = m->w.size;
        for (ptrdiff_t j = 0; j < AP_STRIP; j++) {
            own.last_d[j] = (int32_t) tile->last_d[i];
            own.last_h[j] = (int32_t) tile->last_h[i];
        }
        for (ptrdiff_t d = 0; d <= tile->last_d[i]; d += window.depth)
            for (ptrdiff_t h = 0; h <= tile->last_h[i]; h += window.height) {
                window.depth = whole ? tile->last_d[i] + 1 : 1;
                window.height = whole ? tile->last_h[i] + 1 : ap_min(most, tile->last_h[i] + 1 - h);
                window.first = ap_line_of(m, tile, i, d, h, tile->w0);
                window.number = tile->base[i] + d * window.d_number + h * m->w.size + tile->w0;
                elements->lanes(
                    &window, &own, n, elements->flip, d == 0 && h == 0, tops + i * n * size,
                    indexed ? where + i * n : NULL);
            }
        for (ptrdiff_t w = 0; indexed && w < tile->w1 - tile->w0; w++)
            for (ptrdiff_t lane = 0; lane < m->lanes; lane++)
                where[i * n + w * m->lanes + lane] += w;
    }
    ap_lines_to_lanes(lines, m->slots, n, 0, turned_tops, m->slots * size, (int) size);
    if (indexed)
        ap_lines_to_lanes(places, m->slots, n, 0, (char *) turned, m->slots * 8, 8);
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++) {
        const ptrdiff_t first = (m->w.starts[ow] - tile->w0) * m->stride;
        elements->pairs(
            turned_tops + first * size, indexed ? turned + first : NULL,
            m->w.ends[ow] - m->w.starts[ow], m->stride, elements->flip,
            tile->tops + (ow - tile->ow0) * m->stride * size,
            tile->where + (ow - tile->ow0) * m->stride);
    }
}

#endif
