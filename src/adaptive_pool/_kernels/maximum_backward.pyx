"""Max pooling, backward: each window adds its gradient at its index.

Parallel over planes and blocks of lanes, so each thread owns the elements it writes. Gradients
that meet at an element are added in row-major order of the windows: in place for float32 and
float64, in a float32 tile of the plane for halves.

Indices come from strangers. `any_outside` looks at all of them before anything is written;
whoever changes them after that is caught by a second look at the one value that is then used.
"""
from cython.parallel cimport prange, threadid
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from adaptive_pool._kernels.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, index_t,
    int32_t, int64_t, load_real, one_nan, real_t, store_real,
)
from adaptive_pool._kernels.planes cimport at, isa, pieces
from adaptive_pool._kernels.tables cimport Windows

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    LANES = 64                      # lanes of a job
    LANES_OF_HALVES = 16            # fewer, so that a tile of sums covers more of the plane
    SUMS = 131072                   # elements of a tile of float32 sums
    SCRATCH = SUMS * sizeof(float)  # bytes


cdef struct Scatter:
    Array grad_output
    Array indices
    Array grad_input
    Py_ssize_t channels
    Py_ssize_t lanes
    Py_ssize_t lane_block
    Py_ssize_t lane_blocks
    Py_ssize_t windows[3]   # OD, OH, OW
    Py_ssize_t sizes[3]     # D, H, W
    bint flat               # a plane of grad_input has one step from element to element
    Py_ssize_t plane        # D * H * W


cdef struct Place:
    Py_ssize_t batch
    Py_ssize_t channel
    Py_ssize_t lane
    Py_ssize_t lanes


ctypedef int (*scatter_t)(
    const Scatter* s, Py_ssize_t job, float* scratch, void* gradient, void* index,
) noexcept nogil


ctypedef int (*look_t)(
    const Array* indices, const Py_ssize_t* shape, Py_ssize_t k, Py_ssize_t plane, void* index,
) noexcept nogil


cdef Place locate(const Scatter* s, Py_ssize_t job) noexcept nogil:
    cdef Place place
    place.lane = job % s.lane_blocks * s.lane_block
    place.lanes = min(s.lane_block, s.lanes - place.lane)
    job //= s.lane_blocks
    place.channel = job % s.channels
    place.batch = job // s.channels
    return place


cdef inline char* input_at(
    const Scatter* s, const Place* place, Py_ssize_t index, Py_ssize_t lane,
) noexcept nogil:
    """The element of grad_input at a flat index of the plane."""
    cdef Py_ssize_t w, line
    if s.flat:
        return at(&s.grad_input, place.batch, place.channel, 0, 0, index, place.lane + lane)
    w = index % s.sizes[2]
    line = index // s.sizes[2]
    return at(
        &s.grad_input, place.batch, place.channel,
        line // s.sizes[1], line % s.sizes[1], w, place.lane + lane,
    )


cdef inline int add_windows(
    const Scatter* s, const Place* place,
    Py_ssize_t begin, Py_ssize_t end,   # IN: the part of the plane to add to
    float* sums,                        # IN, OUT: (end - begin) x lanes; NULL: add in place
    real_t* gradient, index_t* index,   # the types of the gradient and the indices
) noexcept nogil:
    """Add the windows whose index lies in begin:end. True if an index is outside the plane."""
    cdef Py_ssize_t od, oh, ow, lane, i
    cdef double g
    cdef real_t* target
    cdef bint outside = False
    for od in range(s.windows[0]):
        for oh in range(s.windows[1]):
            for ow in range(s.windows[2]):
                gradient = <real_t*> at(
                    &s.grad_output, place.batch, place.channel, od, oh, ow, place.lane
                )
                index = <index_t*> at(
                    &s.indices, place.batch, place.channel, od, oh, ow, place.lane
                )
                for lane in range(place.lanes):
                    i = (<index_t*> (<char*> index + lane * s.indices.lane))[0]
                    outside |= not 0 <= i < s.plane
                    if not begin <= i < end:
                        continue
                    g = load_real[real_t](
                        <real_t*> (<char*> gradient + lane * s.grad_output.lane)
                    )
                    if sums != NULL:
                        sums[(i - begin) * place.lanes + lane] += <float> g
                    else:
                        target = <real_t*> input_at(s, place, i, lane)
                        store_real[real_t](target, one_nan(load_real[real_t](target) + g))
    return outside


