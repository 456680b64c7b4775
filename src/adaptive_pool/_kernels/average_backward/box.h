/* Which elements of a box count, as bytes. The axes of the box that adjoin in all arrays are one,
   and what is left is taken by rows, AP_SEEN elements at a time. */
#ifndef AP_BOX_H
#define AP_BOX_H

#include "tiles/flags.h"

enum { AP_AXES = 5 };   /* channel, D, H, W, lanes */

/* Where a box begins in an array, or NULL, and the steps from there. */
typedef struct {
    char *data;
    ptrdiff_t itemsize, steps[AP_AXES];
} ap_piece;

/* What is written, from where, and what says which elements count: an input, bools, both or
   neither. */
typedef struct {
    const ap_counting *counting;
    ptrdiff_t sizes[AP_AXES];
    ap_piece out, from, x, where;
} ap_box;

static inline ap_piece ap_piece_of(
    const ap_array *a, ptrdiff_t batch, ptrdiff_t channel, ptrdiff_t d, ptrdiff_t h, ptrdiff_t w,
    ptrdiff_t lane)
{
    ap_piece piece = {NULL, 1, {0}};
    if (a->data == NULL)
        return piece;
    piece.data = a->data + batch * a->batch + channel * a->channel + d * a->d + h * a->h
        + w * a->w + lane * a->lane;
    piece.itemsize = a->itemsize;
    piece.steps[0] = a->channel;
    piece.steps[1] = a->d;
    piece.steps[2] = a->h;
    piece.steps[3] = a->w;
    piece.steps[4] = a->lane;
    return piece;
}

static inline char *ap_at(const ap_piece *p, ptrdiff_t i, ptrdiff_t j, ptrdiff_t k)
{
    return p->data == NULL ? NULL : p->data + i * p->steps[0] + j * p->steps[1] + k * p->steps[2];
}

static inline char *ap_on(const ap_piece *p, char *place, ptrdiff_t row, ptrdiff_t i)
{
    return place == NULL ? NULL : place + row * p->steps[3] + i * p->steps[4];
}

static inline int ap_follows(const ap_piece *p, int axis, int next, ptrdiff_t size)
{
    return p->data == NULL || p->steps[axis] == size * p->steps[next];
}

static inline void ap_move_axis(ap_box *b, int from, int to)
{
    b->sizes[to] = b->sizes[from];
    b->out.steps[to] = b->out.steps[from];
    b->from.steps[to] = b->from.steps[from];
    b->x.steps[to] = b->x.steps[from];
    b->where.steps[to] = b->where.steps[from];
}

/* Make one of axes that adjoin; the last ones remain, and the others have size 1. */
static inline void ap_join_axes(ap_box *b)
{
    int last = AP_AXES - 1;
    for (int axis = last - 1; axis >= 0; axis--) {
        const ptrdiff_t size = b->sizes[last];
        if (b->sizes[axis] == 1)
            continue;
        if (size == 1)
            ap_move_axis(b, axis, last);
        else if (ap_follows(&b->out, axis, last, size) && ap_follows(&b->from, axis, last, size)
                 && ap_follows(&b->x, axis, last, size) && ap_follows(&b->where, axis, last, size))
            b->sizes[last] *= b->sizes[axis];
        else
            ap_move_axis(b, axis, --last);
    }
    while (--last >= 0)
        b->sizes[last] = 1;
}

/* Whether rows of n elements are one run, without gaps. */
static inline int ap_is_run(const ap_piece *p, ptrdiff_t rows, ptrdiff_t n)
{
    return (n == 1 || p->steps[4] == p->itemsize) && (rows == 1 || p->steps[3] == n * p->itemsize);
}

/* Flags of rows of n elements: 1 for what counts, 0 for others. */
static inline void ap_flag_rows(
    const ap_box *b, char *x, char *where, ptrdiff_t rows, ptrdiff_t n,
    char *AP_RESTRICT raw, uint8_t *AP_RESTRICT flags)
{
    const ptrdiff_t all = rows * n, size = b->x.itemsize;
    if (where == NULL || ap_is_run(&b->where, rows, n))
        ap_flag_mask(where, 1, all, flags);
    else
        for (ptrdiff_t row = 0; row < rows; row++)
            ap_flag_mask(ap_on(&b->where, where, row, 0), b->where.steps[4], n, flags + row * n);
    if (x == NULL)
        return;
    if (!ap_is_run(&b->x, rows, n)) {
        for (ptrdiff_t row = 0; row < rows; row++)
            ap_copy_words(
                ap_on(&b->x, x, row, 0), b->x.steps[4], n, raw + row * n * size, size, size);
        x = raw;
    }
    b->counting->unflag(b->counting, x, all, flags);
}

/* The same, or the mask itself if that says it: any byte of it but 0 is for what counts. */
static inline const uint8_t *ap_flags_of_rows(
    const ap_box *b, char *x, char *where, ptrdiff_t rows, ptrdiff_t n, char *raw, uint8_t *flags)
{
    if (x == NULL && where != NULL && ap_is_run(&b->where, rows, n))
        return (const uint8_t *) where;
    ap_flag_rows(b, x, where, rows, n, raw, flags);
    return flags;
}

/* From 1 to n - 1, then 0: the first element, which others may be made from, is the last. */
static inline ptrdiff_t ap_next(ptrdiff_t i, ptrdiff_t n)
{
    return i + 1 < n ? i + 1 : 0;
}

/* What is done with some rows. Places are no struct: to read one that was just written is to wait
   for all elements that are on their way to memory. */
typedef void (*ap_with_rows)(
    const ap_box *b, char *out, char *from, char *x, char *where, ptrdiff_t rows, ptrdiff_t n,
    ap_seen *seen);

static inline void ap_each_piece(
    const ap_box *b, char *out, char *from, char *x, char *where, ap_with_rows with_rows,
    ap_seen *seen)
{
    const ptrdiff_t rows = b->sizes[3], n = b->sizes[4], some = ap_min(n, AP_SEEN);
    const ptrdiff_t most = ap_max(AP_SEEN / n, 1), pieces = ap_pieces(rows, most);
    for (ptrdiff_t k = 0; k < pieces; k++) {
        const ptrdiff_t row = ap_next(k, pieces) * most, count = ap_min(most, rows - row);
        for (ptrdiff_t i = 0; i < n; i += some)
            with_rows(
                b, ap_on(&b->out, out, row, i), ap_on(&b->from, from, row, i),
                ap_on(&b->x, x, row, i), ap_on(&b->where, where, row, i), count,
                ap_min(some, n - i), seen);
    }
}

/* Go through a box, the axes of which are joined, in the order of ap_next(). */
static inline void ap_each_rows(ap_box *b, ap_with_rows with_rows, char *scratch)
{
    for (int axis = 0; axis < AP_AXES; axis++)
        if (b->sizes[axis] <= 0)
            return;
    ap_join_axes(b);
    for (ptrdiff_t l = 0; l < b->sizes[0]; l++)
        for (ptrdiff_t m = 0; m < b->sizes[1]; m++)
            for (ptrdiff_t n = 0; n < b->sizes[2]; n++) {
                const ptrdiff_t i = ap_next(l, b->sizes[0]), j = ap_next(m, b->sizes[1]);
                const ptrdiff_t k = ap_next(n, b->sizes[2]);
                ap_each_piece(
                    b, ap_at(&b->out, i, j, k), ap_at(&b->from, i, j, k), ap_at(&b->x, i, j, k),
                    ap_at(&b->where, i, j, k), with_rows, (ap_seen *) scratch);
            }
}

#endif
