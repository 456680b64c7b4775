/* Vectors of 8-byte numbers, which sums are kept in: four, two or, for other compilers, one. */
#ifndef AP_WIDE_H
#define AP_WIDE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"

#if defined(__GNUC__)
#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define AP_WIDE 4
#else
#define AP_WIDE 2
#endif
typedef double ap_doubles __attribute__((vector_size(8 * AP_WIDE)));
typedef int64_t ap_longs __attribute__((vector_size(8 * AP_WIDE)));
#define AP_EACH(value) ((value) - (AP_V) {0})   /* of the type AP_V, a vector; keeps -0.0 */
#define AP_KEEP(where, x, y) ((AP_V) (((where) & (ap_longs) (x)) | (~(where) & (ap_longs) (y))))
#else
#define AP_WIDE 1
typedef double ap_doubles;
typedef int64_t ap_longs;
#define AP_EACH(value) ((AP_V) (value))
#define AP_KEEP(where, x, y) ((where) ? (x) : (y))
#endif

enum { AP_PER_FOUR = 4 / AP_WIDE }; /* vectors for four numbers */

/* All bits of the first n numbers of a vector, none of the others. */
AP_ALWAYS ap_longs ap_first(ptrdiff_t n)
{
#if AP_WIDE == 4
    return (ap_longs) {0, 1, 2, 3} < (ap_longs) {n, n, n, n};
#elif AP_WIDE == 2
    return (ap_longs) {-(int64_t) (n > 0), -(int64_t) (n > 1)};
#else
    return -(int64_t) (n > 0);
#endif
}

/* Vectors of four numbers each become vectors of the first, second, third and fourth of all. */
AP_ALWAYS void ap_turn_numbers(void *vectors)
{
#if AP_WIDE == 4
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
