"""Transposing small matrices of words: planes to lanes, and back."""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport uint8_t, uint16_t, uint32_t, uint64_t, word_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
    typedef uint16_t ap_eight_halves __attribute__((vector_size(16)));
    typedef uint32_t ap_four __attribute__((vector_size(16)));
    typedef uint32_t ap_eight __attribute__((vector_size(32)));
    typedef uint64_t ap_two_longs __attribute__((vector_size(16)));
    typedef uint64_t ap_four_longs __attribute__((vector_size(32)));
    /* 8 rows of 8 words of 2 bytes to 8 rows of 8: thrice each row and the fourth after it become
       two, their words in turn. */
    static inline void ap_turn_halves(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        ap_eight_halves a[8], b[8];
        for (int i = 0; i < 8; i++)
            memcpy(&a[i], in + i * in_step, 16);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 4; i++) {
                b[2 * i] = __builtin_shufflevector(a[i], a[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
                b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
            }
            memcpy(a, b, sizeof a);
        }
        for (int i = 0; i < 8; i++)
            memcpy(out + i * out_step, &a[i], 16);
    }
    #if defined(__AVX2__)
    static inline void ap_load_two(const char *first, const char *second, ap_eight *both)
    {
        ap_four a, b;
        memcpy(&a, first, 16);
        memcpy(&b, second, 16);
        *both = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
    }
    static inline void ap_turn_words(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        ap_eight a, b, c, d, ab, cd;
        ap_load_two(in, in + 4 * in_step, &a);
        ap_load_two(in + in_step, in + 5 * in_step, &b);
        ap_load_two(in + 2 * in_step, in + 6 * in_step, &c);
        ap_load_two(in + 3 * in_step, in + 7 * in_step, &d);
        ab = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
        cd = __builtin_shufflevector(c, d, 0, 8, 1, 9, 4, 12, 5, 13);
        a = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
        c = __builtin_shufflevector(c, d, 2, 10, 3, 11, 6, 14, 7, 15);
        b = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13);
        memcpy(out, &b, 32);
        b = __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
        memcpy(out + out_step, &b, 32);
        b = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
        memcpy(out + 2 * out_step, &b, 32);
        b = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
        memcpy(out + 3 * out_step, &b, 32);
    }
    static inline void ap_turn_longs(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        for (int k = 0; k < 8; k += 4) {
            ap_two_longs a[4];
            ap_four_longs even, odd, b;
            for (int i = 0; i < 4; i++)
                memcpy(&a[i], in + (k + i) * in_step, 16);
            even = __builtin_shufflevector(a[0], a[2], 0, 1, 2, 3);
            odd = __builtin_shufflevector(a[1], a[3], 0, 1, 2, 3);
            b = __builtin_shufflevector(even, odd, 0, 4, 2, 6);
            memcpy(out + 8 * k, &b, 32);
            b = __builtin_shufflevector(even, odd, 1, 5, 3, 7);
            memcpy(out + out_step + 8 * k, &b, 32);
        }
    }
    #else
    static inline void ap_turn_words(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        for (int k = 0; k < 8; k += 4) {
            ap_four a[4], b[4];
            for (int i = 0; i < 4; i++)
                memcpy(&a[i], in + (k + i) * in_step, 16);
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 2; i++) {
                    b[2 * i] = __builtin_shufflevector(a[i], a[i + 2], 0, 4, 1, 5);
                    b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 2], 2, 6, 3, 7);
                }
                memcpy(a, b, sizeof a);
            }
            for (int i = 0; i < 4; i++)
                memcpy(out + i * out_step + 4 * k, &a[i], 16);
        }
    }
    static inline void ap_turn_longs(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        for (int k = 0; k < 8; k += 2) {
            ap_two_longs a, b, c;
            memcpy(&a, in + k * in_step, 16);
            memcpy(&b, in + (k + 1) * in_step, 16);
            c = __builtin_shufflevector(a, b, 0, 2);
            memcpy(out + 8 * k, &c, 16);
            c = __builtin_shufflevector(a, b, 1, 3);
            memcpy(out + out_step + 8 * k, &c, 16);
        }
    }
    #endif
    #else
    static inline void ap_turn_any(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step, int size)
    {
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 16 / size; j++)
                memcpy(out + j * out_step + size * i, in + i * in_step + size * j, size);
    }
    #define ap_turn_halves(in, in_step, out, out_step) ap_turn_any(in, in_step, out, out_step, 2)
    #define ap_turn_words(in, in_step, out, out_step) ap_turn_any(in, in_step, out, out_step, 4)
    #define ap_turn_longs(in, in_step, out, out_step) ap_turn_any(in, in_step, out, out_step, 8)
    #endif
    """
    # 8 rows of 16 bytes, words of 2, 4 or 8, to 8, 4 or 2 rows of 8 words
    void ap_turn_halves(
        const char* source, Py_ssize_t step, char* target, Py_ssize_t target_step,
    ) noexcept nogil
    void ap_turn_words(
        const char* source, Py_ssize_t step, char* target, Py_ssize_t target_step,
    ) noexcept nogil
    void ap_turn_longs(
        const char* source, Py_ssize_t step, char* target, Py_ssize_t target_step,
    ) noexcept nogil


cdef inline void turn_blocks(
    const char* source, Py_ssize_t step, Py_ssize_t columns, char* target, Py_ssize_t target_step,
    word_t* _,
) noexcept nogil:
    """Turn 8 rows of whole blocks."""
    cdef Py_ssize_t block = 16 // sizeof(word_t)
    for _block in range(columns // block):
        if word_t is uint16_t:
            ap_turn_halves(source, step, target, target_step)
        elif word_t is uint64_t:
            ap_turn_longs(source, step, target, target_step)
        else:
            ap_turn_words(source, step, target, target_step)
        source += 16
        target += block * target_step


cdef inline void turn_row(
    const char* source, Py_ssize_t columns, char* target, Py_ssize_t target_step, word_t* _,
) noexcept nogil:
    for _column in range(columns):
        memcpy(target, source, sizeof(word_t))
        source += sizeof(word_t)
        target += target_step


cdef inline void turn_words(
    const char* source, Py_ssize_t step,        # IN: rows x columns words, rows so far apart
    Py_ssize_t rows, Py_ssize_t columns,
    char* target, Py_ssize_t target_step,       # OUT: columns x rows words
    word_t* _,                                  # the type of the words
) noexcept nogil:
    cdef Py_ssize_t row, column = 0, size = sizeof(word_t), block = 16 // size, end
    if word_t is not uint8_t:
        while column + block <= columns:  # a cache line of each row at a time
            end = column + min(columns - column, 4 * block) // block * block
            for row in range(0, rows - 7, 8):
                turn_blocks[word_t](
                    source + row * step + column * size, step, end - column,
                    target + column * target_step + row * size, target_step, _,
                )
            for row in range(rows // 8 * 8, rows):
                turn_row[word_t](
                    source + row * step + column * size, end - column,
                    target + column * target_step + row * size, target_step, _,
                )
            column = end
    for row in range(rows):
        turn_row[word_t](
            source + row * step + column * size, columns - column,
            target + column * target_step + row * size, target_step, _,
        )


cdef inline void turn(
    const char* source, Py_ssize_t step, Py_ssize_t rows, Py_ssize_t columns,
    char* target, Py_ssize_t target_step, Py_ssize_t itemsize,
) noexcept nogil:
    """target[j][i] = source[i][j], for words of 1, 2, 4 or 8 bytes."""
    if itemsize == 1:
        turn_words[uint8_t](source, step, rows, columns, target, target_step, NULL)
    elif itemsize == 2:
        turn_words[uint16_t](source, step, rows, columns, target, target_step, NULL)
    elif itemsize == 4:
        turn_words[uint32_t](source, step, rows, columns, target, target_step, NULL)
    else:
        turn_words[uint64_t](source, step, rows, columns, target, target_step, NULL)
