/* Weights of windows that hold their first or last elements in part, and sums that are weighed. */
#ifndef AP_AVERAGE_WEIGHTS_H
#define AP_AVERAGE_WEIGHTS_H

#include "average/kinds.h"
#include "tiles/problem.h"

AP_ALWAYS ap_weights ap_weights_of(const ap_axis *axis, ptrdiff_t o)
{
    const ptrdiff_t size = axis->ends[o] - axis->starts[o];
    if (axis->firsts == NULL) {
        const ap_weights alike = {1, 0, 0, size};
        return alike;
    }
    const int64_t first = axis->firsts[o], last = axis->lasts[o];
    const ap_weights weights = {axis->whole, first, last, size - (first > 0) - (last > 0)};
    return weights;
}

/* What the k-th of `size` elements weighs. */
static inline double ap_weight_at(ap_weights w, ptrdiff_t k, ptrdiff_t size)
{
    return (double) (k == 0 && w.first > 0 ? w.first : k == size - 1 && w.last > 0 ? w.last
                     : w.whole);
}

/* value * factor, and what is rounded away: exact for factors below 2**26. The last 27 bits of the
   value are multiplied by themselves (Dekker, "A floating-point technique for extending the
   available precision", 1971), so no processor needs fma() for it. */
AP_ALWAYS double ap_product(double value, double factor, double *rest)
{
    uint64_t bits;
    double high;
    memcpy(&bits, &value, 8);
    bits &= ~(uint64_t) 0x7ffffff;
    memcpy(&high, &bits, 8);
    const double product = value * factor;
    *rest = (high * factor - product) + (value - high) * factor;
    return product;
}

/* A sum of two numbers, and what is rounded away (Knuth). */
AP_ALWAYS double ap_two_sum(double a, double b, double *rest)
{
    const double sum = a + b, other = sum - a;
    *rest = (a - (sum - other)) + (b - other);
    return sum;
}

AP_ALWAYS double ap_double_at(const char *place)
{
    double number;
    memcpy(&number, place, 8);
    return number;
}

AP_ALWAYS int64_t ap_long_at(const char *place)
{
    int64_t number;
    memcpy(&number, place, 8);
    return number;
}

/* target = whole * target + first * firsts + last * lasts, of n sums of a family; or without those
   terms that are not there. All flags are literals. */
AP_ALWAYS void ap_weigh_some(
    const int family, const int has_inner, const int has_first, const int has_last, ap_weights w,
    const char *AP_RESTRICT firsts, const char *AP_RESTRICT lasts, ptrdiff_t n,
    char *AP_RESTRICT target, ptrdiff_t part)
{
    const double whole = (double) w.whole, first = (double) w.first, last = (double) w.last;
    for (ptrdiff_t i = 0; i < 8 * n; i += 8) {
        if (family == AP_DOUBLE_SUMS) {
            double sum = -0.0;
            if (has_inner)
                sum = whole * ap_double_at(target + i);
            if (has_first)
                sum += first * ap_double_at(firsts + i);
            if (has_last)
                sum += last * ap_double_at(lasts + i);
            memcpy(target + i, &sum, 8);
        } else if (family == AP_TWOFOLD_SUMS) {
            double sum = -0.0, error = 0, rest, other, product;
            if (has_inner) {
                sum = ap_product(ap_double_at(target + i), whole, &rest);
                error = rest + whole * ap_double_at(target + part + i);
            }
            if (has_first) {
                product = ap_product(ap_double_at(firsts + i), first, &rest);
                sum = ap_two_sum(sum, product, &other);
                error = (error + (rest + first * ap_double_at(firsts + part + i))) + other;
            }
            if (has_last) {
                product = ap_product(ap_double_at(lasts + i), last, &rest);
                sum = ap_two_sum(sum, product, &other);
                error = (error + (rest + last * ap_double_at(lasts + part + i))) + other;
            }
            memcpy(target + i, &sum, 8);
            memcpy(target + part + i, &error, 8);
        } else {
            int64_t sum = has_inner ? w.whole * ap_long_at(target + i) : 0;
            int64_t low = has_inner ? w.whole * ap_long_at(target + part + i) : 0;
            sum += has_first ? w.first * ap_long_at(firsts + i) : 0;
            low += has_first ? w.first * ap_long_at(firsts + part + i) : 0;
            sum += has_last ? w.last * ap_long_at(lasts + i) : 0;
            low += has_last ? w.last * ap_long_at(lasts + part + i) : 0;
            memcpy(target + i, &sum, 8);
            if (family == AP_PAIR_SUMS)
                memcpy(target + part + i, &low, 8);
        }
    }
}

/* The windows o0:o1 along W of few lanes: target = whole * target + first * the first column + last
   * the last one, of a line whose first column would be 0. What is not there in part adds nothing:
   a choice, not a branch, so that the loop over windows of one lane vectorises. */
