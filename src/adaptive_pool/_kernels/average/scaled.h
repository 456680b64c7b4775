/* Means that are scaled on their way to memory: mean * scale + offset, in float64, each operation
   rounded once, then rounded once to what is stored. */
#ifndef AP_AVERAGE_SCALED_H
#define AP_AVERAGE_SCALED_H

#include "average/means.h"
#include "tiles/problem.h"

typedef struct {
    int result;             /* what is stored */
    double least, most;     /* of integers, which saturate */
    ap_array out, scale, offset;    /* the last two of float64 */
    ptrdiff_t batches, channels, lanes, d, h, w;
} ap_scaled;

/* The factors of a line: those of its lanes, for each window. */
static inline void ap_set_factors(
    const ap_scaled *s, const ap_array *x, ptrdiff_t batch, ptrdiff_t channel, double *factors)
{
    const char *first = x->data + batch * x->batch + channel * x->channel;
    for (ptrdiff_t lane = 0; lane < s->lanes; lane++)
        memcpy(factors + lane, first + lane * x->lane, 8);
    for (ptrdiff_t i = s->lanes; i < s->w * s->lanes; i++)
        factors[i] = factors[i - s->lanes];
}

/* An integer in the range of what is stored, half to even; NaN is 0. */
static inline int32_t ap_saturated(double x, double least, double most)
{
    x = x == x ? x : 0;
    x = x < least ? least : x;
    x = x > most ? most : x;
    return (int32_t) ((x + 6755399441055744.0) - 6755399441055744.0);
}

static inline void ap_store_scaled(
    const ap_scaled *s, double *AP_RESTRICT x, ptrdiff_t n, char *AP_RESTRICT out)
{
    const double least = s->least, most = s->most;
    if (s->result == AP_TO_1)
        for (ptrdiff_t i = 0; i < n; i++)
            ((uint8_t *) out)[i] = (uint8_t) ap_saturated(x[i], least, most);
    else if (s->result == AP_TO_2)
        for (ptrdiff_t i = 0; i < n; i++) {
            const uint16_t rounded = (uint16_t) ap_saturated(x[i], least, most);
            memcpy(out + 2 * i, &rounded, 2);
        }
    else if (s->result == AP_TO_FLOAT32)
        for (ptrdiff_t i = 0; i < n; i++) {
            float rounded = (float) x[i];
            rounded = rounded == rounded ? rounded : (float) NAN;
            memcpy(out + 4 * i, &rounded, 4);
        }
    else {
        for (ptrdiff_t i = 0; i < n; i++)
            x[i] = x[i] == x[i] ? x[i] : NAN;
        if (s->result == AP_TO_FLOAT64)
            memcpy(out, x, (size_t) n * 8);
        else
            ap_narrow_means(x, n, s->result, out);
    }
}

/* Colours that lie side by side, each to a run of its own. All but w are literals. */
AP_ALWAYS void ap_part_colours(
    const char *AP_RESTRICT copy, ptrdiff_t w, const ptrdiff_t lanes, const size_t size,
    char *AP_RESTRICT out, ptrdiff_t step)
{
    for (ptrdiff_t lane = 0; lane < lanes; lane++, copy += size, out += step)
        for (ptrdiff_t i = 0; i < w; i++)
            memcpy(out + i * (ptrdiff_t) size, copy + i * lanes * (ptrdiff_t) size, size);
}

/* Store a line of lanes that are no run in memory. */
static inline void ap_store_lanes(const ap_scaled *s, const char *copy, char *out)
{
    const ptrdiff_t size = s->out.itemsize, step = s->out.lane;
    if (s->lanes == 3 && s->out.w == size && size == 4)
        ap_part_colours(copy, s->w, 3, 4, out, step);
    else if (s->lanes == 3 && s->out.w == size && size == 2)
        ap_part_colours(copy, s->w, 3, 2, out, step);
    else
        for (ptrdiff_t lane = 0; lane < s->lanes; lane++)
            ap_copy_words(
                copy + lane * size, s->lanes * size, s->w, out + lane * step, s->out.w, size);
}

/* Scale the means of a box, which lie side by side, and store them. Scratch has three numbers for
   each result of a line. */
static inline void ap_finish_box(const ap_scaled *s, double *AP_RESTRICT means, double *scratch)
{
    const ptrdiff_t n = s->w * s->lanes, size = s->out.itemsize;
    const int run = (s->lanes == 1 || s->out.lane == size)
        && (s->w == 1 || s->out.w == s->lanes * size);
    double *AP_RESTRICT scale = scratch, *AP_RESTRICT offset = scratch + n;
    char *copy = (char *) (scratch + 2 * n);
    for (ptrdiff_t batch = 0; batch < s->batches; batch++)
        for (ptrdiff_t channel = 0; channel < s->channels; channel++) {
            char *plane = s->out.data + batch * s->out.batch + channel * s->out.channel;
            ap_set_factors(s, &s->scale, batch, channel, scale);
            ap_set_factors(s, &s->offset, batch, channel, offset);
            for (ptrdiff_t line = 0; line < s->d * s->h; line++, means += n) {
                char *out = plane + line / s->h * s->out.d + line % s->h * s->out.h;
                for (ptrdiff_t i = 0; i < n; i++)
                    means[i] = means[i] * scale[i] + offset[i];
                ap_store_scaled(s, means, n, run ? out : copy);
                if (!run)
                    ap_store_lanes(s, copy, out);
            }
        }
}

#endif
