"""Four float64 sums in a register, fed with float32: where compilers do worse than the processor.

With 256-bit vectors GCC reads eight floats, splits them and widens the halves; widening four as
they are read takes two thirds of the time (docs/design/memory.md). Elsewhere QUADS is 0, and loops
are left to the compiler.
"""
cdef extern from *:
    """
    #if defined(__AVX2__) && defined(__FMA__) && defined(__GNUC__)
    #include <immintrin.h>
    #include <stdint.h>
    #define AP_QUADS 1
    typedef __m256d ap_quad;
    #define ap_load(p) _mm256_loadu_pd(p)
    #define ap_store(p, a) _mm256_storeu_pd(p, a)
    #define ap_widen(p) _mm256_cvtps_pd(_mm_loadu_ps(p))
    #define ap_add(a, b) _mm256_add_pd(a, b)
    /* The same sum. Widening and adding share units of the processor, which are what adding lines
       waits for; a fused product with 1 has others (docs/design/memory.md). */
    #define ap_add_widened(a, b) _mm256_fmadd_pd(b, _mm256_set1_pd(1.0), a)
    #define AP_EIGHT(x) x, x, x, x, x, x, x, x
    static const int64_t ap_masks[] = {
        AP_EIGHT(-1), AP_EIGHT(-1), AP_EIGHT(-1), AP_EIGHT(-1),
        AP_EIGHT(0), AP_EIGHT(0), AP_EIGHT(0), AP_EIGHT(0), AP_EIGHT(0),
    };
    /* The first n of four values, and -0.0 for the others; -32 <= n <= 32. */
    static inline ap_quad ap_load_some(const double *p, ptrdiff_t n)
    {
        __m256i some = _mm256_loadu_si256((const __m256i *) (ap_masks + 32 - n));
        return _mm256_blendv_pd(_mm256_set1_pd(-0.0), ap_load(p), _mm256_castsi256_pd(some));
    }
    /* For each of four quads: (its number 0 + number 2) + (number 1 + number 3). */
    static inline ap_quad ap_fold(ap_quad a, ap_quad b, ap_quad c, ap_quad d)
    {
        ap_quad ab = ap_add(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
        ap_quad cd = ap_add(_mm256_permute2f128_pd(c, d, 0x20), _mm256_permute2f128_pd(c, d, 0x31));
        return _mm256_permute4x64_pd(_mm256_hadd_pd(ab, cd), 0xd8);
    }
    #define AP_ALWAYS static inline __attribute__((always_inline))
    /* The sum of four neighbours in each of 1 to 4 rows. */
    AP_ALWAYS ap_quad ap_column(const char *const *rows, int count, ptrdiff_t place)
    {
        ap_quad total = ap_widen((const float *) (rows[0] + place));
        for (int row = 1; row < count; row++)
            total = ap_add_widened(total, ap_widen((const float *) (rows[row] + place)));
        return total;
    }
    AP_ALWAYS void ap_add_columns(
        const char *const *rows, int count, ptrdiff_t place, ptrdiff_t step, int columns,
        ap_quad *totals)
    {
        for (int k = 0; k < columns; k++)
            totals[k] = ap_add_widened(totals[k], ap_column(rows, count, place + k * step));
    }
    AP_ALWAYS void ap_sum_columns_of(
        const char *const *lines, int count, ptrdiff_t begin, ptrdiff_t step, ptrdiff_t columns,
        ptrdiff_t n, double *sums)
    {
        const char *rows[4];    /* a copy, which stores to sums cannot change */
        for (int row = 0; row < count; row++)
            rows[row] = lines[row] + begin;
        for (ptrdiff_t i = 0; i < n; i += 4) {
            if (i > n - 4)
                i = n - 4;      /* the last ones once more */
            ptrdiff_t place = 4 * i, k = columns;
            ap_quad totals[4];
            for (int j = 0; j < (columns < 4 ? columns : 4); j++)
                totals[j] = ap_column(rows, count, place + j * step);
            while ((k -= 4) >= 4)
                ap_add_columns(rows, count, place += 4 * step, step, 4, totals);
            place += 4 * step;
            if (k == 1)
                ap_add_columns(rows, count, place, step, 1, totals);
            else if (k == 2)
                ap_add_columns(rows, count, place, step, 2, totals);
            else if (k == 3)
                ap_add_columns(rows, count, place, step, 3, totals);
            if (columns > 2)
                totals[0] = ap_add(totals[0], totals[2]);
            if (columns > 3)
                totals[1] = ap_add(totals[1], totals[3]);
            ap_store(sums + i, columns > 1 ? ap_add(totals[0], totals[1]) : totals[0]);
        }
    }
    #define AP_FEW_COLUMNS(count) \
        switch (columns) { \
        case 1: ap_sum_columns_of(rows, count, begin, step, 1, n, sums); break; \
        case 2: ap_sum_columns_of(rows, count, begin, step, 2, n, sums); break; \
        case 3: ap_sum_columns_of(rows, count, begin, step, 3, n, sums); break; \
        case 4: ap_sum_columns_of(rows, count, begin, step, 4, n, sums); break; \
        default: if (columns > 4) ap_sum_columns_of(rows, count, begin, step, columns, n, sums); \
        } break
    static void ap_sum_columns(
        const char *const *rows, ptrdiff_t count, ptrdiff_t begin, ptrdiff_t step,
        ptrdiff_t columns, ptrdiff_t n, double *sums)
    {
        switch (count) {
        case 1: AP_FEW_COLUMNS(1);
        case 2: AP_FEW_COLUMNS(2);
        case 3: AP_FEW_COLUMNS(3);
        case 4: AP_FEW_COLUMNS(4);
        }
    }
    #else
    #define AP_QUADS 0
    #define ap_sum_columns(rows, count, begin, step, columns, n, sums) ((void) (sums))
    typedef double ap_quad;
    #define ap_load(p) (*(p))
    #define ap_load_some(p, n) ((void) (n), *(p))
    #define ap_store(p, a) ((void) (*(p) = (a)))
    #define ap_widen(p) ((double) *(p))
    #define ap_add(a, b) ((a) + (b))
    #define ap_add_widened(a, b) ((a) + (b))
    #define ap_fold(a, b, c, d) ((a) + (b) + (c) + (d))
    #endif
    """
    enum:
        QUADS "AP_QUADS"
    ctypedef struct quad_t "ap_quad":
        pass
    quad_t load "ap_load"(const double* values) noexcept nogil
    quad_t load_some "ap_load_some"(const double* values, Py_ssize_t n) noexcept nogil
    void store "ap_store"(double* values, quad_t a) noexcept nogil
    quad_t widen "ap_widen"(const float* values) noexcept nogil
    quad_t add "ap_add"(quad_t a, quad_t b) noexcept nogil
    quad_t add_widened "ap_add_widened"(quad_t a, quad_t b) noexcept nogil
    # What sum_columns in sums.pxd does, for four lanes and more; GCC would not compile it into one
    # loop for each number of rows and columns by itself.
    void sum_columns_by_quads "ap_sum_columns"(
        const char** rows, Py_ssize_t count, Py_ssize_t begin, Py_ssize_t step,
        Py_ssize_t columns, Py_ssize_t n, double* sums,
    ) noexcept nogil
    quad_t fold "ap_fold"(quad_t a, quad_t b, quad_t c, quad_t d) noexcept nogil
