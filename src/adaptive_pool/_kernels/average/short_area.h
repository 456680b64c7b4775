/* Weighted averages of integers of 8 and 16 bits: their sums are exact, so their order is free.

   The whole lines of a window are folded into fields of 16 or 32 bits, a line of weighted sums is
   made of these and of the lines that are there in part, and windows along W are summed on it, in
   32 bits. Totals are int32 or, where windows weigh more, float64, which holds them exactly. */
#ifndef AP_SHORT_AREA_H
#define AP_SHORT_AREA_H

#include "average/lines.h"
#include "average/short_integers.h"
#include "simd/halves.h"

/* line = fresh ? 0 : line, + whole * fields + first * firsts + last * lasts. In place of fields
   `rows` from `row` on, one or two, may be read as they are. */
#define AP_WEIGH_SHORT(name, element_t, field_t, sign) \
    AP_ALWAYS void ap_weigh_some_##name( \
        const field_t *AP_RESTRICT fields, const element_t *AP_RESTRICT row, ptrdiff_t step, \
        const int rows, const element_t *AP_RESTRICT firsts, const element_t *AP_RESTRICT lasts, \
        ptrdiff_t n, const uint32_t weights[3], const int fresh, const element_t flip, \
        uint32_t *AP_RESTRICT line) \
    { \
        const uint32_t whole = weights[0], first = weights[1], last = weights[2]; \
        for (ptrdiff_t i = 0; i < n; i++) { \
            uint32_t sum = rows == 0 ? fields[i] : (element_t) (row[i] ^ flip); \
            if (rows == 2) \
                sum += (element_t) (row[step + i] ^ flip); \
            line[i] = (fresh ? 0 : line[i]) + whole * sum \
                + first * (element_t) (firsts[i] ^ flip) + last * (element_t) (lasts[i] ^ flip); \
        } \
    } \
    static void ap_weigh_##name( \
        const char *fields, const char *row, ptrdiff_t step, int rows, const char *firsts, \
        const char *lasts, ptrdiff_t n, const uint32_t weights[3], int fresh, int negative, \
        uint32_t *line) \
    { \
        const field_t *f = (const field_t *) fields; \
        const element_t *a = (const element_t *) firsts, *b = (const element_t *) lasts; \
        const element_t *r = (const element_t *) row, flip = negative ? sign : 0; \
        step /= (ptrdiff_t) sizeof *r; \
        if (fresh && rows == 1) \
            ap_weigh_some_##name(f, r, step, 1, a, b, n, weights, 1, flip, line); \
        else if (fresh && rows == 2) \
            ap_weigh_some_##name(f, r, step, 2, a, b, n, weights, 1, flip, line); \
        else if (fresh) \
            ap_weigh_some_##name(f, r, step, 0, a, b, n, weights, 1, flip, line); \
        else \
            ap_weigh_some_##name(f, r, step, 0, a, b, n, weights, 0, flip, line); \
    }
AP_WEIGH_SHORT(bytes, uint8_t, uint16_t, 0x80)
AP_WEIGH_SHORT(words, uint16_t, uint32_t, 0x8000)
#undef AP_WEIGH_SHORT

/* An axis with what windows hold whole: all of it, where nothing else is said. */
static inline ap_axis ap_with_whole(const ap_axis *axis)
{
    ap_axis whole = *axis;
    if (axis->firsts != NULL)
        return whole;
    whole.whole_starts = axis->starts;
    whole.whole_ends = axis->ends;
    whole.fewest = axis->shortest;
    whole.most = axis->longest;
    return whole;
}

/* Sums of four lanes, or of one. */
#if defined(__GNUC__)
typedef int32_t ap_four __attribute__((vector_size(16)));
#define AP_FOUR_TIMES(x, factor) ((x) * (factor))
#define AP_FOUR_PLUS(x, y) ((x) + (y))
#else
typedef struct {
    int32_t of[4];
} ap_four;
static inline ap_four ap_four_plus_times(ap_four x, ap_four y, int32_t factor)
{
    for (int i = 0; i < 4; i++)
        x.of[i] += y.of[i] * factor;
    return x;
}
#define AP_FOUR_TIMES(x, factor) ap_four_plus_times((ap_four) {{0}}, x, factor)
#define AP_FOUR_PLUS(x, y) ap_four_plus_times(x, y, 1)
#endif

