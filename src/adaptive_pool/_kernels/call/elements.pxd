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

# What arithmetic reads: halves have been widened to float by then.
ctypedef fused value_t:
    uint8_t
    int8_t
    uint16_t
    int16_t
    uint32_t
    int32_t
    uint64_t
    int64_t
    float
    double

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


cdef union Bits32:
    uint32_t bits
    float value

cdef union Bits64:
    uint64_t bits
    double value


cdef inline float widen_float16(uint16_t half) noexcept nogil:
    """The float32 of a float16, exactly; a NaN keeps its payload."""
    cdef uint32_t magnitude = half & 0x7FFF
    cdef uint32_t rebase = 224 if magnitude >= 0x7C00 else 112
    cdef Bits32 result, tiny
    tiny.value = <float> <int32_t> magnitude * <float> (1.0 / (1 << 24))
    # 112 rebases the exponent from bias 15 to bias 127; infinities and NaNs need twice that.
    result.bits = (magnitude << 13) + (rebase << 23)
    result.bits = tiny.bits if magnitude < 0x0400 else result.bits
    result.bits |= (<uint32_t> half & 0x8000) << 16
    return result.value


cdef inline float widen_bfloat16(uint16_t half) noexcept nogil:
    """The float32 of a bfloat16: the upper half of its bits."""
    cdef Bits32 result
    result.bits = <uint32_t> half << 16
    return result.value


cdef inline float widen_half(uint16_t half, Element element) noexcept nogil:
    return widen_float16(half) if element == FLOAT16 else widen_bfloat16(half)


cdef inline double round_to_integer(double x) noexcept nogil:
    """x rounded half to even, for abs(x) < 2**51; rint() would be a call on baseline x86."""
    return (x + 6755399441055744.0) - 6755399441055744.0


cdef inline uint16_t narrow_half(double x, int fraction, int bias) noexcept nogil:
    """x rounded half to even to a 16-bit float of `fraction` bits and exponent bias `bias`.

    One rounding, straight from float64: going through float32 would round twice.
    """
    cdef Bits64 wide, unit
    cdef uint16_t sign
    cdef uint64_t infinity = <uint64_t> (2 * bias + 1) << fraction
    cdef int drop = 52 - fraction
    wide.value = x
    sign = <uint16_t> (wide.bits >> 48) & 0x8000
    wide.bits = wide.bits << 1 >> 1
    if wide.bits > <uint64_t> 0x7FF << 52:  # NaN: keep the top of its payload, quiet
        return <uint16_t> (
            sign | infinity | (1 << (fraction - 1)) | ((wide.bits >> drop) & ((1 << fraction) - 1))
        )
    unit.bits = <uint64_t> (1023 + 1 - bias) << 52  # the least normal number of the half type
    if wide.value < unit.value:
        unit.bits = <uint64_t> (1023 - 1 + bias + fraction) << 52  # one over the least subnormal
        return sign | <uint16_t> <int32_t> round_to_integer(wide.value * unit.value)
    wide.bits += ((<uint64_t> 1 << (drop - 1)) - 1) + ((wide.bits >> drop) & 1)
    wide.bits = (wide.bits >> drop) - (<uint64_t> (1023 - bias) << fraction)
    return sign | <uint16_t> (wide.bits if wide.bits < infinity else infinity)


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
