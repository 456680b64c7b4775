"""Whether indices are inside their plane, or -1: a look at all of them, once each."""
from adaptive_pool._kernels.call.canonical cimport Array, Canonical, Geometry, advance
from adaptive_pool._kernels.call.elements cimport index_word_t, uint32_t, uint64_t
from adaptive_pool._kernels.threads.parallel cimport run_jobs
from adaptive_pool._kernels.tiles.planes cimport pieces

cdef enum:
    PIECE = 32768           # indices that a job takes


cdef struct IndexCheck:
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


cdef inline IndexCheck check_of(const Geometry* g) noexcept nogil:
    cdef const Array* x = &g.arrays[0]
    cdef IndexCheck s
    cdef Py_ssize_t k
    s.data = x.data
    s.shape[0], s.shape[1], s.shape[5] = g.batches, g.channels, g.lanes
    s.shape[2], s.shape[3], s.shape[4] = g.sizes[0][0], g.sizes[0][1], g.sizes[0][2]
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
    """Whether one of n indices is under -1 or over `last`.

    Under -1, its sign and that of it + 1 are set; over `last` that of last - it is, not its own.
    """
    cdef index_word_t signs = 0, i
    cdef Py_ssize_t k
    for k in range(n):
        i = (<const index_word_t*> (index + k * step))[0]
        signs |= (i & (i + 1)) | ((last - i) & ~i)
    return signs >> (8 * sizeof(index_word_t) - 1) != 0


cdef inline int part_has_outside(const void* task, Py_ssize_t job, char* _) noexcept nogil:
    cdef const IndexCheck* s = <const IndexCheck*> task
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


cdef inline int check_all(Canonical* c, Py_ssize_t plane, int num_threads) except -1 nogil:
    cdef IndexCheck s
    cdef Py_ssize_t jobs, k
    cdef int outside = False
    while True:
        s = check_of(&c.here)
        s.itemsize, s.last = c.here.arrays[0].itemsize, plane - 1
        jobs = s.parts
        for k in range(s.axes):
            jobs *= s.shape[k]
        outside |= run_jobs(part_has_outside, &s, jobs, 1, num_threads)
        if not advance(c):
            return outside
