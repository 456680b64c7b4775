/* One block of 8 lines transposed in registers, by vector shuffles where the compiler has them. */
#ifndef AP_TRANSPOSE_BLOCK_H
#define AP_TRANSPOSE_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define AP_SHUFFLES 1
typedef uint8_t ap_16x1 __attribute__((vector_size(16)));
typedef uint16_t ap_8x2 __attribute__((vector_size(16)));
typedef uint32_t ap_4x4 __attribute__((vector_size(16)));
typedef uint64_t ap_2x8 __attribute__((vector_size(16)));
#if defined(__AVX2__)
typedef uint32_t ap_8x4 __attribute__((vector_size(32)));
typedef uint64_t ap_4x8 __attribute__((vector_size(32)));
#endif
#define AP_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define AP_SHUFFLES 0
#endif

enum { AP_LINES = 8 }; /* lines of a block */

/* Columns of a block of 8 lines. */
static inline ptrdiff_t ap_block_columns(int size)
{
    return size == 1 ? 16 : size == 8 ? 4 : 8;
}

/* A block of 8 lines x ap_block_columns(size): in[i] is where line i is read, out + j * step where
   the 8 words of column j go. */
#if AP_SHUFFLES

/* Thrice each line and the fourth after it become two, their words in turn. */
static inline void ap_block_1(const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step)
{
    ap_16x1 a[8], b[8];
    for (int i = 0; i < 8; i++)
        memcpy(&a[i], in[i] + at, 16);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            b[2 * i] = AP_SHUFFLE(
                a[i], a[i + 4], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            b[2 * i + 1] = AP_SHUFFLE(
                a[i], a[i + 4], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < 8; i++) {
        ap_2x8 halves = (ap_2x8) a[i];
        uint64_t first = halves[0], second = halves[1];
        memcpy(out + 2 * i * step, &first, 8);
        memcpy(out + (2 * i + 1) * step, &second, 8);
    }
}

static inline void ap_block_2(const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step)
{
    ap_8x2 a[8], b[8];
    for (int i = 0; i < 8; i++)
        memcpy(&a[i], in[i] + at, 16);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            b[2 * i] = AP_SHUFFLE(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
            b[2 * i + 1] = AP_SHUFFLE(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < 8; i++)
        memcpy(out + i * step, &a[i], 16);
}

#if defined(__AVX2__)
static inline ap_8x4 ap_two_4(const char *first, const char *second)
{
    ap_4x4 a, b;
    memcpy(&a, first, 16);
    memcpy(&b, second, 16);
    return AP_SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

static inline void ap_block_4(const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step)
{
    for (int half = 0; half < 2; half++, at += 16, out += 4 * step) {
        ap_8x4 a = ap_two_4(in[0] + at, in[4] + at), b = ap_two_4(in[1] + at, in[5] + at);
        ap_8x4 c = ap_two_4(in[2] + at, in[6] + at), d = ap_two_4(in[3] + at, in[7] + at);
        ap_8x4 ab = AP_SHUFFLE(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
        ap_8x4 cd = AP_SHUFFLE(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
        a = AP_SHUFFLE(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
        c = AP_SHUFFLE(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
        b = AP_SHUFFLE(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
        d = AP_SHUFFLE(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        memcpy(out, &b, 32);
        memcpy(out + step, &d, 32);
        b = AP_SHUFFLE(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
        d = AP_SHUFFLE(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
        memcpy(out + 2 * step, &b, 32);
        memcpy(out + 3 * step, &d, 32);
    }
}

static inline ap_4x8 ap_two_8(const char *first, const char *second)
{
    ap_2x8 a, b;
    memcpy(&a, first, 16);
    memcpy(&b, second, 16);
    return AP_SHUFFLE(a, b, 0, 1, 2, 3);
}

static inline void ap_block_8(const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step)
{
    for (int i = 0; i < 8; i += 4, out += 32)
        for (int j = 0; j < 2; j++) {
            ap_4x8 a = ap_two_8(in[i] + at + 16 * j, in[i + 2] + at + 16 * j);
            ap_4x8 b = ap_two_8(in[i + 1] + at + 16 * j, in[i + 3] + at + 16 * j);
            ap_4x8 c = AP_SHUFFLE(a, b, 0, 4, 2, 6), d = AP_SHUFFLE(a, b, 1, 5, 3, 7);
            memcpy(out + 2 * j * step, &c, 32);
            memcpy(out + (2 * j + 1) * step, &d, 32);
        }
}
#else
static inline void ap_block_4(const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step)
{
    for (int k = 0; k < 8; k += 4, out += 16)
        for (int half = 0; half < 2; half++) {
            ap_4x4 a[4], b[4];
            for (int i = 0; i < 4; i++)
                memcpy(&a[i], in[k + i] + at + 16 * half, 16);
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 2; i++) {
                    b[2 * i] = AP_SHUFFLE(a[i], a[i + 2], 0, 4, 1, 5);
                    b[2 * i + 1] = AP_SHUFFLE(a[i], a[i + 2], 2, 6, 3, 7);
                }
                memcpy(a, b, sizeof a);
            }
            for (int i = 0; i < 4; i++)
                memcpy(out + (4 * half + i) * step, &a[i], 16);
        }
}

static inline void ap_block_8(const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step)
{
    for (int i = 0; i < 8; i += 2, out += 16)
        for (int j = 0; j < 2; j++) {
            ap_2x8 a, b, c;
            memcpy(&a, in[i] + at + 16 * j, 16);
            memcpy(&b, in[i + 1] + at + 16 * j, 16);
            c = AP_SHUFFLE(a, b, 0, 2);
            memcpy(out + 2 * j * step, &c, 16);
            c = AP_SHUFFLE(a, b, 1, 3);
            memcpy(out + (2 * j + 1) * step, &c, 16);
        }
}
#endif

#else
#define AP_BLOCK(size) \
    static inline void ap_block_##size( \
        const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step) \
    { \
        for (int j = 0; j < ap_block_columns(size); j++) \
            for (int i = 0; i < 8; i++) \
                memcpy(out + j * step + size * i, in[i] + at + size * j, size); \
    }
AP_BLOCK(1)
AP_BLOCK(2)
AP_BLOCK(4)
AP_BLOCK(8)
#undef AP_BLOCK
#endif

static inline void ap_block(
    const char *const *in, ptrdiff_t at, char *out, ptrdiff_t step, const int size)
{
    if (size == 1)
        ap_block_1(in, at, out, step);
    else if (size == 2)
        ap_block_2(in, at, out, step);
    else if (size == 4)
        ap_block_4(in, at, out, step);
    else
        ap_block_8(in, at, out, step);
}

#endif
