/* Totals of windows of short integers, of 32768 elements at most, to means rounded once.

   Totals have 32 bits, or 16 if they are TINY: of up to 257 elements of 8 bits without a sign.

   A mean is a total times or by `scale * rows`, where `scale` is that of the columns of its window:
   their number, or its inverse. */
#ifndef AP_SHORT_MEANS_H
#define AP_SHORT_MEANS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Integers, half to even. Totals are multiplied by inverses, which may miss an integer and a half
   by a little: what it is rounded to first, a multiple of a power of two, is that again. Anything
   else is as far from a half as 1 / (2 * size), and stays on its side of it. The last addition
   leaves the integer in the low bits.

   float32: up to 1024 elements of 8 bits. The product has four roundings, of 2^-24 each, and is
   below 2^8: it is 2^-14 off at most. Multiples of 2^-12; others are 2^-11 from a half.
   float64: up to 32768 elements of 16 bits, 2^16 * 2^-51 = 2^-35. Multiples of 2^-20; 2^-16. */
static inline uint32_t ap_rounded_float(float mean)
{
    uint32_t bits;
    mean = (mean + 3072.0f) - 3072.0f;
    mean += 12582912.0f;
    memcpy(&bits, &mean, sizeof bits);
    return bits;
}

static inline uint64_t ap_rounded_double(double mean)
{
    uint64_t bits;
    mean = (mean + 6442450944.0) - 6442450944.0;
    mean += 6755399441055744.0;
    memcpy(&bits, &mean, sizeof bits);
    return bits;
}

enum ap_short_mean {
    AP_BYTES_OF_TINY,       /* scales are inverses in float32, */
    AP_BYTES_BY_FLOAT,
    AP_BYTES_BY_DOUBLE,     /* and in float64, */
    AP_WORDS_BY_DOUBLE,
    AP_FLOATS_OF_TINY,      /* numbers of columns in float32, if totals are below 2^24, */
    AP_FLOATS_BY_FLOAT,
    AP_FLOATS_BY_DOUBLE,    /* and in float64: means.h says why this is one rounding */
    AP_DOUBLES
};

#define AP_MEANS(mode, total_t, scale_t, mean_t, mean) \
    case mode: \
        for (ptrdiff_t i = 0; i < n; i++) { \
            const scale_t total = (scale_t) ((const total_t *) totals)[i]; \
            const scale_t scale = ((const scale_t *) scales)[i] * (scale_t) rows; \
            ((mean_t *) out)[i] = (mean_t) (mean); \
        } \
        break

/* n means, side by side. */
static void ap_short_means(
    int mode, const void *totals, ptrdiff_t n, const void *scales, double rows, void *out)
{
    if (mode <= AP_WORDS_BY_DOUBLE)
        rows = 1 / rows;
    switch (mode) {
        AP_MEANS(AP_BYTES_OF_TINY, uint16_t, float, uint8_t, ap_rounded_float(total * scale));
        AP_MEANS(AP_BYTES_BY_FLOAT, int32_t, float, uint8_t, ap_rounded_float(total * scale));
        AP_MEANS(AP_BYTES_BY_DOUBLE, int32_t, double, uint8_t, ap_rounded_double(total * scale));
        AP_MEANS(AP_WORDS_BY_DOUBLE, int32_t, double, uint16_t, ap_rounded_double(total * scale));
        AP_MEANS(AP_FLOATS_OF_TINY, uint16_t, float, float, total / scale);
        AP_MEANS(AP_FLOATS_BY_FLOAT, int32_t, float, float, total / scale);
        AP_MEANS(AP_FLOATS_BY_DOUBLE, int32_t, double, float, total / scale);
        AP_MEANS(AP_DOUBLES, int32_t, double, double, total / scale);
    }
}

static int ap_is_float_scale(int mode)
{
    return mode == AP_BYTES_OF_TINY || mode == AP_BYTES_BY_FLOAT
        || mode == AP_FLOATS_OF_TINY || mode == AP_FLOATS_BY_FLOAT;
}

#define AP_SCALES(scale_t) \
    for (ptrdiff_t ow = 0; ow < windows; ow++) { \
        const double columns = lines * (double) (ends[ow] - starts[ow]); \
        const scale_t scale = (scale_t) (mode <= AP_WORDS_BY_DOUBLE ? 1 / columns : columns); \
        for (ptrdiff_t lane = 0; lane < lanes; lane++) \
            ((scale_t *) scales)[ow * lanes + lane] = scale; \
    }

/* The scales of windows of so many lines, for each of their lanes. */
static void ap_set_short_scales(
    int mode, double lines, const int64_t *starts, const int64_t *ends, ptrdiff_t windows,
    ptrdiff_t lanes, void *scales)
{
    if (ap_is_float_scale(mode)) {
        AP_SCALES(float)
    } else {
        AP_SCALES(double)
    }
}

#endif
