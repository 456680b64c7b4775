/* The kinds of elements that max pooling compares, and what it does with each: strip.h. */
#ifndef AP_MAXIMUM_ELEMENTS_H
#define AP_MAXIMUM_ELEMENTS_H

#include <math.h>

#include "maximum/window.h"
#include "simd/compiler.h"
#include "simd/mask.h"

/* Bytes of a vector, at most. */
#if !defined(__GNUC__)
#define AP_BYTES 0 /* one element */
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
#define AP_BYTES 64
#define AP_BY(op, x, y) _mm512_##op((__m512i) (x), (__m512i) (y))
#define AP_BY_FLOATS(op, x, y) _mm512_##op((__m512) (x), (__m512) (y))
#define AP_BY_DOUBLES(op, x, y) _mm512_##op((__m512d) (x), (__m512d) (y))
typedef uint64_t ap_nan_mask;
#define AP_NAN_FLOATS(x, y) _mm512_cmp_ps_mask((__m512) (x), (__m512) (y), _CMP_UNORD_Q)
#define AP_NAN_DOUBLES(x, y) _mm512_cmp_pd_mask((__m512d) (x), (__m512d) (y), _CMP_UNORD_Q)
#elif defined(__AVX2__)
#include <immintrin.h>
#define AP_BYTES 32
#define AP_BY(op, x, y) _mm256_##op((__m256i) (x), (__m256i) (y))
#define AP_BY_FLOATS(op, x, y) _mm256_##op((__m256) (x), (__m256) (y))
#define AP_BY_DOUBLES(op, x, y) _mm256_##op((__m256d) (x), (__m256d) (y))
typedef __m256i ap_nan_mask;
#define AP_NAN_FLOATS(x, y) ((__m256i) _mm256_cmp_ps((__m256) (x), (__m256) (y), _CMP_UNORD_Q))
#define AP_NAN_DOUBLES(x, y) \
    ((__m256i) _mm256_cmp_pd((__m256d) (x), (__m256d) (y), _CMP_UNORD_Q))
#else
#define AP_BYTES 16
#endif
/* A vector is no longer than a strip. */
#define AP_BYTES_OF(size) ((size) * AP_STRIP < AP_BYTES ? (size) * AP_STRIP : AP_BYTES)
#define AP_ASK_AHEAD(place) \
    do { \
        if (block->ahead != 0) \
            AP_ASK(place); \
    } while (0)

enum {
    AP_BLOCK = 8192,    /* bytes that are read twice: for the first cache */
    AP_AHEAD = 4096,    /* how many bytes ahead rows are asked for */
    AP_MOST_LANES = 4   /* that are compared along W */
};

#define AP_INTEGER 0
#define AP_REAL 1
#define AP_HALF 2

#define AP_BY_SELECT_LARGER(x, top) AP_SELECT(AP_TRUE((x) > (top)), x, top)

#define AP_NAME(x) ap_int8_##x
#define AP_T int8_t
#define AP_I uint8_t
#define AP_S int8_t
#define AP_KIND AP_INTEGER
#if defined(__AVX2__)
#define AP_LARGER(x, top) ((AP_V) _mm256_max_epi8((__m256i) (x), (__m256i) (top)))
#else
#define AP_LARGER AP_BY_SELECT_LARGER
#endif
#include "maximum/strip.h"

#define AP_NAME(x) ap_int16_##x
#define AP_T int16_t
#define AP_I uint16_t
#define AP_S int16_t
#define AP_KIND AP_INTEGER
#if defined(__AVX2__)
#define AP_LARGER(x, top) ((AP_V) AP_BY(max_epi16, x, top))
#else
#define AP_LARGER AP_BY_SELECT_LARGER
#endif
#include "maximum/strip.h"

#define AP_NAME(x) ap_int32_##x
#define AP_T int32_t
#define AP_I uint32_t
#define AP_S int32_t
#define AP_KIND AP_INTEGER
#if defined(__AVX2__)
#define AP_LARGER(x, top) ((AP_V) AP_BY(max_epi32, x, top))
#else
#define AP_LARGER AP_BY_SELECT_LARGER
#endif
#include "maximum/strip.h"

#define AP_NAME(x) ap_int64_##x
#define AP_T int64_t
#define AP_I uint64_t
#define AP_S int64_t
#define AP_KIND AP_INTEGER
#define AP_LARGER AP_BY_SELECT_LARGER
#include "maximum/strip.h"