AP_ALWAYS ap_four ap_four_at(const uint32_t *place)
{
    ap_four four;
    memcpy(&four, place, sizeof four);
    return four;
}

/* The totals of windows along W, of four lanes of each; of fewer lanes the others are overwritten
   by the next window. They are int32, or float64 if `wide`. No branch depends on a window: it has
   `fewest` whole columns, and one more that is masked. All but `lane` are better literals. */
AP_ALWAYS void ap_total_four(
    const ap_average *m, const ap_tile *tile, const uint32_t *line, const ptrdiff_t lanes,
    ptrdiff_t lane, const ptrdiff_t fewest, const int wide, char *totals)
{
    const ap_axis w = ap_with_whole(&m->w);
    const int weighted = w.firsts != NULL;
    const ptrdiff_t each = wide ? 8 : 4;
    line += lane - tile->w0 * lanes;
    totals += lane * each;
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++, totals += lanes * each) {
        const ap_four x = ap_four_at(line + w.starts[ow] * lanes);
        const ap_four y = ap_four_at(line + (w.ends[ow] - 1) * lanes);
        const uint32_t *inner = line + w.whole_starts[ow] * lanes;
        const int one_more = w.whole_ends[ow] - w.whole_starts[ow] > fewest;
        const int32_t first = weighted ? (int32_t) w.firsts[ow] : 0;
        const int32_t last = weighted ? (int32_t) w.lasts[ow] : 0;
        ap_four sums = AP_FOUR_TIMES(x, 0);
        for (ptrdiff_t k = 0; k < fewest; k++, inner += lanes)
            sums = AP_FOUR_PLUS(sums, ap_four_at(inner));
        sums = AP_FOUR_PLUS(sums, AP_FOUR_TIMES(ap_four_at(inner), one_more));
        if (!wide) {
            sums = AP_FOUR_PLUS(
                AP_FOUR_TIMES(sums, (int32_t) w.whole),
                AP_FOUR_PLUS(AP_FOUR_TIMES(x, first), AP_FOUR_TIMES(y, last)));
            memcpy(totals, &sums, sizeof sums);
            continue;
        }
        int32_t numbers[3][4];
        double total[4];
        memcpy(numbers[0], &sums, sizeof sums);
        memcpy(numbers[1], &x, sizeof x);
        memcpy(numbers[2], &y, sizeof y);
        for (int i = 0; i < 4; i++)
            total[i] = (double) w.whole * numbers[0][i] + (double) first * numbers[1][i]
                + (double) last * numbers[2][i];
        memcpy(totals, total, sizeof total);
    }
}

/* The same of one lane. */
AP_ALWAYS void ap_total_one(
    const ap_average *m, const ap_tile *tile, const uint32_t *line, const ptrdiff_t fewest,
    const int wide, char *totals)
{
    const ap_axis w = ap_with_whole(&m->w);
    const int weighted = w.firsts != NULL;
    line -= tile->w0;
    for (ptrdiff_t ow = tile->ow0; ow < tile->ow1; ow++) {
        const int32_t x = (int32_t) line[w.starts[ow]], y = (int32_t) line[w.ends[ow] - 1];
        const uint32_t *inner = line + w.whole_starts[ow];
        const int one_more = w.whole_ends[ow] - w.whole_starts[ow] > fewest;
        const int32_t first = weighted ? (int32_t) w.firsts[ow] : 0;
        const int32_t last = weighted ? (int32_t) w.lasts[ow] : 0;
        int32_t sum = 0;
        for (ptrdiff_t k = 0; k < fewest; k++)
            sum += (int32_t) inner[k];
        sum += (int32_t) inner[fewest] & -(int32_t) one_more;
        if (wide) {
            const double total = (double) w.whole * sum + (double) first * x + (double) last * y;
            memcpy(totals, &total, sizeof total);
            totals += sizeof total;
        } else {
            const int32_t total = (int32_t) w.whole * sum + first * x + last * y;
            memcpy(totals, &total, sizeof total);
            totals += sizeof total;
        }
    }
}

