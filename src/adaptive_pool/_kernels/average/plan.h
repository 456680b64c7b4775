/* How a call is cut into tiles: some windows along W of some output lines, some lanes deep.

   Ways to sum windows by vectors:
     lanes   elements that are treated alike lie side by side; planes of few columns are turned, so
             that they do (AP_TURNED)
     along   neighbours along W, of one lane */
#ifndef AP_AVERAGE_PLAN_H
#define AP_AVERAGE_PLAN_H

#include "average/means.h"
#include "average/weights.h"
#include "average/widened.h"
#include "tiles/counting.h"
#include "tiles/problem.h"

enum { AP_BY_LANES, AP_TURNED, AP_ALONG };

enum {
    AP_SUMS = 4096,         /* of a line that a tile keeps, and results: for the first two caches */
    AP_SPARE = 16,          /* more, which vectors that begin before the end may reach */
    AP_MOST_LANES = 512,    /* of a tile */
    AP_LEAST_LANES = 64,    /* that are not worth more jobs */
    AP_FEW_LANES = 8,       /* whose means are stored as one run */
    AP_WINDOW = 16384,      /* bytes of a window that is reduced in place: for the first cache */
    AP_LARGE = 524288,      /* bytes of an input that is asked for: more than second caches hold */
    AP_JOBS = 4,            /* for each thread, if there are so many */
    AP_DIVISORS = 2048,     /* that are prepared once for all planes */
    AP_SLOTS = 16,          /* planes side by side */
    AP_PLANE = 2048,        /* elements and results of a plane that is turned, at most */
    AP_TURNED_WINDOW = 16,  /* elements that are worth turning for each window, */
    AP_TURNED_LINE = 8,     /* and for each line of input */
    AP_SHORT = 16,          /* elements from which on a window is not short */
    AP_RUNS = 64,           /* planes, or lines, that are windows by themselves: of a tile */
    AP_PIECE = 1024,        /* elements of a line that is copied row by row, */
    AP_COPIED = 8192,       /* and bytes of copies: for the first cache */
    AP_TALLIED = 256,       /* elements that are counted side by side in a run of them */
    AP_TALLY_ROWS = 255,    /* that bytes count */
    AP_RUN = 32,            /* elements of a plane that is a window by itself */
    AP_LARGEST_DIVISOR = 1 << 28    /* for one rounding, see ap_rounded() */
};

typedef struct {
    const ap_kind *kind;
    int result;                 /* what means are stored as */
    ap_array x, out;
    /* Where not all elements count: else `counting` is NULL. `where` and `counts` may have none. */
    const ap_counting *counting;
    ap_array where, counts;     /* bools; int64 */
    double least;               /* weight that a window must have, or it becomes `filler`; 0: all
                                   elements count, which are just widened */
    char filler[8];
    ap_axis d, h, w;
    ptrdiff_t channels, planes, lanes;
    /* found by ap_plan_average(): */
    ap_means means;
    int divides;                /* by sizes of windows, or times their inverses */
    int way, copied;            /* copied: lines are no runs of aligned elements, or blanked */
    int shared;                 /* all lanes of a column count, or none */
    int weighted;               /* windows hold elements in part: weights.h */
    int64_t unit;               /* that weights are divided by */
    int short_area, negative;   /* IN: whether for short_area.h, if they are few; have a sign */
    int in_place, wide;         /* whether pieces of lines are runs; totals have over 31 bits */
    int64_t area;               /* what a window weighs, of these */
    int whole;                  /* a window is all of W: its elements are numbered through */
    int direct;                 /* windows along W are read where they lie */
    ptrdiff_t run;              /* bytes between the elements of a window, if they are one, or 0 */
    ptrdiff_t merged;           /* planes whose results are one run, with prepared divisors */
    ptrdiff_t part;             /* bytes from the first to the second numbers of sums */
    ptrdiff_t lines, group, groups;     /* output lines: all, and of a tile */
    ptrdiff_t block, blocks;    /* lanes of a tile */
    ptrdiff_t span, spans;      /* windows along W of a tile */
    int ahead;                  /* whether to ask for elements before they are needed */
    ap_array planes_x, planes_out;      /* planes that are turned; x and out are what they become */
    ptrdiff_t turned_planes;
    double *divisors;           /* IN: room for AP_DIVISORS; NULL if none are prepared */
} ap_average;

