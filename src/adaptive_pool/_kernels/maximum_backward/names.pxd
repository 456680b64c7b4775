"""Names of halves that are added to (add.h), and their sums, rounded to where they belong."""
from libc.string cimport memset

from adaptive_pool._kernels.call.elements cimport (
    bfloat16_t, float16_t, one_nan, real_t, store_real, uint8_t, uint16_t, uint32_t, uint64_t,
    widen_bfloat16,
)
from adaptive_pool._kernels.simd.halves cimport half_t
from adaptive_pool._kernels.tiles.planes cimport pieces

ctypedef float (*widen_t)(uint16_t bits) noexcept nogil

cdef extern from "maximum_backward/add.h" nogil:
    enum:
        NAMES "AP_NAMES"
    ctypedef struct Names "ap_names":
        size_t count
        uint16_t** places
        float* sums

cdef extern from "simd/halves.h" nogil:
    float widen_quietly "ap_widen_quietly"(uint16_t bits) noexcept

cdef extern from "maximum_backward/round.h" nogil:
    Py_ssize_t ap_round_float16(const float* sums, Py_ssize_t n, char* halves) noexcept
    void ap_round_bfloat16(const float* sums, Py_ssize_t n, uint16_t* halves) noexcept

cdef enum:
    ROUNDED = 64            # sums that are rounded at once,
    VECTORS = 16            # of vectors of so many: behind the last sum there is room for more


cdef inline Py_ssize_t names_size(Py_ssize_t gradients) noexcept nogil:
    """Bytes for the names of so many gradients."""
    gradients = min(gradients, <Py_ssize_t> NAMES + 1)
    return gradients * sizeof(void*) + (gradients + VECTORS) * sizeof(float)


cdef inline Names no_names(void* scratch, Py_ssize_t gradients) noexcept nogil:
    cdef Names names
    gradients = min(gradients, <Py_ssize_t> NAMES + 1)
    names.count = 0
    names.places = <uint16_t**> scratch
    names.sums = <float*> (names.places + gradients)
    memset(names.sums, 0, (gradients + VECTORS) * sizeof(float))
    return names


# What is added at indices: gradients; and, as words, whatever is put there.
ctypedef fused item_t:
    float16_t
    bfloat16_t
    float
    double
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef inline bint are_put(item_t* _) noexcept nogil:
    """Whether elements take the place of what is there."""
    if item_t in real_t:
        return False
    else:
        return True


cdef inline widen_t widen_for(item_t* _) noexcept nogil:
    if item_t is float16_t:
        return widen_quietly
    elif item_t is bfloat16_t:
        return widen_bfloat16
    else:
        return NULL


cdef inline void round_run(const float* sums, Py_ssize_t n, half_t* halves) noexcept nogil:
    """Store sums side by side, each rounded once; NaNs become the one NaN."""
    cdef Py_ssize_t k
    if half_t is bfloat16_t:
        ap_round_bfloat16(sums, n, <uint16_t*> halves)
    else:
        for k in range(ap_round_float16(sums, n, <char*> halves), n):
            store_real[half_t](halves + k, one_nan(sums[k]))


cdef inline void round_sums(const Names* names, half_t* _) noexcept nogil:
    """Store each sum where its number is."""
    cdef half_t rounded[ROUNDED]
    cdef Py_ssize_t count = min(names.count, <size_t> NAMES + 1), k = 0, n, i
    while k < count:
        n = min(count - k, <Py_ssize_t> ROUNDED)
        round_run[half_t](names.sums + k, pieces(n, VECTORS) * VECTORS, rounded)
        for i in range(n):
            names.places[k + i][0] = rounded[i].bits
        k += n
