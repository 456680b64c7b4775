"""Runs of float16 and bfloat16, by the instructions that processors have for them; see halves.h."""
from adaptive_pool._kernels.call.elements cimport bfloat16_t, float16_t

cdef extern from "simd/halves.h" nogil:
    void widen_run_of_float16 "ap_widen_run_of_float16"(
        const char* halves, Py_ssize_t n, float* floats,
    ) noexcept
    void widen_run_of_bfloat16 "ap_widen_run_of_bfloat16"(
        const char* halves, Py_ssize_t n, float* floats,
    ) noexcept
    void narrow_to_float16 "ap_narrow_to_float16"(
        const double* x, Py_ssize_t n, char* halves,
    ) noexcept
    void narrow_to_bfloat16 "ap_narrow_to_bfloat16"(
        const double* x, Py_ssize_t n, char* halves,
    ) noexcept

ctypedef fused half_t:
    float16_t
    bfloat16_t


cdef inline void widen_run(
    const half_t* halves, Py_ssize_t n,
    float* floats,                  # OUT
) noexcept nogil:
    if half_t is float16_t:
        widen_run_of_float16(<const char*> halves, n, floats)
    else:
        widen_run_of_bfloat16(<const char*> halves, n, floats)


cdef inline void narrow_run(
    const double* x, Py_ssize_t n,  # IN: without NaNs but that of `one_nan`
    half_t* halves,                 # OUT
) noexcept nogil:
    """Store x, each rounded once."""
    if half_t is float16_t:
        narrow_to_float16(x, n, <char*> halves)
    else:
        narrow_to_bfloat16(x, n, <char*> halves)
