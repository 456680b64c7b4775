"""Transposing small matrices of words: planes to lanes, and back."""
from libc.string cimport memcpy

from adaptive_pool._kernels.elements cimport uint8_t, uint16_t, uint32_t, uint64_t, word_t

cdef extern from *:
    """
    #if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
    #include <stdint.h>
    #include <string.h>
    typedef uint32_t ap_words __attribute__((vector_size(16)));
    /* 4 x 4 words, at once; in plain loops this is ten times slower */
    static inline void ap_turn_block(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        ap_words a, b, c, d, ac, bd, ac_, bd_;
        memcpy(&a, in, 16);
        memcpy(&b, in + in_step, 16);
        memcpy(&c, in + 2 * in_step, 16);
        memcpy(&d, in + 3 * in_step, 16);
        ac = __builtin_shufflevector(a, c, 0, 4, 1, 5);
        bd = __builtin_shufflevector(b, d, 0, 4, 1, 5);
        ac_ = __builtin_shufflevector(a, c, 2, 6, 3, 7);
        bd_ = __builtin_shufflevector(b, d, 2, 6, 3, 7);
        a = __builtin_shufflevector(ac, bd, 0, 4, 1, 5);
        b = __builtin_shufflevector(ac, bd, 2, 6, 3, 7);
        c = __builtin_shufflevector(ac_, bd_, 0, 4, 1, 5);
        d = __builtin_shufflevector(ac_, bd_, 2, 6, 3, 7);
        memcpy(out, &a, 16);
        memcpy(out + out_step, &b, 16);
        memcpy(out + 2 * out_step, &c, 16);
        memcpy(out + 3 * out_step, &d, 16);
    }
    #else
    static inline void ap_turn_block(
        const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step)
    {
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                memcpy(out + j * out_step + 4 * i, in + i * in_step + 4 * j, 4);
    }
    #endif
    """
    void ap_turn_block(
        const char* source, Py_ssize_t step, char* target, Py_ssize_t target_step,
    ) noexcept nogil


cdef inline void turn_blocks(
    const char* source, Py_ssize_t step, Py_ssize_t blocks, char* target, Py_ssize_t target_step,
) noexcept nogil:
    for _ in range(blocks):
        ap_turn_block(source, step, target, target_step)
        source += 16
        target += 4 * target_step


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
    cdef Py_ssize_t row, column = 0, size = sizeof(word_t), end
    if word_t is uint32_t:
        while column + 4 <= columns:  # a cache line of each row at a time
            end = column + min(columns - column, <Py_ssize_t> 16) // 4 * 4
            for row in range(0, rows - 3, 4):
                turn_blocks(
                    source + row * step + column * size, step, (end - column) // 4,
                    target + column * target_step + row * size, target_step,
                )
            for row in range(rows // 4 * 4, rows):
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
