/* Vectors of 8-byte numbers, which sums are kept in: of eight, four or two or, for other compilers,
   one. What is written for several widths is included once for each, as AP_NUMBERS says. */
#ifndef AP_WIDE_H
#define AP_WIDE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

/* The numbers of the widest vectors, and of those that have four at most. */
#if defined(__GNUC__) && defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
#define AP_WIDE 8
#define AP_FOUR 4
#elif defined(__GNUC__) && defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>
#define AP_WIDE 4
#define AP_FOUR 4
#elif defined(__GNUC__)
#define AP_WIDE 2
#define AP_FOUR 2
#else
#define AP_WIDE 1
#define AP_FOUR 1
#endif
enum { AP_PER_FOUR = 4 / AP_FOUR }; /* vectors for four numbers */

#define AP_PASTE(a, b) a##_##b
#define AP_PASTE_VALUES(a, b) AP_PASTE(a, b)
#define AP_SIZED(name) AP_PASTE_VALUES(name, AP_NUMBERS) /* what is called so for this width */

#if defined(__GNUC__)
#if AP_FOUR == 4
typedef double ap_doubles_4 __attribute__((vector_size(32)));
typedef int64_t ap_longs_4 __attribute__((vector_size(32)));
#else
typedef double ap_doubles_2 __attribute__((vector_size(16)));
typedef int64_t ap_longs_2 __attribute__((vector_size(16)));
#endif
#if AP_WIDE == 8
typedef double ap_doubles_8 __attribute__((vector_size(64)));
typedef int64_t ap_longs_8 __attribute__((vector_size(64)));
#endif
#define AP_EACH(value) ((value) - (AP_V) {0})   /* of the type AP_V, a vector; keeps -0.0 */
#define AP_KEEP(where, x, y) \
    ((AP_V) (((where) & (AP_SIZED(ap_longs)) (x)) | (~(where) & (AP_SIZED(ap_longs)) (y))))
/* float64 without the last 27 bits */
#define AP_HIGH_PART(x) ((AP_V) ((AP_SIZED(ap_longs)) (x) & ~(int64_t) 0x7ffffff))
#else
typedef double ap_doubles_1;
typedef int64_t ap_longs_1;
#define AP_EACH(value) ((AP_V) (value))
#define AP_KEEP(where, x, y) ((where) ? (x) : (y))
#define AP_HIGH_PART(x) ap_high_part(x)
AP_ALWAYS double ap_high_part(double x)
{
    int64_t bits;
    memcpy(&bits, &x, 8);
    bits &= ~(int64_t) 0x7ffffff;
    memcpy(&x, &bits, 8);
    return x;
}
#endif

/* All bits of the first n numbers of a vector, none of the others. */
#if AP_WIDE == 8
AP_ALWAYS ap_longs_8 ap_first_8(ptrdiff_t n)
{
    return (ap_longs_8) {0, 1, 2, 3, 4, 5, 6, 7} < (ap_longs_8) {n, n, n, n, n, n, n, n};
}
#endif
#if AP_FOUR == 4
AP_ALWAYS ap_longs_4 ap_first_4(ptrdiff_t n)
{
    return (ap_longs_4) {0, 1, 2, 3} < (ap_longs_4) {n, n, n, n};
}
#elif AP_FOUR == 2
AP_ALWAYS ap_longs_2 ap_first_2(ptrdiff_t n)
{
    return (ap_longs_2) {-(int64_t) (n > 0), -(int64_t) (n > 1)};
}
#else
AP_ALWAYS ap_longs_1 ap_first_1(ptrdiff_t n)
{
    return -(int64_t) (n > 0);
}
#endif

/* All bits of those numbers of a vector whose byte is not 0. */
#if AP_WIDE == 8
AP_ALWAYS ap_longs_8 ap_flagged_8(const uint8_t *bytes)
{
    return (ap_longs_8) _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *) bytes)) != 0;
}
#elif AP_WIDE == 4
AP_ALWAYS ap_longs_4 ap_flagged_4(const uint8_t *bytes)
{
    int four;
    memcpy(&four, bytes, sizeof four);
    return (ap_longs_4) _mm256_cvtepi8_epi64(_mm_cvtsi32_si128(four)) != 0;
}
#elif AP_WIDE == 2
AP_ALWAYS ap_longs_2 ap_flagged_2(const uint8_t *bytes)
{
    return (ap_longs_2) {-(int64_t) (bytes[0] != 0), -(int64_t) (bytes[1] != 0)};
}
#else
AP_ALWAYS ap_longs_1 ap_flagged_1(const uint8_t *bytes)
{
    return -(int64_t) (*bytes != 0);
}
#endif

/* Four times four numbers, in vectors of four at most, become those of the first, second, third
   and fourth of all. */
AP_ALWAYS void ap_turn_numbers(void *vectors)
{
#if AP_FOUR == 4
    __m256d *v = vectors, ab = _mm256_unpacklo_pd(v[0], v[1]), cd = _mm256_unpacklo_pd(v[2], v[3]);
    __m256d high_ab = _mm256_unpackhi_pd(v[0], v[1]), high_cd = _mm256_unpackhi_pd(v[2], v[3]);
    v[0] = _mm256_permute2f128_pd(ab, cd, 0x20);
    v[1] = _mm256_permute2f128_pd(high_ab, high_cd, 0x20);
    v[2] = _mm256_permute2f128_pd(ab, cd, 0x31);
    v[3] = _mm256_permute2f128_pd(high_ab, high_cd, 0x31);
#else
    int64_t numbers[4][4], turned[4][4];
    memcpy(numbers, vectors, sizeof numbers);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            turned[j][i] = numbers[i][j];
    memcpy(vectors, turned, sizeof turned);
#endif
}

#endif
