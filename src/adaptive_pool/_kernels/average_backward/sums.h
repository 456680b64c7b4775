/* Sums of runs of float64, side by side. What is written never overlaps what is read: without
   saying so, compilers look for it at each call, and calls are short. */
#ifndef AP_BACKWARD_SUMS_H
#define AP_BACKWARD_SUMS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

#define AP_LANES 8

static inline void ap_add_run(const double *AP_RESTRICT run, ptrdiff_t n, double *AP_RESTRICT sums)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] += run[i];
}

/* sums[i] += weight * run[i], or what `sums` begin with. A call, as is the next one: where nothing
   is weighed, it takes no registers. */
AP_APART void ap_weigh_run(
    const double *AP_RESTRICT run, ptrdiff_t n, double weight, int begin,
    double *AP_RESTRICT sums)
{
    for (ptrdiff_t i = 0; begin && i < n; i++)
        sums[i] = weight * run[i];
    for (ptrdiff_t i = 0; !begin && i < n; i++)
        sums[i] += weight * run[i];
}

/* Runs of n of the windows that hold an element: the first and the last weigh what they are given,
   those between have all that they have in it. */
AP_APART void ap_weigh_windows(
    const double *AP_RESTRICT runs, ptrdiff_t count, ptrdiff_t n, double first, double between,
    double last, double *AP_RESTRICT sums)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] = first * runs[i];
    for (ptrdiff_t k = 1; k < count; k++) {
        const double weight = k < count - 1 ? between : last;
        for (ptrdiff_t i = 0; i < n; i++)
            sums[i] += weight * runs[k * n + i];
    }
}

/* sums[i] = the sum over k of runs[k * step + i], in order; of at least two runs. */
static inline void ap_sum_runs(
    const double *AP_RESTRICT runs, ptrdiff_t count, ptrdiff_t step, ptrdiff_t n,
    double *AP_RESTRICT sums)
{
    ptrdiff_t i = 0;
    for (; i + AP_LANES <= n; i += AP_LANES) {
        const double *run = runs + i;
        double sum[AP_LANES];
        for (int lane = 0; lane < AP_LANES; lane++)
            sum[lane] = run[lane] + run[step + lane];
        run += step;
        for (ptrdiff_t k = 2; k < count; k++) {
            run += step;
            for (int lane = 0; lane < AP_LANES; lane++)
                sum[lane] += run[lane];
        }
        for (int lane = 0; lane < AP_LANES; lane++)
            sums[i + lane] = sum[lane];
    }
    for (; i < n; i++) {
        double sum = runs[i] + runs[step + i];
        for (ptrdiff_t k = 2; k < count; k++)
            sum += runs[k * step + i];
        sums[i] = sum;
    }
}

/* sums[i] = the sum of line[first[step * i]] to line[last[step * i] - 1]. Mostly of one or two:
   no branch depends on which. */
static void ap_sum_segments(
    const double *AP_RESTRICT line, const ptrdiff_t *first, const ptrdiff_t *last, ptrdiff_t step,
    ptrdiff_t segments, double *AP_RESTRICT sums)
{
    for (ptrdiff_t i = 0; i < segments; i++, first += step, last += step) {
        const ptrdiff_t count = *last - *first;
        const double *x = line + *first;
        double sum = 0.0, other;
        uint64_t bits;
        if (count > 0) {
            memcpy(&bits, x + count - 1, sizeof bits);
            bits &= (uint64_t) (count < 2) - 1;
            memcpy(&other, &bits, sizeof other);
            sum = x[0];
            for (ptrdiff_t k = 1; k < count - 1; k++)
                sum += x[k];
            sum += other;
        }
        sums[i] = sum;
    }
}

/* Rounded to float32. NaN is looked for when it is narrow: vectors hold twice as many. */
static inline void ap_store_floats(
    const double *AP_RESTRICT sums, ptrdiff_t n, float *AP_RESTRICT out)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        float sum = (float) sums[i];
        out[i] = sum != sum ? (float) NAN : sum;
    }
}

static inline void ap_store_doubles(
    const double *AP_RESTRICT sums, ptrdiff_t n, double *AP_RESTRICT out)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = sums[i] == sums[i] ? sums[i] : NAN;
}

/* Shares of float32: shares[i] = 0.0 + x[i] * factor; the sum of 0.0 and -0.0 is 0.0. */
static inline void ap_share_floats(
    const float *AP_RESTRICT x, ptrdiff_t n, double factor, double *AP_RESTRICT shares)
{
    for (ptrdiff_t i = 0; i < n; i++)
        shares[i] = 0.0 + x[i] * factor;
}

static inline void ap_share_doubles(
    const double *AP_RESTRICT x, ptrdiff_t n, double size, double *AP_RESTRICT shares)
{
    for (ptrdiff_t i = 0; i < n; i++)
        shares[i] = 0.0 + x[i] / size;
}

/* The same, each with a factor or size of its own. */
static inline void ap_share_each_float(
    const float *AP_RESTRICT x, ptrdiff_t n, const double *AP_RESTRICT factors,
    double *AP_RESTRICT shares)
{
    for (ptrdiff_t i = 0; i < n; i++)
        shares[i] = 0.0 + x[i] * factors[i];
}

static inline void ap_share_each_double(
    const double *AP_RESTRICT x, ptrdiff_t n, const double *AP_RESTRICT sizes,
    double *AP_RESTRICT shares)
{
    for (ptrdiff_t i = 0; i < n; i++)
        shares[i] = 0.0 + x[i] / sizes[i];
}

/* Shares by one factor, added to what is there. */
static inline void ap_add_share_floats(
    const float *AP_RESTRICT x, ptrdiff_t n, double factor, double *AP_RESTRICT sums)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] += x[i] * factor;
}

static inline void ap_add_share_doubles(
    const double *AP_RESTRICT x, ptrdiff_t n, double size, double *AP_RESTRICT sums)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] += x[i] / size;
}

#endif
