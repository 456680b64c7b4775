"""Max pooling, backward: each window adds its gradient at its index.

Parallel over planes, over parts of planes that are much larger than their outputs, and over blocks
of lanes, so each thread owns the elements it writes. Gradients that meet at an element are added in
row-major order of the windows: in grad_input itself if its planes are dense and not of halves, or
else in a tile of sums, float32 for halves. A large plane is cleared just ahead of the indices, so
that its elements are added to while they are in the cache.

Indices come from strangers. `any_outside` looks at all of them before anything of the caller's is
written; each is looked at again as it is used, which is all that a new array needs.
docs/design/backward.md.
"""
from libc.string cimport memset

from adaptive_pool._kernels.call.canonical cimport (
    Array, Canonical, advance, arrange, borrow, borrow_indices, give_back,
)
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, Element, bfloat16_t, float16_t, index_t,
    int32_t, int64_t, load_real, one_nan, real_t, size_of, store_real, uint32_t, uint64_t,
)
from adaptive_pool._kernels.maximum_backward.index_check cimport check_all
from adaptive_pool._kernels.simd.halves cimport half_t, narrow_floats
from adaptive_pool._kernels.threads.parallel cimport is_brief, run_jobs
from adaptive_pool._kernels.tiles.planes cimport JOBS, at, isa, pieces
from adaptive_pool._kernels.call.tables cimport Windows

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
    FEW = 8                 # lanes: with fewer, windows are taken one after the other, lane by lane
    LANES = 256             # lanes that blocks of them are not worth going below
    LANES_OF_HALVES = 16    # lanes of a job by tiles: few, so that a tile covers more of the plane
    SCRATCH = 524288        # bytes of a tile of sums
    CLEAR = 16384           # bytes that are cleared at once
    GROUP = 16384           # or of several planes,
    JOB = 262144            # of which a job takes so many bytes
    WHOLE = 524288          # bytes of a plane that is cleared whole
    CHUNK = 256             # indices that are looked at before clearing
    ZEROS = 16              # sums that are looked at together, before they are stored
    SPARSE = 8              # elements for each window of a plane that is worth cutting into parts


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
    Py_ssize_t cleared      # planes that are cleared at once
    Py_ssize_t group        # channels, elements of a plane and lanes of a job
    Py_ssize_t part
    Py_ssize_t lane_block
    Py_ssize_t groups       # how many of these there are
    Py_ssize_t parts
    Py_ssize_t lane_blocks
    bint flat               # a plane of grad_input has one step from element to element
    bint in_place           # and has no gaps; nor halves
    bint small              # planes are cleared whole, several at once
    bint neighbours         # lanes of grad_output and of indices are
    bint dense              # the planes of grad_output have no gaps, nor are there any between them


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
    place.lane = job % s.lane_blocks * s.lane_block
    place.lanes = min(s.lane_block, s.lanes - place.lane)
    job //= s.lane_blocks
    place.begin = job % s.parts * s.part
    place.end = min(place.begin + s.part, s.plane)
    job //= s.parts
    place.channel0 = job % s.groups * s.group
    place.channel1 = min(place.channel0 + s.group, s.channels)
    place.batch = job // s.groups
    return place


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


