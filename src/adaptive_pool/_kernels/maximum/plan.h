/* How a call is cut into tiles, and a tile read (docs/design/maximum.md).

   A tile is some windows along W of some output rows, of one plane or of a strip of planes side by
   side. Ways to have lanes to compare:
     AP_IN_PLACE   the array has lanes, at least a vector of them
     AP_TURNED     lines of planes, or of output rows of few planes, are turned into lanes
     AP_ALONG      neighbours along W, of windows that are long or of few lines: largest.h */
#ifndef AP_MAXIMUM_PLAN_H
#define AP_MAXIMUM_PLAN_H

#include "maximum/elements.h"
#include "tiles/counting.h"
#include "tiles/problem.h"
#include "tiles/transpose.h"

enum { AP_IN_PLACE, AP_TURNED, AP_ALONG };

enum {
    AP_ROOM = 65536,   /* bytes of a tile's input that are read at a time: for the second cache */
    AP_COPY = 32768,   /* likewise, of rows that are copied before they are compared */
    AP_ASKED = 256,    /* elements that are copied before more are asked for */
    AP_IN_PLACE_ROOM = 4 * AP_ROOM, /* likewise, of what is neither turned nor copied */
    AP_RESULTS = 8192,  /* results of a tile */
    AP_JOBS = 4,        /* for each thread, if there are so many */
    AP_TALL = 16,       /* bytes of a column, from which on rows are compared before they are
                           turned; elements of 8 bytes count as 4 */
    AP_LONG = 96,       /* columns of windows that are compared along W, if that is no more than */
    AP_LONG_BYTES = 512, /* so many bytes; twice as many with indices */
    AP_LARGE_WINDOW = 256, /* elements likewise, of several lanes, for each line that there is */
    AP_LEAST_LANES = 64 /* that are not worth more jobs; half as many fill a vector */
};

typedef struct {
    const ap_elements *elements;
    ap_array x, out, indices;   /* indices.data is NULL if none are wanted */
    ap_axis d, h, w;
    ptrdiff_t channels, planes, lanes;
    int64_t number, d_number, h_number; /* of the first element in the plane; of a step */
    int is_bool;
    /* Where not all elements count; else NULL. `where` may have none. */
    const ap_counting *counting;
    ap_array where;
    char filler[8];             /* what a window becomes none of whose elements count */
    /* found by ap_plan_maximum(): */
    int64_t ends[3];            /* the windows of a plane that became a line */
    int way, mixed;
    int copied, blanked;        /* lines are no runs of aligned elements; not all elements count */
    ptrdiff_t slots;            /* lines side by side */
    ptrdiff_t block, blocks;    /* lanes of a tile */
    ptrdiff_t span, spans;      /* windows along W of a tile */
    ptrdiff_t rows, row_tiles;  /* output rows of a tile */
    ptrdiff_t groups;           /* of planes, or of lines if they are mixed */
    ptrdiff_t stride;           /* results from window to window */
    int rows_first;             /* rows are compared before they are turned */
    int direct;                 /* results are kept where they are stored */
    ptrdiff_t ahead;            /* whether to ask for what comes next */
    ptrdiff_t results;          /* of a tile, at most */
} ap_maximum;

/* Bytes of lanes that are compared in place, at least. */
static inline ptrdiff_t ap_least_bytes(const ap_maximum *m)
{
    return ap_max(AP_BYTES_OF(m->elements->size), 16);
}

static inline void ap_count_tiles(ap_maximum *m)
{
    m->blocks = ap_pieces(m->lanes, m->block);
    m->spans = ap_pieces(m->w.count, m->span);
    m->row_tiles = ap_pieces(m->h.count, m->rows);
    m->groups = m->mixed ? ap_pieces(m->planes * m->d.count * m->h.count, m->slots)
                         : ap_pieces(m->planes, m->slots);
}

static inline ptrdiff_t ap_tiles(const ap_maximum *m)
{
    if (m->way == AP_ALONG)
        return m->groups;
    return m->groups * m->blocks * m->spans * (m->mixed ? 1 : m->row_tiles * m->d.count);
}

