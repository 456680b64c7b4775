/* Transposing small matrices of words of 1, 2, 4 or 8 bytes: lines to lanes, and back.

   ap_lines_to_lanes: 8, 16, ... lines, each anywhere in memory, become lanes of rows.
   ap_lanes_to_lines: rows of lanes become lines again.
   ap_transpose: any number of lines, one step from each to the next.

   All go through blocks of 8 x 8 words (8 x 16 of one byte, 8 x 4 of eight bytes), which vector
   shuffles turn in registers. The last block of a line overlaps the one before, so a line as long
   as a block needs nothing else. */
#ifndef AP_TRANSPOSE_H
#define AP_TRANSPOSE_H

#include "simd/compiler.h"
#include "tiles/transpose_block.h"

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
    if (ahead != 0)
        for (ptrdiff_t at = begin * size; at < end * size; at += 64)
            for (int i = 0; i < AP_LINES; i++)
                AP_ASK(in[i] + at + ahead);
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

/* To be called with a literal size. */
static inline void ap_transpose_of(
    const char *source, ptrdiff_t source_step, ptrdiff_t rows, ptrdiff_t columns, char *target,
    ptrdiff_t step, const int size)
{
    const ptrdiff_t most = 64 / size, whole = rows - rows % AP_LINES;
    for (ptrdiff_t begin = 0; begin < columns; begin += most) {     /* a cache line of each row */
        const ptrdiff_t end = columns - begin > most ? begin + most : columns;
        for (ptrdiff_t row = 0; row < whole; row += AP_LINES) {
            const char *lines[AP_LINES];
            for (int i = 0; i < AP_LINES; i++)
                lines[i] = source + (row + i) * source_step;
            ap_turn_eight(lines, begin, end, 0, target + row * size, step, size);
        }
        for (ptrdiff_t row = whole; row < rows; row++)
            for (ptrdiff_t column = begin; column < end; column++)
                memcpy(target + column * step + row * size,
                       source + row * source_step + column * size, (size_t) size);
    }
}

/* target[column][row] = source[row][column], rows and columns so many bytes apart. */
static inline void ap_transpose(
    const char *source, ptrdiff_t source_step, ptrdiff_t rows, ptrdiff_t columns, char *target,
    ptrdiff_t step, ptrdiff_t size)
{
    if (size == 1)
        ap_transpose_of(source, source_step, rows, columns, target, step, 1);
    else if (size == 2)
        ap_transpose_of(source, source_step, rows, columns, target, step, 2);
    else if (size == 4)
        ap_transpose_of(source, source_step, rows, columns, target, step, 4);
    else
        ap_transpose_of(source, source_step, rows, columns, target, step, 8);
}

#endif
