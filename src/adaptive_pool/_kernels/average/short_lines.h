/* Lines of short integers: added into lines of fields, in which windows along W are summed.

   A template. AP_ELEMENT is an unsigned type, AP_FIELD one of twice its bits, which holds the sum
   of AP_OF(room) elements. A word of 64 bits is as many fields side by side, and words are added
   as wholes: no field overflows. Signed elements come with their sign bit flipped, so that all are
   0 at least; whoever has the sums takes the offset out of them. */

#define AP_FIELDS ((ptrdiff_t) (8 / sizeof(AP_FIELD)))
#define AP_ROOM ((ptrdiff_t) (AP_FIELD) ~(AP_FIELD) 0 / (AP_ELEMENT) ~(AP_ELEMENT) 0)

#include "average/short_fold.h"

AP_ALWAYS uint64_t AP_OF(word)(const AP_FIELD *fields)
{
    uint64_t word;
    memcpy(&word, fields, sizeof word);
    return word;
}

/* A word's fields of the first n columns, of `lanes` fields each, and 0 for the others. */
AP_ALWAYS uint64_t AP_OF(mask)(ptrdiff_t n, ptrdiff_t lanes)
{
    static const AP_FIELD fields[8] = {
        (AP_FIELD) ~(AP_FIELD) 0, (AP_FIELD) ~(AP_FIELD) 0,
        sizeof(AP_FIELD) == 2 ? (AP_FIELD) ~(AP_FIELD) 0 : 0,
        sizeof(AP_FIELD) == 2 ? (AP_FIELD) ~(AP_FIELD) 0 : 0,
    };
    return AP_OF(word)(fields + AP_FIELDS - n * lanes);
}

/* The sum of the words of a window: `left` columns more than in 4 * fours + ones words. */
AP_ALWAYS uint64_t AP_OF(add_words)(
    const AP_FIELD *first, ptrdiff_t left, ptrdiff_t lanes, ptrdiff_t columns,
    ptrdiff_t fours, ptrdiff_t ones, ptrdiff_t some)
{
    const ptrdiff_t step = columns * lanes;
    uint64_t total = 0;
    ptrdiff_t k;
    for (k = 0; k < fours; k++, first += 4 * step)
        total += AP_OF(word)(first) + AP_OF(word)(first + step)
            + AP_OF(word)(first + 2 * step) + AP_OF(word)(first + 3 * step);
    for (k = 0; k < ones; k++)
        total += AP_OF(word)(first + k * step);
    first += ones * step;
    for (k = 0; some == AP_MANY ? k * columns < left : k < some; k++) {
        if (columns == 1)
            total += AP_OF(word)(first + k * step) & (0 - (uint64_t) (k < left));
        else {
            ptrdiff_t n = left - k * columns;
            n = n < 0 ? 0 : n < columns ? n : columns;
            total += AP_OF(word)(first + k * step) & AP_OF(mask)(n, lanes);
        }
    }
    return total;
}

/* Sum windows word by word. A word holds `columns` columns if these are one or two lanes wide, or
   four or two lanes of one.

   A window has 4 * fours + ones words whatever its size, and `some` more which only some windows
   have: masked, so that no branch depends on sizes. If these differ by more, `some` is MANY. All
   but lanes and fours are better literals. */
AP_ALWAYS void AP_OF(sum_words)(
    const AP_FIELD *line, const ap_spans *w, ptrdiff_t lanes, ptrdiff_t columns, ptrdiff_t fours,
    ptrdiff_t ones, ptrdiff_t some, AP_FIELD *sums)
{
    const ap_spans spans = *w;  /* no store can change it */
    for (ptrdiff_t row = 0; row < spans.lines; row++, line += spans.step)
        for (ptrdiff_t ow = 0; ow < spans.count; ow++, sums += lanes) {
            const ptrdiff_t start = (ptrdiff_t) spans.starts[ow];
            const AP_FIELD *first = line + (start - spans.origin) * lanes;
            ptrdiff_t left = (ptrdiff_t) spans.ends[ow] - start - spans.skip;
            uint64_t total;
            left = (left < spans.most ? left : spans.most) - (4 * fours + ones) * columns;
            total = AP_OF(add_words)(first, left, lanes, columns, fours, ones, some);
            if (lanes == 1) {   /* the sum of all fields is the last one of this product */
                const uint64_t one = ~(uint64_t) 0 / (AP_FIELD) ~(AP_FIELD) 0;
                *sums = (AP_FIELD) (total * one >> (64 - 64 / AP_FIELDS));
            } else if (columns == 2) {
                uint32_t half = (uint32_t) (total + (total >> 32));
                memcpy(sums, &half, sizeof half);
            } else
                memcpy(sums, &total, sizeof total);
        }
}

/* Sum windows word by word, by a loop that is made for so many words. */
AP_ALWAYS void AP_OF(sum_windows)(
    const AP_FIELD *line, const ap_spans *w, ptrdiff_t lanes, ptrdiff_t columns, AP_FIELD *sums)
{
    const ptrdiff_t all = w->least / columns;   /* words that every window has */
    const ptrdiff_t some = (w->most + columns - 1) / columns - all;
    #define AP_WORDS(n, fours, ones) \
        case n: \
            if (some == 0) \
                AP_OF(sum_words)(line, w, lanes, columns, fours, ones, 0, sums); \
            else if (some == 1) \
                AP_OF(sum_words)(line, w, lanes, columns, fours, ones, 1, sums); \
            else \
                AP_OF(sum_words)(line, w, lanes, columns, fours, ones, AP_MANY, sums); \
            break
    switch (all < 8 ? all : 8 + all % 4) {
        AP_WORDS(0, 0, 0);
        AP_WORDS(1, 0, 1);
        AP_WORDS(2, 0, 2);
        AP_WORDS(3, 0, 3);
        AP_WORDS(4, 0, 4);
        AP_WORDS(5, 0, 5);
        AP_WORDS(6, 0, 6);
        AP_WORDS(7, 0, 7);
        AP_WORDS(8, all / 4, 0);
        AP_WORDS(9, all / 4, 1);
        AP_WORDS(10, all / 4, 2);
        AP_WORDS(11, all / 4, 3);
    }
    #undef AP_WORDS
}