cdef inline void clear_plane(const Scatter* s, const Place* place) noexcept nogil:
    """Set the plane of grad_input to zero, whose bits are all zero."""
    cdef const Array* out = &s.grad_input
    cdef Py_ssize_t lines = 1 if s.flat else s.sizes[0] * s.sizes[1]
    cdef Py_ssize_t columns = s.plane // lines, line, w, lane
    cdef char* start
    for line in range(lines):
        start = input_at(s, place, line * columns, 0)
        if (place.lanes == 1 or out.lane == out.itemsize) and out.w == place.lanes * out.itemsize:
            memset(start, 0, columns * out.w)
            continue
        for w in range(columns):
            if out.lane == out.itemsize:
                memset(start + w * out.w, 0, place.lanes * out.itemsize)
                continue
            for lane in range(place.lanes):
                memset(start + w * out.w + lane * out.lane, 0, out.itemsize)


cdef inline void store_sums(
    const Scatter* s, const Place* place, Py_ssize_t begin, Py_ssize_t end,
    const float* sums,      # IN: (end - begin) x lanes
    real_t* _,              # the type of the gradient
) noexcept nogil:
    cdef Py_ssize_t i, lane
    for i in range(begin, end):
        for lane in range(place.lanes):
            store_real[real_t](
                <real_t*> input_at(s, place, i, lane),
                one_nan(sums[(i - begin) * place.lanes + lane]),
            )


