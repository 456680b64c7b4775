/* Rows filled with runs of one value each, by words of 2, 4 or 8 bytes. */
#ifndef AP_BACKWARD_FILL_H
#define AP_BACKWARD_FILL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

/* Words that are stored at once: a vector of 32 bytes at most. */
#define AP_STEP(word_t) ((ptrdiff_t) (sizeof(word_t) == 8 ? 4 : 8))

#ifdef __GNUC__
#define AP_PUT(word_t) \
    typedef word_t ap_some_##word_t __attribute__(( \
        vector_size(AP_STEP(word_t) * sizeof(word_t)), aligned(sizeof(word_t)), may_alias)); \
    static inline void ap_put_##word_t(word_t *out, word_t value) \
    { \
        *(ap_some_##word_t *) out = value - (ap_some_##word_t) {0}; \
    }
#else
#define AP_PUT(word_t) \
    static inline void ap_put_##word_t(word_t *out, word_t value) \
    { \
        for (int k = 0; k < AP_STEP(word_t); k++) \
            out[k] = value; \
    }
#endif

/* Run i ends at ends[i] and has values[sources[i]]. What a step writes too much, the next run
   overwrites; the last columns are put together elsewhere, so that nothing is written behind. */
#define AP_FILL(word_t) \
    AP_PUT(word_t) \
    AP_APART void ap_fill_##word_t( \
        const ptrdiff_t *ends, const ptrdiff_t *sources, ptrdiff_t runs, const word_t *values, \
        word_t *row) \
    { \
        const ptrdiff_t step = AP_STEP(word_t), columns = ends[runs - 1], tail = columns - step; \
        word_t some[16], *out = row, *end; \
        ptrdiff_t whole = runs - 1, i = 0, w = 0; \
        while (whole > 0 && ends[whole - 1] > tail) \
            whole--; \
        for (; i < whole; i++) { \
            const word_t value = values[sources[i]]; \
            end = row + ends[i]; \
            do { \
                ap_put_##word_t(out, value); \
                out += step; \
            } while (out < end); \
            out = end; \
        } \
        for (w = out - row; i < runs; i++) { \
            const word_t value = values[sources[i]]; \
            if (tail >= 0) \
                ap_put_##word_t(some + (w > tail ? w - tail : 0), value); \
            for (; w < ends[i] && w <= tail; w += step) \
                ap_put_##word_t(row + w, value); \
            for (; tail < 0 && w < ends[i]; w++) \
                row[w] = value; \
            w = ends[i]; \
        } \
        if (tail >= 0) \
            memcpy(row + tail, some, (size_t) step * sizeof(word_t)); \
    }

/* Rows of one value each, so many bytes apart. */
#define AP_FILL_WHOLE(word_t) \
    AP_APART void ap_fill_whole_##word_t( \
        const word_t *values, ptrdiff_t rows, ptrdiff_t columns, char *out, ptrdiff_t row_step) \
    { \
        const ptrdiff_t step = AP_STEP(word_t), tail = columns - step; \
        for (ptrdiff_t k = 0; k < rows; k++, out += row_step) { \
            const word_t value = values[k]; \
            word_t *row = (word_t *) out; \
            for (ptrdiff_t w = 0; w < tail; w += step) \
                ap_put_##word_t(row + w, value); \
            if (tail >= 0) \
                ap_put_##word_t(row + tail, value); \
            for (ptrdiff_t w = 0; tail < 0 && w < columns; w++) \
                row[w] = value; \
        } \
    }

AP_FILL(uint16_t)
AP_FILL(uint32_t)
AP_FILL(uint64_t)
AP_FILL_WHOLE(uint16_t)
AP_FILL_WHOLE(uint32_t)
AP_FILL_WHOLE(uint64_t)
#undef AP_FILL
#undef AP_FILL_WHOLE
#undef AP_PUT
#undef AP_STEP

#endif