/* Whether windows are counted lane by lane, as a run. */
static inline int ap_has_few_lanes(const ap_average *m)
{
    return m->lanes < AP_FEW_LANES;
}

static inline double ap_divisor(const ap_average *m, double size)
{
    return m->divides ? size : 1.0 / size;
}

/* What the input lines of an output line weigh. */
static inline ptrdiff_t ap_weight_of_lines(const ap_average *m, ptrdiff_t od, ptrdiff_t oh)
{
    return (ptrdiff_t) (ap_weight(&m->d, od) * ap_weight(&m->h, oh));
}

/* The divisors of some windows of a line whose input lines weigh so much. */
static inline double *ap_set_divisors(
    const ap_average *m, ptrdiff_t count, ptrdiff_t ow0, ptrdiff_t ow1, double *divisors)
{
    const ptrdiff_t each = ap_has_few_lanes(m) ? m->lanes : 1;
    for (ptrdiff_t ow = ow0; ow < ow1; ow++)
        for (ptrdiff_t i = 0; i < each; i++)
            *divisors++ = ap_divisor(m, (double) count * ap_weight(&m->w, ow));
    return divisors;
}

static inline int ap_is_plane(const ap_array *x, ptrdiff_t d, ptrdiff_t h, ptrdiff_t w)
{
    return (w == 1 || x->w == x->itemsize) && (h == 1 || x->h == w * x->itemsize)
        && (d == 1 || x->d == h * w * x->itemsize);
}

/* Of a plane, and of as many planes as a tile may have whose results follow each other. */
static inline void ap_prepare_divisors(ap_average *m)
{
    const ptrdiff_t each = ap_has_few_lanes(m) ? m->lanes : 1, lines = m->d.count * m->h.count;
    double *divisors = m->divisors;
    if (m->divisors == NULL || m->counting != NULL || lines > AP_DIVISORS
        || lines * m->w.count > AP_DIVISORS / each) {
        m->divisors = NULL;
        return;
    }
    for (ptrdiff_t od = 0; od < m->d.count; od++)
        for (ptrdiff_t oh = 0; oh < m->h.count; oh++)
            divisors = ap_set_divisors(
                m, ap_weight_of_lines(m, od, oh), 0, m->w.count, divisors);
    const ptrdiff_t plane = divisors - m->divisors;
    if (m->way != AP_ALONG || m->spans > 1 || m->kind->family == AP_TWOFOLD_SUMS
        || !ap_is_plane(&m->out, m->d.count, m->h.count, m->w.count))
        return;
    m->merged = 1;
    if (m->out.channel == plane * m->out.itemsize)
        m->merged = ap_max(
            ap_min(ap_min(m->group / lines + 1, m->channels), AP_DIVISORS / plane), 1);
    for (ptrdiff_t i = plane; i < m->merged * plane; i++)
        m->divisors[i] = m->divisors[i - plane];
}

/* Whether planes that are pooled are runs, and those of what else there is: all may be turned. */
static inline int ap_are_planes(const ap_average *m)
{
    const ptrdiff_t d = m->d.size, h = m->h.size, w = m->w.size;
    const ptrdiff_t od = m->d.count, oh = m->h.count, ow = m->w.count;
    if (!ap_is_plane(&m->x, d, h, w) || !ap_is_plane(&m->out, od, oh, ow))
        return 0;
    if (m->counting == NULL)
        return !m->copied;
    return !m->weighted && ap_is_aligned(&m->x)
        && (m->where.data == NULL || ap_is_plane(&m->where, d, h, w))
        && (m->counts.data == NULL || ap_is_plane(&m->counts, od, oh, ow));
}

