/* Sums to means, each rounded once, in the type that they are stored as. Every NaN becomes the one
   NaN that all arithmetic here results in: which of two a sum inherits is up to the compiler. */
#ifndef AP_AVERAGE_MEANS_H
#define AP_AVERAGE_MEANS_H

#include <math.h>

#include "average/kinds.h"

enum { AP_SHORT_RUN = 64 }; /* means that are float64 before they are narrowed */

/* Means of n sums, the second numbers of which lie `part` bytes behind. Sums are divided by
   divisors[i * step]; if these are inverses (ap_divides()), they are multiplied. */
typedef void (*ap_means)(
    const char *sums, ptrdiff_t part, ptrdiff_t n, const double *divisors, int step, char *out);

/* What means are stored as: floats, or integers of so many bytes. */
enum {
    AP_TO_FLOAT16, AP_TO_BFLOAT16, AP_TO_FLOAT32, AP_TO_FLOAT64, AP_TO_1, AP_TO_2, AP_TO_4, AP_TO_8
};

/* Whether means are quotients; those that are rounded to 32 bits or fewer may be products. */
static inline int ap_divides(int family, int result)
{
    return family != AP_DOUBLE_SUMS || result >= AP_TO_FLOAT64;
}

/* A mean of integers: sign * (whole + rest / count), 0 <= rest < count. */
typedef struct {
    int negative;
    uint64_t whole, rest, count;
} ap_ratio;

static inline ap_ratio ap_ratio_of_long(int64_t total, uint64_t count)
{
    const uint64_t magnitude = total < 0 ? 0 - (uint64_t) total : (uint64_t) total;
    ap_ratio ratio = {total < 0, magnitude / count, magnitude % count, count};
    return ratio;
}

/* Long division by digits of 32 bits. Nothing overflows: `check_exact_sum` in _dtypes.py lets no
   window of integers of 32 or 64 bits have more than 2**30 elements. */
static inline ap_ratio ap_ratio_of_pair(int64_t high, int64_t low, uint64_t count)
{
    high += low >> 32;
    uint64_t rest = (uint32_t) low;
    ap_ratio ratio = {high < 0, 0, 0, count};
    if (ratio.negative) {
        high = -high - (rest != 0);
        rest = (uint32_t) (0 - rest);
    }
    rest += ((uint64_t) high % count) << 32;
    ratio.whole = (((uint64_t) high / count) << 32) + rest / count;
    ratio.rest = rest % count;
    return ratio;
}

/* The ratio rounded to float64: half to even or, with `to_odd`, towards the odd neighbour. What is
   rounded to odd can be rounded again to a shorter type as if it never had been rounded (Boldo and
   Melquiond, "Emulation of FMA and correctly rounded sums", 2008). */
static inline double ap_double_of_ratio(ap_ratio ratio, int to_odd)
{
    uint64_t digits = ratio.whole, rest = ratio.rest;
    int scale = 0;
    if (digits == 0 && rest == 0)
        return 0.0;
    while (digits < (uint64_t) 1 << 54) { /* until rounding can see two bits more */
        rest <<= 1;
        digits <<= 1;
        if (rest >= ratio.count) {
            rest -= ratio.count;
            digits++;
        }
        scale--;
    }
    digits |= rest != 0;
    for (; to_odd && digits >= (uint64_t) 1 << 53; scale++)
        digits = (digits >> 1) | (digits & 1);
    const double magnitude = ldexp((double) digits, scale);
    return ratio.negative ? -magnitude : magnitude;
}

static inline uint64_t ap_integer_of_ratio(ap_ratio ratio)
{
    const uint64_t other = ratio.count - ratio.rest;
    ratio.whole += ratio.rest > other || (ratio.rest == other && (ratio.whole & 1));
    return ratio.negative ? 0 - ratio.whole : ratio.whole;
}

/* (value + error) / count. Divisions are slow, so the quotient is a product, and what that leaves,
   which fma finds exactly, is divided in the same way: once more what is left, for its last bit. */
static inline double ap_twofold_mean(double value, double error, double count)
{
    const double inverse = 1 / count, mean = value * inverse;
    const double rest = fma(-mean, count, value) + error, part = rest * inverse;
    const double mended = mean + fma(fma(-part, count, rest), inverse, part);
    return rest != 0 ? mended : mean; /* -0.0 + 0.0 would be 0.0 */
}

/* A mean in float64, or rounded to odd if it is exact and will be narrowed. */
AP_ALWAYS double ap_wide_mean(
    const int family, const char *sums, ptrdiff_t part, double divisor, const int to_odd)
{
    const int64_t most = (int64_t) 1 << 53;
    double value, error;
    int64_t total, low;
    memcpy(&value, sums, 8);
    memcpy(&total, sums, 8);
    if (family == AP_DOUBLE_SUMS)
        return to_odd ? value * divisor : value / divisor;
    if (family == AP_TWOFOLD_SUMS) {
        memcpy(&error, sums + part, 8);
        return ap_twofold_mean(value, error, divisor);
    }
    if (family == AP_PAIR_SUMS) {
        memcpy(&low, sums + part, 8);
        return ap_double_of_ratio(ap_ratio_of_pair(total, low, (uint64_t) divisor), to_odd);
    }
    /* Both are exact, so the quotient is correctly rounded, and too far from the halfway points of
       shorter types for a second rounding to matter. */
    if (-most < total && total < most && divisor <= (double) (1 << 28))
        return (double) total / divisor;
    return ap_double_of_ratio(ap_ratio_of_long(total, (uint64_t) divisor), to_odd);
}

