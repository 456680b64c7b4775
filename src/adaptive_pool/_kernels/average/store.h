/* A tile: its sums made means, and these stored. */
#ifndef AP_AVERAGE_STORE_H
#define AP_AVERAGE_STORE_H

#include "average/reduce.h"
#include "average/short_area.h"
#include "tiles/transpose.h"

static inline const double *ap_divisors_of(
    const ap_average *m, ap_tile *tile, const ap_line *line)
{
    const ptrdiff_t count = tile->weighted ? ap_weight_of_lines(m, line->od, line->oh)
                                           : line->depth * line->height;
    if (m->divisors != NULL)
        return m->divisors + ((line->od * m->h.count + line->oh) * m->w.count + tile->ow0)
            * (ap_has_few_lanes(m) ? m->lanes : 1);
    if (count != tile->count)
        ap_set_divisors(m, count, tile->ow0, tile->ow1, tile->divisors);
    tile->count = count;
    return tile->divisors;
}

/* A float64 window whose sum overflows although its mean need not. */
static inline double ap_scaled_mean(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t ow, ptrdiff_t lane)
{
    const ptrdiff_t w0 = m->w.starts[ow], w1 = m->w.ends[ow];
    const ap_weights along_d = ap_weights_of(&m->d, line->od);
    const ap_weights along_h = ap_weights_of(&m->h, line->oh), along_w = ap_weights_of(&m->w, ow);
    double value = -0.0, error = 0, count = 0;
    for (ptrdiff_t d = 0; d < line->depth; d++)
        for (ptrdiff_t h = 0; h < line->height; h++)
            for (ptrdiff_t w = w0; w < w1; w++) {
                double x, rest, low = 0;
                const char *place = line->first + d * m->x.d + h * m->x.h + w * m->x.w
                    + lane * m->x.lane;
                if (tile->counted && !ap_is_counted(m->counting, place,
                        line->where == NULL ? NULL
                        : line->where + d * m->where.d + h * m->where.h + w * m->where.w
                            + lane * m->where.lane))
                    continue;
                const double weights[] = {
                    ap_weight_at(along_d, d, line->depth), ap_weight_at(along_h, h, line->height),
                    ap_weight_at(along_w, w - w0, w1 - w0)};
                memcpy(&x, place, 8);
                x *= 0x1p-64;
                for (int axis = 0; axis < 3; axis++) {
                    x = ap_product(x, weights[axis], &rest);
                    low = low * weights[axis] + rest;
                }
                value = ap_two_sum(value, x, &rest);
                error += rest + low;
                count += weights[0] * weights[1] * weights[2];
            }
    if (!isfinite(value)) /* there are infinities or NaNs in the window */
        return value;
    return ap_twofold_mean(value, error, count) / 0x1p-64;
}

/* Whether n numbers are all finite. */
static inline int ap_are_finite(const char *numbers, ptrdiff_t n)
{
    const uint64_t exponent = (uint64_t) 0x7ff << 52;
    uint64_t others = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, numbers + 8 * i, 8);
        others |= (bits & exponent) == exponent;
    }
    return others == 0;
}

/* Means of float64 that have to be computed again. `target` holds those of a line, or of a window
   if windows lie `step` bytes apart. */
static inline void ap_mend(
    const ap_average *m, const ap_tile *tile, const ap_line *line, const char *sums, char *target,
    ptrdiff_t step)
{
    const double one = 1;
    const ptrdiff_t n = (tile->ow1 - tile->ow0) * tile->lanes;
    if (ap_are_finite(sums, n) && ap_are_finite(sums + m->part, n))
        return;
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, target += step)
        for (ptrdiff_t lane = 0; lane < tile->lanes; lane++, sums += 8) {
            double value, error;
            memcpy(&value, sums, 8);
            memcpy(&error, sums + m->part, 8);
            if (isfinite(value) && isfinite(error))
                continue;
            value = ap_scaled_mean(m, tile, line, ow, tile->lane + lane);
            ap_all_means[AP_DOUBLE_SUMS][m->result](
                (const char *) &value, 0, 1, &one, 0, target + lane * m->out.itemsize);
        }
}

