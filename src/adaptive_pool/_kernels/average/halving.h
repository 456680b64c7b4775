/* Short integers to half their size: means of windows of 2 x 2, of one to four channels.

   Neighbours are brought together by a shuffle, added by one instruction and rounded half to even:
   (sum + 1 + (the mean is odd)) / 4, downwards. Elsewhere AP_HALVING is 0. */
#ifndef AP_HALVING_H
#define AP_HALVING_H

#if defined(__AVX2__) && defined(__GNUC__)
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/compiler.h"
#define AP_HALVING 1

/* Means of the neighbours in 16 bytes of two rows, and of as many `part` bytes behind them: where
   `places` says, 8 bytes of results for each. To be called with a literal size. */
AP_ALWAYS void ap_halve_block(
    const char *a, const char *b, ptrdiff_t part, __m256i places, int size, int negative,
    char *out)
{
    #define AP_TWO(p) _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256( \
        _mm_loadu_si128((const __m128i *) (p))), \
        _mm_loadu_si128((const __m128i *) ((p) + part)), 1), places)
    /* Of bytes, the sign is flipped to have none; of words, to have one. */
    const __m256i flip = size == 1 ? _mm256_set1_epi8(negative ? -128 : 0)
        : _mm256_set1_epi16(negative ? 0 : -32768);
    const __m256i upper = _mm256_xor_si256(AP_TWO(a), flip);
    const __m256i lower = _mm256_xor_si256(AP_TWO(b), flip);
    __m256i sums, odd;
    if (size == 1) {
        const __m256i one = _mm256_set1_epi16(1), ones = _mm256_set1_epi8(1);
        sums = _mm256_add_epi16(
            _mm256_maddubs_epi16(upper, ones), _mm256_maddubs_epi16(lower, ones));
        odd = _mm256_and_si256(_mm256_srli_epi16(sums, 2), one);
        sums = _mm256_srli_epi16(_mm256_add_epi16(_mm256_add_epi16(sums, one), odd), 2);
        sums = _mm256_packus_epi16(sums, sums);
    } else {
        const __m256i one = _mm256_set1_epi32(1), ones = _mm256_set1_epi16(1);
        sums = _mm256_add_epi32(_mm256_madd_epi16(upper, ones), _mm256_madd_epi16(lower, ones));
        odd = _mm256_and_si256(_mm256_srai_epi32(sums, 2), one);
        sums = _mm256_srai_epi32(_mm256_add_epi32(_mm256_add_epi32(sums, one), odd), 2);
        sums = _mm256_packs_epi32(sums, sums);
    }
    sums = _mm256_xor_si256(sums, flip);
    _mm_storel_epi64((__m128i *) out, _mm256_castsi256_si128(sums));
    _mm_storel_epi64((__m128i *) (out + part / 2), _mm256_extracti128_si256(sums, 1));
    #undef AP_TWO
}

static inline int ap_element(const char *row, ptrdiff_t i, int size, int negative)
{
    int16_t word;
    if (size == 1)
        return negative ? ((const int8_t *) row)[i] : ((const uint8_t *) row)[i];
    memcpy(&word, row + 2 * i, 2);
    return negative ? word : (uint16_t) word;
}

/* n pixels of two rows, of elements of so many bytes; their means have half as many columns. */
AP_ALWAYS void ap_halve_rows(
    const char *a, const char *b, ptrdiff_t n, int lanes, int size, int negative, char *out)
{
    const ptrdiff_t unit = 2 * lanes * size;                /* bytes of two neighbours, */
    const ptrdiff_t part = lanes == 3 ? 12 : 16;            /* and of whole ones in a register */
    const ptrdiff_t end = n * lanes * size, last = end - part - 16;
    ptrdiff_t i = 0;
    uint8_t bytes[16];
    __m256i places;
    for (int k = 0; k < 16; k++) {
        const int sum = k / 2 / size;   /* of which the first element is in an even column */
        const int from = sum / lanes * 2 * lanes + sum % lanes + k / size % 2 * lanes;
        bytes[k] = (uint8_t) ((from * size + k % size) & 15);
    }
    places = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) bytes));
    for (; i <= last; i += 2 * part)
        ap_halve_block(a + i, b + i, part, places, size, negative, out + i / 2);
    if (i < end && last >= 0) {     /* the last block begins early */
        i = last / unit * unit;
        ap_halve_block(a + i, b + i, part, places, size, negative, out + i / 2);
        i += 2 * part;
    }
    for (; i < end; i += unit)
        for (int lane = 0; lane < lanes; lane++) {
            const ptrdiff_t k = i / size + lane;
            const int sum = ap_element(a, k, size, negative) + ap_element(b, k, size, negative)
                + ap_element(a, k + lanes, size, negative)
                + ap_element(b, k + lanes, size, negative);
            const int16_t mean = (int16_t) ((sum + 1 + (sum >> 2 & 1)) >> 2);
            memcpy(out + i / 2 + lane * size, &mean, size);     /* bytes: of little endian */
        }
}

static void ap_halve(
    const char *row, ptrdiff_t step, ptrdiff_t n, int lanes, int size, int negative, char *out)
{
    if (size == 1)
        ap_halve_rows(row, row + step, n, lanes, 1, negative, out);
    else
        ap_halve_rows(row, row + step, n, lanes, 2, negative, out);
}
#else
#define AP_HALVING 0
#define ap_halve(row, step, n, lanes, size, negative, out) ((void) (out))
#endif
#endif
