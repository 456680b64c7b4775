/* Sums of windows of integers of 8 and 16 bits, which are exact: their order does not matter.

   What adds lines, and windows along a line, is short_lines.h, for bytes and for words of 16 bits.
   Plain C, of which compilers make vectors, but for lines that are added by vectors in
   short_fold.h, where the order of bytes allows it. */
#ifndef AP_SHORT_INTEGERS_H
#define AP_SHORT_INTEGERS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

/* Bytes of vectors, or 0: those of compilers which shuffle them, where the lower element of a field
   is the first. AP_IN_TURN: the fields of two vectors, one of each in turn, from `at` on. */
#if (defined(__clang__) || defined(__GNUC__) && __GNUC__ >= 12) \
    && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#ifdef __AVX2__
#define AP_VECTORS 32
#define AP_IN_TURN_2(at) at, at + 16, at + 1, at + 17, at + 2, at + 18, at + 3, at + 19, at + 4, \
    at + 20, at + 5, at + 21, at + 6, at + 22, at + 7, at + 23
#define AP_IN_TURN_4(at) at, at + 8, at + 1, at + 9, at + 2, at + 10, at + 3, at + 11
#else
#define AP_VECTORS 16
#define AP_IN_TURN_2(at) at, at + 8, at + 1, at + 9, at + 2, at + 10, at + 3, at + 11
#define AP_IN_TURN_4(at) at, at + 4, at + 1, at + 5
#endif
#else
#define AP_VECTORS 0
#endif

/* Windows along W of a line. Of each, the columns `skip` to `skip + most` are meant, so far as it
   has them; that is at least `least` of them. */
typedef struct {
    const int64_t *starts, *ends;
    ptrdiff_t count, skip, least, most;
    ptrdiff_t lines, step;      /* of so many lines, and fields from one to the next */
    ptrdiff_t origin;           /* the column that is subtracted from starts */
} ap_spans;

enum { AP_MANY = -1, AP_BLOCK = 16 };

#define AP_OF(name) ap_bytes_##name
#define AP_ELEMENT uint8_t
#define AP_FIELD uint16_t
#define AP_IN_TURN AP_IN_TURN_2
#include "average/short_lines.h"
#undef AP_OF
#undef AP_ELEMENT
#undef AP_FIELD
#undef AP_IN_TURN

#define AP_OF(name) ap_words_##name
#define AP_ELEMENT uint16_t
#define AP_FIELD uint32_t
#define AP_IN_TURN AP_IN_TURN_4
#include "average/short_lines.h"
#undef AP_OF
#undef AP_ELEMENT
#undef AP_FIELD
#undef AP_IN_TURN

/* Add `count` runs of n elements, `step` bytes apart, to a line of n fields, or set it to them. */
static void ap_fold_short(
    const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int itemsize, int negative,
    int first, void *line)
{
    if (itemsize == 1)
        ap_bytes_fold(row, step, count, n, negative, first, (uint16_t *) line);
    else
        ap_words_fold(row, step, count, n, negative, first, (uint32_t *) line);
}

/* How many rows may be folded into one line. */
static ptrdiff_t ap_room_for_short(int itemsize)
{
    return itemsize == 1 ? 257 : 65537;
}

/* Add the windows of folded lines to their totals, or set these to them. Totals have `size` bytes:
   as many as fields, if all of the call fit these, or 4, or 8. Even if they do not fit, fields have
   room for so many columns of a window as are summed at a time. */
static void ap_sum_short_windows(
    void *line, ptrdiff_t lines, ptrdiff_t first_column, ptrdiff_t columns, ptrdiff_t lanes,
    ptrdiff_t rows, int itemsize, const int64_t *starts, const int64_t *ends, ptrdiff_t windows,
    ptrdiff_t least, ptrdiff_t most, ptrdiff_t regular, int size, int first,
    void *sums, void *totals)
{
    ap_spans w = {starts, ends, windows, 0, least, most, lines, columns * lanes, first_column};
    const ptrdiff_t room = ap_room_for_short(itemsize);
    ptrdiff_t reach = most;
    if (rows * most > room) {   /* a division takes as long as a short line */
        reach = room / rows;
        reach -= reach > 4 ? reach % 4 : 0;     /* whole words */
    }
    memset((char *) line + 2 * itemsize * lines * columns * lanes, 0, sizeof(uint64_t));
    for (; w.skip < most; w.skip += reach, first = 0) {
        w.origin = first_column - w.skip;
        w.most = most - w.skip < reach ? most - w.skip : reach;
        w.least = least < w.skip ? 0 : least - w.skip < w.most ? least - w.skip : w.most;
        regular = most > reach ? 0 : regular;
        if (itemsize == 1)
            ap_bytes_sum_to(
                (const uint16_t *) line, &w, lanes, regular, size, first,
                (uint16_t *) sums, totals);
        else
            ap_words_sum_to(
                (const uint32_t *) line, &w, lanes, regular, size, first,
                (uint32_t *) sums, totals);
    }
}

/* Take the offset of signed elements, half of the range of their type, out of totals. */
static void ap_take_short_offset(
    ptrdiff_t lanes, ptrdiff_t rows, int itemsize, const int64_t *starts, const int64_t *ends,
    ptrdiff_t windows, int equal, int size, void *totals)
{
    const int64_t half = (itemsize == 1 ? 128 : 32768) * (int64_t) rows;
    if (equal) {    /* all windows are of one size: one offset for all */
        lanes *= windows;
        windows = 1;
    }
    if (lanes == 1 && size == 4) {
        for (ptrdiff_t ow = 0; ow < windows; ow++)
            ((uint32_t *) totals)[ow] -= (uint32_t) half * (uint32_t) (ends[ow] - starts[ow]);
        return;
    }
    for (ptrdiff_t ow = 0; ow < windows; ow++) {
        const int64_t offset = half * (ends[ow] - starts[ow]);
        if (size == 8)
            for (ptrdiff_t i = ow * lanes; i < (ow + 1) * lanes; i++)
                ((int64_t *) totals)[i] -= offset;
        else
            for (ptrdiff_t i = ow * lanes; i < (ow + 1) * lanes; i++)
                ((uint32_t *) totals)[i] -= (uint32_t) offset;
    }
}

#endif
