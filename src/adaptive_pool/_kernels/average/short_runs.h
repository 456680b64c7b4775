/* Sums of integers of 8 and 16 bits that are a run in memory: exact, in any order. Plain C, of
   which compilers make vectors. */
#ifndef AP_SHORT_RUNS_H
#define AP_SHORT_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "simd/compiler.h"

enum { AP_SHORT_BLOCK = 65536 };    /* elements whose sum, of any type here, fits 32 bits */

#define AP_RUN_OF(name, element, total) \
    static int64_t name(const void *run, ptrdiff_t n) \
    { \
        const element *x = (const element *) run; \
        int64_t sum = 0; \
        for (ptrdiff_t count; n > 0; n -= count, x += count) { \
            total block = 0; \
            count = n < AP_SHORT_BLOCK ? n : AP_SHORT_BLOCK; \
            for (ptrdiff_t i = 0; i < count; i++) \
                block += x[i]; \
            sum += block; \
        } \
        return sum; \
    }
AP_RUN_OF(ap_sum_uint8, uint8_t, uint32_t)
AP_RUN_OF(ap_sum_int8, int8_t, int32_t)
AP_RUN_OF(ap_sum_uint16, uint16_t, uint32_t)
AP_RUN_OF(ap_sum_int16, int16_t, int32_t)
#undef AP_RUN_OF

static inline int64_t ap_sum_short_run(const void *run, ptrdiff_t n, int itemsize, int negative)
{
    if (itemsize == 1)
        return negative ? ap_sum_int8(run, n) : ap_sum_uint8(run, n);
    return negative ? ap_sum_int16(run, n) : ap_sum_uint16(run, n);
}

#endif
