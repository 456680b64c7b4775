/* Sums of float32 rounded to halves, side by side; every NaN becomes the same one. */
#ifndef AP_MAXIMUM_BACKWARD_ROUND_H
#define AP_MAXIMUM_BACKWARD_ROUND_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__) && defined(__AVX2__)
#include <immintrin.h>

/* Sixteen sums. A NaN is rare, and looking for one in both vectors at once is cheap. */
static inline void ap_load_sums(const float *sums, __m256 *a, __m256 *b)
{
    *a = _mm256_loadu_ps(sums);
    *b = _mm256_loadu_ps(sums + 8);
    if (_mm256_movemask_ps(_mm256_cmp_ps(*a, *b, _CMP_UNORD_Q))) {
        const __m256 nan = _mm256_set1_ps((float) NAN);
        *a = _mm256_blendv_ps(*a, nan, _mm256_cmp_ps(*a, *a, _CMP_UNORD_Q));
        *b = _mm256_blendv_ps(*b, nan, _mm256_cmp_ps(*b, *b, _CMP_UNORD_Q));
    }
}

static inline __m256i ap_round_to_bfloat16(__m256 x)
{
    __m256i bits = _mm256_castps_si256(x);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    bits = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    return _mm256_srli_epi32(bits, 16);
}

/* Where the sixteen sums lie that begin with the k-th, or the last ones, if these are fewer. */
static inline ptrdiff_t ap_sixteen_at(ptrdiff_t k, ptrdiff_t n)
{
    return k + 16 <= n ? k : n - 16;
}

/* Returns how many were rounded: fewer than sixteen are up to the caller. */
static inline ptrdiff_t ap_round_float16(const float *sums, ptrdiff_t n, char *halves)
{
    if (n < 16)
        return 0;
    for (ptrdiff_t k = 0; k < n; k += 16) {
        const ptrdiff_t at = ap_sixteen_at(k, n);
        __m256 a, b;
        ap_load_sums(sums + at, &a, &b);
        _mm_storeu_si128((__m128i *) (halves + 2 * at), _mm256_cvtps_ph(a, 0));
        _mm_storeu_si128((__m128i *) (halves + 2 * at + 16), _mm256_cvtps_ph(b, 0));
    }
    return n;
}

#define AP_ROUNDS_SIXTEEN 1
#else
#define ap_round_float16(sums, n, halves) ((ptrdiff_t) 0)
#endif

static inline void ap_round_bfloat16(const float *sums, ptrdiff_t n, uint16_t *halves)
{
    ptrdiff_t k = 0;
#ifdef AP_ROUNDS_SIXTEEN
    for (; k < n && n >= 16; k += 16) {
        const ptrdiff_t at = ap_sixteen_at(k, n);
        __m256 a, b;
        ap_load_sums(sums + at, &a, &b);
        __m256i packed = _mm256_packus_epi32(ap_round_to_bfloat16(a), ap_round_to_bfloat16(b));
        _mm256_storeu_si256((__m256i *) (halves + at), _mm256_permute4x64_epi64(packed, 0xd8));
    }
#endif
    for (; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, sums + k, sizeof(bits));
        halves[k] = (bits & 0x7fffffff) > 0x7f800000
            ? 0x7fc0 : (uint16_t) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

#endif
