"""Runs of float16 and bfloat16, by the instructions that processors have for them.

What these do for most of a run, single conversions do for the rest of it and elsewhere, to the same
bits.
"""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport (
    bfloat16_t, float16_t, one_nan, store_real, uint16_t, uint32_t,
)

cdef extern from "simd/halves.h" nogil:
    Py_ssize_t ap_shorten_floats(const float* x, Py_ssize_t n, char* halves) noexcept
    void narrow_to_float16 "ap_narrow_to_float16"(
        const double* x, Py_ssize_t n, char* halves,
    ) noexcept
    void narrow_to_bfloat16 "ap_narrow_to_bfloat16"(
        const double* x, Py_ssize_t n, char* halves,
    ) noexcept

ctypedef fused half_t:
    float16_t
    bfloat16_t


cdef inline void narrow_run(
    const double* x, Py_ssize_t n,  # IN: without NaNs but that of `one_nan`
    half_t* halves,                 # OUT
) noexcept nogil:
    """Store x, each rounded once."""
    if half_t is float16_t:
        narrow_to_float16(x, n, <char*> halves)
    else:
        narrow_to_bfloat16(x, n, <char*> halves)


cdef inline void narrow_floats(
    const float* x, Py_ssize_t n,
    half_t* halves,                 # OUT
) noexcept nogil:
    """Store x, each rounded once; NaNs become the one NaN."""
    cdef Py_ssize_t i, done = 0
    cdef uint32_t bits
    if half_t is float16_t:
        done = ap_shorten_floats(x, n, <char*> halves)
        for i in range(done, n):
            store_real[half_t](&halves[i], one_nan(x[i]))
    else:
        for i in range(n):
            memcpy(&bits, x + i, sizeof(bits))
            bits = 0x7FC00000 if (bits & 0x7FFFFFFF) > 0x7F800000 else (
                bits + 0x7FFF + ((bits >> 16) & 1)
            )
            halves[i].bits = <uint16_t> (bits >> 16)
