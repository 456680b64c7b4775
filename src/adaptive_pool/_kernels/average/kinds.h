/* The kinds of elements whose sums need 8 bytes or more, and how each is loaded: kind.h. */
#ifndef AP_AVERAGE_KINDS_H
#define AP_AVERAGE_KINDS_H

#include "average/load.h"

/* What a sum is: of a family all means are computed alike (means.h). */
#define AP_DOUBLE_SUMS 0    /* float64 */
#define AP_TWOFOLD_SUMS 1   /* float64, and what its additions have rounded away */
#define AP_LONG_SUMS 2      /* int64, exact */
#define AP_PAIR_SUMS 3      /* high * 2**32 + low, two int64: exact */

enum {
    AP_ROWS_AT_ONCE = 8,    /* that are added in one pass, if they are long */
    AP_AHEAD = 8192         /* bytes from where something is read to what is asked for meanwhile */
};

/* Bytes from rows that are read to those that are asked for meanwhile. */
AP_ALWAYS ptrdiff_t ap_next_rows(ptrdiff_t count, ptrdiff_t step)
{
    return count * step > AP_AHEAD ? count * step : AP_AHEAD;
}

/* Weights along an axis of a window, whose elements are added so:
   (whole * what is between + first * the first one) + last * the last one
   0: no first or last element is there in part. */
typedef struct {
    int64_t whole, first, last;
    ptrdiff_t inner;            /* elements that weigh `whole` */
} ap_weights;

/* Rows that are weighed, whole ones a step apart: before * what is there + all * their sum. */
typedef struct {
    const char *row, *first, *last;
    ptrdiff_t step;
    ap_weights weights;
    int64_t before, all;        /* before: 0 if nothing is there */
    int ahead;
} ap_rows;

/* Rows, and for each element a byte that is 0 where it does not count. */
typedef struct {
    const char *row;
    const uint8_t *flags;
    ptrdiff_t step, flag_step, count;
    int ahead;
} ap_flagged_rows;

/* Windows along W of a line. */
typedef struct {
    ptrdiff_t count, lanes;         /* windows, and lanes of each */
    const int64_t *starts, *ends;
    ptrdiff_t w0, step;             /* the first column of the line; bytes from one to the next */
    ptrdiff_t shortest, longest;
    int ahead;                      /* whether to ask for elements before they are needed */
} ap_windows;

/* AP_KIND names the kind, AP_E is an element, AP_LOADED says by which functions of load.h it is
   loaded. Of sums, which functions of the first kind of a family work on (AP_HAS_SUMS): AP_V is a
   vector of their numbers, of which each has AP_PARTS; AP_NOTHING adds nothing; AP_KEPT vectors
   stay in registers while lines go by. AP_OF_KIND(x) names what there is once for a kind,
   AP_NAME(x) what there is for each width of vectors. */
#define AP_OF_KIND(x) AP_PASTE_VALUES(AP_PASTE_VALUES(ap, AP_KIND), x)
#define AP_NAME(x) AP_SIZED(AP_OF_KIND(x))
#define AP_SUM AP_NAME(sum)
#define AP_LOAD AP_SIZED(AP_PASTE_VALUES(ap_load, AP_LOADED))
#define AP_LOAD_SOME AP_SIZED(AP_PASTE_VALUES(ap_some, AP_LOADED))

#define AP_V AP_SIZED(ap_doubles)
#define AP_NOTHING (-0.0)
#define AP_FAMILY AP_DOUBLE_SUMS
#define AP_PARTS 1
#define AP_KEPT 8

#define AP_HAS_SUMS
#define AP_KIND float16
#define AP_E uint16_t
#define AP_LOADED float16
#include "average/kind.h"

#define AP_KIND bfloat16
#define AP_E uint16_t
#define AP_LOADED bfloat16
#include "average/kind.h"

#define AP_KIND float
#define AP_E float
#define AP_LOADED floats
#include "average/kind.h"

