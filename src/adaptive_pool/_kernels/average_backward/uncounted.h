/* Elements that do not count: their gradient becomes 0, once all others are stored. */
#ifndef AP_UNCOUNTED_H
#define AP_UNCOUNTED_H

#include "tiles/counting.h"
#include "tiles/problem.h"

enum { AP_SEEN = 1024 };    /* elements that are looked at, at a time */

/* Scratch: numbers of elements, a copy that nobody needs, and what is read, side by side. */
typedef struct {
    uint32_t counts[AP_SEEN];
    char copy[8 * AP_SEEN], raw[8 * AP_SEEN], bytes[AP_SEEN];
} ap_seen;

/* A place in an array, or NULL, and the steps from there. */
typedef struct {
    char *data;
    ptrdiff_t itemsize, w, lane;
} ap_piece;

static inline ap_piece ap_piece_of(
    const ap_array *a, ptrdiff_t batch, ptrdiff_t channel, ptrdiff_t d, ptrdiff_t h, ptrdiff_t w,
    ptrdiff_t lane)
{
    const ap_piece piece = {
        a->data == NULL ? NULL
            : a->data + batch * a->batch + channel * a->channel + d * a->d + h * a->h + w * a->w
                + lane * a->lane,
        a->itemsize, a->w, a->lane,
    };
    return piece;
}

#define AP_ZERO_WORDS(type) \
    for (ptrdiff_t i = 0; i < n; i++) { \
        type word; \
        memcpy(&word, out + i * (ptrdiff_t) sizeof word, sizeof word); \
        word = counts[i] != 0 ? word : 0; \
        memcpy(out + i * (ptrdiff_t) sizeof word, &word, sizeof word); \
    }

static inline void ap_zero_words(
    char *AP_RESTRICT out, ptrdiff_t size, ptrdiff_t step, ptrdiff_t n,
    const uint32_t *AP_RESTRICT counts)
{
    if (step != size) {
        for (ptrdiff_t i = 0; i < n; i++)
            if (counts[i] == 0)
                memset(out + i * step, 0, (size_t) size);
    } else if (size == 2) {
        AP_ZERO_WORDS(uint16_t)
    } else if (size == 4) {
        AP_ZERO_WORDS(uint32_t)
    } else {
        AP_ZERO_WORDS(uint64_t)
    }
}

/* n elements, steps apart. */
static void ap_zero_run(
    const ap_counting *c, const ap_piece *out, const ap_piece *x, const ap_piece *where,
    ptrdiff_t out_step, ptrdiff_t x_step, ptrdiff_t where_step, ptrdiff_t n, ap_seen *seen)
{
    for (ptrdiff_t done = 0, some; done < n; done += some) {
        some = ap_min(n - done, AP_SEEN);
        const char *says = where->data, *element = x->data;
        if (says != NULL) {
            says += done * where_step;
            if (where_step != 1) {
                ap_copy_words(says, where_step, some, seen->bytes, 1, 1);
                says = seen->bytes;
            }
        }
        if (element == NULL) {
            for (ptrdiff_t i = 0; i < some; i++)
                seen->counts[i] = says[i] != 0;
        } else {
            element += done * x_step;
            if (x_step != x->itemsize) {
                ap_copy_words(element, x_step, some, seen->raw, x->itemsize, x->itemsize);
                element = seen->raw;
            }
            memset(seen->counts, 0, (size_t) some * sizeof *seen->counts);
            c->blank(c, element, says, some, seen->copy, seen->counts);
        }
        ap_zero_words(out->data + done * out_step, out->itemsize, out_step, some, seen->counts);
    }
}

static inline int ap_adjoins(const ap_piece *piece, ptrdiff_t lanes)
{
    return piece->data == NULL
        || (piece->lane == piece->itemsize && piece->w == lanes * piece->itemsize);
}

/* `columns` x `lanes` elements of a line; x or where may be NULL, not both. */
static void ap_zero_uncounted(
    const ap_counting *c, ap_piece out, ap_piece x, ap_piece where, ptrdiff_t columns,
    ptrdiff_t lanes, char *scratch)
{
    ap_seen *seen = (ap_seen *) scratch;
    if (lanes == 1) {
        ap_zero_run(c, &out, &x, &where, out.w, x.w, where.w, columns, seen);
        return;
    }
    if (ap_adjoins(&out, lanes) && ap_adjoins(&x, lanes) && ap_adjoins(&where, lanes)) {
        ap_zero_run(c, &out, &x, &where, out.lane, x.itemsize, 1, columns * lanes, seen);
        return;
    }
    for (ptrdiff_t w = 0; w < columns; w++) {
        if (x.data == NULL && where.lane == 0 && out.lane == out.itemsize) {
            if (*where.data == 0)
                memset(out.data, 0, (size_t) (lanes * out.itemsize));
        } else {
            ap_zero_run(c, &out, &x, &where, out.lane, x.lane, where.lane, lanes, seen);
        }
        out.data += out.w;
        x.data += x.data != NULL ? x.w : 0;
        where.data += where.data != NULL ? where.w : 0;
    }
}

#endif
