/* Which elements count, as bytes; how many do, down rows; and copies in which something else stands
   for those that do not. Flags and copies are made by simple loops over what the first cache holds,
   which compilers vectorise. */
#ifndef AP_FLAGS_H
#define AP_FLAGS_H

#include "tiles/counting.h"
#include "tiles/problem.h"

enum { AP_SEEN = 1024 };    /* elements that are looked at, at a time */

/* Scratch: flags, and elements side by side. */
typedef struct {
    uint8_t flags[AP_SEEN];
    char raw[8 * AP_SEEN];
} ap_seen;

/* 1 for what a mask lets count, 0 for others; all count where it is NULL. */
static inline void ap_flag_mask(
    const char *AP_RESTRICT where, ptrdiff_t step, ptrdiff_t n, uint8_t *AP_RESTRICT flags)
{
    if (where == NULL || step == 0)
        memset(flags, where == NULL || *where != 0, (size_t) n);
    else if (step == 1)
        for (ptrdiff_t i = 0; i < n; i++)
            flags[i] = where[i] != 0;
    else
        for (ptrdiff_t i = 0; i < n; i++)
            flags[i] = where[i * step] != 0;
}

/* Sums of columns, added to those that are there unless they are `fresh`: as many as fit a vector,
   down all rows. Of bools any byte but 0 is 1. */
#if defined(__GNUC__)
#if defined(__AVX2__)
typedef uint8_t ap_many_flags __attribute__((vector_size(32)));
#else
typedef uint8_t ap_many_flags __attribute__((vector_size(16)));
#endif
typedef uint8_t ap_8_flags __attribute__((vector_size(8)));

#define AP_ADD_COLUMNS(flags_t) \
    for (; i < n && last + i + (ptrdiff_t) sizeof(flags_t) <= room; \
         i += (ptrdiff_t) sizeof(flags_t)) { \
        flags_t sum = {0}, row; \
        if (!fresh) \
            memcpy(&sum, sums + i, sizeof sum); \
        for (ptrdiff_t k = 0; k < rows; k++) { \
            memcpy(&row, flags + k * step + i, sizeof row); \
            sum = bools ? sum - (flags_t) (row != 0) : sum + row; \
        } \
        memcpy(sums + i, &sum, sizeof sum); \
    }
#else
#define AP_ADD_COLUMNS(flags_t)
#endif

/* Add rows of n flags, so many bytes apart: 255 at most, if sums are fresh. There are `all` rows
   from the first one on: if they are one run, vectors may reach into the next ones. Behind the sums
   there is room for 31 more. */
AP_ALWAYS void ap_add_flags(
    const uint8_t *AP_RESTRICT flags, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t all, ptrdiff_t n,
    const int bools, int fresh, uint8_t *AP_RESTRICT sums)
{
    const ptrdiff_t last = (rows - 1) * step, room = step == n ? all * n : last + n;
    ptrdiff_t i = 0;
    AP_ADD_COLUMNS(ap_many_flags)
    AP_ADD_COLUMNS(ap_8_flags)
    for (ptrdiff_t k = 0; k < rows; k++)
        for (ptrdiff_t j = i; j < n; j++) {
            const int flag = bools ? flags[k * step + j] != 0 : flags[k * step + j];
            sums[j] = (uint8_t) (flag + (fresh && k == 0 ? 0 : sums[j]));
        }
}

/* Words that count, and `nothing` for others: copied, or in place. */
#define AP_KEEP_WORDS(type) \
    static inline void ap_copy_kept_##type( \
        const char *AP_RESTRICT from, char *AP_RESTRICT out, ptrdiff_t n, \
        const uint8_t *AP_RESTRICT flags, type nothing) \
    { \
        for (ptrdiff_t i = 0; i < n; i++) { \
            type word; \
            memcpy(&word, from + i * (ptrdiff_t) sizeof word, sizeof word); \
            word = flags[i] != 0 ? word : nothing; \
            memcpy(out + i * (ptrdiff_t) sizeof word, &word, sizeof word); \
        } \
    } \
    static inline void ap_keep_##type( \
        const char *from, char *out, ptrdiff_t n, const uint8_t *AP_RESTRICT flags, \
        const char *bytes) \
    { \
        char *AP_RESTRICT place = out; \
        type nothing; \
        memcpy(&nothing, bytes, sizeof nothing); \
        if (from != out) { \
            ap_copy_kept_##type(from, out, n, flags, nothing); \
            return; \
        } \
        for (ptrdiff_t i = 0; i < n; i++) { \
            type word; \
            memcpy(&word, place + i * (ptrdiff_t) sizeof word, sizeof word); \
            word = flags[i] != 0 ? word : nothing; \
            memcpy(place + i * (ptrdiff_t) sizeof word, &word, sizeof word); \
        } \
    }

AP_KEEP_WORDS(uint8_t)
AP_KEEP_WORDS(uint16_t)
AP_KEEP_WORDS(uint32_t)
AP_KEEP_WORDS(uint64_t)

static inline void ap_keep_run(
    const char *from, char *out, ptrdiff_t size, ptrdiff_t n, const uint8_t *flags,
    const char *nothing)
{
    if (size == 1)
        ap_keep_uint8_t(from, out, n, flags, nothing);
    else if (size == 2)
        ap_keep_uint16_t(from, out, n, flags, nothing);
    else if (size == 4)
        ap_keep_uint32_t(from, out, n, flags, nothing);
    else
        ap_keep_uint64_t(from, out, n, flags, nothing);
}

#endif
