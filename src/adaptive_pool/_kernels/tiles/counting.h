/* Elements that do not count: copies of pieces of lines in which something else stands for them,
   and flags that say which do.

   What counts is said here alone: not what `where` leaves out, not NaN if it is omitted, not the
   number that stands for no data. */
#ifndef AP_COUNTING_H
#define AP_COUNTING_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

/* n elements side by side to a copy, and flags: 1 for those that count, 0 for others. `where` has a
   byte for each, or is NULL. */
typedef struct ap_counting ap_counting;
typedef void (*ap_blank)(
    const ap_counting *c, const char *x, const char *where, ptrdiff_t n, char *copy,
    uint8_t *flags);
/* n bytes of which those become 0 whose element, side by side, does not count. */
typedef void (*ap_unflag)(const ap_counting *c, const char *x, ptrdiff_t n, uint8_t *flags);

struct ap_counting {
    ap_blank blank;
    ap_unflag unflag;
    ptrdiff_t size;     /* bytes of an element of the copy */
    char nothing[8];    /* what stands there for one that does not count */
    int omits;          /* NaN */
    int has_nodata;
    char nodata[8];     /* an element */
};

#define AP_NEVER(x) 0
#define AP_IS_NAN(x) ((x) != (x))
#define AP_IS_NAN_FLOAT16(x) (((x) & 0x7fff) > 0x7c00)
#define AP_IS_NAN_BFLOAT16(x) (((x) & 0x7fff) > 0x7f80)
#define AP_ARE_EQUAL(x, y) ((x) == (y))
#define AP_ARE_EQUAL_HALVES(x, y) ((x) == (y) || (((x) | (y)) & 0x7fff) == 0)

enum {
    AP_BLANKED = 64,        /* elements that are looked at before more are asked for */
    AP_BLANK_AHEAD = 8192   /* bytes from what is read to what is asked for */
};

/* What is tested are literals; comparisons make masks, not branches: so the loops vectorise. */
#define AP_BLANK(name, type, copy_t, is_nan, are_equal) \
    AP_ALWAYS void ap_blank_some_##name( \
        const ap_counting *c, const char *AP_RESTRICT x, const char *AP_RESTRICT where, \
        ptrdiff_t n, char *AP_RESTRICT copy, uint8_t *AP_RESTRICT flags, const int has_where, \
        const int omits, const int has_nodata) \
    { \
        type nodata; \
        copy_t nothing; \
        memcpy(&nodata, c->nodata, sizeof nodata); \
        memcpy(&nothing, c->nothing, sizeof nothing); \
        for (ptrdiff_t done = 0, count; done < n; done += count) { \
            count = n - done < AP_BLANKED ? n - done : AP_BLANKED; \
            for (ptrdiff_t at = 0; at < AP_BLANKED * (ptrdiff_t) sizeof nodata; at += 64) \
                AP_ASK(x + at + AP_BLANK_AHEAD); \
            if (has_where) \
                AP_ASK(where + AP_BLANK_AHEAD / 4); \
            for (ptrdiff_t i = 0; i < count; i++) { \
                type element; \
                memcpy(&element, x + i * (ptrdiff_t) sizeof element, sizeof element); \
                uint8_t counted = 1; \
                copy_t kept = (copy_t) element; \
                if (omits) { \
                    counted = is_nan(element) ? 0 : counted; \
                    kept = is_nan(element) ? nothing : kept; \
                } \
                if (has_nodata) { \
                    counted = are_equal(element, nodata) ? 0 : counted; \
                    kept = are_equal(element, nodata) ? nothing : kept; \
                } \
                if (has_where) { \
                    counted = where[i] != 0 ? counted : 0; \
                    kept = where[i] != 0 ? kept : nothing; \
                } \
                memcpy(copy + i * (ptrdiff_t) sizeof kept, &kept, sizeof kept); \
                flags[i] = counted; \
            } \
            x += count * (ptrdiff_t) sizeof(type); \
            copy += count * (ptrdiff_t) sizeof(copy_t); \
            flags += count; \
            if (has_where) \
                where += count; \
        } \
    }

#define AP_BLANK_INTEGERS(name, type, copy_t) \
    AP_BLANK(name, type, copy_t, AP_NEVER, AP_ARE_EQUAL) \
    static void ap_blank_##name( \
        const ap_counting *c, const char *x, const char *where, ptrdiff_t n, char *copy, \
        uint8_t *flags) \
    { \
        if (where == NULL && c->has_nodata) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 0, 0, 1); \
        else if (where == NULL) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 0, 0, 0); \
        else if (c->has_nodata) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 1, 0, 1); \
        else \
            ap_blank_some_##name(c, x, where, n, copy, flags, 1, 0, 0); \
    }