AP_ALWAYS void ap_weigh_each(
    const int family, const ap_axis *axis, ptrdiff_t o0, ptrdiff_t o1, const char *line,
    const ptrdiff_t lanes, char *AP_RESTRICT target, ptrdiff_t part)
{
    const int64_t *starts = axis->starts, *ends = axis->ends;
    const int64_t *firsts = axis->firsts, *lasts = axis->lasts;
    const double whole = (double) axis->whole;
    for (ptrdiff_t o = o0; o < o1; o++)
        for (ptrdiff_t lane = 0; lane < lanes; lane++, target += 8) {
            const char *x = line + 8 * (starts[o] * lanes + lane);
            const char *y = line + 8 * ((ends[o] - 1) * lanes + lane);
            if (family == AP_DOUBLE_SUMS) {
                double sum = whole * ap_double_at(target), first, last;
                first = (double) firsts[o] * ap_double_at(x);
                last = (double) lasts[o] * ap_double_at(y);
                sum += firsts[o] > 0 ? first : -0.0;
                sum += lasts[o] > 0 ? last : -0.0;
                memcpy(target, &sum, 8);
            } else {
                const ap_weights w = ap_weights_of(axis, o), all = {w.whole, w.first, w.last, 1};
                if (w.first > 0 && w.last > 0)
                    ap_weigh_some(family, 1, 1, 1, all, x, y, 1, target, part);
                else if (w.first > 0)
                    ap_weigh_some(family, 1, 1, 0, all, x, y, 1, target, part);
                else
                    ap_weigh_some(family, 1, 0, 1, all, x, y, 1, target, part);
            }
        }
}

/* Of n sums, and of windows along W. In the order of families, see kinds.h. */
typedef struct {
    void (*sums)(
        ap_weights w, const char *firsts, const char *lasts, ptrdiff_t n, char *target,
        ptrdiff_t part);
    void (*windows)(
        const ap_axis *axis, ptrdiff_t o0, ptrdiff_t o1, const char *line, ptrdiff_t lanes,
        char *target, ptrdiff_t part);
} ap_weigh;

#define AP_WEIGH(name, family) \
    static void ap_weigh_##name( \
        ap_weights w, const char *firsts, const char *lasts, ptrdiff_t n, char *target, \
        ptrdiff_t part) \
    { \
        if (w.inner > 0 && w.first > 0 && w.last > 0) \
            ap_weigh_some(family, 1, 1, 1, w, firsts, lasts, n, target, part); \
        else if (w.inner > 0 && w.first > 0) \
            ap_weigh_some(family, 1, 1, 0, w, firsts, lasts, n, target, part); \
        else if (w.inner > 0 && w.last > 0) \
            ap_weigh_some(family, 1, 0, 1, w, firsts, lasts, n, target, part); \
        else if (w.inner > 0) \
            ap_weigh_some(family, 1, 0, 0, w, firsts, lasts, n, target, part); \
        else if (w.first > 0 && w.last > 0) \
            ap_weigh_some(family, 0, 1, 1, w, firsts, lasts, n, target, part); \
        else if (w.first > 0) \
            ap_weigh_some(family, 0, 1, 0, w, firsts, lasts, n, target, part); \
        else \
            ap_weigh_some(family, 0, 0, 1, w, firsts, lasts, n, target, part); \
    } \
    static void ap_weigh_windows_##name( \
        const ap_axis *axis, ptrdiff_t o0, ptrdiff_t o1, const char *line, ptrdiff_t lanes, \
        char *target, ptrdiff_t part) \
    { \
        if (lanes == 1) \
            ap_weigh_each(family, axis, o0, o1, line, 1, target, part); \
        else \
            ap_weigh_each(family, axis, o0, o1, line, lanes, target, part); \
    }
AP_WEIGH(doubles, AP_DOUBLE_SUMS)
AP_WEIGH(twofold, AP_TWOFOLD_SUMS)
AP_WEIGH(longs, AP_LONG_SUMS)
AP_WEIGH(pairs, AP_PAIR_SUMS)
#undef AP_WEIGH

static const ap_weigh ap_all_weigh[] = {
    {ap_weigh_doubles, ap_weigh_windows_doubles},
    {ap_weigh_twofold, ap_weigh_windows_twofold},
    {ap_weigh_longs, ap_weigh_windows_longs},
    {ap_weigh_pairs, ap_weigh_windows_pairs},
};

/* The same of counts. */
static inline void ap_weigh_counts(
    ap_weights w, const uint32_t *firsts, const uint32_t *lasts, ptrdiff_t n, uint32_t *counts)
{
    for (ptrdiff_t i = 0; i < n; i++)
        counts[i] = w.inner > 0 ? (uint32_t) w.whole * counts[i] : 0;
    for (ptrdiff_t i = 0; w.first > 0 && i < n; i++)
        counts[i] += (uint32_t) w.first * firsts[i];
    for (ptrdiff_t i = 0; w.last > 0 && i < n; i++)
        counts[i] += (uint32_t) w.last * lasts[i];
}

#endif