/* Store the numbers of a line, where they are wanted. */
static inline void ap_store_numbers(
    const ap_average *m, const ap_tile *tile, const ap_line *line, const double *numbers)
{
    char *out = m->counts.data + line->batch * m->counts.batch + line->channel * m->counts.channel
        + line->od * m->counts.d + line->oh * m->counts.h + tile->lane * m->counts.lane;
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++)
        for (ptrdiff_t lane = 0; lane < tile->lanes; lane++) {
            const int64_t count = (int64_t) *numbers++ * m->unit;
            memcpy(out + ow * m->counts.w + lane * m->counts.lane, &count, 8);
        }
}

/* Fill the results of windows with too few elements. */
static inline void ap_fill_few(
    const ap_average *m, const ap_tile *tile, const ap_line *line, const double *numbers)
{
    char *out = line->out + tile->lane * m->out.lane;
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++)
        for (ptrdiff_t lane = 0; lane < tile->lanes; lane++)
            if (*numbers++ < m->least)
                memcpy(
                    out + ow * m->out.w + lane * m->out.lane, m->filler,
                    (size_t) m->out.itemsize);
}

/* Store the means of a line, by way of scratch if the lanes of a window are no run in memory. There
   is a divisor for each window, or `each` lane of it. */
AP_ALWAYS void ap_store_means(
    const ap_average *m, ap_tile *tile, const ap_line *line, const char *sums,
    const double *divisors, const int each)
{
    const ptrdiff_t lanes = tile->lanes, windows = tile->ow1 - tile->ow0, size = m->out.itemsize;
    const int few = ap_has_few_lanes(m), adjoin = lanes == 1 || m->out.lane == size;
    const int direct = adjoin && (!few || windows == 1 || m->out.w == lanes * size);
    char *out = line->out + tile->ow0 * m->out.w + tile->lane * m->out.lane;
    char *target = direct ? out : tile->copy;
    const ptrdiff_t step = direct ? m->out.w : lanes * size;
    if (few)
        m->means(sums, m->part, windows * lanes, divisors, 1, target);
    else
        for (ptrdiff_t ow = 0; ow < windows; ow++)
            m->means(
                sums + 8 * ow * lanes, m->part, lanes, divisors + ow * (each ? lanes : 1), each,
                target + ow * step);
    if (m->kind->family == AP_TWOFOLD_SUMS)
        ap_mend(m, tile, line, sums, target, step);
    for (ptrdiff_t ow = 0; !direct && ow < windows; ow++, target += step, out += m->out.w)
        ap_copy_words(target, size, lanes, out, m->out.lane, size);
}

/* The same for a line of which not all elements count. */
static inline void ap_store_counted_line(
    const ap_average *m, ap_tile *tile, const ap_line *line, const char *sums)
{
    const double *AP_RESTRICT numbers = ap_numbers_of(tile, sums);
    double *AP_RESTRICT divisors = tile->divisors;
    const ptrdiff_t n = (tile->ow1 - tile->ow0) * tile->lanes;
    const double least = m->least;
    uint64_t few = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        few |= numbers[i] < least;
    for (ptrdiff_t i = 0; i < n; i++)
        divisors[i] = numbers[i] > 0 ? numbers[i] : 1;
    for (ptrdiff_t i = 0; i < n; i++)
        divisors[i] = ap_divisor(m, divisors[i]);
    ap_store_means(m, tile, line, sums, tile->divisors, 1);
    if (few)
        ap_fill_few(m, tile, line, numbers);
    if (m->counts.data != NULL)
        ap_store_numbers(m, tile, line, numbers);
}

AP_ALWAYS void ap_store_line(
    const ap_average *m, ap_tile *tile, const ap_line *line, const char *sums)
{
    if (tile->counted && m->least > 0)
        ap_store_counted_line(m, tile, line, sums);
    else
        ap_store_means(m, tile, line, sums, ap_divisors_of(m, tile, line), 0);
}

AP_ALWAYS void ap_average_by_lanes(const ap_average *m, ap_tile *tile)
{
    ap_line line = ap_line_of(m, tile->counted, tile->line);
    for (ptrdiff_t k = 0; k < tile->lines; k++, ap_next_line(m, tile->counted, &line)) {
        ap_reduce_by_lanes(m, tile, &line, tile->sums);
        ap_store_line(m, tile, &line, tile->sums);
    }
}

