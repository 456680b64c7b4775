/* Loading a vector of elements, widened to the numbers of their sums: ap_load_NAME_N() all N of
   them; ap_some_NAME_N() the first few and, for the others, what adds nothing. No more is read. */
#ifndef AP_AVERAGE_LOAD_H
#define AP_AVERAGE_LOAD_H

#include "simd/halves.h"
#include "simd/wide.h"

#if AP_FOUR == 4
#define AP_LOADS(n, name, vector_t, widen, all, some) \
    AP_ALWAYS vector_t##_##n ap_load_##name##_##n(const char *place) \
    { \
        return (vector_t##_##n) widen(all); \
    } \
    AP_ALWAYS vector_t##_##n ap_some_##name##_##n(const char *place, ptrdiff_t count) \
    { \
        return (vector_t##_##n) widen(some); \
    }
#define AP_AS_THEY_ARE(x) (x)
/* GCC makes more of a conversion of vectors than there is to it: each is named. */
#define AP_FROM_FLOAT16_4(x) _mm256_cvtps_pd(_mm_cvtph_ps(x))
/* Halves become the upper halves of words. */
#define AP_FROM_BFLOAT16_4(x) \
    _mm256_cvtps_pd(_mm_castsi128_ps(_mm_shuffle_epi8( \
        x, _mm_set_epi8(7, 6, -1, -1, 5, 4, -1, -1, 3, 2, -1, -1, 1, 0, -1, -1))))
#define AP_HALVES_4 _mm_loadl_epi64((const __m128i *) place)
#define AP_FLOATS_4 _mm_loadu_ps((const float *) place)
#define AP_WORDS_4 _mm_loadu_si128((const __m128i *) place)
#define AP_DOUBLES_4 _mm256_loadu_pd((const double *) place)
#define AP_LONGS_4 _mm256_loadu_si256((const __m256i *) place)

#if AP_WIDE == 8    /* masks are numbers */
#define AP_FROM_FLOAT16_8(x) _mm512_cvtps_pd(_mm256_cvtph_ps(x))
#define AP_FROM_BFLOAT16_8(x) \
    _mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_shuffle_epi8( \
        _mm256_broadcastsi128_si256(x), \
        _mm256_set_epi8( \
            15, 14, -1, -1, 13, 12, -1, -1, 11, 10, -1, -1, 9, 8, -1, -1, \
            7, 6, -1, -1, 5, 4, -1, -1, 3, 2, -1, -1, 1, 0, -1, -1))))
#define AP_FIRST ((__mmask8) ((1u << (count < 0 ? 0 : count < 8 ? count : 8)) - 1))
#define AP_SOME_HALVES _mm_mask_loadu_epi16(_mm_set1_epi16(-32768), AP_FIRST, place)
#define AP_SOME_FLOATS(mm) mm##_mask_loadu_ps(mm##_set1_ps(-0.0f), AP_FIRST, place)
#define AP_SOME_DOUBLES(mm) mm##_mask_loadu_pd(mm##_set1_pd(-0.0), AP_FIRST, place)
#define AP_SOME_WORDS(mm) mm##_maskz_loadu_epi32(AP_FIRST, place)
#define AP_SOME_LONGS(mm) mm##_maskz_loadu_epi64(AP_FIRST, place)

AP_LOADS(8, float16, ap_doubles, AP_FROM_FLOAT16_8, _mm_loadu_si128((const __m128i *) place),
         AP_SOME_HALVES)
AP_LOADS(8, bfloat16, ap_doubles, AP_FROM_BFLOAT16_8, _mm_loadu_si128((const __m128i *) place),
         AP_SOME_HALVES)
AP_LOADS(8, floats, ap_doubles, _mm512_cvtps_pd, _mm256_loadu_ps((const float *) place),
         AP_SOME_FLOATS(_mm256))
AP_LOADS(8, doubles, ap_doubles, AP_AS_THEY_ARE, _mm512_loadu_pd(place), AP_SOME_DOUBLES(_mm512))
AP_LOADS(8, ints, ap_longs, _mm512_cvtepi32_epi64, AP_LONGS_4, AP_SOME_WORDS(_mm256))
AP_LOADS(8, words, ap_longs, _mm512_cvtepu32_epi64, AP_LONGS_4, AP_SOME_WORDS(_mm256))
AP_LOADS(8, longs, ap_longs, AP_AS_THEY_ARE, _mm512_loadu_si512(place), AP_SOME_LONGS(_mm512))
#define AP_SOME_FLOATS_4 AP_SOME_FLOATS(_mm)
#define AP_SOME_DOUBLES_4 AP_SOME_DOUBLES(_mm256)
#define AP_SOME_WORDS_4 AP_SOME_WORDS(_mm)
#define AP_SOME_LONGS_4 AP_SOME_LONGS(_mm256)
#else
AP_ALWAYS __m128i ap_first_words(ptrdiff_t n)
{
    const __m128i at = _mm_set_epi32(3, 2, 1, 0);
    return _mm_cmpgt_epi32(_mm_set1_epi32(n < 0 ? 0 : n < 4 ? (int) n : 4), at);
}

