"""Pieces of lines copied from any strides, or converted, into a contiguous buffer."""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport uint8_t, word_t

# Reading a piece of a line, `columns` x `lanes` elements with any steps, into a contiguous buffer.
ctypedef void (*fetch_t)(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, void* buffer,
) noexcept nogil


cdef inline void fetch_words(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, word_t* buffer,
) noexcept nogil:
    cdef Py_ssize_t w, lane
    for w in range(columns):
        for lane in range(lanes):
            # memcpy: the element may be misaligned
            memcpy(buffer + w * lanes + lane, line + w * w_step + lane * lane_step, sizeof(word_t))


cdef inline void fetch_bools(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, uint8_t* buffer,
) noexcept nogil:
    """Any byte but 0 is True, as it is for NumPy. Loops over neighbours become vectors."""
    cdef Py_ssize_t w, lane, i
    if lanes == 1 or w_step == lanes * lane_step:   # one step from each to the next
        w_step = lane_step = w_step if lanes == 1 else lane_step
        columns, lanes = 1, columns * lanes
    for w in range(columns):
        if lane_step == 1:
            for i in range(lanes):
                buffer[w * lanes + i] = line[w * w_step + i] != 0
        else:
            for lane in range(lanes):
                buffer[w * lanes + lane] = line[w * w_step + lane * lane_step] != 0
