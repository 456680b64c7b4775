/* Loading a vector of elements, widened to the numbers of their sums. */
#ifndef AP_AVERAGE_LOAD_H
#define AP_AVERAGE_LOAD_H

#include "simd/halves.h"
#include "simd/wide.h"

AP_ALWAYS ap_doubles ap_load_doubles(const char *place)
{
    ap_doubles x;
    memcpy(&x, place, sizeof x);
    return x;
}

AP_ALWAYS ap_longs ap_load_longs(const char *place)
{
    ap_longs x;
    memcpy(&x, place, sizeof x);
    return x;
}

/* GCC makes more of a conversion of vectors than there is to it. */
#if AP_WIDE == 4
AP_ALWAYS ap_doubles ap_load_floats(const char *place)
{
    return (ap_doubles) _mm256_cvtps_pd(_mm_loadu_ps((const float *) place));
}

AP_ALWAYS ap_longs ap_load_ints(const char *place)
{
    return (ap_longs) _mm256_cvtepi32_epi64(_mm_loadu_si128((const __m128i *) place));
}

AP_ALWAYS ap_longs ap_load_words(const char *place)
{
    return (ap_longs) _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *) place));
}
#else
#if AP_WIDE == 2
#define AP_BOTH(x, type) {(type) x[0], (type) x[1]}
#else
#define AP_BOTH(x, type) (type) x[0]
#endif
AP_ALWAYS ap_doubles ap_load_floats(const char *place)
{
    float x[AP_WIDE];
    memcpy(x, place, sizeof x);
    const ap_doubles wide = AP_BOTH(x, double);
    return wide;
}

AP_ALWAYS ap_longs ap_load_ints(const char *place)
{
    int32_t x[AP_WIDE];
    memcpy(x, place, sizeof x);
    const ap_longs wide = AP_BOTH(x, int64_t);
    return wide;
}

AP_ALWAYS ap_longs ap_load_words(const char *place)
{
    uint32_t x[AP_WIDE];
    memcpy(x, place, sizeof x);
    const ap_longs wide = AP_BOTH(x, int64_t);
    return wide;
}
#endif

#define AP_WIDEN_HALVES(widen, place) \
    uint16_t half[AP_WIDE]; \
    float wide[AP_WIDE]; \
    memcpy(half, place, sizeof half); \
    for (int i = 0; i < AP_WIDE; i++) \
        wide[i] = widen(half[i]); \
    return ap_load_floats((const char *) wide)

AP_ALWAYS ap_doubles ap_load_float16(const char *place)
{
#if AP_WIDE == 4 && defined(__F16C__)
    return (ap_doubles) _mm256_cvtps_pd(_mm_cvtph_ps(_mm_loadl_epi64((const __m128i *) place)));
#else
    AP_WIDEN_HALVES(ap_widen_float16, place);
#endif
}

AP_ALWAYS ap_doubles ap_load_bfloat16(const char *place)
{
#if AP_WIDE == 4
    __m128i half = _mm_loadl_epi64((const __m128i *) place);
    __m128i bits = _mm_slli_epi32(_mm_cvtepu16_epi32(half), 16);
    return (ap_doubles) _mm256_cvtps_pd(_mm_castsi128_ps(bits));
#else
    AP_WIDEN_HALVES(ap_widen_bfloat16, place);
#endif
}

/* The first n of a vector and, for the others, what adds nothing; no more is read. */
#if AP_WIDE == 4
AP_ALWAYS __m128i ap_first_words(ptrdiff_t n)
{
    const __m128i at = _mm_set_epi32(3, 2, 1, 0);
    return _mm_cmpgt_epi32(_mm_set1_epi32(n < 0 ? 0 : n < 4 ? (int) n : 4), at);
}

AP_ALWAYS ap_doubles ap_some_floats(const char *place, ptrdiff_t n)
{
    const __m128i some = ap_first_words(n);
    __m128 x = _mm_maskload_ps((const float *) place, some);
    x = _mm_blendv_ps(_mm_set1_ps(-0.0f), x, _mm_castsi128_ps(some));
    return (ap_doubles) _mm256_cvtps_pd(x);
}

AP_ALWAYS ap_doubles ap_some_doubles(const char *place, ptrdiff_t n)
{
    const __m256i some = (__m256i) ap_first(n);
    const __m256d x = _mm256_maskload_pd((const double *) place, some);
    return (ap_doubles) _mm256_blendv_pd(_mm256_set1_pd(-0.0), x, _mm256_castsi256_pd(some));
}

AP_ALWAYS ap_longs ap_some_ints(const char *place, ptrdiff_t n)
{
    return (ap_longs) _mm256_cvtepi32_epi64(
        _mm_maskload_epi32((const int *) place, ap_first_words(n)));
}

AP_ALWAYS ap_longs ap_some_words(const char *place, ptrdiff_t n)
{
    return (ap_longs) _mm256_cvtepu32_epi64(
        _mm_maskload_epi32((const int *) place, ap_first_words(n)));
}

AP_ALWAYS ap_longs ap_some_longs(const char *place, ptrdiff_t n)
{
    return (ap_longs) _mm256_maskload_epi64((const long long *) place, (__m256i) ap_first(n));
}
#else
#define AP_SOME(name, vector_t, type, none) \
    AP_ALWAYS vector_t ap_some_##name(const char *place, ptrdiff_t n) \
    { \
        type x[AP_WIDE]; \
        for (int i = 0; i < AP_WIDE; i++) \
            x[i] = none; \
        for (int i = 0; i < AP_WIDE && i < n; i++) \
            memcpy(&x[i], place + i * (ptrdiff_t) sizeof x[i], sizeof x[i]); \
        return ap_load_##name((const char *) x); \
    }
AP_SOME(floats, ap_doubles, float, -0.0f)
AP_SOME(doubles, ap_doubles, double, -0.0)
AP_SOME(ints, ap_longs, int32_t, 0)
AP_SOME(words, ap_longs, uint32_t, 0)
AP_SOME(longs, ap_longs, int64_t, 0)
#endif

/* The first n halves, put together in a register: a vector that is loaded from where single halves
   were just stored has to wait for them. */
AP_ALWAYS void ap_some_halves(const char *place, ptrdiff_t n, uint16_t *halves)
{
    uint64_t four = 0x8000800080008000;
    for (int i = 0; i < AP_WIDE && i < n; i++) {
        uint16_t half;
        memcpy(&half, place + 2 * i, 2);
        four ^= (uint64_t) (half ^ 0x8000) << 16 * i;
    }
    for (int i = 0; i < AP_WIDE; i++)
        halves[i] = (uint16_t) (four >> 16 * i);
}

AP_ALWAYS ap_doubles ap_some_float16(const char *place, ptrdiff_t n)
{
    uint16_t halves[AP_WIDE];
    ap_some_halves(place, n, halves);
    return ap_load_float16((const char *) halves);
}

AP_ALWAYS ap_doubles ap_some_bfloat16(const char *place, ptrdiff_t n)
{
    uint16_t halves[AP_WIDE];
    ap_some_halves(place, n, halves);
    return ap_load_bfloat16((const char *) halves);
}

#endif