/* Take planes that are one run in memory, and are pooled to one number, for lines. Of a part of a
   plane, rows that overlap in memory may be one run, while their numbers are none. */
static inline void ap_flatten(ap_maximum *m)
{
    ap_axis *d = &m->d, *h = &m->h, *w = &m->w;
    const ptrdiff_t size = d->size * h->size * w->size;
    if (m->counting != NULL || d->count * h->count * w->count > 1
        || d->longest * h->longest * w->longest < size
        || (h->size > 1 && (m->x.h != w->size * m->x.w || m->h_number != w->size))
        || (d->size > 1
            && (m->x.d != h->size * w->size * m->x.w || m->d_number != h->size * w->size))
        || w->size == 1
        || (m->lanes > 1 && m->lanes * m->elements->size < ap_least_bytes(m)))
        return;
    m->ends[0] = 0;
    m->ends[1] = 1;
    m->ends[2] = size;
    w->size = w->shortest = w->longest = size;
    d->size = d->shortest = d->longest = h->size = h->shortest = h->longest = 1;
    w->starts = d->starts = h->starts = &m->ends[0];
    d->ends = h->ends = &m->ends[1];
    w->ends = &m->ends[2];
}

/* Lines side by side, to hold `used` of them: blocks to transpose, and a vector of lanes. */
static inline ptrdiff_t ap_width(const ap_maximum *m, ptrdiff_t used)
{
    ptrdiff_t width = m->rows_first ? m->slots : ap_pieces(used, AP_LINES) * AP_LINES;
    while (width * m->lanes * m->elements->size < AP_BYTES_OF(m->elements->size))
        width += AP_LINES;
    return width;
}

/* Columns that rows compared along W must have: vectors that hold whole turns of lanes. */
static inline ptrdiff_t ap_least_columns(const ap_maximum *m)
{
    const ptrdiff_t vector = ap_max(AP_BYTES_OF(m->elements->size) / m->elements->size, 1);
    return m->lanes == 3 ? vector : ap_pieces(vector, m->lanes);
}

/* Whether windows are so long, or lines so few, that one after the other is sooner done than side
   by side. What a window of several lanes costs beside its elements is many times that of one. */
static inline int ap_is_long(const ap_maximum *m, ptrdiff_t lines)
{
    const ptrdiff_t size = m->elements->size, strip = ap_strip((int) size);
    const ptrdiff_t row = m->w.shortest * m->lanes;
    const int indexed = m->indices.data != NULL;
    if (m->counting != NULL || m->lanes > AP_MOST_LANES || m->w.shortest < ap_least_columns(m)
        || (m->lanes % 2 == 0 && m->lanes * size > AP_BYTES_OF(size)))
        return 0;
    if (m->lanes > 1)
        return row >= strip && m->d.shortest * m->h.shortest * row
            >= AP_LARGE_WINDOW * ap_min(lines, strip / 2);
    return row >= (lines < strip / 2 ? strip : ap_min(AP_LONG, AP_LONG_BYTES / size) << indexed);
}

/* Whether to compare the rows of each line before it is turned: windows are tall, and pairs of a
   maximum and its row, and columns, can be counted and kept. Chooses how many lines. */
static inline int ap_is_tall(ap_maximum *m, ptrdiff_t lines)
{
    const ptrdiff_t size = m->elements->size, strip = ap_strip((int) size);
    const ptrdiff_t vector = ap_max(AP_BYTES_OF(size) / size, AP_LINES);
    const ptrdiff_t most = size == 1 ? 127 : size == 2 ? 32767 : INT32_MAX;
    const ptrdiff_t line = m->w.size * m->lanes, strips = ap_pieces(line, strip) * strip;
    ptrdiff_t slots = strip;
    if ((m->copied && !m->blanked) || line < strip
        || ap_max(m->d.longest * m->h.longest, m->w.longest) > most
        || m->d.shortest * m->h.shortest * ap_min(size, 4) * line < AP_TALL * strips)
        return 0;
    while (slots / 2 >= vector && (slots / 2 >= lines || line * slots * size > AP_ROOM))
        slots /= 2;
    if (m->w.longest * m->lanes * slots * size > AP_ROOM)
        return 0;
    m->slots = slots;
    return 1;
}

