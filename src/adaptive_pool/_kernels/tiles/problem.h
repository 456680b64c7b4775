/* Arrays and axes as kernels in C see them, and what all plans need. */
#ifndef AP_PROBLEM_H
#define AP_PROBLEM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Steps in bytes along the canonical axes. */
typedef struct {
    char *data;
    ptrdiff_t itemsize, batch, channel, d, h, w, lane;
} ap_array;

/* Windows along an axis. */
typedef struct {
    ptrdiff_t size, count, shortest, longest;
    int monotone;
    const int64_t *starts, *ends;
    /* Weights of elements, as call/tables.pxd has them; of most rules `firsts` is NULL. */
    const int64_t *firsts, *lasts, *whole_starts, *whole_ends;
    ptrdiff_t fewest, most;
    int64_t whole, total, unit;
} ap_axis;

static inline double ap_weight(const ap_axis *axis, ptrdiff_t o)
{
    return (double) (axis->firsts != NULL ? axis->total : axis->ends[o] - axis->starts[o]);
}

static inline ptrdiff_t ap_pieces(ptrdiff_t whole, ptrdiff_t piece)
{
    return (whole + piece - 1) / piece;
}

static inline ptrdiff_t ap_min(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
}

static inline ptrdiff_t ap_max(ptrdiff_t a, ptrdiff_t b)
{
    return a > b ? a : b;
}

/* The inputs that some windows cover; they need not be in order. */
static inline void ap_cover(
    const ap_axis *axis, ptrdiff_t o0, ptrdiff_t o1, ptrdiff_t *begin, ptrdiff_t *end)
{
    *begin = axis->starts[o0];
    *end = axis->ends[axis->monotone ? o1 - 1 : o0];
    if (axis->monotone)
        return;
    for (ptrdiff_t o = o0 + 1; o < o1; o++) {
        *begin = ap_min(*begin, axis->starts[o]);
        *end = ap_max(*end, axis->ends[o]);
    }
}

/* The most windows, at most `most`, that nowhere cover more than `reach` inputs, or 1. */
static inline ptrdiff_t ap_span(const ap_axis *axis, ptrdiff_t most, ptrdiff_t reach)
{
    ptrdiff_t span = ap_max(ap_min(most, axis->count), 1);
    while (axis->size > reach && span > 1) {
        int fits = 1;
        for (ptrdiff_t o = 0, begin, end; fits && o < axis->count; o += span) {
            ap_cover(axis, o, ap_min(o + span, axis->count), &begin, &end);
            fits = end - begin <= reach;
        }
        if (fits)
            break;
        span = (span + 1) / 2;
    }
    return span;
}

/* Whether all elements are aligned. */
static inline int ap_is_aligned(const ap_array *x)
{
    const size_t bits = (size_t) x->data | (size_t) x->batch | (size_t) x->channel | (size_t) x->d
        | (size_t) x->h | (size_t) x->w | (size_t) x->lane;
    return bits % (size_t) x->itemsize == 0;
}

static inline void ap_copy_word(const char *source, char *target, ptrdiff_t size)
{
    if (size == 1)
        *target = *source;
    else if (size == 2)
        memcpy(target, source, 2);
    else if (size == 4)
        memcpy(target, source, 4);
    else
        memcpy(target, source, 8);
}

/* Words with any steps. */
static inline void ap_copy_words(
    const char *source, ptrdiff_t step, ptrdiff_t n, char *target, ptrdiff_t target_step,
    ptrdiff_t size)
{
    for (ptrdiff_t i = 0; i < n; i++, source += step, target += target_step)
        ap_copy_word(source, target, size);
}

#endif