AP_ALWAYS void ap_real_means(
    const int family, const char *AP_RESTRICT sums, ptrdiff_t part, ptrdiff_t n,
    const double *AP_RESTRICT divisors, const int step, const int result, char *AP_RESTRICT out)
{
    if (result == AP_TO_FLOAT64)
        for (ptrdiff_t i = 0; i < n; i++) {
            double mean = ap_wide_mean(family, sums + 8 * i, part, divisors[i * step], 0);
            mean = mean == mean ? mean : NAN;
            memcpy(out + 8 * i, &mean, 8);
        }
    else /* AP_TO_FLOAT32 */
        for (ptrdiff_t i = 0; i < n; i++) {
            /* NaN is looked for when it is narrow: a mask for floats from a comparison of doubles
               takes as many instructions as all the rest. */
            float mean = (float) ap_wide_mean(family, sums + 8 * i, part, divisors[i * step], 1);
            mean = mean == mean ? mean : (float) NAN;
            memcpy(out + 4 * i, &mean, 4);
        }
}

/* A call, for it is long, and there are many that need it. */
AP_APART void ap_narrow_means(const double *means, ptrdiff_t n, int result, char *out)
{
    if (result == AP_TO_FLOAT16)
        ap_narrow_to_float16(means, n, out);
    else
        ap_narrow_to_bfloat16(means, n, out);
}

AP_ALWAYS void ap_half_means(
    const int family, const char *sums, ptrdiff_t part, ptrdiff_t n,
    const double *AP_RESTRICT divisors, const int step, const int result, char *out)
{
    double means[AP_SHORT_RUN];
    for (ptrdiff_t done = 0, count; done < n; done += count) {
        count = n - done < AP_SHORT_RUN ? n - done : AP_SHORT_RUN;
        for (ptrdiff_t i = 0; i < count; i++) {
            means[i] = ap_wide_mean(
                family, sums + 8 * (done + i), part, divisors[(done + i) * step], 1);
            means[i] = means[i] == means[i] ? means[i] : NAN;
        }
        ap_narrow_means(means, count, result, out + 2 * done);
    }
}

AP_ALWAYS void ap_integer_means(
    const int family, const char *sums, ptrdiff_t part, ptrdiff_t n, const double *divisors,
    const int step, const int result, char *out)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const uint64_t count = (uint64_t) divisors[i * step];
        int64_t total, low;
        memcpy(&total, sums + 8 * i, 8);
        if (family == AP_PAIR_SUMS)
            memcpy(&low, sums + part + 8 * i, 8);
        const uint64_t mean = ap_integer_of_ratio(
            family == AP_PAIR_SUMS ? ap_ratio_of_pair(total, low, count)
                               : ap_ratio_of_long(total, count));
        if (result == AP_TO_1)
            ((uint8_t *) out)[i] = (uint8_t) mean;
        else if (result == AP_TO_2)
            ((uint16_t *) out)[i] = (uint16_t) mean;
        else if (result == AP_TO_4)
            ((uint32_t *) out)[i] = (uint32_t) mean;
        else
            ((uint64_t *) out)[i] = mean;
    }
}

/* For one divisor, and for one of each sum: literals, so that loops vectorise. */
#define AP_MEANS_OF(name, of, family, result) \
    static void name( \
        const char *sums, ptrdiff_t part, ptrdiff_t n, const double *divisors, int step, \
        char *out) \
    { \
        if (step == 0) \
            of(family, sums, part, n, divisors, 0, result, out); \
        else \
            of(family, sums, part, n, divisors, 1, result, out); \
    }
#define AP_REAL_MEANS(name, family) \
    AP_MEANS_OF(ap_##name##_to_float16, ap_half_means, family, AP_TO_FLOAT16) \
    AP_MEANS_OF(ap_##name##_to_bfloat16, ap_half_means, family, AP_TO_BFLOAT16) \
    AP_MEANS_OF(ap_##name##_to_float32, ap_real_means, family, AP_TO_FLOAT32) \
    AP_MEANS_OF(ap_##name##_to_float64, ap_real_means, family, AP_TO_FLOAT64)
AP_REAL_MEANS(doubles, AP_DOUBLE_SUMS)
AP_REAL_MEANS(twofold, AP_TWOFOLD_SUMS)
AP_REAL_MEANS(longs, AP_LONG_SUMS)
AP_REAL_MEANS(pairs, AP_PAIR_SUMS)
AP_MEANS_OF(ap_longs_to_1, ap_integer_means, AP_LONG_SUMS, AP_TO_1)
AP_MEANS_OF(ap_longs_to_2, ap_integer_means, AP_LONG_SUMS, AP_TO_2)
AP_MEANS_OF(ap_longs_to_4, ap_integer_means, AP_LONG_SUMS, AP_TO_4)
AP_MEANS_OF(ap_pairs_to_8, ap_integer_means, AP_PAIR_SUMS, AP_TO_8)
#define AP_REALS(name) \
    ap_##name##_to_float16, ap_##name##_to_bfloat16, ap_##name##_to_float32, ap_##name##_to_float64

static const ap_means ap_all_means[4][8] = {
    {AP_REALS(doubles), NULL, NULL, NULL, NULL},
    {AP_REALS(twofold), NULL, NULL, NULL, NULL},
    {AP_REALS(longs), ap_longs_to_1, ap_longs_to_2, ap_longs_to_4, NULL},
    {AP_REALS(pairs), NULL, NULL, NULL, ap_pairs_to_8},
};

static inline void ap_means_of_longs(
    int result, const char *sums, ptrdiff_t n, const double *sizes, char *out)
{
    ap_all_means[AP_LONG_SUMS][result](sums, 0, n, sizes, 1, out);
}

#endif