/* With loops made for windows of few columns. */
#define AP_TOTAL(total) \
    switch (wide ? -1 : fewest) { \
    case 0: \
        total(0); \
        break; \
    case 1: \
        total(1); \
        break; \
    case 2: \
        total(2); \
        break; \
    default: \
        total(fewest); \
    }
#define AP_TOTAL_ONE(fewest) ap_total_one(m, tile, line, fewest, wide, totals)
#define AP_TOTAL_THREE(fewest) ap_total_four(m, tile, line, 3, 0, fewest, wide, totals)
#define AP_TOTAL_FOUR(fewest) ap_total_four(m, tile, line, 4, 0, fewest, wide, totals)

AP_ALWAYS void ap_total_windows(
    const ap_average *m, const ap_tile *tile, const uint32_t *line, const int wide, char *totals)
{
    const ptrdiff_t lanes = tile->lanes, fewest = ap_with_whole(&m->w).fewest;
    if (lanes == 1)
        AP_TOTAL(AP_TOTAL_ONE)
    else if (lanes == 2)
        ap_total_four(m, tile, line, 2, 0, fewest, wide, totals);
    else if (lanes == 3)
        AP_TOTAL(AP_TOTAL_THREE)
    else if (lanes == 4)
        AP_TOTAL(AP_TOTAL_FOUR)
    else
        for (ptrdiff_t lane = 0; lane < lanes; lane += 4)
            ap_total_four(m, tile, line, lanes, ap_min(lane, lanes - 4), fewest, wide, totals);
}
#undef AP_TOTAL
#undef AP_TOTAL_ONE
#undef AP_TOTAL_THREE
#undef AP_TOTAL_FOUR

/* An integer, half to even. A product with an inverse may miss an integer and a half by a little,
   2^16 * 2^-51: what it is rounded to first, a multiple of 2^-30, is that again. Anything else is
   as far from a half as 1 / (2 * divisor), 2^-29, and stays on its side of it. */
static inline int32_t ap_rounded(double mean)
{
    mean = (mean + 6291456.0) - 6291456.0;
    return (int32_t) ((mean + 6755399441055744.0) - 6755399441055744.0);
}

#define AP_AREA_MEANS(total_t, mean_t, mean) \
    for (ptrdiff_t i = 0; i < n; i++) { \
        const double total = (double) ((const total_t *) totals)[i] - offset; \
        ((mean_t *) out)[i] = (mean_t) (mean); \
    }

/* n means, side by side. Quotients are rounded once, as means.h says. */
static inline void ap_short_area_means(
    const ap_average *m, const char *AP_RESTRICT totals, ptrdiff_t n, double *AP_RESTRICT spare,
    char *AP_RESTRICT out)
{
    const double divisor = (double) m->area, inverse = 1 / divisor;
    const double offset = m->negative ? ldexp(divisor, 8 * (int) m->x.itemsize - 1) : 0;
    char *halves = m->result == AP_TO_FLOAT16 || m->result == AP_TO_BFLOAT16 ? out : NULL;
    if (halves != NULL)
        out = (char *) spare;
    if (m->result == AP_TO_1 && !m->wide)
        AP_AREA_MEANS(int32_t, uint8_t, ap_rounded(total * inverse))
    else if (m->result == AP_TO_1)
        AP_AREA_MEANS(double, uint8_t, ap_rounded(total * inverse))
    else if (m->result == AP_TO_2 && !m->wide)
        AP_AREA_MEANS(int32_t, uint16_t, ap_rounded(total * inverse))
    else if (m->result == AP_TO_2)
        AP_AREA_MEANS(double, uint16_t, ap_rounded(total * inverse))
    else if (m->result == AP_TO_FLOAT32 && !m->wide)
        AP_AREA_MEANS(int32_t, float, total / divisor)
    else if (m->result == AP_TO_FLOAT32)
        AP_AREA_MEANS(double, float, total / divisor)
    else if (!m->wide)
        AP_AREA_MEANS(int32_t, double, total / divisor)
    else
        AP_AREA_MEANS(double, double, total / divisor)
    if (halves != NULL)
        ap_narrow_means(spare, n, m->result, halves);
}
#undef AP_AREA_MEANS

