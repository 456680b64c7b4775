/* A run of gradients added at their indices, in the result itself; or of values put there.

   Halves are added in float32, one sum for each element that an index names. An element that is
   named for the first time gets a number, which is kept in the element itself until the sum of that
   number is rounded and takes its place. So what costs is what is named, not the plane. Somebody
   else may write to the caller's array meanwhile: a number is believed only if it was given. */
#ifndef AP_MAXIMUM_BACKWARD_ADD_H
#define AP_MAXIMUM_BACKWARD_ADD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

enum { AP_NAMES = 65535 };  /* what fits an element, and 0 */

typedef struct {
    size_t count;
    uint16_t **places;  /* where a number is kept */
    float *sums;        /* of at most AP_NAMES + 1 numbers */
} ap_names;

typedef struct {
    ptrdiff_t size;         /* elements of the plane */
    ptrdiff_t begin, end;   /* those that are added to here */
    size_t ready;           /* how many of these are cleared, from `begin` on */
    ptrdiff_t h, w;         /* sizes */
    ptrdiff_t d_step, h_step, w_step;
} ap_plane;

typedef float (*ap_widen_t)(uint16_t bits);

/* Bytes from the first element of a plane to element i. */
AP_ALWAYS ptrdiff_t ap_offset(const ap_plane *plane, ptrdiff_t i, int flat)
{
    if (flat)
        return i * plane->w_step;
    ptrdiff_t line = i / plane->w;
    ptrdiff_t d = line < plane->h ? 0 : line / plane->h;    /* a division is slow */
    return d * plane->d_step + (line - d * plane->h) * plane->h_step
        + (i - line * plane->w) * plane->w_step;
}

/* Set n elements of `size` bytes each, lanes and all, to zero, whose bits are all zero. */
static inline void ap_clear(char *element, ptrdiff_t n, ptrdiff_t step, ptrdiff_t size)
{
    if (step == size) {
        memset(element, 0, (size_t) (n * size));
        return;
    }
    for (; n > 0; n--, element += step) {
        if (size == 2)      /* a store, not a call */
            memset(element, 0, 2);
        else if (size == 4)
            memset(element, 0, 4);
        else if (size == 8)
            memset(element, 0, 8);
        else
            memset(element, 0, (size_t) size);
    }
}

/* Returns how many names there are now. */
AP_ALWAYS size_t ap_add_half(
    size_t count, uint16_t **places, float *sums, uint16_t *element, float gradient)
{
    size_t name = (size_t) *element - 1;
    int is_new = name >= count;
    name = is_new ? (uint16_t) count : name;
    sums[name] += gradient;
    places[name] = element;
    *element = (uint16_t) (name + 1);
    return count + (size_t) is_new;
}

AP_ALWAYS ptrdiff_t ap_index(const char *index, int size)
{
    /* Read once: another thread may write to it after it was checked. */
    return size == 4 ? *(const volatile int32_t *) index
                     : (ptrdiff_t) *(const volatile int64_t *) index;
}

AP_ALWAYS size_t ap_add_one(
    const ap_plane *plane, int size, int puts, int flat, int whole, ptrdiff_t i,
    const char *gradient, char *element, size_t count, uint16_t **places, float *sums,
    ap_widen_t widen, int *outside)
{
    if (AP_LIKELY((size_t) (whole ? i : i - plane->begin) < plane->ready)) {
        element += ap_offset(plane, i, flat);
        if (puts)
            memcpy(element, gradient, (size_t) size);
        else if (size == 2)
            return ap_add_half(
                count, places, sums, (uint16_t *) element, widen(*(const uint16_t *) gradient));
        else if (size == 4)
            *(float *) element += *(const float *) gradient;
        else
            *(double *) element += *(const double *) gradient;
    } else {
        *outside |= i < -1 || i >= plane->size || (i >= plane->begin && i < plane->end);
    }
    return count;
}

/* Add what is ready, four at a time. Returns whether an index is outside or has just changed; -1 is
   that of a window without elements, and passed over. `size`, `puts` (in the place of what is
   there), `index_size`, `flat` (one step from element to element), `whole` (not a part of a plane)
   and `widen` (of halves) are literals. */
AP_ALWAYS int ap_add_run(
    const ap_plane *plane, int size, int puts, int index_size, int flat, int whole,
    const char *gradient, ptrdiff_t gradient_step, const char *index, ptrdiff_t index_step,
    ptrdiff_t n,                    /* windows of one lane, or lanes of one window */
    char *element, ptrdiff_t side,  /* the first of the plane; bytes from each to the next */
    ap_names *names, ap_widen_t widen)
{
    int outside = 0;
    const int named = size == 2 && !puts;
    size_t count = named ? names->count : 0;
    uint16_t **places = named ? names->places : NULL;
    float *sums = named ? names->sums : NULL;
#define AP_ADD(i) \
    count = ap_add_one( \
        plane, size, puts, flat, whole, i, gradient, element, count, places, sums, widen, \
        &outside); \
    gradient += gradient_step; \
    element += side;
    if (index_step != 0) {
        const char *end = index + (n & ~(ptrdiff_t) 3) * index_step;
        while (index != end) {      /* a counter would be kept in memory */
            ptrdiff_t i = ap_index(index, index_size);
            ptrdiff_t i1 = ap_index(index + index_step, index_size);
            ptrdiff_t i2 = ap_index(index + 2 * index_step, index_size);
            ptrdiff_t i3 = ap_index(index + 3 * index_step, index_size);
            index += 4 * index_step;
            AP_ADD(i)
            AP_ADD(i1)
            AP_ADD(i2)
            AP_ADD(i3)
        }
        n &= 3;
    }
    for (; n > 0; n--) {
        ptrdiff_t i = ap_index(index, index_size);
        index += index_step;
        AP_ADD(i)
    }
#undef AP_ADD
    if (named)
        names->count = count;
    return outside;
}

#endif