AP_ALWAYS void ap_average_along(const ap_average *m, ap_tile *tile)
{
    const ptrdiff_t windows = tile->ow1 - tile->ow0, lines = m->d.count * m->h.count;
    ap_line line = ap_line_of(m, tile->counted, tile->line);
    if (m->whole && m->run == m->x.itemsize)
        ap_reduce_runs(m, tile);
    else if (tile->counted && m->whole && ap_longest_whole(m) <= AP_SUMS)
        ap_reduce_counted_runs(m, tile);
    else
        ap_reduce_along(m, tile);
    for (ptrdiff_t k = 0, count; k < tile->lines; k += count) {
        const char *sums = tile->sums + 8 * k * windows;
        if (m->merged == 0) {
            count = 1;
            ap_store_line(m, tile, &line, sums);
            ap_next_line(m, tile->counted, &line);
            continue;
        }
        const ptrdiff_t first = line.od * m->h.count + line.oh;
        const ptrdiff_t planes = ap_min(m->merged, m->channels - line.channel);
        count = ap_min(tile->lines - k, planes * lines - first);
        m->means(sums, m->part, count * windows, m->divisors + first * windows, 1, line.out);
        if (k + count < tile->lines)
            line = ap_line_of(m, tile->counted, tile->line + k + count);
    }
}

/* Scratch of a tile, without that for weights. */
static inline ptrdiff_t ap_plain_size(const ap_average *m)
{
    /* Counts, numbers, elements as they are, bytes, flags, their sums: less than 4 numbers each. */
    const ptrdiff_t counted = m->counting == NULL ? 0 : 8 * 4 * (AP_SUMS + AP_SPARE);
    return 3 * m->kind->parts * m->part + 8 * 2 * (AP_SUMS + AP_SPARE) + counted;
}

static inline ptrdiff_t ap_inner_size(const ap_average *m)
{
    /* One more line of sums and two of counts. */
    const ptrdiff_t weights = m->kind->parts * m->part + 2 * 4 * (AP_SUMS + AP_SPARE);
    return ap_plain_size(m) + (m->weighted ? weights : 0);
}

static inline void ap_lay_out_weights(const ap_average *m, ap_tile *tile, char *scratch)
{
    tile->slice = scratch;
    tile->slice_counts = (uint32_t *) (scratch + m->kind->parts * m->part);
    tile->border_counts = tile->slice_counts + AP_SUMS + AP_SPARE;
}

/* `scratch` is laid out by ap_inner_size(). */
AP_ALWAYS void ap_run_some(
    const ap_average *m, ptrdiff_t job, char *scratch, const int counted, const int weighted)
{
    const ptrdiff_t size = m->kind->parts * m->part;
    ap_tile tile = ap_tile_of(m, job, counted, weighted);
    tile.line_sums = scratch; /* first: short windows beside long ones are masked, not read less */
    tile.sums = scratch + size;
    tile.running = scratch + 2 * size;
    tile.divisors = (double *) (scratch + 3 * size);
    tile.copy = scratch + 3 * size + 8 * (AP_SUMS + AP_SPARE);
    tile.numbers = (double *) (tile.copy + 8 * (AP_SUMS + AP_SPARE));
    tile.raw = (char *) (tile.numbers + AP_SUMS + AP_SPARE);
    tile.counts = (uint32_t *) (tile.raw + 8 * (AP_SUMS + AP_SPARE));
    tile.bytes = (char *) (tile.counts + AP_SUMS + AP_SPARE);
    tile.tally = (uint8_t *) (tile.bytes + AP_SUMS + AP_SPARE);
    tile.flags = tile.tally + AP_SUMS + AP_SPARE; /* of copies of two bytes and more */
    if (weighted)
        ap_lay_out_weights(m, &tile, scratch + ap_plain_size(m));
    if (weighted && m->short_area)
        ap_average_short_area(m, &tile);
    else if (m->way == AP_ALONG)
        ap_average_along(m, &tile);
    else
        ap_average_by_lanes(m, &tile);
}

static void ap_run_inner(const ap_average *m, ptrdiff_t job, char *scratch)
{
    ap_run_some(m, job, scratch, 0, 0);
}

/* Where not all elements count. Compiled for itself: so the other keeps its registers. */
AP_APART void ap_run_counted(const ap_average *m, ptrdiff_t job, char *scratch)
{
    ap_run_some(m, job, scratch, 1, 0);
}

/* Where windows hold elements in part. */
AP_APART void ap_run_weighted(const ap_average *m, ptrdiff_t job, char *scratch)
{
    ap_run_some(m, job, scratch, m->counting != NULL, 1);
}