cdef int add_neighbours(
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


cdef int add_lanes(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, size_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """Lanes that are neighbours in memory; whole planes."""
    return add_all_lanes[real_t, index_t](
        s, place, 0, gradient, index, n, planes, ready, sums, step, like, like_index
    )


cdef int add_lanes_of_part(
    const Scatter* s, const Place* place, const char* gradient, const char* index,
    Py_ssize_t n, Py_ssize_t planes, size_t ready, char* sums, Py_ssize_t step,
    real_t* like, index_t* like_index,
) noexcept nogil:
    """The same for a part of a plane."""
    return add_all_lanes[real_t, index_t](
        s, place, place.begin, gradient, index, n, planes, ready, sums, step, like, like_index
    )


cdef int add_anything(
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


cdef inline Py_ssize_t highest_of(
    const char* index, Py_ssize_t step, Py_ssize_t n, index_t* _,
) noexcept nogil:
    cdef Py_ssize_t k, size = sizeof(index_t)
    cdef index_t most = 0, i
    cdef int32_t word, most_word = 0
    if step == size:
        # Of indices inside, upper words are 0; maxima of 32 bits take one instruction.
        for k in range(n * size // 4):
            word = (<const int32_t*> index)[k]
            most_word = word if word > most_word else most_word
        return most_word
    for k in range(n):
        i = (<const index_t*> (index + k * step))[0]
        most = i if i > most else most
    return most


cdef inline Py_ssize_t highest(
    const Scatter* s, const Place* place, const char* index, Py_ssize_t n, index_t* like,
) noexcept nogil:
    """The highest index of n windows along W, or something higher."""
    cdef Py_ssize_t w, most = 0
    if s.plane > 0x7FFFFFFF:
        return s.plane - 1
    if place.lanes == 1:
        return highest_of(index, s.indices.w, n, like)
    if s.indices.w == place.lanes * s.indices.lane:
        return highest_of(index, s.indices.lane, n * place.lanes, like)
    for w in range(n):
        most = max(
            most, highest_of(index + w * s.indices.w, s.indices.lane, place.lanes, like)
        )
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
    cdef add_t add = choose_add[real_t, index_t](s, s.parts == 1, NULL, NULL)
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
                    from_index, n, 1, ready - place.begin, sums, s.grad_input.w, gradient, index,
                )
                ow += n
    clear(s, place, channel, ready, place.end)
    return outside


cdef inline int scatter_small(
    const Scatter* s, const Place* place, real_t* gradient, index_t* index,
) noexcept nogil:
    """Add to planes that are cleared whole, some of them at once."""
    cdef Py_ssize_t size = s.plane * s.grad_input.w
    cdef Py_ssize_t first = place.channel0, planes, od, oh, plane
    cdef char* sums = at(&s.grad_input, place.batch, first, 0, 0, 0, 0)
    cdef int outside = False
    cdef add_t add = choose_add[real_t, index_t](s, True, NULL, NULL)
    while first < place.channel1:
        planes = min(s.cleared, place.channel1 - first)
        if planes == 1 or s.grad_input.channel == size:
            memset(sums, 0, planes * size)
        else:
            for plane in range(planes):
                memset(sums + plane * s.grad_input.channel, 0, size)
        for od in range(s.windows[0]):
            for oh in range(s.windows[1]):
                outside |= add(
                    s, place, at(&s.grad_output, place.batch, first, od, oh, 0, 0),
                    at(&s.indices, place.batch, first, od, oh, 0, 0),
                    s.windows[2], planes, s.plane, sums, s.grad_input.w, gradient, index,
                )
        sums += planes * s.grad_input.channel
        first += planes
    return outside


cdef inline bint are_finite(const Scatter* s, const Place* place, real_t* _) noexcept nogil:
    """Whether gradients are finite, if they have no gaps: then no sum of them becomes NaN."""
    cdef Py_ssize_t k, n = (place.channel1 - place.channel0) * s.windows[2] * s.lanes
    cdef const char* gradient = at(&s.grad_output, place.batch, place.channel0, 0, 0, 0, 0)
    cdef uint32_t narrow = 0
    cdef uint64_t wide = 0
    if not s.dense:
        return False
    # An exponent of ones, and no other, reaches the bit of the sign when one is added to it.
    for k in range(n):
        if real_t is double:
            wide |= ((<const uint64_t*> gradient)[k] << 1 >> 1) + (<uint64_t> 1 << 52)
        elif real_t is float:
            narrow |= ((<const uint32_t*> gradient)[k] << 1 >> 1) + 0x800000
    return (wide >> 63 | narrow >> 31) == 0


cdef inline void unify(
    const Scatter* s, const Place* place, Py_ssize_t i, char* sums, real_t* _,
) noexcept nogil:
    if place.begin <= i < place.end:
        sums += (i - place.begin) * s.grad_input.w
        if real_t is double:
            (<double*> sums)[0] = one_nan((<double*> sums)[0])
        elif real_t is float:
            (<float*> sums)[0] = <float> one_nan((<float*> sums)[0])


cdef inline void unify_all(
    const Scatter* s, const Place* place, real_t* like, index_t* like_index,
) noexcept nogil:
    """Make every NaN that the additions of a job have left the same."""
    cdef Py_ssize_t channel, od, oh, ow, lane, i
    cdef const char* index
    cdef char* sums
    for channel in range(place.channel0, place.channel1):
        sums = at(&s.grad_input, place.batch, channel, 0, 0, place.begin, place.lane)
        for od in range(s.windows[0]):
            for oh in range(s.windows[1]):
                for ow in range(s.windows[2]):
                    index = at(&s.indices, place.batch, channel, od, oh, ow, place.lane)
                    for lane in range(place.lanes):
                        i = read_index[index_t](index + lane * s.indices.lane, like_index)
                        unify[real_t](s, place, i, sums + lane * s.grad_input.lane, like)


cdef int scatter_in_place(
    const Scatter* s, Py_ssize_t job, void* _, real_t* gradient, index_t* index,
) noexcept nogil:
    cdef Place place = locate(s, job)
    cdef int outside
    cdef bint finite = are_finite[real_t](s, &place, gradient)
    if s.small:
        outside = scatter_small[real_t, index_t](s, &place, gradient, index)
    else:
        outside = scatter_ahead[real_t, index_t](s, &place, place.channel0, gradient, index)
    if not finite:
        unify_all[real_t, index_t](s, &place, gradient, index)
    return outside


cdef inline void store_one(real_t* out, const void* sums, Py_ssize_t k) noexcept nogil:
    cdef double x
    if real_t is double:
        x = (<const double*> sums)[k]
    else:
        x = (<const float*> sums)[k]
    store_real[real_t](out, one_nan(x))


cdef inline void store_run(real_t* out, const void* sums, Py_ssize_t n) noexcept nogil:
    """Store sums side by side. Most are 0, whose bits are 0 in every type."""
    cdef Py_ssize_t k = 0, i
    cdef const uint32_t* words = <const uint32_t*> sums
    cdef uint32_t any_bits
    if real_t in half_t:
        while k + ZEROS <= n:
            any_bits = 0
            for i in range(ZEROS):
                any_bits |= words[k + i]
            if any_bits == 0:
                memset(out + k, 0, ZEROS * sizeof(real_t))
            else:
                narrow_floats[real_t](<const float*> sums + k, ZEROS, out + k)
            k += ZEROS
    for i in range(k, n):
        store_one[real_t](out + i, sums, i)


cdef inline void store_sums(
    const Scatter* s, const Place* place, Py_ssize_t channel, const void* sums, real_t* _,
) noexcept nogil:
    cdef Py_ssize_t i, w, line, k = 0
    cdef char* out
    cdef Py_ssize_t size = sizeof(real_t)
    cdef bint side_by_side = s.lanes == 1 or s.grad_input.lane == size
    if s.flat and place.lanes == s.lanes and side_by_side and s.grad_input.w == s.lanes * size:
        out = at(&s.grad_input, place.batch, channel, 0, 0, place.begin, 0)
        store_run[real_t](<real_t*> out, sums, (place.end - place.begin) * s.lanes)
        return
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
        if s.grad_input.lane == size:
            if real_t is double:
                store_run[real_t](<real_t*> out, <const double*> sums + k, place.lanes)
            else:
                store_run[real_t](<real_t*> out, <const float*> sums + k, place.lanes)
            k += place.lanes
            continue
        for _lane in range(place.lanes):
            store_one[real_t](<real_t*> out, sums, k)
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
    cdef bint whole_planes = s.plane <= elements and s.parts == 1
    cdef add_t add = choose_add[real_t, index_t](s, whole_planes, NULL, NULL)
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
                        s.windows[2], 1, place.end - place.begin,
                        <char*> sums, place.lanes * size, gradient, index,
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
    cdef Py_ssize_t outputs = s.windows[0] * s.windows[1] * s.windows[2], parts, blocks
    s.plane = s.sizes[0] * s.sizes[1] * s.sizes[2]
    size = s.plane * s.lanes * item
    s.flat = adjoin(&s.grad_input, s.sizes)
    s.in_place = element not in (FLOAT16, BFLOAT16) and s.flat and (
        s.grad_input.w == s.lanes * item and (s.lanes == 1 or s.grad_input.lane == item)
    )
    s.neighbours = s.grad_output.lane == item and s.indices.lane == s.indices.itemsize
    s.dense = False
    if adjoin(&s.grad_output, s.windows) and adjoin(&s.indices, s.windows):
        s.windows[0] = s.windows[1] = 1
        s.windows[2] = outputs
        s.dense = s.grad_output.lane == item and s.grad_output.w == s.lanes * item and (
            s.channels == 1 or s.grad_output.channel == outputs * s.lanes * item
        )

    # Every part of a plane looks at all of its indices, which with many lanes is most of the work.
    parts = pieces(enough if s.lanes < FEW else num_threads, jobs)
    s.part = pieces(s.plane, max(min(parts, s.plane // (SPARSE * outputs)), 1))
    s.parts = pieces(s.plane, s.part)
    jobs *= s.parts
    s.lane_block = s.lanes
    if not s.in_place:
        s.lane_block = min(s.lanes, <Py_ssize_t> LANES_OF_HALVES)
    elif jobs < num_threads:  # where blocks meet, processors fetch each other's lanes
        blocks = min(pieces(num_threads, jobs), s.lanes // LANES, size // WHOLE)
        s.lane_block = pieces(s.lanes, max(blocks, <Py_ssize_t> 1))
    s.lane_blocks = pieces(s.lanes, s.lane_block)
    jobs *= s.lane_blocks

    s.small = s.part == s.plane and s.lane_block == s.lanes and size <= WHOLE
    s.group = s.cleared = 1
    if s.small:
        s.cleared = pieces(GROUP, size)
        s.group = min(s.channels, max(1, min(pieces(JOB, size), jobs // enough)))
    s.groups = pieces(s.channels, s.group)
    return jobs // s.channels * s.groups


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
        borrow_indices(&c, indices, False)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            outside = check_all(&c, plane, num_threads)
        else:
            with nogil:
                outside = check_all(&c, plane, num_threads)
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
        borrow(&c, grad_input, True, size_of(element))
        borrow(&c, grad_output, False, size_of(element))
        borrow_indices(&c, indices, False)
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            outside = scatter_all(&c, element, num_threads)
        else:
            with nogil:
                outside = scatter_all(&c, element, num_threads)
    finally:
        give_back(&c)
    return outside
