/* What a step of max pooling is told: which elements to compare, and where in the plane they are.

   The elements of a window are compared in row-major order, a strip of lanes at a time. Lanes are
   channels, lines that were turned (tiles/transpose.h), or neighbours along W. A window is cut into
   blocks that a counter of the width of an element can number. */
#ifndef AP_MAXIMUM_WINDOW_H
#define AP_MAXIMUM_WINDOW_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    AP_STRIP = 32,      /* lanes compared in registers; of 8 bytes AP_STRIP / 2 */
    AP_LONGEST = 1 << 20 /* elements of a block, whose numbers are exact in float32 */
};

/* Rows of elements in memory, and how they are numbered. */
typedef struct {
    const char *first;
    ptrdiff_t depth, height;        /* rows: depth x height */
    ptrdiff_t d_step, h_step;       /* bytes */
    ptrdiff_t columns, w_step;      /* columns, so many bytes apart, */
    ptrdiff_t last;                 /* but the last one so many bytes behind the first */
    ptrdiff_t ahead;                /* what lies so many bytes further is asked for; 0: nothing */
    int64_t d_number, h_number;     /* elements of a plane from depth to depth, row to row, */
    int64_t w_number, last_number;  /* column to column, and from the first to the last */
    int64_t number;                 /* of the first element */
    int32_t d_first, h_first;       /* rows of the whole window that came before these */
    int64_t d_count, h_count;       /* what lanes count likewise: ap_count() */
    int64_t w_count;
    int flat;                       /* lanes count the elements of the plane */
} ap_window;

/* Where in the plane the lanes' own first elements are; how many rows and depths they have. Lane i
   of all is lane i % period here, and there are enough for a strip from any lane of the period. */
typedef struct {
    ptrdiff_t period;
    int64_t base[2 * AP_STRIP];
    int32_t last_h[2 * AP_STRIP];   /* the last row and depth of a lane: others may have more, */
    int32_t last_d[2 * AP_STRIP];   /* and its last one is compared again */
    int clipped;                    /* whether any has less than others */
} ap_places;

static inline int ap_least(int a, int b)
{
    return a < b ? a : b;
}

/* Choose what lanes count, from 1 to at most `most`: the elements of the plane, or if these are too
   many, or not the same for all, only those of the window. Returns whether that suffices. */
static inline int ap_count(ap_window *window, const ap_places *places, int64_t most)
{
    const int64_t rows = window->depth * window->height;
    window->flat = !places->clipped
        && window->last_number == (window->columns - 1) * window->w_number
        && (window->depth - 1) * window->d_number
        + (window->height - 1) * window->h_number + window->last_number < most;
    if (window->flat) {
        window->d_count = window->d_number;
        window->h_count = window->h_number;
        window->w_count = window->w_number;
        return 1;
    }
    window->d_count = window->height * window->columns;
    window->h_count = window->columns;
    window->w_count = 1;
    return rows * window->columns <= (most < AP_LONGEST ? most : AP_LONGEST);
}

/* From numbers of steps, which begin with 1, of lanes from `lane` on, to flat indices; 0 leaves
   `where` as it was. */