#undef AP_FAMILY
#undef AP_PARTS
#undef AP_KEPT
#define AP_FAMILY AP_TWOFOLD_SUMS
#define AP_PARTS 2
#define AP_KEPT 4

#define AP_HAS_SUMS
#define AP_KIND double
#define AP_E double
#define AP_LOADED doubles
#include "average/kind.h"

#undef AP_V
#undef AP_NOTHING
#undef AP_FAMILY
#define AP_V AP_SIZED(ap_longs)
#define AP_NOTHING 0
#define AP_FAMILY AP_PAIR_SUMS

#define AP_HAS_SUMS
#define AP_KIND int64
#define AP_E int64_t
#define AP_HIGH(x) ((x) >> 32)
#define AP_LOADED longs
#include "average/kind.h"

#undef AP_HIGH
#define AP_KIND uint64
#define AP_E int64_t
#define AP_HIGH(x) (((x) >> 32) & 0xffffffff)
#define AP_LOADED longs
#include "average/kind.h"

#undef AP_FAMILY
#undef AP_PARTS
#undef AP_KEPT
#define AP_FAMILY AP_LONG_SUMS
#define AP_PARTS 1
#define AP_KEPT 8

#define AP_HAS_SUMS
#define AP_KIND int32
#define AP_E int32_t
#define AP_LOADED ints
#include "average/kind.h"

#define AP_KIND uint32
#define AP_E uint32_t
#define AP_LOADED words
#include "average/kind.h"

typedef struct {
    void (*add_rows)(
        const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int fresh, int ahead,
        char *target, ptrdiff_t part);
    void (*add_sums)(
        const char *row, ptrdiff_t step, ptrdiff_t count, ptrdiff_t row_part, ptrdiff_t n,
        int fresh, char *target, ptrdiff_t part);
    void (*add_counted_rows)(
        const ap_flagged_rows *rows, ptrdiff_t n, int fresh, char *target, ptrdiff_t part);
    void (*weigh_rows)(const ap_rows *rows, ptrdiff_t n, char *target, ptrdiff_t part);
    void (*windows)(const ap_windows *w, const char *line, char *target, ptrdiff_t part);
    void (*windows_of_sums)(
        const ap_windows *w, const char *line, ptrdiff_t line_part, char *target, ptrdiff_t part);
    void (*along)(const ap_windows *w, const char *line, char *target, ptrdiff_t part);
    void (*along_sums)(
        const ap_windows *w, const char *line, ptrdiff_t line_part, char *target, ptrdiff_t part);
    int family, parts;
} ap_kind;

/* What works on sums is that of the first kind of a family. */
#define AP_ENTRY(name, first, family, parts) \
    {ap_##name##_add_rows, ap_##first##_add_sums, ap_##name##_add_counted_rows, \
     ap_##name##_weigh_rows, ap_##name##_windows, ap_##first##_windows_of_sums, ap_##name##_along, \
     ap_##first##_along_sums, family, parts}

/* In the order of call/elements.pxd, from uint32 on: shorter integers have sums of their own. */
enum { AP_FIRST_KIND = 5 };
static const ap_kind ap_kinds[] = {
    AP_ENTRY(uint32, int32, AP_LONG_SUMS, 1),
    AP_ENTRY(int32, int32, AP_LONG_SUMS, 1),
    AP_ENTRY(uint64, int64, AP_PAIR_SUMS, 2),
    AP_ENTRY(int64, int64, AP_PAIR_SUMS, 2),
    AP_ENTRY(float16, float16, AP_DOUBLE_SUMS, 1),
    AP_ENTRY(bfloat16, float16, AP_DOUBLE_SUMS, 1),
    AP_ENTRY(float, float16, AP_DOUBLE_SUMS, 1),
    AP_ENTRY(double, double, AP_TWOFOLD_SUMS, 2),
};

#endif
