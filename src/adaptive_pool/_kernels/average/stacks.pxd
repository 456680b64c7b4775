"""Stacks of lines, added element by element into one line of float64: `add_stack` in registers.

Up to eight registers hold the sums of a block of columns while the lines of the stack go by, so
that nothing but the elements is read. Halves are widened on the way.
"""
from adaptive_pool._kernels.call.elements cimport BFLOAT16, FLOAT16, FLOAT32, int64_t
from adaptive_pool._kernels.tiles.planes cimport Line, Pooling, Tile, at, line_of, next_line
from adaptive_pool._kernels.simd.quads cimport QUADS

cdef extern from *:
    """
    #if AP_QUADS && defined(__F16C__)
    #include <string.h>
    #define AP_STACKS 1
    enum ap_kind { AP_FLOAT, AP_FLOAT16, AP_BFLOAT16 };
    AP_ALWAYS ptrdiff_t ap_size_of(enum ap_kind kind)
    {
        return kind == AP_FLOAT ? 4 : 2;
    }
    AP_ALWAYS ap_quad ap_widen_halves(__m128i halves, enum ap_kind kind)
    {
        return _mm256_cvtps_pd(kind == AP_FLOAT16 ? _mm_cvtph_ps(halves) :
            _mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(halves), 16)));
    }
    AP_ALWAYS ap_quad ap_widen_at(const char *line, ptrdiff_t i, enum ap_kind kind)
    {
        line += i * ap_size_of(kind);
        if (kind == AP_FLOAT)
            return ap_widen((const float *) line);
        return ap_widen_halves(_mm_loadl_epi64((const __m128i *) line), kind);
    }
    /* The first n of four elements, behind which nothing may be read, and -0.0 for the others. */
    AP_ALWAYS ap_quad ap_widen_some(const char *line, int n, enum ap_kind kind)
    {
        __m128i some = _mm_cmpgt_epi32(_mm_set1_epi32(n), _mm_set_epi32(3, 2, 1, 0));
        __m128 others = _mm_andnot_ps(_mm_castsi128_ps(some), _mm_set1_ps(-0.0f));
        uint16_t halves[8] = {0x8000, 0x8000, 0x8000, 0x8000};
        if (kind == AP_FLOAT)
            return _mm256_cvtps_pd(
                _mm_or_ps(_mm_maskload_ps((const float *) line, some), others));
        memcpy(halves, line, 2 * n);
        return ap_widen_halves(_mm_loadl_epi64((const __m128i *) halves), kind);
    }
    /* n columns of `count` lines, `step` bytes apart, in so many registers; the last one begins
       early where n is no multiple of 4. */
    AP_ALWAYS void ap_add_block(
        const char *line, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int first, int quads,
        enum ap_kind kind, double *sums)
    {
        const ptrdiff_t last = n - 4;
        ap_quad totals[8];
        #define AP_COLUMN(k) (k < quads - 1 ? 4 * k : last)
        for (int k = 0; k < quads; k++)
            totals[k] =
                first ? ap_widen_at(line, AP_COLUMN(k), kind) : ap_load(sums + AP_COLUMN(k));
        if (first) {
            line += step;
            count--;
        }
        for (; count > 0; count--, line += step)
            for (int k = 0; k < quads; k++)
                totals[k] = ap_add_widened(totals[k], ap_widen_at(line, AP_COLUMN(k), kind));
        for (int k = 0; k < quads; k++)
            ap_store(sums + AP_COLUMN(k), totals[k]);
    }
    /* The same for 1 to 3 columns; the rest of a quad of sums is stored as it was. */
    AP_ALWAYS void ap_add_few(
        const char *line, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int first,
        enum ap_kind kind, double *sums)
    {
        ap_quad total = first ? _mm256_set1_pd(-0.0) : ap_load(sums);
        for (; count > 0; count--, line += step)
            total = ap_add_widened(total, ap_widen_some(line, (int) n, kind));
        ap_store(sums, total);
    }
    #define AP_ADD_BLOCK(quads) \
        case quads: \
            ap_add_block(line, step, count, n, first, quads, kind, sums); \
            break
    /* To be called with a literal `first`. */
    AP_ALWAYS void ap_add_stack(
        const char *line, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int first,
        enum ap_kind kind, double *sums)
    {
        while (n > 32) {
            const ptrdiff_t m = n < 36 ? 28 : 32;   /* leaves 4 columns at least */
            ap_add_block(line, step, count, m, first, 8, kind, sums);
            line += m * ap_size_of(kind);
            sums += m;
            n -= m;
        }
        switch (n / 4 + (n % 4 > 0)) {
            AP_ADD_BLOCK(8);
            AP_ADD_BLOCK(7);
            AP_ADD_BLOCK(6);
            AP_ADD_BLOCK(5);
            AP_ADD_BLOCK(4);
            AP_ADD_BLOCK(3);
            AP_ADD_BLOCK(2);
        default:
            if (n == 4)
                ap_add_block(line, step, count, n, first, 1, kind, sums);
            else
                ap_add_few(line, step, count, n, first, kind, sums);
        }
    }
    /* 1 to 4 lines from end to end, which is the order that memory is fastest in. */
    AP_ALWAYS void ap_add_rows(
        const char *a, ptrdiff_t step, int count, ptrdiff_t n, int first, double *sums)
    {
        const char *b = a + step, *c = b + step, *d = c + step;
        ptrdiff_t i = 0;
        for (; i <= n - 4; i += 4) {
            ap_quad total = ap_widen_at(a, i, AP_FLOAT);
            if (!first)
                total = ap_add(ap_load(sums + i), total);
            if (count > 1)
                total = ap_add_widened(total, ap_widen_at(b, i, AP_FLOAT));
            if (count > 2)
                total = ap_add_widened(total, ap_widen_at(c, i, AP_FLOAT));
            if (count > 3)
                total = ap_add_widened(total, ap_widen_at(d, i, AP_FLOAT));
            ap_store(sums + i, total);
        }
        if (i < n)
            ap_add_few(a + 4 * i, step, count, n - i, first, AP_FLOAT, sums + i);
    }
    #define AP_ADD_ROWS(count) \
        case count: \
            if (first) \
                ap_add_rows(line, step, count, n, 1, sums); \
            else \
                ap_add_rows(line, step, count, n, 0, sums); \
            return
    static void ap_add_lines(
        const char *line, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, int first, double *sums)
    {
        switch (count) {
            AP_ADD_ROWS(1);
            AP_ADD_ROWS(2);
            AP_ADD_ROWS(3);
            AP_ADD_ROWS(4);
        }
        if (first)
            ap_add_stack(line, step, count, n, 1, AP_FLOAT, sums);
        else
            ap_add_stack(line, step, count, n, 0, AP_FLOAT, sums);
    }
    AP_ALWAYS void ap_add_stacks_of(
        const char *plane, ptrdiff_t step, const int64_t *starts, const int64_t *ends,
        ptrdiff_t stacks, ptrdiff_t n, enum ap_kind kind, double *sums)
    {
        for (ptrdiff_t i = 0; i < stacks; i++, sums += n)
            ap_add_stack(
                plane + starts[i] * step, step, ends[i] - starts[i], n, 1, kind, sums);
    }
    static void ap_add_stacks(
        const char *plane, ptrdiff_t step, const int64_t *starts, const int64_t *ends,
        ptrdiff_t stacks, ptrdiff_t n, int kind, double *sums)
    {
        if (kind == AP_FLOAT)
            ap_add_stacks_of(plane, step, starts, ends, stacks, n, AP_FLOAT, sums);
        else if (kind == AP_FLOAT16)
            ap_add_stacks_of(plane, step, starts, ends, stacks, n, AP_FLOAT16, sums);
        else
            ap_add_stacks_of(plane, step, starts, ends, stacks, n, AP_BFLOAT16, sums);
    }
    #else
    #define AP_STACKS 0
    enum ap_kind { AP_FLOAT, AP_FLOAT16, AP_BFLOAT16 };
    #define ap_add_lines(line, step, count, n, first, sums) ((void) (sums))
    #define ap_add_stacks(plane, step, starts, ends, stacks, n, kind, sums) \
        ((void) (kind), (void) (sums))
    #endif
    """
    enum:
        STACKS "AP_STACKS"
    # What add_stacks takes.
    int KIND_FLOAT "AP_FLOAT"
    int KIND_FLOAT16 "AP_FLOAT16"
    int KIND_BFLOAT16 "AP_BFLOAT16"
    # Floats, for a stack of any height: IN (unless first), OUT: n sums, and room for a quad.
    void add_lines "ap_add_lines"(
        const char* line, Py_ssize_t step, Py_ssize_t count, Py_ssize_t n, bint first,
        double* sums,
    ) noexcept nogil
    # The stacks of lines starts[i]:ends[i] of a plane, each to n sums; elements of any kind.
    void add_stacks "ap_add_stacks"(
        const char* plane, Py_ssize_t step, const int64_t* starts, const int64_t* ends,
        Py_ssize_t stacks, Py_ssize_t n, int kind, double* sums,
    ) noexcept nogil