static inline void ap_number(
    const ap_window *window, const ap_places *places, ptrdiff_t lane, const uint32_t *steps,
    int first, const int n, int64_t *where)
{
    const ptrdiff_t begin = places->period > 1 ? lane % places->period : 0;
    const int64_t *base = places->base + begin, add = window->number;
    if (window->flat) {
        if (first) /* no step is 0 */
            for (int i = 0; i < n; i++)
                where[i] = base[i] + (add - 1) + (int64_t) steps[i];
        else
            for (int i = 0; i < n; i++)
                where[i] = steps[i] != 0 ? base[i] + (add - 1) + (int64_t) steps[i] : where[i];
        return;
    }
    const int32_t *last_h = places->last_h + begin, *last_d = places->last_d + begin;
    const int columns = (int) window->columns, height = (int) window->height;
    const int clipped = places->clipped;
    if ((window->depth - 1) * window->d_number + window->height * window->h_number > INT32_MAX) {
        for (int i = 0; i < n; i++) {
            if (steps[i] == 0)
                continue;
            int64_t row = (steps[i] - 1) / columns, column = (steps[i] - 1) % columns;
            int64_t w = column * window->w_number;
            int d = (int) (row / height), h = (int) (row % height);
            d = clipped ? ap_least(d, last_d[i] - window->d_first) : d;
            h = clipped ? ap_least(h, last_h[i] - window->h_first) : h;
            w = w < window->last_number ? w : window->last_number;
            where[i] = base[i] + add + d * window->d_number + h * window->h_number + w;
        }
        return;
    }
    const float row_of = 1.0f / (float) columns, depth_of = 1.0f / (float) height;
    const int d_number = (int) window->d_number, h_number = (int) window->h_number;
    const int w_number = (int) window->w_number, last = (int) window->last_number;
    const int d_first = window->d_first, h_first = window->h_first;
    int32_t found[AP_STRIP];
    if (!clipped) {
        for (int i = 0; i < n; i++) {
            int step = (int) steps[i] - 1, row = (int) (((float) step + 0.5f) * row_of);
            int d = (int) (((float) row + 0.5f) * depth_of);
            int w = (step - row * columns) * w_number;
            found[i] = d * (d_number - height * h_number) + row * h_number + (w < last ? w : last);
        }
    } else {
        for (int i = 0; i < n; i++) {
            int step = (int) steps[i] - 1, row = (int) (((float) step + 0.5f) * row_of);
            int d = (int) (((float) row + 0.5f) * depth_of), h = row - d * height;
            int w = (step - row * columns) * w_number;
            d = ap_least(d, last_d[i] - d_first);
            h = ap_least(h, last_h[i] - h_first);
            found[i] = d * d_number + h * h_number + (w < last ? w : last);
        }
    }
    for (int i = 0; i < n; i++)
        where[i] = steps[i] != 0 ? base[i] + add + found[i] : where[i];
}

/* From rows, which begin with 1, and columns of pairs, to flat indices. */
static inline void ap_number_pairs(
    const ap_window *window, const ap_places *places, ptrdiff_t lane, const uint32_t *rows,
    const uint32_t *columns, const int n, int64_t *where)
{
    const ptrdiff_t begin = lane % places->period;
    const int64_t *base = places->base + begin, add = window->number - window->h_number;
    for (int i = 0; i < n; i++)
        where[i] = base[i] + add + (int64_t) columns[i] + (int64_t) rows[i] * window->h_number;
    if (window->depth == 1)
        return;
    for (int i = 0; i < n; i++) {
        const uint32_t height = (uint32_t) places->last_h[begin + i] + 1;
        const int64_t depth = (rows[i] - 1) / height;
        where[i] += depth * (window->d_number - (int64_t) height * window->h_number);
    }
}

/* The next block of at most `most` elements: in whole depths, rows of one depth, or columns of one
   row. Returns 0 after the last one; `at` counts depths, rows and columns, and starts with 0. */
typedef struct {
    ptrdiff_t d, h, w;
} ap_place;

static inline int ap_next_block(
    const ap_window *all, ptrdiff_t most, ap_place *at, ap_window *block)
{
    if (at->d == all->depth)
        return 0;
    *block = *all;
    block->first += at->d * all->d_step + at->h * all->h_step + at->w * all->w_step;
    block->number += at->d * all->d_number + at->h * all->h_number + at->w * all->w_number;
    if (all->depth * all->height * all->columns <= most) {
        at->d = all->depth;
        return 1;
    }
    block->depth = 1;
    block->d_first += (int32_t) at->d;
    block->h_first += (int32_t) at->h;
    if (all->columns <= most) {
        ptrdiff_t rows = most / all->columns;
        block->height = rows < all->height - at->h ? rows : all->height - at->h;
        at->h += block->height;
    } else {
        block->height = 1;
        ptrdiff_t left = all->columns - at->w;
        block->last -= at->w * all->w_step;
        block->last_number -= at->w * all->w_number;
        if (left > most) {
            block->columns = most;
            block->last = (most - 1) * all->w_step;
            block->last_number = (most - 1) * all->w_number;
            at->w += most;
            return 1;
        }
        block->columns = left;
        at->w = 0;
        at->h++;
    }
    if (at->h == all->height) {
        at->h = 0;
        at->d++;
    }
    return 1;
}

#endif
