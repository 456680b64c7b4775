"""Gradients added to sums at their indices: one loop for each way that windows lie in memory.

Each index is looked at as it is used, whatever was checked before.
"""
from adaptive_pool._kernels.call.elements cimport index_t, load_real, real_t
from adaptive_pool._kernels.maximum_backward.problem cimport FEW, Place, Scatter

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define ap_likely(condition) __builtin_expect(!!(condition), 1)
    #else
    #define ap_likely(condition) (condition)
    #endif
    """
    bint ap_likely(bint condition) noexcept nogil


cdef inline index_t read_index(const char* index, index_t* _) noexcept nogil:
    """The index there, read once: another thread may write to it after it was checked."""
    return (<const volatile index_t*> index)[0]


cdef inline Py_ssize_t size_of_sum(real_t* _) noexcept nogil:
    return sizeof(double) if real_t is double else sizeof(float)


cdef inline void add_one(
    const Scatter* s, const Place* place,
    Py_ssize_t begin,       # IN: place.begin, or a literal 0, which saves a subtraction
    Py_ssize_t i,           # IN: the index
    const char* gradient,
    size_t ready,           # IN: elements from `begin` on that are cleared
    char* sums,             # IN, OUT: of `begin` and on
    Py_ssize_t step,        # IN: bytes from element to element
    int* outside,           # OUT: True if the index is outside the plane or has just changed
    real_t* _,
) noexcept nogil:
    i -= begin
    if ap_likely(<size_t> i < ready):
        sums += i * step
        if real_t is double:
            (<double*> sums)[0] += (<const double*> gradient)[0]
        else:
            (<float*> sums)[0] += <float> load_real[real_t](<const real_t*> gradient)
    else:
        outside[0] |= not 0 <= i + begin < s.plane or 0 <= i < place.end - begin


cdef inline int add_run(
    const Scatter* s, const Place* place, Py_ssize_t begin,
    const char* gradient, Py_ssize_t gradient_step,
    const char* index, Py_ssize_t index_step,
    Py_ssize_t n,           # IN: windows of one lane, or lanes of one window
    size_t ready, char* sums, Py_ssize_t step,
    Py_ssize_t side,        # IN: bytes of `sums` from one of the run to the next
    real_t* like, index_t* like_index,
) noexcept nogil:
    """Add what is ready, four at a time. Whether an index is outside or has just changed."""
    cdef int outside = False
    cdef index_t i, i1, i2, i3
    cdef const char* end = index + (n & ~3) * index_step    # a counter would be kept in memory
    while index != end:
        i = read_index[index_t](index, like_index)
        i1 = read_index[index_t](index + index_step, like_index)
        i2 = read_index[index_t](index + 2 * index_step, like_index)
        i3 = read_index[index_t](index + 3 * index_step, like_index)
        index += 4 * index_step
        add_one[real_t](s, place, begin, i, gradient, ready, sums, step, &outside, like)
        gradient += gradient_step
        sums += side
        add_one[real_t](s, place, begin, i1, gradient, ready, sums, step, &outside, like)
        gradient += gradient_step
        sums += side
        add_one[real_t](s, place, begin, i2, gradient, ready, sums, step, &outside, like)
        gradient += gradient_step
        sums += side
        add_one[real_t](s, place, begin, i3, gradient, ready, sums, step, &outside, like)
        gradient += gradient_step
        sums += side
    for _ in range(n & 3 if index_step != 0 else n):    # at a step of 0 none were taken by four
        i = read_index[index_t](index, like_index)
        add_one[real_t](s, place, begin, i, gradient, ready, sums, step, &outside, like)
        index += index_step
        gradient += gradient_step
        sums += side
    return outside


# The loops over the windows of a line: one is chosen for a call. They are called by pointer,
# because inside a larger function the compiler keeps their variables in memory.
ctypedef int (*add_t)(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes,    # IN: windows along W, and planes one after the other
    size_t ready, char* sums, Py_ssize_t step, void* like, void* like_index,
) noexcept nogil


cdef inline int add_neighbours(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, size_t ready, char* sums, Py_ssize_t _,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """One lane, whose windows are neighbours in memory; whole planes."""
    cdef int outside = False
    for _plane in range(planes):
        outside |= add_run[real_t, index_t](
            s, place, 0, gradient, sizeof(real_t), index, sizeof(index_t), n, ready,
            sums, size_of_sum(like), 0, like, like_index,
        )
        gradient += s.grad_output.channel
        index += s.indices.channel
        sums += s.grad_input.channel
    return outside


cdef inline int add_all_lanes(
    const Scatter* s, const Place* place, Py_ssize_t begin,
    const char* gradient, const char* index, Py_ssize_t n, Py_ssize_t planes,
    size_t ready, char* sums, Py_ssize_t step, real_t* like, index_t* like_index,
) noexcept nogil:
    cdef int outside = False
    cdef Py_ssize_t w
    for _plane in range(planes):
        for w in range(n):
            outside |= add_run[real_t, index_t](
                s, place, begin, gradient + w * s.grad_output.w, sizeof(real_t),
                index + w * s.indices.w, sizeof(index_t), place.lanes, ready,
                sums, step, size_of_sum(like), like, like_index,
            )
        gradient += s.grad_output.channel
        index += s.indices.channel
        sums += s.grad_input.channel
    return outside


cdef inline int add_lanes(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, size_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """Lanes that are neighbours in memory; whole planes."""
    return add_all_lanes[real_t, index_t](
        s, place, 0, gradient, index, n, planes, ready, sums, step, like, like_index
    )


cdef inline int add_lanes_of_part(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, size_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """The same for a part of a plane."""
    return add_all_lanes[real_t, index_t](
        s, place, place.begin, gradient, index, n, planes, ready, sums, step, like, like_index
    )


cdef inline int add_anything(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, size_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    cdef int outside = False
    cdef Py_ssize_t lane
    for _plane in range(planes):
        for lane in range(place.lanes):
            outside |= add_run[real_t, index_t](
                s, place, place.begin, gradient + lane * s.grad_output.lane, s.grad_output.w,
                index + lane * s.indices.lane, s.indices.w, n, ready,
                sums + lane * size_of_sum(like), step, 0, like, like_index,
            )
        gradient += s.grad_output.channel
        index += s.indices.channel
        sums += s.grad_input.channel
    return outside


cdef inline add_t choose_add(
    const Scatter* s, bint whole,   # IN: whether whole planes are added to
    real_t* _, index_t* __,
) noexcept nogil:
    if not whole and s.neighbours and s.lanes >= FEW:
        return <add_t> add_lanes_of_part[real_t, index_t]
    elif not whole:
        return <add_t> add_anything[real_t, index_t]
    elif s.lanes == 1 and s.grad_output.w == sizeof(real_t) and s.indices.w == sizeof(index_t):
        return <add_t> add_neighbours[real_t, index_t]
    elif s.neighbours and s.lanes >= FEW:
        return <add_t> add_lanes[real_t, index_t]
    else:
        return <add_t> add_anything[real_t, index_t]
