"""Element types: what the bits of an array mean, and how halves become floats and back.

Arrays reach the kernels as unsigned words of their size (a memoryview has no format for float16
or bfloat16); an `Element` says what the words mean. Everything here is branch-free or nearly so,
so that loops over it vectorise.
"""
from libc.math cimport NAN
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)

# Structs, because fused types take two names of one integer type for the same.
ctypedef struct float16_t:
    uint16_t bits

ctypedef struct bfloat16_t:
    uint16_t bits

cdef enum Element:
    BOOL, UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64
    FLOAT16, BFLOAT16, FLOAT32, FLOAT64

# A word of memory: the type that an array of elements of that size is passed as.
ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

# The words of indices.
ctypedef fused index_word_t:
    uint32_t
    uint64_t

# Flat indices in arithmetic.
ctypedef fused index_t:
    int32_t
    int64_t

# What gradients are made of, and what an average may be stored as beside integers.
ctypedef fused real_t:
    float16_t
    bfloat16_t
    float
    double

cdef inline Py_ssize_t size_of(Element element) noexcept nogil:
    """The bytes of an element."""
    if element in (BOOL, UINT8, INT8):
        return 1
    elif element in (UINT16, INT16, FLOAT16, BFLOAT16):
        return 2
    elif element in (UINT32, INT32, FLOAT32):
        return 4
    return 8


cdef extern from "simd/halves.h" nogil:
    float widen_float16 "ap_widen_float16"(uint16_t half) noexcept
    float widen_bfloat16 "ap_widen_bfloat16"(uint16_t half) noexcept
    uint16_t narrow_half "ap_narrow_half"(double x, int fraction, int bias) noexcept


cdef inline double one_nan(double x) noexcept nogil:
    """x, or the one NaN that all arithmetic here results in.

    Which of two NaNs a sum inherits its bits from is up to the compiler.
    """
    return x if x == x else NAN


cdef inline double load_real(const real_t* x) noexcept nogil:
    if real_t is float16_t:
        return widen_float16(x.bits)
    elif real_t is bfloat16_t:
        return widen_bfloat16(x.bits)
    else:
        return x[0]


cdef inline void store_real(real_t* out, double x) noexcept nogil:
    """Store x, rounded once to the type of `out`."""
    if real_t is float16_t:
        out.bits = narrow_half(x, 10, 15)
    elif real_t is bfloat16_t:
        out.bits = narrow_half(x, 7, 127)
    else:
        out[0] = <real_t> x
