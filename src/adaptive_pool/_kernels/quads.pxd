"""Four float64 sums in a register, fed with float32: where compilers do worse than the processor.

With 256-bit vectors GCC reads eight floats, splits them and widens the halves; widening four as
they are read takes two thirds of the time (docs/design/memory.md). Elsewhere QUADS is 0, and loops
are left to the compiler.
"""
cdef extern from *:
    """
    #if defined(__AVX2__)
    #include <immintrin.h>
    #define AP_QUADS 1
    typedef __m256d ap_quad;
    #define ap_load(p) _mm256_loadu_pd(p)
    #define ap_store(p, a) _mm256_storeu_pd(p, a)
    #define ap_widen(p) _mm256_cvtps_pd(_mm_loadu_ps(p))
    #define ap_add(a, b) _mm256_add_pd(a, b)
    /* For each of four quads: (its number 0 + number 2) + (number 1 + number 3). */
    static inline ap_quad ap_fold(ap_quad a, ap_quad b, ap_quad c, ap_quad d)
    {
        ap_quad ab = ap_add(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
        ap_quad cd = ap_add(_mm256_permute2f128_pd(c, d, 0x20), _mm256_permute2f128_pd(c, d, 0x31));
        return _mm256_permute4x64_pd(_mm256_hadd_pd(ab, cd), 0xd8);
    }
    #else
    #define AP_QUADS 0
    typedef double ap_quad;
    #define ap_load(p) (*(p))
    #define ap_store(p, a) ((void) (*(p) = (a)))
    #define ap_widen(p) ((double) *(p))
    #define ap_add(a, b) ((a) + (b))
    #define ap_fold(a, b, c, d) ((a) + (b) + (c) + (d))
    #endif
    """
    enum:
        QUADS "AP_QUADS"
    ctypedef struct quad_t "ap_quad":
        pass
    quad_t load "ap_load"(const double* values) noexcept nogil
    void store "ap_store"(double* values, quad_t a) noexcept nogil
    quad_t widen "ap_widen"(const float* values) noexcept nogil
    quad_t add "ap_add"(quad_t a, quad_t b) noexcept nogil
    quad_t fold "ap_fold"(quad_t a, quad_t b, quad_t c, quad_t d) noexcept nogil
