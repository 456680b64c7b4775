/* Which lanes of a mask are set, as bits. */
#ifndef AP_MASK_H
#define AP_MASK_H

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* The highest bits of 1 to 64 bytes; the first byte is the lowest bit. */
static inline uint64_t ap_bits(const void *mask, int bytes)
{
#if defined(__AVX512BW__)
    if (bytes == 64)
        return _mm512_movepi8_mask(_mm512_loadu_si512(mask));
#endif
#if defined(__AVX2__)
    if (bytes == 32)
        return (uint32_t) _mm256_movemask_epi8(_mm256_loadu_si256(mask));
#endif
#if defined(__SSE2__)
    if (bytes == 16)
        return (uint32_t) _mm_movemask_epi8(_mm_loadu_si128(mask));
#endif
    uint64_t bits = 0;
    for (int i = 0; i < bytes; i++)
        bits |= (uint64_t) (((const uint8_t *) mask)[i] >> 7) << i;
    return bits;
}

/* Of bits that are not all 0. */
static inline int ap_first_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int bit = 0;
    while ((bits >> bit & 1) == 0)
        bit++;
    return bit;
#endif
}

static inline int ap_last_bit(uint64_t bits)
{
#if defined(__GNUC__)
    return 63 - __builtin_clzll(bits);
#else
    int bit = 63;
    while ((bits >> bit & 1) == 0)
        bit--;
    return bit;
#endif
}

#endif