/* Whether small planes become lanes: docs/design/packing.md. */
static inline int ap_is_turned(const ap_average *m)
{
    const ptrdiff_t plane = m->d.size * m->h.size * m->w.size;
    const ptrdiff_t outputs = m->d.count * m->h.count * m->w.count;
    return m->lanes == 1 && m->planes > AP_SLOTS / 4
        && plane <= AP_PLANE && outputs <= AP_PLANE
        && plane <= AP_TURNED_WINDOW * outputs + AP_TURNED_LINE * m->d.size * m->h.size
        && !(m->whole && m->d.longest * m->h.longest * m->w.size >= AP_RUN)
        && ap_are_planes(m);
}

/* How planes lie that have been turned to so many lanes. */
static inline void ap_lay_lanes(ap_array *x, ptrdiff_t lanes, ptrdiff_t h, ptrdiff_t w)
{
    x->lane = x->itemsize;
    x->w = lanes * x->itemsize;
    x->h = w * x->w;
    x->d = h * x->h;
}

/* Take groups of planes for lanes; where they lie each job knows. */
static inline void ap_turn_planes(ap_average *m)
{
    ap_array *x = &m->x, *out = &m->out;
    m->way = AP_TURNED;
    m->planes_x = *x;
    m->planes_out = *out;
    m->turned_planes = m->planes;
    m->planes = 1;
    m->lanes = m->turned_planes > AP_SLOTS / 2 && x->itemsize < 8 ? AP_SLOTS : AP_SLOTS / 2;
    ap_lay_lanes(x, m->lanes, m->h.size, m->w.size);
    ap_lay_lanes(out, m->lanes, m->h.count, m->w.count);
}

/* Whether what counts is the same for all lanes, which are read as they are. */
static inline int ap_is_shared(const ap_average *m)
{
    const ap_counting *c = m->counting;
    return c != NULL && !m->weighted && m->lanes > 1 && m->where.data != NULL
        && m->where.lane == 0 && !c->omits
        && !c->has_nodata && c->size == m->x.itemsize;
}

/* The one step, if there is one, between the elements of all windows, or 0: they are of single
   lines, or of whole lines that follow each other. */
static inline ptrdiff_t ap_step_of_run(const ap_average *m)
{
    const int lines = m->h.longest > 1, depths = m->d.longest > 1;
    if (m->copied || m->weighted || (!m->whole && (lines || depths)))
        return 0;
    if (m->w.size == 1 && !lines && !depths)
        return m->x.itemsize;
    const ptrdiff_t step = m->w.size > 1 ? m->x.w : lines ? m->x.h : m->x.d;
    const ptrdiff_t row = m->w.size * step;
    if ((lines && m->x.h != row)
        || (depths && (m->h.shortest < m->h.size || m->x.d != m->h.size * row)))
        return 0;
    return step; /* or 0, if one element stands for all */
}

static inline void ap_cut(ap_average *m, ptrdiff_t jobs)
{
    const int added = m->run == 0 && !(m->counting != NULL && m->whole);
    m->block = ap_min(m->lanes, AP_MOST_LANES);
    /* Windows that are runs, or copied to one, keep no sums of lines. */
    while (m->block > AP_LEAST_LANES
           && ((added && m->w.longest * m->block > AP_SUMS)
               || m->lines * ap_pieces(m->lanes, m->block) < jobs))
        m->block = ap_pieces(m->block, 2);
    m->blocks = ap_pieces(m->lanes, m->block);
    m->span = ap_span(&m->w, AP_SUMS / m->block, AP_SUMS / m->block);
    if (m->direct) /* four windows are reduced side by side, however long they are */
        m->span = ap_max(m->span, ap_min(4, m->w.count));
    m->spans = ap_pieces(m->w.count, m->span);
    const int runs = m->way == AP_ALONG && m->whole && m->run == m->x.itemsize;
    const ptrdiff_t columns = ap_max(ap_min(m->w.size, AP_SUMS / m->block), m->span);
    m->group = runs ? AP_RUNS : ap_max(AP_SUMS / (columns * m->block), 1);
    m->group = ap_max(ap_min(m->group, m->lines * m->spans * m->blocks / jobs), runs ? 4 : 1);
    m->group = ap_min(m->group, m->lines);
    m->groups = ap_pieces(m->lines, m->group);
}

