/* Transposing small matrices of words of 1, 2, 4 or 8 bytes: lines to lanes, and back.

   ap_lines_to_lanes: 8, 16, ... lines, each anywhere in memory, become lanes of rows.
   ap_lanes_to_lines: rows of lanes become lines again.

   Both go through blocks of 8 x 8 words (8 x 16 of one byte, 8 x 4 of eight bytes), which vector
   shuffles turn in registers. The last block of a line overlaps the one before, so a line as long
   as a block needs nothing else. */
#ifndef AP_TRANSPOSE_H
#define AP_TRANSPOSE_H

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

/* Some columns of 8 lines. To be called with a literal size. */
static inline void ap_turn_eight(
    const char *const *lines, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t ahead, char *target,
    ptrdiff_t step, const int size)
{
    const ptrdiff_t block = ap_block_columns(size);
    const char *in[AP_LINES];
    ptrdiff_t column = begin;
    for (int i = 0; i < AP_LINES; i++)
        in[i] = lines[i];
#if defined(__GNUC__)
    if (ahead != 0)
        for (ptrdiff_t at = begin * size; at < end * size; at += 64)
            for (int i = 0; i < AP_LINES; i++)
                __builtin_prefetch(in[i] + at + ahead, 0, 1);
#endif
    for (; column + block <= end; column += block)
        ap_block(in, column * size, target + column * step, step, size);
    if (column < end && end >= block) {
        column = end - block;
        ap_block(in, column * size, target + column * step, step, size);
        return;
    }
    for (; column < end; column++)
        for (int i = 0; i < AP_LINES; i++)
            memcpy(target + column * step + i * size, in[i] + column * size, (size_t) size);
}

/* A few cache lines of all lines at a time: what they become stays in the first cache. */
static inline void ap_lines_to_lanes_of(
    const char *const *lines, ptrdiff_t count, ptrdiff_t columns, ptrdiff_t ahead,
    char *target, ptrdiff_t step, const int size)
{
    const ptrdiff_t most = 256 / size;
    for (ptrdiff_t begin = 0; begin < columns; begin += most) {
        const ptrdiff_t end = columns - begin > most ? begin + most : columns;
        for (ptrdiff_t line = 0; line < count; line += AP_LINES)
            ap_turn_eight(lines + line, begin, end, ahead, target + line * size, step, size);
    }
}

/* target[column][line] = lines[line][column]. `count` lines, a multiple of 8, as many rows of
   lanes, `step` bytes apart, as a line has columns. What lies `ahead` bytes further on each line
   is asked for meanwhile, unless that is 0. */
static inline void ap_lines_to_lanes(
    const char *const *lines, ptrdiff_t count, ptrdiff_t columns, ptrdiff_t ahead,
    char *target, ptrdiff_t step, int size)
{
    if (size == 1)
        ap_lines_to_lanes_of(lines, count, columns, ahead, target, step, 1);
    else if (size == 2)
        ap_lines_to_lanes_of(lines, count, columns, ahead, target, step, 2);
    else if (size == 4)
        ap_lines_to_lanes_of(lines, count, columns, ahead, target, step, 4);
    else
        ap_lines_to_lanes_of(lines, count, columns, ahead, target, step, 8);
}

/* To be called with a literal size. */
static inline void ap_lanes_to_lines_of(
    const char *source, ptrdiff_t step, ptrdiff_t rows, char *const *lines, ptrdiff_t count,
    const int size)
{
    const ptrdiff_t block = ap_block_columns(size);
    ptrdiff_t lane = 0;
    for (; lane + block <= count && rows >= AP_LINES; lane += block)
        for (ptrdiff_t row = 0; row < rows; row += AP_LINES) {
            const char *in[AP_LINES];
            char turned[16 * AP_LINES * 8];
            if (row > rows - AP_LINES)
                row = rows - AP_LINES;
            for (int i = 0; i < AP_LINES; i++)
                in[i] = source + (row + i) * step;
            ap_block(in, lane * size, turned, AP_LINES * size, size);
            for (int j = 0; j < block; j++)
                memcpy(lines[lane + j] + row * size, turned + j * AP_LINES * size,
                       AP_LINES * (size_t) size);
        }
    for (; lane < count; lane++)
        for (ptrdiff_t row = 0; row < rows; row++)
            memcpy(lines[lane] + row * size, source + row * step + lane * size, size);
}

/* lines[lane][row] = source[row][lane], for `rows` rows, `step` bytes apart, of `count` lanes. */
static inline void ap_lanes_to_lines(
    const char *source, ptrdiff_t step, ptrdiff_t rows, char *const *lines, ptrdiff_t count,
    int size)
{
    if (size == 1)
        ap_lanes_to_lines_of(source, step, rows, lines, count, 1);
    else if (size == 2)
        ap_lanes_to_lines_of(source, step, rows, lines, count, 2);
    else if (size == 4)
        ap_lanes_to_lines_of(source, step, rows, lines, count, 4);
    else
        ap_lanes_to_lines_of(source, step, rows, lines, count, 8);
}

#endif