/* Put together in a register: a vector that is loaded from where single halves were just stored
   has to wait for them. */
AP_ALWAYS __m128i ap_first_halves(const char *place, ptrdiff_t n)
{
    uint64_t four = 0x8000800080008000;
    for (int i = 0; i < 4 && i < n; i++) {
        uint16_t half;
        memcpy(&half, place + 2 * i, 2);
        four ^= (uint64_t) (half ^ 0x8000) << 16 * i;
    }
    return _mm_cvtsi64_si128((int64_t) four);
}
#define AP_SOME_HALVES ap_first_halves(place, count)
#define AP_SOME_FLOATS_4 \
    _mm_blendv_ps( \
        _mm_set1_ps(-0.0f), _mm_maskload_ps((const float *) place, ap_first_words(count)), \
        _mm_castsi128_ps(ap_first_words(count)))
#define AP_SOME_DOUBLES_4 \
    _mm256_blendv_pd( \
        _mm256_set1_pd(-0.0), \
        _mm256_maskload_pd((const double *) place, (__m256i) ap_first_4(count)), \
        (__m256d) ap_first_4(count))
#define AP_SOME_WORDS_4 _mm_maskload_epi32((const int *) place, ap_first_words(count))
#define AP_SOME_LONGS_4 \
    _mm256_maskload_epi64((const long long *) place, (__m256i) ap_first_4(count))
#endif

AP_LOADS(4, float16, ap_doubles, AP_FROM_FLOAT16_4, AP_HALVES_4, AP_SOME_HALVES)
AP_LOADS(4, bfloat16, ap_doubles, AP_FROM_BFLOAT16_4, AP_HALVES_4, AP_SOME_HALVES)
AP_LOADS(4, floats, ap_doubles, _mm256_cvtps_pd, AP_FLOATS_4, AP_SOME_FLOATS_4)
AP_LOADS(4, doubles, ap_doubles, AP_AS_THEY_ARE, AP_DOUBLES_4, AP_SOME_DOUBLES_4)
AP_LOADS(4, ints, ap_longs, _mm256_cvtepi32_epi64, AP_WORDS_4, AP_SOME_WORDS_4)
AP_LOADS(4, words, ap_longs, _mm256_cvtepu32_epi64, AP_WORDS_4, AP_SOME_WORDS_4)
AP_LOADS(4, longs, ap_longs, AP_AS_THEY_ARE, AP_LONGS_4, AP_SOME_LONGS_4)

#else   /* one by one */
#define AP_NUMBERS AP_WIDE
#if AP_WIDE == 2
#define AP_ALL_OF(x, widen) {widen(x[0]), widen(x[1])}
#else
#define AP_ALL_OF(x, widen) widen(x[0])
#endif
#define AP_LOADS(name, vector_t, type, widen, nothing) \
    AP_ALWAYS AP_SIZED(vector_t) AP_SIZED(ap_load_##name)(const char *place) \
    { \
        type x[AP_WIDE]; \
        memcpy(x, place, sizeof x); \
        const AP_SIZED(vector_t) wide = AP_ALL_OF(x, widen); \
        return wide; \
    } \
    AP_ALWAYS AP_SIZED(vector_t) AP_SIZED(ap_some_##name)(const char *place, ptrdiff_t count) \
    { \
        type x[AP_WIDE]; \
        for (int i = 0; i < AP_WIDE; i++) \
            x[i] = nothing; \
        for (int i = 0; i < AP_WIDE && i < count; i++) \
            memcpy(&x[i], place + i * (ptrdiff_t) sizeof x[i], sizeof x[i]); \
        return AP_SIZED(ap_load_##name)((const char *) x); \
    }

AP_LOADS(float16, ap_doubles, uint16_t, ap_widen_float16, 0x8000)
AP_LOADS(bfloat16, ap_doubles, uint16_t, ap_widen_bfloat16, 0x8000)
AP_LOADS(floats, ap_doubles, float, (double), -0.0f)
AP_LOADS(doubles, ap_doubles, double, (double), -0.0)
AP_LOADS(ints, ap_longs, int32_t, (int64_t), 0)
AP_LOADS(words, ap_longs, uint32_t, (int64_t), 0)
AP_LOADS(longs, ap_longs, int64_t, (int64_t), 0)
#undef AP_NUMBERS
#endif

#endif