#define AP_NAME(x) ap_half_##x
#define AP_T int16_t
#define AP_I uint16_t
#define AP_S int16_t
#define AP_KIND AP_HALF
#if defined(__AVX2__)
#define AP_LARGER(x, top) ((AP_V) AP_BY(max_epi16, x, top))
#define AP_SMALLER(x, top) ((AP_V) AP_BY(min_epi16, x, top))
#define AP_HIGHER(x, top) ((AP_U) AP_BY(max_epu16, x, top))
#else
#define AP_LARGER AP_BY_SELECT_LARGER
#define AP_SMALLER(x, top) AP_SELECT(AP_TRUE((x) < (top)), x, top)
#define AP_HIGHER(x, top) ((AP_U) AP_SELECT(AP_TRUE((AP_U) (x) > (top)), x, top))
#endif
#include "maximum/strip.h"

/* AP_LARGER: the second operand, if one is NaN or both are 0. AP_NAN: where one is NaN. */
#define AP_NAME(x) ap_float_##x
#define AP_T float
#define AP_I uint32_t
#define AP_S int32_t
#define AP_KIND AP_REAL
#if defined(__AVX2__)
#define AP_LARGER(x, top) ((AP_V) AP_BY_FLOATS(max_ps, x, top))
#define AP_NAN AP_NAN_FLOATS
#else
#define AP_LARGER AP_BY_SELECT_LARGER
#endif
#include "maximum/strip.h"

#define AP_NAME(x) ap_double_##x
#define AP_T double
#define AP_I uint64_t
#define AP_S int64_t
#define AP_KIND AP_REAL
#if defined(__AVX2__)
#define AP_LARGER(x, top) ((AP_V) AP_BY_DOUBLES(max_pd, x, top))
#define AP_NAN AP_NAN_DOUBLES
#else
#define AP_LARGER AP_BY_SELECT_LARGER
#endif
#include "maximum/strip.h"

typedef struct {
    void (*lanes)(ap_window *, const ap_places *, ptrdiff_t, int64_t, int, void *, int64_t *);
    void (*rows)(const ap_window *, ptrdiff_t, int64_t, ptrdiff_t, void *, void *);
    void (*pairs)(
        const void *, const void *, ptrdiff_t, ptrdiff_t, int64_t, const ap_window *,
        const ap_places *, void *, int64_t *);
    int (*doubtful)(const void *, ptrdiff_t, int64_t);
    int (*highest)(const ap_window *, int, int64_t, int, void *);
    void (*find)(const ap_window *, int, int, int64_t, const void *, void *, int64_t *);
    void (*largest)(const ap_window *, int, int64_t, void *, int64_t *);
    int64_t flip;
    int64_t quiet; /* what makes a NaN of halves quiet, or 0 */
    int size;
} ap_elements;

#define AP_ELEMENTS(name, size, flip, quiet) \
    {ap_##name##_lanes, ap_##name##_rows, ap_##name##_pairs, \
     ap_##name##_doubtful, ap_##name##_highest, ap_##name##_find, ap_##name##_largest, \
     flip, quiet, size}

/* In the order of call/elements.pxd. */
static const ap_elements ap_all_elements[] = {
    AP_ELEMENTS(int8, 1, -0x80, 0),             /* bool, of which all but 0 has been made 1 */
    AP_ELEMENTS(int8, 1, -0x80, 0),
    AP_ELEMENTS(int8, 1, 0, 0),
    AP_ELEMENTS(int16, 2, -0x8000, 0),
    AP_ELEMENTS(int16, 2, 0, 0),
    AP_ELEMENTS(int32, 4, INT32_MIN, 0),
    AP_ELEMENTS(int32, 4, 0, 0),
    AP_ELEMENTS(int64, 8, INT64_MIN, 0),
    AP_ELEMENTS(int64, 8, 0, 0),
    AP_ELEMENTS(half, 2, 0x7c00, 0x0200),
    AP_ELEMENTS(half, 2, 0x7f80, 0x0040),
    AP_ELEMENTS(float, 4, 0, 0),
    AP_ELEMENTS(double, 8, 0, 0),
};

/* What converting halves to floats and back would do to signalling NaNs. */
static inline void ap_quieten(const ap_elements *elements, ptrdiff_t n, uint16_t *tops)
{
    const uint16_t infinity = (uint16_t) elements->flip, quiet = (uint16_t) elements->quiet;
    for (ptrdiff_t i = 0; i < n; i++)
        tops[i] = (tops[i] & 0x7fff) > infinity ? tops[i] | quiet : tops[i];
}

static inline ptrdiff_t ap_strip(int size)
{
    return size == 8 ? AP_STRIP / 2 : AP_STRIP;
}

#endif
