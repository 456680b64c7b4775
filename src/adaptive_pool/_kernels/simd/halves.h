/* float16 and bfloat16, to wider floats and back: one by one, and runs of them by the instructions
   that processors have for that, to the same bits. */
#ifndef AP_HALVES_H
#define AP_HALVES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__F16C__) && defined(__AVX2__)
#include <immintrin.h>
#endif

static inline float ap_float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The float32 of a float16, exactly; a NaN keeps its payload. Loops over it vectorise. */
static inline float ap_widen_float16(uint16_t half)
{
    const uint32_t magnitude = half & 0x7fffu;
    /* 112 rebases the exponent from bias 15 to bias 127; infinities and NaNs need twice that. */
    const uint32_t rebase = magnitude >= 0x7c00u ? 224 : 112;
    const float tiny = (float) (int32_t) magnitude * (1.0f / (1 << 24));
    uint32_t bits = (magnitude << 13) + (rebase << 23), tiny_bits;
    memcpy(&tiny_bits, &tiny, sizeof tiny_bits);
    bits = magnitude < 0x0400u ? tiny_bits : bits;
    return ap_float_of_bits(bits | (half & 0x8000u) << 16);
}

/* The same by one instruction, if there is one: NaNs come out quiet. */
static inline float ap_widen_quietly(uint16_t half)
{
#if defined(__F16C__) && defined(__AVX2__)
    return _cvtsh_ss(half);
#else
    return ap_widen_float16(half);
#endif
}

/* The float32 of a bfloat16: the upper half of its bits. */
static inline float ap_widen_bfloat16(uint16_t half)
{
    return ap_float_of_bits((uint32_t) half << 16);
}

/* x rounded half to even to a 16-bit float of `fraction` bits and exponent bias `bias`. One
   rounding, straight from float64: going through float32 would round twice. */
static inline uint16_t ap_narrow_half(double x, int fraction, int bias)
{
    const uint64_t infinity = (uint64_t) (2 * bias + 1) << fraction;
    const int drop = 52 - fraction;
    uint64_t bits, unit_bits;
    double magnitude, unit;
    memcpy(&bits, &x, sizeof bits);
    const uint16_t sign = (uint16_t) (bits >> 48) & 0x8000;
    bits = bits << 1 >> 1;
    if (bits > (uint64_t) 0x7ff << 52) /* NaN: keep the top of its payload, quiet */
        return (uint16_t) (sign | infinity | ((uint64_t) 1 << (fraction - 1))
            | ((bits >> drop) & (((uint64_t) 1 << fraction) - 1)));
    memcpy(&magnitude, &bits, sizeof magnitude);
    unit_bits = (uint64_t) (1023 + 1 - bias) << 52; /* the least normal number of the half type */
    memcpy(&unit, &unit_bits, sizeof unit);
    if (magnitude < unit) {
        unit_bits = (uint64_t) (1023 - 1 + bias + fraction) << 52; /* 1 over the least subnormal */
        memcpy(&unit, &unit_bits, sizeof unit);
        /* Rounded half to even by a large number; rint() would be a call on baseline x86. */
        magnitude = (magnitude * unit + 6755399441055744.0) - 6755399441055744.0;
        return (uint16_t) (sign | (uint16_t) (int32_t) magnitude);
    }
    bits += (((uint64_t) 1 << (drop - 1)) - 1) + ((bits >> drop) & 1);
    bits = (bits >> drop) - ((uint64_t) (1023 - bias) << fraction);
    return (uint16_t) (sign | (bits < infinity ? bits : infinity));
}

