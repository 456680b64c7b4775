"""What sums are kept in, and how a sum becomes a mean with one rounding.

| elements                          | accumulator | a sum is                                   |
|-----------------------------------|-------------|--------------------------------------------|
| float16, bfloat16, float32        | double      | rounded to 53 bits at each addition        |
| float64                           | twofold_t   | compensated: rounded once, at the end      |
| integers of 32 bits               | int64_t     | exact                                      |
| integers of 64 bits               | wide_t      | exact                                      |

Those of 8 and 16 bits are summed in short_integers.pxd, and come as int64_t where that is needed.

docs/design/summation.md derives the error bounds.
"""
from libc.math cimport fma, ldexp

from adaptive_pool._kernels.call.elements cimport (
    bfloat16_t, float16_t, int8_t, int16_t, int32_t, int64_t, one_nan, real_t,
    store_real, uint8_t, uint16_t, uint32_t, uint64_t, value_t,
)

ctypedef struct twofold_t:
    double value
    double error    # what the additions so far have rounded away

ctypedef struct wide_t:
    int64_t high    # the sum is high * 2**32 + low
    int64_t low

ctypedef fused acc_t:
    double
    twofold_t
    int64_t
    wide_t

ctypedef fused long_t:
    int64_t
    uint64_t

# The results for which a product with the inverse of a count is as good as a division.
ctypedef fused narrow_real_t:
    float16_t
    bfloat16_t
    float

# What a mean can be stored as.
ctypedef fused mean_t:
    float16_t
    bfloat16_t
    float
    double
    uint8_t
    int8_t
    uint16_t
    int16_t
    uint32_t
    int32_t
    uint64_t
    int64_t


cdef inline acc_t nothing(acc_t* like) noexcept nogil:
    """The sum of no elements: the neutral element of addition, which for floats is -0.0."""
    cdef acc_t zero
    if acc_t is double:
        zero = -0.0
    elif acc_t is twofold_t:
        zero.value = -0.0
        zero.error = 0.0
    elif acc_t is wide_t:
        zero.high = 0
        zero.low = 0
    else:
        zero = 0
    return zero


cdef inline acc_t plus(acc_t total, value_t x) noexcept nogil:
    """total + x."""
    cdef acc_t result
    cdef double rest
    if acc_t is double:
        return total + <double> x
    elif acc_t is twofold_t:  # Knuth's TwoSum
        result.value = total.value + <double> x
        rest = result.value - total.value
        result.error = total.error + (
            (total.value - (result.value - rest)) + (<double> x - rest)
        )
        return result
    elif acc_t is wide_t:
        result = total
        if value_t in long_t:
            result.high += <int64_t> (x >> 32)
            result.low += <int64_t> <uint32_t> x
        return result
    else:
        return total + <acc_t> x


cdef inline acc_t merge(acc_t a, acc_t b) noexcept nogil:
    """The sum of two sums."""
    cdef acc_t result
    cdef double rest
    if acc_t is twofold_t:
        result.value = a.value + b.value
        rest = result.value - a.value
        result.error = (a.error + b.error) + ((a.value - (result.value - rest)) + (b.value - rest))
        return result
    elif acc_t is wide_t:
        result.high = a.high + b.high
        result.low = a.low + b.low
        return result
    else:
        return a + b


cdef inline double twofold_mean(twofold_t total, int64_t count) noexcept nogil:
    """total / count, with what the division rounds away divided as well."""
    cdef double mean = total.value / <double> count
    cdef double rest = fma(-mean, <double> count, total.value) + total.error
    return mean + rest / <double> count if rest != 0 else mean  # -0.0 + 0.0 would be 0.0


cdef struct Ratio:
    bint negative           # the ratio is sign * (whole + rest / count), 0 <= rest < count
    uint64_t whole
    uint64_t rest
    uint64_t count


cdef inline Ratio exact_mean(acc_t total, int64_t count) noexcept nogil:
    """total / count in integers."""
    cdef Ratio ratio
    cdef uint64_t magnitude, low
    ratio.count = <uint64_t> count
    if acc_t is int64_t:
        ratio.negative = total < 0
        magnitude = <uint64_t> (-total if total < 0 else total)
        ratio.whole = magnitude // ratio.count
        ratio.rest = magnitude % ratio.count
    elif acc_t is wide_t:
        # Long division by digits of 32 bits; count < 2**31, so nothing overflows.
        total.high += total.low >> 32
        low = <uint32_t> total.low
        ratio.negative = total.high < 0
        if ratio.negative:
            total.high = -total.high - (low != 0)
            low = <uint32_t> (0 - low)
        magnitude = <uint64_t> total.high
        low += (magnitude % ratio.count) << 32
        ratio.whole = ((magnitude // ratio.count) << 32) + low // ratio.count
        ratio.rest = low % ratio.count
    return ratio


cdef inline double ratio_to_double(Ratio ratio, bint to_odd) noexcept nogil:
    """The ratio rounded to float64: half to even or, with `to_odd`, towards the odd neighbour.

    A value rounded to odd can be rounded again to a shorter type as if it never had been rounded
    (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
    """
    cdef uint64_t digits = ratio.whole, rest = ratio.rest
    cdef int scale = 0
    if digits == 0 and rest == 0:
        return 0.0
    while digits < <uint64_t> 1 << 54:  # bits behind the point, until rounding can see two extra
        rest <<= 1
        digits <<= 1
        if rest >= ratio.count:
            rest -= ratio.count
            digits += 1
        scale -= 1
    digits |= rest != 0
    if to_odd:
        while digits >= <uint64_t> 1 << 53:
            digits = (digits >> 1) | (digits & 1)
            scale += 1
    cdef double magnitude = ldexp(<double> digits, scale)
    return -magnitude if ratio.negative else magnitude


cdef inline double quotient(acc_t total, int64_t count, bint to_odd) noexcept nogil:
    """total / count of an exact sum in float64, rounded as in `ratio_to_double`."""
    if acc_t is int64_t:
        if -(<int64_t> 1 << 53) < total < <int64_t> 1 << 53 and count <= 1 << 28:
            # float64 holds both exactly, so the quotient is correctly rounded, and it is too far
            # from the halfway points of shorter types for a second rounding to matter.
            return <double> total / <double> count
    return ratio_to_double(exact_mean[acc_t](total, count), to_odd)


cdef inline void store_mean(mean_t* out, acc_t total, double count) noexcept nogil:
    """Store total / count in the type of `out`, rounded half to even."""
    cdef Ratio ratio
    cdef double mean
    if acc_t is double:
        mean = total / count
    elif acc_t is twofold_t:
        mean = twofold_mean(total, <int64_t> count)
    elif mean_t in real_t:
        mean = quotient[acc_t](total, <int64_t> count, mean_t is not double)
    else:
        ratio = exact_mean[acc_t](total, <int64_t> count)
        if ratio.rest > ratio.count - ratio.rest or (
            ratio.rest == ratio.count - ratio.rest and ratio.whole & 1
        ):
            ratio.whole += 1
        out[0] = <mean_t> (<uint64_t> 0 - ratio.whole if ratio.negative else ratio.whole)
    if mean_t in real_t:
        store_real[mean_t](out, one_nan(mean))
