/* Elements that do not count: their gradient is 0. */
#ifndef AP_UNCOUNTED_H
#define AP_UNCOUNTED_H

#include "average_backward/flags.h"

enum { AP_WHOLE = 16 }; /* elements of a row that is one copy, or zeros */

/* Words that count, and 0 for others: copied, or in place. */
#define AP_KEEP_WORDS(name, type) \
    static inline void ap_keep_##name( \
        const char *AP_RESTRICT from, char *AP_RESTRICT out, ptrdiff_t n, \
        const uint8_t *AP_RESTRICT flags) \
    { \
        for (ptrdiff_t i = 0; i < n; i++) { \
            type word; \
            memcpy(&word, from + i * (ptrdiff_t) sizeof word, sizeof word); \
            word = flags[i] != 0 ? word : 0; \
            memcpy(out + i * (ptrdiff_t) sizeof word, &word, sizeof word); \
        } \
    } \
    static inline void ap_zero_##name( \
        char *AP_RESTRICT out, ptrdiff_t n, const uint8_t *AP_RESTRICT flags) \
    { \
        for (ptrdiff_t i = 0; i < n; i++) { \
            type word; \
            memcpy(&word, out + i * (ptrdiff_t) sizeof word, sizeof word); \
            word = flags[i] != 0 ? word : 0; \
            memcpy(out + i * (ptrdiff_t) sizeof word, &word, sizeof word); \
        } \
    }

AP_KEEP_WORDS(short, uint16_t)
AP_KEEP_WORDS(word, uint32_t)
AP_KEEP_WORDS(long, uint64_t)

static inline void ap_keep_run(
    const char *from, char *out, ptrdiff_t size, ptrdiff_t n, const uint8_t *flags)
{
    if (from == out && size == 2)
        ap_zero_short(out, n, flags);
    else if (from == out && size == 4)
        ap_zero_word(out, n, flags);
    else if (from == out)
        ap_zero_long(out, n, flags);
    else if (size == 2)
        ap_keep_short(from, out, n, flags);
    else if (size == 4)
        ap_keep_word(from, out, n, flags);
    else
        ap_keep_long(from, out, n, flags);
}

static inline void ap_keep_rows(
    const ap_box *b, char *out, char *from, char *x, char *where, ptrdiff_t rows, ptrdiff_t n,
    ap_seen *seen)
{
    const ptrdiff_t size = b->out.itemsize;
    ap_flag_rows(b, x, where, rows, n, seen->raw, seen->flags);
    if (ap_is_run(&b->out, rows, n) && ap_is_run(&b->from, rows, n)) {
        ap_keep_run(from, out, size, rows * n, seen->flags);
        return;
    }
    const int are_runs = ap_is_run(&b->out, 1, n) && ap_is_run(&b->from, 1, n);
    for (ptrdiff_t k = 0; k < rows; k++) {
        const ptrdiff_t row = ap_next(k, rows);
        const uint8_t *flags = seen->flags + row * n;
        char *target = ap_on(&b->out, out, row, 0), *source = ap_on(&b->from, from, row, 0);
        if (are_runs)
            ap_keep_run(source, target, size, n, flags);
        else
            for (ptrdiff_t i = 0; i < n; i++) {
                if (flags[i] == 0)
                    memset(target, 0, (size_t) size);
                else
                    ap_copy_word(source, target, size);
                target += b->out.steps[4];
                source += b->from.steps[4];
            }
    }
}

/* Rows all of whose elements count, or none. */
static inline void ap_keep_whole_rows(
    const ap_box *b, char *out, char *from, char *x, char *where, ptrdiff_t rows, ptrdiff_t n,
    ap_seen *seen)
{
    const size_t bytes = (size_t) (n * b->out.itemsize);
    (void) x;
    (void) seen;
    for (ptrdiff_t k = 0; k < rows; k++) {
        const ptrdiff_t row = ap_next(k, rows);
        char *target = ap_on(&b->out, out, row, 0), *source = ap_on(&b->from, from, row, 0);
        if (where != NULL && *ap_on(&b->where, where, row, 0) == 0)
            memset(target, 0, bytes);
        else if (source != target)
            memcpy(target, source, bytes);
    }
}

/* Store what counts of a box, and 0 for what does not; x and where may be NULL. Where `from` has
   no steps, its elements may be the first ones of the box. */
static void ap_keep_counted(ap_box *b, char *scratch)
{
    const int whole = b->x.data == NULL && (b->where.data == NULL || b->where.steps[4] == 0)
        && b->out.steps[4] == b->out.itemsize && b->from.steps[4] == b->out.itemsize;
    ap_each_rows(b, whole && b->sizes[4] >= AP_WHOLE ? ap_keep_whole_rows : ap_keep_rows, scratch);
}

#endif