#define AP_BLANK_REALS(name, type, is_nan, are_equal) \
    AP_BLANK(name, type, type, is_nan, are_equal) \
    static void ap_blank_##name( \
        const ap_counting *c, const char *x, const char *where, ptrdiff_t n, char *copy, \
        uint8_t *flags) \
    { \
        if (where == NULL && !c->has_nodata && !c->omits) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 0, 0, 0); \
        else if (where == NULL && !c->has_nodata) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 0, 1, 0); \
        else if (where == NULL && !c->omits) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 0, 0, 1); \
        else if (where == NULL) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 0, 1, 1); \
        else if (!c->has_nodata && !c->omits) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 1, 0, 0); \
        else if (!c->has_nodata) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 1, 1, 0); \
        else if (!c->omits) \
            ap_blank_some_##name(c, x, where, n, copy, flags, 1, 0, 1); \
        else \
            ap_blank_some_##name(c, x, where, n, copy, flags, 1, 1, 1); \
    }

AP_BLANK_INTEGERS(byte, uint8_t, uint8_t)
AP_BLANK_INTEGERS(short, uint16_t, uint16_t)
AP_BLANK_INTEGERS(word, uint32_t, uint32_t)
AP_BLANK_INTEGERS(long, uint64_t, uint64_t)
AP_BLANK_REALS(float16, uint16_t, AP_IS_NAN_FLOAT16, AP_ARE_EQUAL_HALVES)
AP_BLANK_REALS(bfloat16, uint16_t, AP_IS_NAN_BFLOAT16, AP_ARE_EQUAL_HALVES)
AP_BLANK_REALS(float, float, AP_IS_NAN, AP_ARE_EQUAL)
AP_BLANK_REALS(double, double, AP_IS_NAN, AP_ARE_EQUAL)

/* Any byte of a bool but 0 is 1. */
static void ap_blank_bool(
    const ap_counting *c, const char *x, const char *where, ptrdiff_t n, char *copy,
    uint8_t *flags)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const uint8_t counted = where == NULL || where[i] != 0;
        copy[i] = counted ? x[i] != 0 : c->nothing[0];
        flags[i] = counted;
    }
}

/* In the order of call/elements.pxd. */
static const ap_blank ap_all_blanks[] = {
    ap_blank_bool, ap_blank_byte, ap_blank_byte, ap_blank_short, ap_blank_short, ap_blank_word,
    ap_blank_word, ap_blank_long, ap_blank_long, ap_blank_float16, ap_blank_bfloat16,
    ap_blank_float, ap_blank_double,
};

#define AP_UNFLAG(type, leaves_out) \
    for (ptrdiff_t i = 0; i < n; i++) { \
        type element; \
        memcpy(&element, x + i * (ptrdiff_t) sizeof element, sizeof element); \
        flags[i] = leaves_out ? 0 : flags[i]; \
    }

#define AP_UNFLAG_INTEGERS(name, type) \
    static void ap_unflag_##name( \
        const ap_counting *c, const char *AP_RESTRICT x, ptrdiff_t n, uint8_t *AP_RESTRICT flags) \
    { \
        type nodata; \
        memcpy(&nodata, c->nodata, sizeof nodata); \
        if (c->has_nodata) \
            AP_UNFLAG(type, element == nodata) \
    }

#define AP_UNFLAG_REALS(name, type, is_nan, are_equal) \
    static void ap_unflag_##name( \
        const ap_counting *c, const char *AP_RESTRICT x, ptrdiff_t n, uint8_t *AP_RESTRICT flags) \
    { \
        type nodata; \
        memcpy(&nodata, c->nodata, sizeof nodata); \
        if (c->omits) \
            AP_UNFLAG(type, is_nan(element)) \
        if (c->has_nodata) \
            AP_UNFLAG(type, are_equal(element, nodata)) \
    }

AP_UNFLAG_INTEGERS(byte, uint8_t)
AP_UNFLAG_INTEGERS(short, uint16_t)
AP_UNFLAG_INTEGERS(word, uint32_t)
AP_UNFLAG_INTEGERS(long, uint64_t)
AP_UNFLAG_REALS(float16, uint16_t, AP_IS_NAN_FLOAT16, AP_ARE_EQUAL_HALVES)
AP_UNFLAG_REALS(bfloat16, uint16_t, AP_IS_NAN_BFLOAT16, AP_ARE_EQUAL_HALVES)
AP_UNFLAG_REALS(float, float, AP_IS_NAN, AP_ARE_EQUAL)
AP_UNFLAG_REALS(double, double, AP_IS_NAN, AP_ARE_EQUAL)

/* In the order of call/elements.pxd; there is no nodata among bools. */
static const ap_unflag ap_all_unflags[] = {
    ap_unflag_byte, ap_unflag_byte, ap_unflag_byte, ap_unflag_short, ap_unflag_short,
    ap_unflag_word, ap_unflag_word, ap_unflag_long, ap_unflag_long, ap_unflag_float16,
    ap_unflag_bfloat16, ap_unflag_float, ap_unflag_double,
};

/* Whether an element counts. */
static inline int ap_is_counted(const ap_counting *c, const char *x, const char *where)
{
    uint8_t flag = where == NULL || *where != 0;
    if (c->omits || c->has_nodata)
        c->unflag(c, x, 1, &flag);
    return flag;
}

#endif
