"""Averages of integers of 8 and 16 bits: what a job does, and how a call is cut into jobs.

Their sums are exact, so their order is free: narrow fields of words hold them (short_integers.pxd).
"""
from adaptive_pool._kernels.average.halving cimport halve, is_halving
from adaptive_pool._kernels.average.short_integers cimport lines_of_short, sum_short_integers
from adaptive_pool._kernels.average.short_means cimport (
    Means, means_of_short, scales_of_plane, scales_of_tile, store_short_tile,
)
from adaptive_pool._kernels.call.canonical cimport Array, Geometry
from adaptive_pool._kernels.call.elements cimport Element, int32_t, int64_t
from adaptive_pool._kernels.threads.lists cimport JobList
from adaptive_pool._kernels.tiles.packing cimport (
    LARGEST, Packing, pack, pack_size, packed_results, plan_packing, results_size, unpack,
)
from adaptive_pool._kernels.tiles.planes cimport (
    JOBS, TILE, VECTOR, Pooling, Tile, buffer_size, job_count, locate, pieces, plan,
)

cdef enum:
    PLANE = 512             # means whose scales are prepared for all planes at once
    LINES = 16              # that a job is worth, if there are so many


cdef struct ShortAverage:
    Pooling pooling
    Packing packing
    Array out
    Means means


cdef inline void average_tile(
    const ShortAverage* average, Py_ssize_t job, char* buffers, char* scratch,
) noexcept nogil:
    """As many lines at a time as there is room for."""
    cdef const Pooling* p = &average.pooling
    cdef const Means* means = &average.means
    cdef Tile tile = locate(p, job), part = tile
    cdef Py_ssize_t end = tile.line + tile.lines
    cdef Py_ssize_t lines = lines_of_short(&tile)
    # Scratch: a folded line, sums, totals, scales, and means on their way.
    cdef char* sums = scratch + (TILE + VECTOR) * sizeof(int32_t)
    cdef char* totals = sums + (TILE + VECTOR) * sizeof(int32_t)
    cdef double* scales = <double*> (totals + (TILE + VECTOR) * sizeof(int64_t))
    scales_of_tile(p, &tile, means, scales)
    while part.line < end:
        part.lines = min(lines, end - part.line)
        sum_short_integers(p, &part, means.total_size, buffers, scratch, sums, totals)
        store_short_tile(p, &average.out, &part, means, totals, scales, scales + TILE + VECTOR)
        part.line += lines


cdef inline Py_ssize_t tile_size() noexcept nogil:
    """Bytes of scratch."""
    return 6 * (TILE + VECTOR) * sizeof(int64_t)


cdef inline int run_tile(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    average_tile(<const ShortAverage*> task, job, scratch + tile_size(), scratch)
    return 0


cdef inline int run_halving(const void* task, Py_ssize_t job, char* _scratch) noexcept nogil:
    cdef const ShortAverage* average = <const ShortAverage*> task
    cdef const Pooling* p = &average.pooling
    cdef Py_ssize_t first = job * p.group
    halve(p, first, min(p.group, p.lines - first), &average.out)
    return 0


cdef inline int run_pack(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const ShortAverage* average = <const ShortAverage*> task
    cdef const Packing* packing = &average.packing
    cdef ShortAverage inner = average[0]
    cdef Py_ssize_t k
    inner.means.plane = NULL    # it is for planes, not for packs
    inner.pooling = pack(packing, &average.pooling, job, scratch + tile_size())
    inner.out = packed_results(
        packing, &inner.pooling, &average.out, scratch + tile_size() + pack_size(packing)
    )
    for k in range(job_count(&inner.pooling)):
        average_tile(&inner, k, NULL, scratch)
    unpack(packing, &inner.pooling, job, &inner.out, &average.out)
    return 0


cdef inline bint merges(const Pooling* p, const Array* out) noexcept nogil:
    """Whether the means of a plane are a run in memory, and so few that scales can be kept."""
    cdef Py_ssize_t line = p.w.count * p.lanes * out.itemsize
    return p.lane_blocks == 1 and p.spans == 1 and (
        p.d.count * p.h.count * p.w.count * p.lanes <= PLANE
        and (p.lanes == 1 or out.lane == out.itemsize)
        and (p.w.count == 1 or out.w == p.lanes * out.itemsize)
        and (p.h.count == 1 or out.h == line)
        and (p.d.count == 1 or out.d == p.h.count * line)
    )


cdef inline void prepare_short(
    ShortAverage* task, const Geometry* g, Element element, Element out_element,
    double* scales,             # IN: room for PLANE, or NULL
    int num_threads, JobList* jobs,
) noexcept nogil:
    cdef Pooling* p = &task.pooling
    task.means = means_of_short(
        element, out_element, <double> g.d.longest * <double> g.h.longest * <double> g.w.longest
    )
    task.pooling = plan(g, element, num_threads)
    task.packing = plan_packing(g, p, LARGEST)
    task.out = g.arrays[1]
    task.means.plane = NULL
    if scales != NULL and task.packing.groups == 0 and (
        task.means.total_size < 8 and merges(p, &task.out)
    ):
        scales_of_plane(p, &task.means, scales)
    p.group = max(p.group, min(<Py_ssize_t> LINES, p.lines // (JOBS * num_threads)))
    p.groups = pieces(p.lines, p.group)
    jobs.task = task
    if task.packing.groups > 0:
        jobs.work, jobs.count = run_pack, g.batches * task.packing.groups
        jobs.scratch_size = (
            tile_size() + pack_size(&task.packing) + results_size(&task.packing, &task.out)
        )
    elif is_halving(p, &task.out, element, out_element):
        jobs.work, jobs.count, jobs.scratch_size = run_halving, p.groups, 0
    else:
        jobs.work, jobs.count = run_tile, job_count(p)
        jobs.scratch_size = tile_size() + buffer_size(p)
