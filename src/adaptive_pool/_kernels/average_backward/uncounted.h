/* Elements that do not count: their gradient is 0. */
#ifndef AP_UNCOUNTED_H
#define AP_UNCOUNTED_H

#include "average_backward/box.h"

enum { AP_WHOLE = 16 }; /* elements of a row that is one copy, or zeros */

static const char ap_zeros[8];

static inline void ap_keep_rows(
    const ap_box *b, char *out, char *from, char *x, char *where, ptrdiff_t rows, ptrdiff_t n,
    ap_seen *seen)
{
    const ptrdiff_t size = b->out.itemsize;
    const uint8_t *all = ap_flags_of_rows(b, x, where, rows, n, seen->raw, seen->flags);
    if (ap_is_run(&b->out, rows, n) && ap_is_run(&b->from, rows, n)) {
        ap_keep_run(from, out, size, rows * n, all, ap_zeros);
        return;
    }
    const int are_runs = ap_is_run(&b->out, 1, n) && ap_is_run(&b->from, 1, n);
    for (ptrdiff_t k = 0; k < rows; k++) {
        const ptrdiff_t row = ap_next(k, rows);
        const uint8_t *flags = all + row * n;
        char *target = ap_on(&b->out, out, row, 0), *source = ap_on(&b->from, from, row, 0);
        if (are_runs)
            ap_keep_run(source, target, size, n, flags, ap_zeros);
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
