"""Sums to means, in the type of the output; see means.h."""
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Element, size_of,
)

cdef extern from "average/means.h" nogil:
    enum:
        TO_FLOAT16 "AP_TO_FLOAT16"
        TO_BFLOAT16 "AP_TO_BFLOAT16"
        TO_FLOAT32 "AP_TO_FLOAT32"
        TO_FLOAT64 "AP_TO_FLOAT64"
        TO_1 "AP_TO_1"
        TO_2 "AP_TO_2"
        TO_4 "AP_TO_4"
        TO_8 "AP_TO_8"
    # n means of exact sums of 64 bits.
    void means_of_longs "ap_means_of_longs"(
        int result, const char* sums, Py_ssize_t n, const double* sizes, char* out,
    ) noexcept


cdef inline int result_of(Element out) noexcept nogil:
    """What means are to become: a float, or integers of so many bytes."""
    cdef Py_ssize_t size = size_of(out)
    if out == FLOAT16:
        return TO_FLOAT16
    elif out == BFLOAT16:
        return TO_BFLOAT16
    elif out == FLOAT32:
        return TO_FLOAT32
    elif out == FLOAT64:
        return TO_FLOAT64
    return TO_1 if size == 1 else TO_2 if size == 2 else TO_4 if size == 4 else TO_8