#if defined(__F16C__) && defined(__AVX2__)
/* Eight floats, rounded to odd: a second rounding will not be misled. */
#if defined(__AVX512F__) && defined(__AVX512VL__)
#define AP_TINY 0 /* floats below their normal range are rounded to odd too */
static inline __m256 ap_shorten_eight(const double *in)
{
    const __m512d x = _mm512_loadu_pd(in);
    const __m256 cut = _mm512_cvt_roundpd_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    const __mmask8 rest = _mm512_cmp_pd_mask(x, _mm512_cvtps_pd(cut), _CMP_NEQ_UQ);
    const __m256i bits = _mm256_castps_si256(cut);
    return _mm256_castsi256_ps(_mm256_mask_or_epi32(bits, rest, bits, _mm256_set1_epi32(1)));
}
#else
#define AP_TINY 0x1p-126f /* floats below it have been rounded to even */
static inline __m128 ap_shorten(const double *in)
{
    const __m256i rest = _mm256_set1_epi64x(((int64_t) 1 << 29) - 1);
    __m256i x = _mm256_loadu_si256((const __m256i *) in);
    __m256i odd = _mm256_add_epi64(_mm256_and_si256(x, rest), rest);  /* bit 29: any rest */
    x = _mm256_andnot_si256(rest, _mm256_or_si256(x, odd));
    return _mm256_cvtpd_ps(_mm256_castsi256_pd(x));
}
static inline __m256 ap_shorten_eight(const double *in)
{
    return _mm256_set_m128(ap_shorten(in + 4), ap_shorten(in));
}
#endif
static inline ptrdiff_t ap_narrow_float16(const double *in, ptrdiff_t n, char *out)
{
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128(
            (__m128i *) (out + 2 * i), _mm256_cvtps_ph(ap_shorten_eight(in + i), 0));
    return i;
}
static inline ptrdiff_t ap_narrow_bfloat16(const double *in, ptrdiff_t n, char *out)
{
    const __m256i one = _mm256_set1_epi32(1), half = _mm256_set1_epi32(0x7fff);
    const __m256 sign = _mm256_set1_ps(-0.0f), least = _mm256_set1_ps(AP_TINY);
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256 x = ap_shorten_eight(in + i), magnitude = _mm256_andnot_ps(sign, x);
        __m256 tiny = _mm256_and_ps(
            _mm256_cmp_ps(magnitude, least, _CMP_LT_OQ),
            _mm256_cmp_ps(magnitude, _mm256_setzero_ps(), _CMP_GT_OQ));
        __m256i bits = _mm256_castps_si256(x);
        if (AP_TINY > 0 && _mm256_movemask_ps(tiny))
            break;
        bits = _mm256_add_epi32(bits, _mm256_add_epi32(
            half, _mm256_and_si256(_mm256_srli_epi32(bits, 16), one)));
        bits = _mm256_srli_epi32(bits, 16);
        _mm_storeu_si128((__m128i *) (out + 2 * i), _mm_packus_epi32(
            _mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1)));
    }
    return i;
}
#else
#define ap_narrow_float16(in, n, out) ((ptrdiff_t) 0)
#define ap_narrow_bfloat16(in, n, out) ((ptrdiff_t) 0)
#endif

static inline void ap_widen_run_of_float16(const char *halves, ptrdiff_t n, float *floats)
{
    ptrdiff_t i = 0;
#if defined(__F16C__) && defined(__AVX2__)
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(
            floats + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (halves + 2 * i))));
#endif
    for (; i < n; i++) {
        uint16_t half;
        memcpy(&half, halves + 2 * i, 2);
        floats[i] = ap_widen_float16(half);
    }
}

static inline void ap_widen_run_of_bfloat16(const char *halves, ptrdiff_t n, float *floats)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, halves + 2 * i, 2);
        floats[i] = ap_widen_bfloat16(half);
    }
}

/* Store x, each rounded once. NaNs are to be the one NaN of <math.h>. */
static inline void ap_narrow_to_float16(const double *x, ptrdiff_t n, char *halves)
{
    for (ptrdiff_t i = ap_narrow_float16(x, n, halves); i < n; i++) {
        const uint16_t half = ap_narrow_half(x[i], 10, 15);
        memcpy(halves + 2 * i, &half, 2);
    }
}

static inline void ap_narrow_to_bfloat16(const double *x, ptrdiff_t n, char *halves)
{
    for (ptrdiff_t i = ap_narrow_bfloat16(x, n, halves); i < n; i++) {
        const uint16_t half = ap_narrow_half(x[i], 7, 127);
        memcpy(halves + 2 * i, &half, 2);
    }
}

#endif