cdef enum:
    BLOCK = 32          # columns that are added in registers together


cdef inline bint have_stacks(const Pooling* p) noexcept nogil:
    """Whether lines are runs of elements that `add_stacks` reads in place."""
    cdef bint reals = p.element == FLOAT16 or p.element == BFLOAT16 or p.element == FLOAT32
    return STACKS and (
        reals and (p.fetch == NULL or p.x.itemsize == 2)
        and p.d.longest == 1
        and (p.x.w == p.lanes * p.x.itemsize or p.w.size == 1)
        and (p.x.lane == p.x.itemsize or p.lanes == 1)
    )


cdef inline bint are_stacks(const Pooling* p, const Tile* tile) noexcept nogil:
    """Whether `sum_stacks` is best for the lines of a tile.

    Floats from memory are, if they are one block, and so are read in the order that they lie in.
    """
    return have_stacks(p) and tile.lanes == p.lanes and (
        p.ahead == 0 or p.fetch != NULL or (tile.w1 - tile.w0) * p.lanes <= BLOCK
    )


cdef inline void sum_stacks(
    const Pooling* p, const Tile* tile,     # IN: all lanes
    double* sums,                           # OUT: lines x columns x lanes, and room for a quad
) noexcept nogil:
    """Sum the input lines of all output lines of a tile, element by element, plane by plane."""
    cdef int kind = (
        KIND_FLOAT if p.x.itemsize == 4 else    # or halves that a pack has widened
        KIND_FLOAT16 if p.element == FLOAT16 else KIND_BFLOAT16
    )
    cdef Py_ssize_t n = (tile.w1 - tile.w0) * p.lanes, left = tile.lines, count
    cdef Line line = line_of(p, tile.line)
    while left > 0:
        count = min(p.h.count - line.oh, left)
        add_stacks(
            at(&p.x, line.batch, line.channel, line.d0, 0, tile.w0, 0), p.x.h,
            p.h.starts + line.oh, p.h.ends + line.oh, count, n, kind, sums,
        )
        sums += count * n
        left -= count
        line.oh += count - 1
        next_line(p, &line)
