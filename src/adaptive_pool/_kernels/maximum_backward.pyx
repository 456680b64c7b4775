"""Max pooling, backward: each window adds its gradient at its index.

Parallel over planes, over parts of planes that are much larger than their outputs, and over blocks
of lanes, so each thread owns the elements it writes. Gradients that meet at an element are added in
row-major order of the windows: in grad_input itself if its planes are dense and not of halves, or
else in a tile of sums, float32 for halves. A large plane is cleared just ahead of the indices, so
that its elements are added to while they are in the cache.

Indices come from strangers. `any_outside` looks at all of them before anything is written;
whoever changes them after that is caught by a second look at the one value that is then used.
docs/design/backward.md.
"""
from libc.string cimport memset

from adaptive_pool._kernels.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, index_t,
    index_word_t, int32_t, int64_t, load_real, one_nan, real_t, store_real, uint32_t, uint64_t,
)
from adaptive_pool._kernels.jobs cimport is_brief, run_jobs
from adaptive_pool._kernels.planes cimport JOBS, at, isa, pieces
from adaptive_pool._kernels.tables cimport Windows

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define ap_likely(condition) __builtin_expect(!!(condition), 1)
    #else
    #define ap_likely(condition) (condition)
    #endif
    """
    bint ap_likely(bint condition) noexcept nogil

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    LANES = 64              # lanes that blocks of them are not worth going below
    LANES_OF_HALVES = 16    # lanes of a job by tiles: few, so that a tile covers more of the plane
    SCRATCH = 524288        # bytes of a tile of sums
    CLEAR = 16384           # bytes that are cleared at once
    GROUP = 8192            # or of several planes
    WHOLE = 262144          # bytes of a plane that is cleared whole
    CHUNK = 256             # indices that are looked at before clearing
    SPARSE = 8              # elements for each window of a plane that is worth cutting into parts
    PIECE = 32768           # indices that any_outside() takes for a job


cdef struct Scatter:
    Array grad_output
    Array indices
    Array grad_input
    Py_ssize_t batches
    Py_ssize_t channels
    Py_ssize_t lanes
    Py_ssize_t windows[3]   # OD, OH, OW
    Py_ssize_t sizes[3]     # D, H, W
    Py_ssize_t plane        # D * H * W
    Py_ssize_t group        # channels, elements of a plane and lanes of a job
    Py_ssize_t part
    Py_ssize_t lane_block
    bint flat               # a plane of grad_input has one step from element to element
    bint in_place           # and has no gaps; nor halves
    bint small              # planes are cleared whole, several at once
    bint neighbours         # lanes of grad_output and of indices are


cdef struct Place:
    # One job: elements begin:end of planes and some of their lanes.
    Py_ssize_t batch
    Py_ssize_t channel0
    Py_ssize_t channel1
    Py_ssize_t begin
    Py_ssize_t end
    Py_ssize_t lane
    Py_ssize_t lanes


ctypedef int (*scatter_t)(
    const Scatter* s, Py_ssize_t job, void* sums, void* gradient, void* index,
) noexcept nogil


cdef Place locate(const Scatter* s, Py_ssize_t job) noexcept nogil:
    cdef Place place
    cdef Py_ssize_t blocks = pieces(s.lanes, s.lane_block)
    place.lane = job % blocks * s.lane_block
    place.lanes = min(s.lane_block, s.lanes - place.lane)
    job //= blocks
    blocks = pieces(s.plane, s.part)
    place.begin = job % blocks * s.part
    place.end = min(place.begin + s.part, s.plane)
    job //= blocks
    blocks = pieces(s.channels, s.group)
    place.channel0 = job % blocks * s.group
    place.channel1 = min(place.channel0 + s.group, s.channels)
    place.batch = job // blocks
    return place


cdef inline void add_to(void* sums, Py_ssize_t i, const real_t* gradient) noexcept nogil:
    if real_t is double:
        (<double*> sums)[i] += gradient[0]
    else:
        (<float*> sums)[i] += <float> load_real[real_t](gradient)


cdef inline void unify(void* sums, Py_ssize_t i, const real_t* gradient) noexcept nogil:
    if real_t is double:
        (<double*> sums)[i] = one_nan((<double*> sums)[i])
    elif real_t is float:
        (<float*> sums)[i] = <float> one_nan((<float*> sums)[i])


cdef inline bint all_finite(
    const char* gradient, Py_ssize_t step, Py_ssize_t n, real_t* _,
) noexcept nogil:
    """Whether gradients are finite. A sum only becomes a NaN by one that is not."""
    cdef Py_ssize_t k
    cdef uint32_t narrow = 0
    cdef uint64_t wide = 0
    # An exponent of ones, and no other, reaches the bit of the sign when one is added to it.
    for k in range(n):
        if real_t is double:
            wide |= ((<const uint64_t*> (gradient + k * step))[0] << 1 >> 1) + (<uint64_t> 1 << 52)
        elif real_t is float:
            narrow |= ((<const uint32_t*> (gradient + k * step))[0] << 1 >> 1) + 0x800000
    return (wide >> 63 | narrow >> 31) == 0


cdef inline int add_run(
    const Scatter* s, const Place* place,
    const char* gradient, Py_ssize_t gradient_step,
    const char* index, Py_ssize_t index_step,
    Py_ssize_t n,           # IN: windows of one lane, or lanes of one window
    Py_ssize_t ready,       # IN: begin:ready of the plane is cleared
    void* sums,             # IN, OUT: of begin and on
    Py_ssize_t step,        # IN: from element to element
    Py_ssize_t side,        # IN: and from one of the run to the next
    real_t* _, index_t* __,
) noexcept nogil:
    """Add what lies in begin:ready. True if an index is outside the plane or has just changed."""
    cdef Py_ssize_t k, i, begin = place.begin
    cdef int outside = False
    cdef size_t length = ready - begin
    for k in range(n):
        i = (<const index_t*> (index + k * index_step))[0]
        if ap_likely(<size_t> i - <size_t> begin < length):
            add_to[real_t](
                sums, (i - begin) * step + k * side,
                <const real_t*> (gradient + k * gradient_step),
            )
        else:
            outside |= not 0 <= i < s.plane or begin <= i < place.end
    return outside


cdef inline void unify_run(
    const Place* place, const char* index, Py_ssize_t index_step, Py_ssize_t n, Py_ssize_t ready,
    void* sums, Py_ssize_t step, Py_ssize_t side, real_t* _, index_t* __,
) noexcept nogil:
    """Make every NaN that add_run() may have left the same."""
    cdef Py_ssize_t k, i, begin = place.begin
    for k in range(n):
        i = (<const index_t*> (index + k * index_step))[0]
        if <size_t> i - <size_t> begin < <size_t> (ready - begin):
            unify[real_t](sums, (i - begin) * step + k * side, NULL)


cdef inline int add_planes(
    const Scatter* s, const Place* place,
    const char* gradient, Py_ssize_t gradient_step, const char* index, Py_ssize_t index_step,
    Py_ssize_t n, Py_ssize_t planes, Py_ssize_t ready,
    char* sums, Py_ssize_t step, Py_ssize_t side,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """add_run() for some planes; then look for NaN, which takes as long, only if there is need."""
    cdef Py_ssize_t plane
    cdef int outside = False
    cdef bint finite = True
    for plane in range(planes):
        outside |= add_run[real_t, index_t](
            s, place, gradient + plane * s.grad_output.channel, gradient_step,
            index + plane * s.indices.channel, index_step, n, ready,
            sums + plane * s.grad_input.channel, step, side, like, like_index,
        )
    if planes == 1 or s.grad_output.channel == n * gradient_step:
        finite = all_finite[real_t](gradient, gradient_step, planes * n, like)
    else:
        for plane in range(planes):
            finite &= all_finite[real_t](
                gradient + plane * s.grad_output.channel, gradient_step, n, like
            )
    if not finite:
        for plane in range(planes):
            unify_run[real_t, index_t](
                place, index + plane * s.indices.channel, index_step, n, ready,
                sums + plane * s.grad_input.channel, step, side, like, like_index,
            )
    return outside


# The loops of add_planes(): one is chosen for a call. They are called by pointer, because inside
# a larger function the compiler keeps their variables in memory.
ctypedef int (*add_t)(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes,    # IN: windows along W, and planes one after the other
    Py_ssize_t ready, char* sums, Py_ssize_t step, void* like, void* like_index,
) noexcept nogil


cdef int add_neighbours(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, Py_ssize_t ready, char* sums, Py_ssize_t _,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """One lane, whose windows are neighbours in memory."""
    return add_planes[real_t, index_t](
        s, place, gradient, sizeof(real_t), index, sizeof(index_t), n, planes, ready,
        sums, 1, 0, like, like_index,
    )


cdef int add_lanes(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, Py_ssize_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """Lanes that are neighbours in memory."""
    cdef int outside = False
    for _w in range(n):
        outside |= add_planes[real_t, index_t](
            s, place, gradient, sizeof(real_t), index, sizeof(index_t), place.lanes, planes,
            ready, sums, step, 1, like, like_index,
        )
        gradient += s.grad_output.w
        index += s.indices.w
    return outside


cdef int add_anything(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, Py_ssize_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    cdef int outside = False
    for _w in range(n):
        outside |= add_planes[real_t, index_t](
            s, place, gradient, s.grad_output.lane, index, s.indices.lane, place.lanes, planes,
            ready, sums, step, 1, like, like_index,
        )
        gradient += s.grad_output.w
        index += s.indices.w
    return outside


cdef inline add_t choose_add(const Scatter* s, real_t* _, index_t* __) noexcept nogil:
    if s.lanes == 1 and s.grad_output.w == sizeof(real_t) and s.indices.w == sizeof(index_t):
        return <add_t> add_neighbours[real_t, index_t]
    elif s.neighbours:
        return <add_t> add_lanes[real_t, index_t]
    else:
        return <add_t> add_anything[real_t, index_t]


cdef inline Py_ssize_t highest(
    const Scatter* s, const Place* place, const char* index, Py_ssize_t n, index_t* _,
) noexcept nogil:
    """The highest index of n windows along W."""
    cdef Py_ssize_t w, lane
    cdef index_t most = 0, i
    if s.lanes == 1 and s.indices.w == sizeof(index_t):
        for w in range(n):
            i = (<const index_t*> index)[w]
            most = i if i > most else most
        return most
    for _w in range(n):
        if s.neighbours:
            for lane in range(place.lanes):
                i = (<const index_t*> index)[lane]
                most = i if i > most else most
        else:
            for lane in range(place.lanes):
                i = (<const index_t*> (index + lane * s.indices.lane))[0]
                most = i if i > most else most
        index += s.indices.w
    return most


cdef inline void clear(
    const Scatter* s, const Place* place, Py_ssize_t channel, Py_ssize_t begin, Py_ssize_t end,
) noexcept nogil:
    """Set elements begin:end of a dense plane to zero, whose bits are all zero."""
    cdef char* start = at(&s.grad_input, place.batch, channel, 0, 0, begin, place.lane)
    cdef Py_ssize_t size = place.lanes * s.grad_input.itemsize, i
    if place.lanes == s.lanes:
        memset(start, 0, (end - begin) * size)
        return
    for i in range(end - begin):
        memset(start + i * s.grad_input.w, 0, size)


cdef inline int scatter_ahead(
    const Scatter* s, const Place* place, Py_ssize_t channel, real_t* gradient, index_t* index,
) noexcept nogil:
    """Add to a plane that is cleared here, just ahead of the indices."""
    cdef Py_ssize_t od, oh, ow, n, top, ready = place.begin
    cdef Py_ssize_t stride = max(CLEAR // s.grad_input.w, <Py_ssize_t> 1)
    cdef Py_ssize_t chunk = max(CHUNK // place.lanes, <Py_ssize_t> 1)
    cdef char* sums = at(&s.grad_input, place.batch, channel, 0, 0, place.begin, place.lane)
    cdef const char* from_index
    cdef int outside = False
    cdef add_t add = choose_add[real_t, index_t](s, NULL, NULL)
    for od in range(s.windows[0]):
        for oh in range(s.windows[1]):
            ow = 0
            while ow < s.windows[2]:
                n = min(s.windows[2] - ow, chunk)
                from_index = at(&s.indices, place.batch, channel, od, oh, ow, place.lane)
                if ready < place.end:
                    top = highest[index_t](s, place, from_index, n, index)
                    if top >= ready:
                        top = min(max(top + 1, ready + stride), place.end)
                        clear(s, place, channel, ready, top)
                        ready = top
                outside |= add(
                    s, place, at(&s.grad_output, place.batch, channel, od, oh, ow, place.lane),
                    from_index, n, 1, ready, sums, s.lanes, gradient, index,
                )
                ow += n
    clear(s, place, channel, ready, place.end)
    return outside


cdef inline int scatter_small(
    const Scatter* s, const Place* place, real_t* gradient, index_t* index,
) noexcept nogil:
    """Add to planes that are cleared at once."""
    cdef Py_ssize_t planes = place.channel1 - place.channel0, size = s.plane * s.grad_input.w
    cdef Py_ssize_t od, oh, channel
    cdef char* sums = at(&s.grad_input, place.batch, place.channel0, 0, 0, 0, 0)
    cdef int outside = False
    cdef add_t add = choose_add[real_t, index_t](s, NULL, NULL)
    if planes == 1 or s.grad_input.channel == size:
        memset(sums, 0, planes * size)
    else:
        for channel in range(planes):
            memset(sums + channel * s.grad_input.channel, 0, size)
    for od in range(s.windows[0]):
        for oh in range(s.windows[1]):
            outside |= add(
                s, place,
                at(&s.grad_output, place.batch, place.channel0, od, oh, 0, 0),
                at(&s.indices, place.batch, place.channel0, od, oh, 0, 0),
                s.windows[2], planes, s.plane, sums, s.lanes, gradient, index,
            )
    return outside


cdef int scatter_in_place(
    const Scatter* s, Py_ssize_t job, void* _, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef Py_ssize_t channel
    cdef int outside = False
    if s.small:
        return scatter_small[real_t, index_t](s, &place, gradient, index)
    for channel in range(place.channel0, place.channel1):
        outside |= scatter_ahead[real_t, index_t](s, &place, channel, gradient, index)
    return outside


cdef inline void store_sums(
    const Scatter* s, const Place* place, Py_ssize_t channel, const void* sums, real_t* _,
) noexcept nogil:
    cdef Py_ssize_t i, w, line, k = 0
    cdef char* out
    cdef double x
    for i in range(place.begin, place.end):
        w = i
        line = 0
        if not s.flat:
            w = i % s.sizes[2]
            line = i // s.sizes[2]
        out = at(
            &s.grad_input, place.batch, channel, line // s.sizes[1], line % s.sizes[1], w,
            place.lane,
        )
        for _lane in range(place.lanes):
            if real_t is double:
                x = (<const double*> sums)[k]
            else:
                x = (<const float*> sums)[k]
            store_real[real_t](<real_t*> out, one_nan(x))
            out += s.grad_input.lane
            k += 1


cdef int scatter_by_tiles(
    const Scatter* s, Py_ssize_t job, void* sums, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place whole = locate(s, job)
    cdef Place place = whole
    cdef Py_ssize_t channel, od, oh
    cdef Py_ssize_t size = sizeof(double) if real_t is double else sizeof(float)
    cdef Py_ssize_t elements = SCRATCH // (size * place.lanes)
    cdef int outside = False
    cdef add_t add = choose_add[real_t, index_t](s, NULL, NULL)
    for channel in range(place.channel0, place.channel1):
        place.begin = whole.begin
        while place.begin < whole.end:
            place.end = min(place.begin + elements, whole.end)
            memset(sums, 0, (place.end - place.begin) * place.lanes * size)
            for od in range(s.windows[0]):
                for oh in range(s.windows[1]):
                    outside |= add(
                        s, &place,
                        at(&s.grad_output, place.batch, channel, od, oh, 0, place.lane),
                        at(&s.indices, place.batch, channel, od, oh, 0, place.lane),
                        s.windows[2], 1, place.end, <char*> sums, place.lanes, gradient, index,
                    )
            store_sums[real_t](s, &place, channel, sums, gradient)
            place.begin = place.end
    return outside


cdef scatter_t scatter_for(Element element, bint in_place, index_t* index) noexcept nogil:
    if element == FLOAT16:
        return <scatter_t> scatter_by_tiles[float16_t, index_t]
    elif element == BFLOAT16:
        return <scatter_t> scatter_by_tiles[bfloat16_t, index_t]
    elif element == FLOAT32 and in_place:
        return <scatter_t> scatter_in_place[float, index_t]
    elif element == FLOAT32:
        return <scatter_t> scatter_by_tiles[float, index_t]
    elif in_place:
        return <scatter_t> scatter_in_place[double, index_t]
    else:
        return <scatter_t> scatter_by_tiles[double, index_t]


cdef bint adjoin(const Array* array, const Py_ssize_t* sizes) noexcept nogil:
    """Whether the elements of a plane have one step from each to the next."""
    return (sizes[1] == 1 or array.h == sizes[2] * array.w) and (
        sizes[0] == 1 or array.d == sizes[1] * sizes[2] * array.w
    )


cdef Py_ssize_t plan(Scatter* s, Element element, int num_threads) noexcept nogil:
    """Cut the work into jobs, enough for all threads; returns how many."""
    cdef Py_ssize_t item = s.grad_input.itemsize, jobs = s.batches * s.channels, size
    cdef Py_ssize_t enough = JOBS * num_threads if num_threads > 1 else 1
    cdef Py_ssize_t outputs = s.windows[0] * s.windows[1] * s.windows[2]
    s.plane = s.sizes[0] * s.sizes[1] * s.sizes[2]
    s.flat = adjoin(&s.grad_input, s.sizes)
    s.in_place = element not in (FLOAT16, BFLOAT16) and s.flat and (
        s.grad_input.w == s.lanes * item and (s.lanes == 1 or s.grad_input.lane == item)
    )
    s.neighbours = s.grad_output.lane == item and s.indices.lane == s.indices.itemsize
    if adjoin(&s.grad_output, s.windows) and adjoin(&s.indices, s.windows):
        s.windows[0] = s.windows[1] = 1
        s.windows[2] = outputs

    # Every part of a plane looks at all of its indices.
    s.part = pieces(s.plane, max(min(pieces(enough, jobs), s.plane // (SPARSE * outputs)), 1))
    jobs *= pieces(s.plane, s.part)
    s.lane_block = s.lanes
    if not s.in_place:
        s.lane_block = min(s.lanes, <Py_ssize_t> LANES_OF_HALVES)
    elif jobs < enough:
        s.lane_block = min(s.lanes, max(pieces(s.lanes, pieces(enough, jobs)), <Py_ssize_t> LANES))
    jobs *= pieces(s.lanes, s.lane_block)

    size = s.plane * s.lanes * item
    s.small = s.part == s.plane and s.lane_block == s.lanes and size <= WHOLE
    s.group = 1
    if s.small:
        s.group = min(s.channels, max(1, min(GROUP // size, jobs // enough)))
    return jobs // s.channels * pieces(s.channels, s.group)


cdef struct Survey:
    # All indices: runs with one step from each index to the next, and the axes around them.
    const char* data
    Py_ssize_t shape[6]
    Py_ssize_t strides[6]
    Py_ssize_t axes         # those around the runs
    Py_ssize_t length       # of a run
    Py_ssize_t step
    Py_ssize_t parts        # of a run
    Py_ssize_t itemsize
    Py_ssize_t last         # the highest index that is inside


cdef Survey survey_of(const Canonical* c) noexcept nogil:
    cdef const Array* x = &c.arrays[0]
    cdef Survey s
    cdef Py_ssize_t k
    s.data = x.data
    s.shape[0], s.shape[1], s.shape[5] = c.batches, c.channels, c.lanes
    s.shape[2], s.shape[3], s.shape[4] = c.sizes[0][0], c.sizes[0][1], c.sizes[0][2]
    s.strides[0], s.strides[1], s.strides[2] = x.batch, x.channel, x.d
    s.strides[3], s.strides[4], s.strides[5] = x.h, x.w, x.lane
    s.axes, s.length, s.step = 6, 1, 0
    while s.axes > 0:
        k = s.axes - 1
        if s.length == 1 and s.shape[k] > 1:
            s.step = s.strides[k]
        elif s.shape[k] > 1 and s.strides[k] != s.length * s.step:
            break
        s.length *= s.shape[k]
        s.axes = k
    s.parts = pieces(s.length, PIECE)
    return s


cdef inline bint outside_run(
    const char* index, Py_ssize_t step, Py_ssize_t n, index_word_t last,
) noexcept nogil:
    """Whether one of n indices is negative or over `last`: the sign of it or of last - it."""
    cdef index_word_t signs = 0, i
    cdef Py_ssize_t k
    for k in range(n):
        i = (<const index_word_t*> (index + k * step))[0]
        signs |= i | (last - i)
    return signs >> (8 * sizeof(index_word_t) - 1) != 0


cdef int part_has_outside(const void* task, Py_ssize_t job, char* _) noexcept nogil:
    cdef const Survey* s = <const Survey*> task
    cdef Py_ssize_t begin = job % s.parts * PIECE, k = s.axes, n
    cdef const char* run = s.data + begin * s.step
    n = min(s.length - begin, <Py_ssize_t> PIECE)
    job //= s.parts
    while k > 0:
        k -= 1
        run += job % s.shape[k] * s.strides[k]
        job //= s.shape[k]
    if s.itemsize == 4:
        return outside_run[uint32_t](run, s.step, n, <uint32_t> min(s.last, 0x7FFFFFFF))
    elif s.step == 8:  # a literal, so that it vectorises
        return outside_run[uint64_t](run, 8, n, s.last)
    return outside_run[uint64_t](run, s.step, n, s.last)


cdef int survey_all(Canonical* c, Py_ssize_t plane, int num_threads) except -1 nogil:
    cdef Survey s
    cdef Py_ssize_t jobs, k
    cdef int outside = False
    while True:
        s = survey_of(c)
        s.itemsize, s.last = c.arrays[0].itemsize, plane - 1
        jobs = s.parts
        for k in range(s.axes):
            jobs *= s.shape[k]
        outside |= run_jobs(part_has_outside, &s, jobs, 1, num_threads)
        if not advance(c):
            return outside


def any_outside(
    indices,            # IN: int32 or int64, aligned
    Windows windows,    # IN
    Py_ssize_t plane,   # IN: indices must lie in 0:plane
    int num_threads,    # IN
):
    """Whether an index is outside the plane. Reads each index once and writes nothing."""
    cdef Canonical c
    cdef bint outside
    c.count = 0
    try:
        borrow(&c, indices, False)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            outside = survey_all(&c, plane, num_threads)
        else:
            with nogil:
                outside = survey_all(&c, plane, num_threads)
    finally:
        give_back(&c)
    return outside


cdef struct Task:
    Scatter scatter
    scatter_t run


cdef int run_scatter(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Task* t = <const Task*> task
    return t.run(&t.scatter, job, scratch, NULL, NULL)


cdef int scatter_all(Canonical* c, Element element, int num_threads) except -1 nogil:
    """Whether an index was outside the plane."""
    cdef Task task
    cdef Scatter* s = &task.scatter
    cdef Py_ssize_t jobs, k
    cdef int outside = False
    while True:
        s.grad_input, s.grad_output, s.indices = c.arrays[0], c.arrays[1], c.arrays[2]
        s.batches, s.channels, s.lanes = c.batches, c.channels, c.lanes
        for k in range(3):
            s.windows[k] = c.sizes[1][k]
            s.sizes[k] = c.sizes[0][k]
        jobs = plan(s, element, num_threads)
        if s.indices.itemsize == 4:
            task.run = scatter_for[int32_t](element, s.in_place, NULL)
        else:
            task.run = scatter_for[int64_t](element, s.in_place, NULL)
        outside |= run_jobs(run_scatter, &task, jobs, 1 if s.in_place else SCRATCH, num_threads)
        if not advance(c):
            return outside


def maximum_backward(
    grad_output,        # IN: array of the elements below
    indices,            # IN: int32 or int64
    grad_input,         # OUT: array of the elements below
    Windows windows,    # IN
    Element element,    # IN: what gradients hold
    int num_threads,    # IN
):
    """Store the gradient of the input in `grad_input`; all are aligned, and none is empty.

    Returns whether an index is outside the plane; such indices are passed over.
    """
    cdef Canonical c
    cdef bint outside
    c.count = 0
    try:
        borrow(&c, grad_input, True)
        borrow(&c, grad_output, False)
        borrow(&c, indices, False)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            outside = scatter_all(&c, element, num_threads)
        else:
            with nogil:
                outside = scatter_all(&c, element, num_threads)
    finally:
        give_back(&c)
    return outside
