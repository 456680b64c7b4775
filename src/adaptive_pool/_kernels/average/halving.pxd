"""Bytes to half their size: means of windows of 2 x 2 bytes, of one to four channels.

The general way takes six passes over such windows. Here neighbours are brought together by a
shuffle, added by one instruction and rounded, half to even, in 16 bits: 0.7 -> 0.2 ms for a
picture of 1080 x 1920 (docs/design/packing.md). Elsewhere HALVING is 0.
"""
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport UINT8, Element, uint8_t
from adaptive_pool._kernels.tiles.planes cimport Line, Pooling, at, input_at, line_of, next_line

cdef extern from *:
    """
    #if defined(__AVX2__) && defined(__GNUC__)
    #include <immintrin.h>
    #include <stdint.h>
    #define AP_HALVING 1
    /* Sums of neighbours: of `mask`, 2 k and 2 k + 1 are where those of sum k are. */
    static inline __m256i ap_add_neighbours(const uint8_t *row, ptrdiff_t second, __m256i mask)
    {
        __m256i bytes = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *) row)),
            _mm_loadu_si128((const __m128i *) (row + second)), 1);
        return _mm256_maddubs_epi16(_mm256_shuffle_epi8(bytes, mask), _mm256_set1_epi8(1));
    }
    static inline int ap_quarter(int sum)
    {
        return (sum + 1 + (sum >> 2 & 1)) >> 2;
    }
    /* n means of the row and the one `step` bytes behind it. */
    static void ap_halve(
        const uint8_t *row, ptrdiff_t step, ptrdiff_t n, int lanes, uint8_t *out)
    {
        const ptrdiff_t part = lanes == 3 ? 12 : 16, size = 2 * n;  /* bytes of half a register */
        const __m256i one = _mm256_set1_epi16(1);
        ptrdiff_t i = 0;
        uint8_t places[16];
        __m256i mask;
        for (int k = 0; k < 16; k++)
            places[k] = (uint8_t) (
                k / 2 / lanes * 2 * lanes + k / 2 % lanes + k % 2 * lanes) & 15;
        mask = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) places));
        for (; i + part + 16 <= size; i += 2 * part) {
            __m256i sums = _mm256_add_epi16(
                ap_add_neighbours(row + i, part, mask),
                ap_add_neighbours(row + step + i, part, mask));
            __m256i odd = _mm256_and_si256(_mm256_srli_epi16(sums, 2), one);
            sums = _mm256_add_epi16(_mm256_add_epi16(sums, one), odd);
            sums = _mm256_srli_epi16(sums, 2);
            sums = _mm256_packus_epi16(sums, sums);
            _mm_storel_epi64((__m128i *) (out + i / 2), _mm256_castsi256_si128(sums));
            _mm_storel_epi64(
                (__m128i *) (out + (i + part) / 2), _mm256_extracti128_si256(sums, 1));
        }
        for (ptrdiff_t k = i / 2; k < n; k++) {
            const uint8_t *a = row + k / lanes * 2 * lanes + k % lanes, *b = a + step;
            out[k] = (uint8_t) ap_quarter(a[0] + a[lanes] + b[0] + b[lanes]);
        }
    }
    #else
    #define AP_HALVING 0
    #define ap_halve(row, step, n, lanes, out) ((void) (out))
    #endif
    """
    enum:
        HALVING "AP_HALVING"
    void ap_halve(
        const uint8_t* row, Py_ssize_t step, Py_ssize_t n, int lanes, uint8_t* out,
    ) noexcept nogil


cdef inline bint is_halving(
    const Pooling* p, const Array* out, Element element, Element out_element,
) noexcept nogil:
    """Whether `halve` is what is asked for: windows of 2 x 2 bytes that follow each other."""
    return HALVING and (
        element == UINT8 and out_element == UINT8 and p.lanes <= 4 and p.fetch == NULL
        and p.w.regular == 2 and p.h.shortest == 2 and p.h.longest == 2 and p.d.longest == 1
        and p.x.w == p.lanes and out.w == p.lanes
        and (p.lanes == 1 or p.x.lane == 1 and out.lane == 1)
    )


cdef inline void halve(
    const Pooling* p, Py_ssize_t first, Py_ssize_t count,   # IN: output lines
    const Array* out,
) noexcept nogil:
    cdef Line line = line_of(p, first)
    for _k in range(count):
        ap_halve(
            <const uint8_t*> input_at(p, &line, 0, p.w.starts[0], 0), p.x.h, p.w.count * p.lanes,
            <int> p.lanes, <uint8_t*> at(out, line.batch, line.channel, line.od, line.oh, 0, 0),
        )
        next_line(p, &line)