static void ap_run_one(const ap_average *m, ptrdiff_t job, char *scratch)
{
    if (m->weighted)
        ap_run_weighted(m, job, scratch);
    else if (m->counting != NULL)
        ap_run_counted(m, job, scratch);
    else
        ap_run_inner(m, job, scratch);
}

/* Some planes of an array, from one of all on; the last one once more, if need be. */
static inline void ap_find_planes(
    const ap_average *m, const ap_array *x, ptrdiff_t first, char **planes)
{
    ptrdiff_t batch = first / m->channels, channel = first % m->channels;
    for (ptrdiff_t i = 0; i < m->lanes; i++) {
        planes[i] = x->data + batch * x->batch + channel * x->channel;
        if (first + i + 1 < m->turned_planes && ++channel == m->channels) {
            channel = 0;
            batch++;
        }
    }
}

/* Turned planes of which not all elements count: what says so is turned, too, and the numbers are
   turned back. */
AP_APART void ap_run_counted_planes(
    const ap_average *m, ap_average *inner, ptrdiff_t first, char *scratch, char *turned)
{
    const ptrdiff_t plane = m->d.size * m->h.size * m->w.size;
    const ptrdiff_t outputs = m->d.count * m->h.count * m->w.count;
    char *planes[AP_SLOTS];
    if (m->counts.data != NULL) {
        inner->counts.data = turned;
        ap_lay_lanes(&inner->counts, m->lanes, m->h.count, m->w.count);
        turned += outputs * inner->counts.w;
    }
    if (m->where.data != NULL) {
        ap_find_planes(m, &m->where, first, planes);
        inner->where.data = turned;
        ap_lay_lanes(&inner->where, m->lanes, m->h.size, m->w.size);
        ap_lines_to_lanes(
            (const char *const *) planes, m->lanes, plane,
            m->ahead ? m->lanes * m->where.channel : 0, turned, inner->where.w, 1);
    }
    for (ptrdiff_t k = 0; k < ap_inner_tiles(m); k++)
        ap_run_counted(inner, k, scratch);
    if (m->counts.data == NULL)
        return;
    ap_find_planes(m, &m->counts, first, planes);
    ap_lanes_to_lines(
        inner->counts.data, inner->counts.w, outputs, planes,
        ap_min(m->lanes, m->turned_planes - first), 8);
}

/* A group of planes, turned to lanes, and their means turned back. */
static inline void ap_run_planes(const ap_average *m, ptrdiff_t job, char *scratch)
{
    const ptrdiff_t first = job * m->lanes;
    const ptrdiff_t plane = m->d.size * m->h.size * m->w.size;
    const ptrdiff_t outputs = m->d.count * m->h.count * m->w.count;
    ap_average inner = *m;
    char *planes[AP_SLOTS];
    ap_find_planes(m, &m->planes_x, first, planes);
    inner.x.data = scratch + ap_inner_size(m);
    inner.out.data = inner.x.data + plane * m->x.w;
    ap_lines_to_lanes(
        (const char *const *) planes, m->lanes, plane,
        m->ahead ? m->lanes * m->planes_x.channel : 0, inner.x.data, m->x.w, (int) m->x.itemsize);
    if (m->counting != NULL)
        ap_run_counted_planes(m, &inner, first, scratch, inner.out.data + outputs * m->out.w);
    else
        for (ptrdiff_t k = 0; k < ap_inner_tiles(m); k++)
            ap_run_one(&inner, k, scratch);
    ap_find_planes(m, &m->planes_out, first, planes);
    ap_lanes_to_lines(
        inner.out.data, m->out.w, outputs, planes, ap_min(m->lanes, m->turned_planes - first),
        (int) m->out.itemsize);
}

static int ap_run_tile(const void *task, ptrdiff_t job, char *scratch)
{
    const ap_average *m = task;
    if (m->way == AP_TURNED)
        ap_run_planes(m, job, scratch);
    else
        ap_run_one(m, job, scratch);
    return 0;
}

static inline ptrdiff_t ap_scratch_size(const ap_average *m)
{
    const ptrdiff_t plane = m->d.size * m->h.size * m->w.size;
    const ptrdiff_t outputs = m->d.count * m->h.count * m->w.count;
    if (m->way != AP_TURNED)
        return ap_inner_size(m);
    /* Numbers and a mask, besides. */
    const ptrdiff_t counted = m->counting == NULL ? 0 : m->lanes * (8 * outputs + plane);
    return ap_inner_size(m) + plane * m->x.w + outputs * m->out.w + counted;
}

#endif