/* Windows of one lane that follow each other. To be called with a literal size. */
AP_ALWAYS void AP_OF(sum_regular)(
    const AP_FIELD *AP_RESTRICT line, const ap_spans *w, ptrdiff_t size,
    AP_FIELD *AP_RESTRICT sums)
{
    const ptrdiff_t windows = w->count;
    line += w->starts[0] - w->origin;
    for (ptrdiff_t k = 0; k < w->lines; k++, line += w->step, sums += windows)
        for (ptrdiff_t ow = 0; ow < windows; ow++) {
            AP_FIELD total = 0;
            for (ptrdiff_t i = 0; i < size; i++)
                total = (AP_FIELD) (total + line[size * ow + i]);
            sums[ow] = total;
        }
}

/* Blocks of lanes in registers; the last one begins early. */
static void AP_OF(sum_lanes)(
    const AP_FIELD *line, const ap_spans *w, ptrdiff_t lanes, AP_FIELD *sums)
{
    for (ptrdiff_t row = 0; row < w->lines; row++, line += w->step)
        for (ptrdiff_t ow = 0; ow < w->count; ow++, sums += lanes) {
            ptrdiff_t size = w->ends[ow] - w->starts[ow] - w->skip;
            size = size < w->most ? size : w->most;
            for (ptrdiff_t lane = 0; lane < lanes; lane += AP_BLOCK) {
                const ptrdiff_t from = lane < lanes - AP_BLOCK ? lane : lanes - AP_BLOCK;
                const AP_FIELD *first = line + (w->starts[ow] - w->origin) * lanes + from;
                AP_FIELD total[AP_BLOCK] = {0};
                for (ptrdiff_t k = 0; k < size; k++, first += lanes)
                    for (int i = 0; i < AP_BLOCK; i++)
                        total[i] = (AP_FIELD) (total[i] + first[i]);
                memcpy(sums + from, total, sizeof total);
            }
        }
}

/* Sum windows of lines whose sums fields have room for; behind their end, and behind that of the
   sums, a word more may be touched. */
static void AP_OF(reduce)(
    const AP_FIELD *line, const ap_spans *w, ptrdiff_t lanes, ptrdiff_t regular, AP_FIELD *sums)
{
    ptrdiff_t field = 0;
    if (lanes >= AP_BLOCK)
        AP_OF(sum_lanes)(line, w, lanes, sums);
    else if (lanes == 1 && regular == 2)
        AP_OF(sum_regular)(line, w, 2, sums);
    else if (lanes == 1 && regular == 3)
        AP_OF(sum_regular)(line, w, 3, sums);
    else if (lanes == 1 && regular == 4)
        AP_OF(sum_regular)(line, w, 4, sums);
    else if (lanes == 1)
        AP_OF(sum_windows)(line, w, 1, AP_FIELDS, sums);
    else if (lanes == 2 && AP_FIELDS == 4)
        AP_OF(sum_windows)(line, w, 2, 2, sums);
    else
        do {
            AP_OF(sum_windows)(line + field, w, lanes, 1, sums + field);
            field += AP_FIELDS;
            if (field > lanes - AP_FIELDS && field < lanes)
                field = lanes - AP_FIELDS;  /* the last word begins early */
        } while (field < lanes);
}

/* Add n sums to totals of as many bits, of 32 or of 64, or set these to them. */
static inline void AP_OF(add_fields)(
    const AP_FIELD *AP_RESTRICT sums, ptrdiff_t n, AP_FIELD *AP_RESTRICT totals)
{
    for (ptrdiff_t i = 0; i < n; i++)
        totals[i] = (AP_FIELD) (totals[i] + sums[i]);
}

static inline void AP_OF(add)(
    const AP_FIELD *AP_RESTRICT sums, ptrdiff_t n, int first, uint32_t *AP_RESTRICT totals)
{
    for (ptrdiff_t i = 0; i < n; i++)
        totals[i] = (first ? 0 : totals[i]) + sums[i];
}

static inline void AP_OF(add_wide)(
    const AP_FIELD *AP_RESTRICT sums, ptrdiff_t n, int first, uint64_t *AP_RESTRICT totals)
{
    for (ptrdiff_t i = 0; i < n; i++)
        totals[i] = (first ? 0 : totals[i]) + sums[i];
}

/* Sum windows of a folded line, and add them to totals of `size` bytes or set these to them. */
static void AP_OF(sum_to)(
    const AP_FIELD *line, const ap_spans *w, ptrdiff_t lanes, ptrdiff_t regular, int size,
    int first, AP_FIELD *sums, void *totals)
{
    const ptrdiff_t n = w->lines * w->count * lanes;
    if (first && size == sizeof(AP_FIELD)) {
        AP_OF(reduce)(line, w, lanes, regular, (AP_FIELD *) totals);
        return;
    }
    AP_OF(reduce)(line, w, lanes, regular, sums);
    if (size == sizeof(AP_FIELD))
        AP_OF(add_fields)(sums, n, (AP_FIELD *) totals);
    else if (size == 4)
        AP_OF(add)(sums, n, first, (uint32_t *) totals);
    else
        AP_OF(add_wide)(sums, n, first, (uint64_t *) totals);
}
