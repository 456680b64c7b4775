"""Turning a tile, so that output lines with few lanes become lanes to each other."""
from adaptive_pool._kernels.accumulators cimport twofold_t, wide_t
from adaptive_pool._kernels.elements cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)

# Whatever a tile is made of: accumulators, values, indices.
ctypedef fused plain_t:
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
    twofold_t
    wide_t


cdef inline void turn(
    const plain_t* lines,   # IN: count x columns x lanes
    Py_ssize_t count, Py_ssize_t columns, Py_ssize_t lanes,
    plain_t* tile,          # OUT: columns x count x lanes
) noexcept nogil:
    """Turn lines one behind the other into lines side by side."""
    cdef Py_ssize_t w, line, lane
    for w in range(columns):
        for line in range(count):
            for lane in range(lanes):
                tile[(w * count + line) * lanes + lane] = lines[(line * columns + w) * lanes + lane]
