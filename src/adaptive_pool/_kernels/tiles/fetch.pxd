"""Pieces of lines copied from any strides, or converted, into a contiguous buffer."""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, Element, uint8_t, uint16_t, uint32_t, uint64_t, widen_half, word_t,
)
from adaptive_pool._kernels.simd.halves cimport ap_widen_run

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


cdef inline void fetch_halves(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, float* buffer, Element element,
) noexcept nogil:
    cdef Py_ssize_t w, lane, i, done = 0
    cdef uint16_t half
    if lane_step == 2 and w_step == 2 * lanes or lanes == 1 and w_step == 2:
        if element == FLOAT16:
            done = ap_widen_run(line, columns * lanes, buffer)
        for i in range(done, columns * lanes):  # contiguous: vectorises
            memcpy(&half, line + 2 * i, 2)
            buffer[i] = widen_half(half, element)
        return
    for w in range(columns):
        for lane in range(lanes):
            memcpy(&half, line + w * w_step + lane * lane_step, 2)
            buffer[w * lanes + lane] = widen_half(half, element)


cdef inline void fetch_bools(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, uint8_t* buffer,
) noexcept nogil:
    """Any byte but 0 is True, as it is for NumPy."""
    cdef Py_ssize_t w, lane
    for w in range(columns):
        for lane in range(lanes):
            buffer[w * lanes + lane] = line[w * w_step + lane * lane_step] != 0


cdef inline void fetch_float16(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, void* buffer,
) noexcept nogil:
    fetch_halves(line, w_step, lane_step, columns, lanes, <float*> buffer, FLOAT16)


cdef inline void fetch_bfloat16(
    const char* line, Py_ssize_t w_step, Py_ssize_t lane_step, Py_ssize_t columns,
    Py_ssize_t lanes, void* buffer,
) noexcept nogil:
    fetch_halves(line, w_step, lane_step, columns, lanes, <float*> buffer, BFLOAT16)
