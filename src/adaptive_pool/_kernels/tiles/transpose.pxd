"""Lines to lanes and back; see transpose.h."""

cdef extern from "tiles/transpose.h":
    # target[column][row] = source[row][column], for words of 1, 2, 4 or 8 bytes.
    void transpose "ap_transpose"(
        const char* source, Py_ssize_t source_step, Py_ssize_t rows, Py_ssize_t columns,
        char* target, Py_ssize_t step, Py_ssize_t size,
    ) noexcept nogil