cdef int scatter_in_place(
    const Scatter* s, Py_ssize_t job, float* sums, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place place = locate(s, job)
    clear_plane(s, &place)
    return add_windows[real_t, index_t](s, &place, 0, s.plane, NULL, gradient, index)


cdef int scatter_by_tiles(
    const Scatter* s, Py_ssize_t job, float* sums, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef Py_ssize_t begin = 0, end, i
    cdef int outside = False
    while begin < s.plane:
        end = min(begin + SUMS // place.lanes, s.plane)
        for i in range((end - begin) * place.lanes):
            sums[i] = 0.0
        outside |= add_windows[real_t, index_t](s, &place, begin, end, sums, gradient, index)
        store_sums[real_t](s, &place, begin, end, sums, gradient)
        begin = end
    return outside


cdef scatter_t scatter_for(Element element, index_t* index) noexcept nogil:
    if element == FLOAT16:
        return <scatter_t> scatter_by_tiles[float16_t, index_t]
    elif element == BFLOAT16:
        return <scatter_t> scatter_by_tiles[bfloat16_t, index_t]
    elif element == FLOAT32:
        return <scatter_t> scatter_in_place[float, index_t]
    else:
        return <scatter_t> scatter_in_place[double, index_t]


cdef int plane_has_outside(
    const Array* indices, const Py_ssize_t* shape, Py_ssize_t k, Py_ssize_t plane, index_t* index,
) noexcept nogil:
    cdef Py_ssize_t d, h, w, lane
    cdef int outside = 0
    cdef char* line
    for d in range(shape[2]):
        for h in range(shape[3]):
            line = at(indices, k // shape[1], k % shape[1], d, h, 0, 0)
            for w in range(shape[4]):
                for lane in range(shape[5]):
                    index = <index_t*> (line + w * indices.w + lane * indices.lane)
                    outside |= index[0] < 0 or index[0] >= plane
    return outside


def any_outside(
    indices,            # IN: int32 or int64, aligned
    Windows windows,    # IN
    Py_ssize_t plane,   # IN: indices must lie in 0:plane
    int num_threads,    # IN
):
    """Whether an index is outside the plane. Reads each index once and writes nothing."""
    cdef Canonical c
    cdef Py_ssize_t shape[6]
    cdef Py_ssize_t k
    cdef int outside = 0
    cdef look_t look
    c.count = 0
    try:
        borrow(&c, indices, False)
        arrange(&c, windows)
        if c.arrays[0].itemsize == 4:
            look = <look_t> plane_has_outside[int32_t]
        else:
            look = <look_t> plane_has_outside[int64_t]
        shape[0], shape[1], shape[5] = c.batches, c.channels, c.lanes
        for k in range(3):
            shape[2 + k] = c.sizes[0][k]
        with nogil:
            while True:
                for k in prange(
                    shape[0] * shape[1], schedule="static", num_threads=num_threads,
                    use_threads_if=num_threads > 1,
                ):
                    outside |= look(&c.arrays[0], shape, k, plane, NULL)
                if not advance(&c):
                    break
    finally:
        give_back(&c)
    return outside != 0


cdef int run(Scatter* s, scatter_t scatter, Py_ssize_t jobs, int num_threads) except -1 nogil:
    """Whether an index was outside the plane."""
    cdef Py_ssize_t job
    cdef int outside = 0
    cdef float* sums = <float*> malloc(<size_t> num_threads * SCRATCH)
    if sums == NULL:
        raise MemoryError
    for job in prange(
        jobs, schedule="static", num_threads=num_threads, use_threads_if=num_threads > 1
    ):
        outside |= scatter(s, job, sums + <Py_ssize_t> threadid() * SUMS, NULL, NULL)
    free(sums)
    return outside != 0


def maximum_backward(
    grad_output,        # IN: array of the elements below
    indices,            # IN: int32 or int64
    grad_input,         # OUT: array of the elements below
    Windows windows,    # IN
    Element element,    # IN: what gradients hold
    int num_threads,    # IN
):
    """Store the gradient of the input in `grad_input`; all are aligned, and none is empty.

    Returns whether an index was outside the plane, which `any_outside` had not seen: somebody is
    writing to `indices`. Such indices are passed over.
    """
    cdef Scatter s
    cdef scatter_t scatter
    cdef Canonical c
    cdef Py_ssize_t k
    cdef bint outside = False
    c.count = 0
    try:
        borrow(&c, grad_input, True)
        borrow(&c, grad_output, False)
        borrow(&c, indices, False)
        arrange(&c, windows)
        if c.arrays[2].itemsize == 4:
            scatter = scatter_for[int32_t](element, NULL)
        else:
            scatter = scatter_for[int64_t](element, NULL)
        for k in range(3):
            s.windows[k] = c.sizes[1][k]
            s.sizes[k] = c.sizes[0][k]
        s.plane = s.sizes[0] * s.sizes[1] * s.sizes[2]
        s.channels, s.lanes = c.channels, c.lanes
        s.lane_block = LANES_OF_HALVES if c.arrays[0].itemsize == 2 else LANES
        s.lane_block = min(s.lane_block, s.lanes)
        s.lane_blocks = pieces(s.lanes, s.lane_block)
        with nogil:
            while True:
                s.grad_input, s.grad_output, s.indices = c.arrays[0], c.arrays[1], c.arrays[2]
                s.flat = (s.sizes[1] == 1 or s.grad_input.h == s.sizes[2] * s.grad_input.w) and (
                    s.sizes[0] == 1 or s.grad_input.d == s.sizes[1] * s.sizes[2] * s.grad_input.w
                )
                outside |= run(&s, scatter, c.batches * s.channels * s.lane_blocks, num_threads)
                if not advance(&c):
                    break
    finally:
        give_back(&c)
    return outside
