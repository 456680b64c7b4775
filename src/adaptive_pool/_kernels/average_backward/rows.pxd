"""Rows of the result: filled with the values of their segments, copied to other lines."""
from libc.string cimport memcpy

from adaptive_pool._kernels.average_backward.problem cimport Box, Problem
from adaptive_pool._kernels.call.elements cimport real_t
from adaptive_pool._kernels.tiles.planes cimport at

cdef enum:
    SHORT = 256         # bytes that are copied without a call


cdef inline void copy_run(char* out, const char* run, Py_ssize_t size) noexcept nogil:
    """memcpy() without a call for short runs, by pieces that overlap."""
    cdef Py_ssize_t i = 0
    if size > SHORT:
        memcpy(out, run, size)
    elif size >= 32:
        while i < size - 32:
            memcpy(out + i, run + i, 32)
            i += 32
        memcpy(out + size - 32, run + size - 32, 32)
    elif size >= 16:
        memcpy(out, run, 16)
        memcpy(out + size - 16, run + size - 16, 16)
    elif size >= 8:
        memcpy(out, run, 8)
        memcpy(out + size - 8, run + size - 8, 8)
    elif size >= 4:
        memcpy(out, run, 4)
        memcpy(out + size - 4, run + size - 4, 4)
    else:  # the element of a half
        memcpy(out, run, 2)


cdef inline void repeat(
    char* first, Py_ssize_t size, Py_ssize_t step, Py_ssize_t times,
) noexcept nogil:
    """Repeat the `size` bytes at `first` every `step` bytes until they are there `times` times."""
    cdef Py_ssize_t k, done = size, whole = size * times
    if step > size or size >= SHORT:
        for k in range(1, times):
            copy_run(first + k * step, first, size)
        return
    while done < whole:
        size = min(done, whole - done)
        copy_run(first + done, first, size)
        done += size


cdef inline void copy_line(
    const Problem* p, const Box* box, const char* line, char* out, Py_ssize_t itemsize,
) noexcept nogil:
    """Copy the box's piece of a line of the result to another."""
    cdef Py_ssize_t w, size = box.lanes * itemsize, columns = box.w1 - box.w0
    if p.contiguous and box.lanes == p.lanes:
        copy_run(out, line, columns * size)
        return
    for w in range(columns):
        copy_run(out + w * p.grad_input.w, line + w * p.grad_input.w, size)