static inline int ap_weighs_alike(const ap_axis *axis)
{
    return axis->firsts != NULL || axis->shortest == axis->longest;
}

/* Whether short_area.h is for windows: these weigh alike and fit a tile, their sums have 31 bits,
   and quotients are rounded once. */
static inline int ap_is_short_area(ap_average *m)
{
    const ptrdiff_t size = m->x.itemsize, row = m->lanes > 1 ? m->lanes * size : size;
    const double lines = ap_weight(&m->d, 0) * ap_weight(&m->h, 0);
    const double area = lines * ap_weight(&m->w, 0);
    const double most = m->w.firsts != NULL ? (double) ap_max(m->w.most, 1) : (double) m->w.longest;
    m->area = (int64_t) area;
    m->wide = area * (size == 1 ? 255.0 : 65535.0) >= 0x1p31;
    m->in_place = ap_is_aligned(&m->x) && m->blocks == 1 && (m->lanes == 1 || m->x.lane == size)
        && (m->w.size == 1 || m->x.w == row);
    return ap_weighs_alike(&m->d) && ap_weighs_alike(&m->h) && ap_weighs_alike(&m->w)
        && area <= AP_LARGEST_DIVISOR && m->w.longest * m->block <= AP_SUMS
        && lines * most * (size == 1 ? 255.0 : 65535.0) < 0x1p31;
}

static inline ptrdiff_t ap_inner_tiles(const ap_average *m)
{
    return m->groups * m->spans * m->blocks;
}

static inline ptrdiff_t ap_tiles(const ap_average *m)
{
    return m->way == AP_TURNED ? ap_pieces(m->turned_planes, m->lanes) : ap_inner_tiles(m);
}

static inline void ap_plan_average(ap_average *m, int threads, ptrdiff_t bytes)
{
    const ptrdiff_t jobs = threads > 1 ? AP_JOBS * threads : 1, size = m->x.itemsize;
    m->means = ap_all_means[m->kind->family][m->result];
    m->divides = ap_divides(m->kind->family, m->result);
    m->weighted = m->d.firsts != NULL || m->h.firsts != NULL || m->w.firsts != NULL;
    m->unit = m->d.unit * m->h.unit * m->w.unit;
    m->shared = ap_is_shared(m);
    m->copied = (m->counting != NULL && !m->shared) || !ap_is_aligned(&m->x)
        || (m->lanes > 1 ? m->x.lane != size : m->x.w != size && m->w.size > 1);
    m->whole = m->w.count == 1 && m->w.longest == m->w.size && !m->weighted;
    m->way = m->lanes > 1 ? AP_BY_LANES : AP_ALONG;
    if (ap_is_turned(m))
        ap_turn_planes(m);
    m->ahead = bytes > AP_LARGE;
    m->run = ap_step_of_run(m);
    m->direct = m->way == AP_ALONG && m->run == size && m->w.shortest >= AP_SHORT;
    m->lines = m->planes * m->d.count * m->h.count;
    ap_cut(m, m->way == AP_TURNED ? 1 : jobs);
    m->part = 8 * (AP_SUMS + AP_SPARE);
    m->short_area = m->short_area && m->weighted && ap_is_short_area(m);
    m->merged = 0;
    ap_prepare_divisors(m);
}

#endif
