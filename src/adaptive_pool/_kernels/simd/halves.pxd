"""Runs of float16 and bfloat16, by the instructions that processors have for them.

What these do for most of a run, `widen_half` and `store_real` do for the rest of it and elsewhere,
to the same bits.
"""
from adaptive_pool._kernels.call.elements cimport (
    bfloat16_t, float16_t, store_real,
)

cdef extern from *:
    """
    #if defined(__F16C__) && defined(__AVX2__)
    #include <immintrin.h>
    /* Widen the most elements that whole vectors hold; returns how many. Signalling NaNs come out
       quiet, as they do from the narrowing of results. */
    static inline ptrdiff_t ap_widen_run(const char *in, ptrdiff_t n, float *out)
    {
        ptrdiff_t i = 0;
        for (; i + 8 <= n; i += 8)
            _mm256_storeu_ps(
                out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (in + 2 * i))));
        return i;
    }
    /* Four floats, rounded to odd: a second rounding will not be misled. */
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
        const __m256 sign = _mm256_set1_ps(-0.0f), least = _mm256_set1_ps(0x1p-126f);
        ptrdiff_t i = 0;
        for (; i + 8 <= n; i += 8) {
            __m256 x = ap_shorten_eight(in + i), magnitude = _mm256_andnot_ps(sign, x);
            __m256 tiny = _mm256_and_ps(
                _mm256_cmp_ps(magnitude, least, _CMP_LT_OQ),
                _mm256_cmp_ps(magnitude, _mm256_setzero_ps(), _CMP_GT_OQ));
            __m256i bits = _mm256_castps_si256(x);
            if (_mm256_movemask_ps(tiny))  /* has been rounded to even as a subnormal float */
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
    #define ap_widen_run(in, n, out) ((ptrdiff_t) 0)
    #define ap_narrow_float16(in, n, out) ((ptrdiff_t) 0)
    #define ap_narrow_bfloat16(in, n, out) ((ptrdiff_t) 0)
    #endif
    """
    Py_ssize_t ap_widen_run(const char* halves, Py_ssize_t n, float* floats) noexcept nogil
    Py_ssize_t ap_narrow_float16(const double* x, Py_ssize_t n, char* halves) noexcept nogil
    Py_ssize_t ap_narrow_bfloat16(const double* x, Py_ssize_t n, char* halves) noexcept nogil

ctypedef fused half_t:
    float16_t
    bfloat16_t


cdef inline void narrow_run(
    const double* x, Py_ssize_t n,  # IN: without NaNs but that of `one_nan`
    half_t* halves,                 # OUT
) noexcept nogil:
    """Store x, each rounded once."""
    cdef Py_ssize_t i, done
    if half_t is float16_t:
        done = ap_narrow_float16(x, n, <char*> halves)
    else:
        done = ap_narrow_bfloat16(x, n, <char*> halves)
    for i in range(done, n):
        store_real[half_t](&halves[i], x[i])