/* Rows of a piece of a line, in place or, `copied` to scratch, the first of them. */
static inline const char *ap_short_row(
    const ap_average *m, const ap_tile *tile, const char *row, char *copy)
{
    if (m->in_place)
        return row;
    ap_copy_piece(m, row, tile->w1 - tile->w0, tile->lanes, copy);
    return copy;
}

/* Add a slice of an output line, which weighs so much, to a line. */
static inline void ap_add_short_slice(
    const ap_average *m, const ap_tile *tile, const ap_line *line, ptrdiff_t d, uint32_t weight,
    int fresh, uint32_t *sums)
{
    const ptrdiff_t n = (tile->w1 - tile->w0) * tile->lanes, step = m->x.h;
    const int size = (int) m->x.itemsize;
    const ap_weights w = ap_weights_of(&m->h, line->oh);
    const char *x = line->first + d * m->x.d + tile->w0 * m->x.w + tile->lane * m->x.lane;
    const char *row = x + (w.first > 0) * step, *last = x + (line->height - 1) * step;
    uint32_t weights[3] = {
        weight * (uint32_t) w.whole, weight * (uint32_t) w.first, weight * (uint32_t) w.last};
    const char *firsts = ap_short_row(m, tile, x, tile->copy);
    const char *lasts = ap_short_row(m, tile, last, tile->raw);
    ptrdiff_t done = 0, count;
    do {
        count = ap_min(w.inner - done, ap_room_for_short(size));
        for (ptrdiff_t k = 0; k < (m->in_place ? 0 : count); k++)
            ap_fold_short(
                ap_short_row(m, tile, row + k * step, (char *) tile->numbers), 0, 1, n, size,
                m->negative, k == 0, tile->running);
        const int first = fresh && done == 0;
        const int rows = m->in_place && first && (count == 1 || count == 2) ? (int) count : 0;
        if (count == 0)
            memset(tile->running, 0, (size_t) (2 * size * n));
        else if (m->in_place && rows == 0)
            ap_fold_short(row, step, count, n, size, m->negative, 1, tile->running);
        if (size == 1)
            ap_weigh_bytes(tile->running, row, step, rows, firsts, lasts, n, weights, first,
                           m->negative, sums);
        else
            ap_weigh_words(tile->running, row, step, rows, firsts, lasts, n, weights, first,
                           m->negative, sums);
        weights[1] = weights[2] = 0; /* they have been added */
        row += count * step;
        done += count;
    } while (done < w.inner);
}

static inline void ap_store_short_area(
    const ap_average *m, const ap_tile *tile, const ap_line *line, const char *totals)
{
    const ptrdiff_t lanes = tile->lanes, windows = tile->ow1 - tile->ow0, size = m->out.itemsize;
    const int run = (lanes == 1 || m->out.lane == size)
        && (windows == 1 || m->out.w == lanes * size);
    char *out = line->out + tile->ow0 * m->out.w + tile->lane * m->out.lane;
    char *means = run ? out : tile->copy;
    ap_short_area_means(m, totals, windows * lanes, (double *) tile->numbers, means);
    for (ptrdiff_t ow = 0; !run && ow < windows; ow++, means += lanes * size, out += m->out.w)
        ap_copy_words(means, size, lanes, out, m->out.lane, size);
}

/* The windows of a tile, whose scratch is there. */
static inline void ap_average_short_area(const ap_average *m, const ap_tile *tile)
{
    ap_line line = ap_line_of(m, 0, tile->line);
    uint32_t *sums = (uint32_t *) tile->line_sums;
    for (ptrdiff_t k = 0; k < tile->lines; k++, ap_next_line(m, 0, &line)) {
        const ap_weights w = ap_weights_of(&m->d, line.od);
        for (ptrdiff_t d = 0; d < line.depth; d++)
            ap_add_short_slice(
                m, tile, &line, d, (uint32_t) ap_weight_at(w, d, line.depth), d == 0, sums);
        if (m->wide)
            ap_total_windows(m, tile, sums, 1, tile->sums);
        else
            ap_total_windows(m, tile, sums, 0, tile->sums);
        ap_store_short_area(m, tile, &line, tile->sums);
    }
}

#endif