static inline void ap_choose_way(ap_maximum *m)
{
    const ptrdiff_t strip = ap_strip(m->elements->size), size = m->elements->size;
    const ptrdiff_t lines = m->planes * m->d.count * m->h.count;
    /* Columns are gone through from the first address to the last. */
    m->blanked = m->counting != NULL;
    m->copied = m->blanked || m->is_bool || !ap_is_aligned(&m->x)
        || (m->x.w <= 0 && m->w.size > 1)
        || (m->lanes > 1 ? m->x.lane != size : m->x.w != size && m->w.size > 1);
    m->slots = 1;
    m->stride = m->lanes;
    m->rows_first = 0;
    if (ap_is_long(m, lines)) {
        m->way = AP_ALONG;
        m->copied = m->copied || (m->lanes > 1 && m->x.w != m->lanes * size);
    } else if (m->lanes * size >= ap_least_bytes(m)) {
        m->way = AP_IN_PLACE;
    } else {
        m->way = AP_TURNED;
        m->copied = m->copied || (m->lanes > 1 && m->x.w != m->lanes * size);
        m->rows_first = ap_is_tall(m, lines);
        if (!m->rows_first) {
            m->slots = strip;
            while (m->slots > (size == 1 ? 16 : 8) && m->slots / 2 * m->lanes % strip == 0)
                m->slots /= 2;
        }
        m->stride = m->lanes * m->slots;
    }
    m->mixed = m->planes < m->slots;
}

static inline void ap_plan_maximum(ap_maximum *m, int threads, ptrdiff_t bytes)
{
    const ptrdiff_t size = m->elements->size, jobs = threads > 1 ? AP_JOBS * threads : 1;
    ap_flatten(m);
    ap_choose_way(m);
    m->ahead = bytes > 8 * AP_ROOM;
    if (m->way == AP_ALONG) {
        m->results = 0;
        m->groups = ap_min(m->planes * m->d.count * m->h.count * m->w.count, jobs);
        return;
    }
    m->block = m->way == AP_IN_PLACE ? ap_min(m->lanes, AP_RESULTS) : m->lanes;
    ptrdiff_t width = m->way == AP_IN_PLACE ? m->block : m->stride;
    ptrdiff_t column = m->lanes * m->slots * size; /* bytes of one, as they are read */
    if (m->way == AP_IN_PLACE && m->copied)
        column = m->block * size;
    int bounded = m->way == AP_TURNED || m->copied;
    ptrdiff_t reach = ap_max((bounded ? AP_ROOM : AP_IN_PLACE_ROOM) / column, 1);
    m->span = ap_span(&m->w, AP_RESULTS / width, bounded ? reach : PTRDIFF_MAX);
    m->rows = 1;
    if (!m->mixed && !m->rows_first && m->h.monotone) {
        ptrdiff_t rows = reach / (ap_min(m->w.size, reach) * m->d.longest);
        if (m->span == m->w.count && rows > 0)
            m->rows = ap_span(&m->h, AP_RESULTS / (width * m->span), rows);
    }
    ap_count_tiles(m);
    while (m->rows > 1 && ap_tiles(m) < jobs) {
        m->rows = ap_pieces(m->rows, 2);
        ap_count_tiles(m);
    }
    while (m->way == AP_IN_PLACE && m->block > AP_LEAST_LANES && ap_tiles(m) < jobs) {
        m->block = ap_pieces(m->block, 2);
        ap_count_tiles(m);
    }
    while (m->span > 1 && ap_tiles(m) < jobs) {
        m->span = ap_pieces(m->span, 2);
        ap_count_tiles(m);
    }
    m->results = ap_max(m->way == AP_IN_PLACE ? m->block : m->stride, 1) * m->span * m->rows;
    m->direct = m->counting == NULL && m->way == AP_IN_PLACE && m->out.lane == size
        && (m->indices.data == NULL || (m->indices.itemsize == 8 && m->indices.lane == 8));
}

#endif
