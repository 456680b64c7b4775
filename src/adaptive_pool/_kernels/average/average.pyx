"""Average pooling, forward.

Parallel over tiles of output lines. Per tile the axes are separated: the input lines of a (d, h)
window are added element by element into one accumulator line, which is contiguous and vectorises;
windows along W are then reduced on that short line. An overlap of windows is read once per axis,
not once per window.

A window that is all of W is summed element by element instead, as one run of all its lines: it is
long if it has LONG elements (docs/design/summation.md).
"""
from adaptive_pool._kernels.average.accumulators cimport acc_t, mean_t, twofold_t, wide_t
from adaptive_pool._kernels.call.canonical cimport (
    Array, Canonical, advance, arrange, borrow, give_back,
)
from adaptive_pool._kernels.call.elements cimport (
    BFLOAT16, FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64,
    Element, bfloat16_t, float16_t, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t,
    uint32_t, uint64_t, size_of, value_t,
)
from adaptive_pool._kernels.average.halving cimport halve, is_halving
from adaptive_pool._kernels.threads.parallel cimport is_brief, run_jobs
from adaptive_pool._kernels.average.means cimport prepare_plane, store_means, store_plane
from adaptive_pool._kernels.tiles.packing cimport (
    LARGEST, PACK, Packing, pack, pack_size, packed_results, plan_packing, results_size, unpack,
)
from adaptive_pool._kernels.tiles.planes cimport (
    JOBS, ROWS, TILE, VECTOR, Line, Pooling, Tile, at, buffer_size, input_at, isa, job_count,
    line_of, locate, next_line, next_plane, pieces, plan, step_of_run,
)
from adaptive_pool._kernels.simd.quads cimport QUADS
from adaptive_pool._kernels.average.short_integers cimport (
    is_short, lines_of_short, sum_short_integers,
)
from adaptive_pool._kernels.average.short_means cimport (
    SHORT_WINDOW, Means, means_of_short, scales_of_plane, scales_of_tile, store_short_tile,
)
from adaptive_pool._kernels.average.stacks cimport have_stacks
from adaptive_pool._kernels.average.sums cimport LONG, PARTIALS, sum_four_runs, sum_run
from adaptive_pool._kernels.call.tables cimport Windows
from adaptive_pool._kernels.average.tile_sums cimport (
    sum_few_lanes, sum_few_lines, sum_many_lines, sum_runs, sum_whole_lines, sum_wide,
)

ISA = isa().decode()    # what this build was compiled for

cdef enum:
    PLANE = 512             # means whose divisors are prepared for all planes at once
    MEDIUM = 575            # elements of a plane that is better packed, however many outputs
    PLANES = 64             # pooled to one number each by a job
    LINES = 16              # of short integers that a job is worth, if there are so many

# The last step of a job: sums to means, in the type of the output.
ctypedef void (*store_t)(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line, const void* sums,
    double* divisors,
) noexcept nogil


# The same for means that are a run in memory.
ctypedef void (*store_plane_t)(
    const void* sums, Py_ssize_t n, const double* divisors, void* mean,
) noexcept nogil


# A job: copied pieces of lines go to `buffers`, the tiles of sums start at `scratch`.
ctypedef void (*tile_t)(
    const void* average, Py_ssize_t job, void* buffers, void* scratch,
) noexcept nogil


# The sums of the windows of a tile; see tile_sums.pxd.
ctypedef void (*sum_t)(
    const Pooling* p, const Tile* tile, void* buffers, void* lines, void* partials, void* sums,
) noexcept nogil


cdef struct Ways:
    sum_t whole_lines
    sum_t runs
    sum_t wide
    sum_t few_lanes
    sum_t few_lines
    sum_t many_lines


cdef struct Average:
    Pooling pooling
    Packing packing
    Array out
    bint planes         # each is one long run in memory, pooled to one number
    tile_t tile
    Ways ways
    store_t store
    store_plane_t store_plane
    const double* divisors  # of all means of a plane, if these are a run in memory, or NULL
    Means means             # of short integers
    Py_ssize_t sums     # bytes of a thread's scratch that are for sums


cdef inline void average_planes(
    const Average* average, Py_ssize_t job, value_t* _, acc_t* scratch,
) noexcept nogil:
    """A job of planes that are runs in memory, pooled to one number each: stored as lanes are."""
    cdef Pooling p = average.pooling
    cdef Array out = average.out
    cdef Py_ssize_t jobs = pieces(p.channels, p.group), done = 0, k
    cdef Tile tile
    cdef Line line = line_of(&p, job // jobs * p.channels + job % jobs * p.group)
    cdef Py_ssize_t size = line.count * p.w.size
    cdef double* divisors = <double*> (scratch + PLANES)
    cdef const char* first
    p.x.lane, out.lane = p.x.channel, out.channel
    tile.lane = tile.w0 = tile.ow0 = 0
    tile.lanes, tile.w1, tile.ow1 = min(p.group, p.channels - line.channel), p.w.size, 1
    first = input_at(&p, &line, 0, 0, 0)
    if acc_t is double:
        if value_t is float:
            if QUADS:
                while done + 4 <= tile.lanes:
                    sum_four_runs(first + done * p.x.lane, p.x.lane, size, scratch + done)
                    done += 4
    for k in range(done, tile.lanes):
        sum_run[value_t, acc_t](<const value_t*> (first + k * p.x.lane), size, scratch + k)
    divisors[0] = 0
    average.store(&p, &out, &tile, &line, scratch, divisors)


cdef inline sum_t way_of(const Average* average, const Tile* tile) noexcept nogil:
    cdef const Pooling* p = &average.pooling
    cdef const Ways* ways = &average.ways
    cdef bint single_lines = p.d.longest == 1 and p.h.longest == 1
    if p.whole:
        return ways.whole_lines
    elif tile.lanes == 1 and p.fetch == NULL and p.w.shortest >= LONG and single_lines:
        return ways.runs
    elif (tile.w1 - tile.w0) * tile.lanes > TILE:
        return ways.wide
    elif tile.lanes < VECTOR:
        return ways.few_lanes
    elif p.d.longest * p.h.longest <= ROWS and p.w.longest < LONG:
        return ways.few_lines
    return ways.many_lines


cdef inline void store_tile(
    const Average* average, const Tile* tile,
    const acc_t* sums,      # IN: lines x windows x lanes
    double* divisors,       # scratch: 1 + windows x lanes
) noexcept nogil:
    cdef const Pooling* p = &average.pooling
    cdef Line line = line_of(p, tile.line)
    cdef Py_ssize_t k = 0, first, count, n = (tile.ow1 - tile.ow0) * tile.lanes
    divisors[0] = 0
    while k < tile.lines:
        if average.divisors != NULL:
            first = line.od * p.h.count + line.oh
            count = min(tile.lines - k, p.d.count * p.h.count - first)
            average.store_plane(
                sums + k * n, count * n, average.divisors + first * n,
                at(&average.out, line.batch, line.channel, line.od, line.oh, 0, tile.lane),
            )
            next_plane(p, &line)
            k += count
        else:
            average.store(p, &average.out, tile, &line, sums + k * n, divisors)
            next_line(p, &line)
            k += 1


cdef inline void average_tile(
    const Average* average, Py_ssize_t job, value_t* buffers, acc_t* scratch,
) noexcept nogil:
    if average.planes:
        average_planes[value_t, acc_t](average, job, buffers, scratch)
        return
    cdef const Pooling* p = &average.pooling
    cdef Tile tile = locate(p, job)
    cdef acc_t* sums = scratch + TILE + VECTOR              # of whole windows
    cdef acc_t* partials = scratch + 2 * (TILE + VECTOR)    # running sums of a long window
    cdef double* divisors = <double*> (partials + PARTIALS * tile.lanes)
    way_of(average, &tile)(p, &tile, buffers, scratch, partials, sums)
    store_tile[acc_t](average, &tile, sums, divisors)


cdef void average_short_integers(
    const Average* average, Py_ssize_t job, char* buffers, char* scratch,
) noexcept nogil:
    """A job of integers of 8 or 16 bits, as many lines at a time as there is room for."""
    cdef const Pooling* p = &average.pooling
    cdef const Means* means = &average.means
    cdef Tile tile = locate(p, job), part = tile
    cdef Py_ssize_t end = tile.line + tile.lines
    cdef Py_ssize_t lines = lines_of_short(&tile)
    # Scratch: a folded line, sums, totals, scales, and means on their way.
    cdef char* sums = scratch + (TILE + VECTOR) * sizeof(int32_t)
    cdef char* totals = sums + (TILE + VECTOR) * sizeof(int32_t)
    cdef double* scales = <double*> (totals + (TILE + VECTOR) * sizeof(int64_t))
    if means.total_size < 8:
        scales_of_tile(p, &tile, means, scales)
    while part.line < end:
        part.lines = min(lines, end - part.line)
        sum_short_integers(p, &part, means.total_size, buffers, scratch, sums, totals)
        if means.total_size < 8:
            store_short_tile(
                p, &average.out, &part, means, totals, scales, scales + TILE + VECTOR
            )
        else:
            store_tile[int64_t](average, &part, <int64_t*> totals, scales)
        part.line += lines


cdef inline void set_tile(Average* task, value_t* _, acc_t* sums) noexcept nogil:
    task.tile = <tile_t> average_tile[value_t, acc_t]
    task.ways.whole_lines = <sum_t> sum_whole_lines[value_t, acc_t]
    task.ways.runs = <sum_t> sum_runs[value_t, acc_t]
    task.ways.wide = <sum_t> sum_wide[value_t, acc_t]
    task.ways.few_lanes = <sum_t> sum_few_lanes[value_t, acc_t]
    task.ways.few_lines = <sum_t> sum_few_lines[value_t, acc_t]
    task.ways.many_lines = <sum_t> sum_many_lines[value_t, acc_t]


cdef void set_tile_for(Average* task, Element element) noexcept nogil:
    if is_short(element):
        task.tile = <tile_t> average_short_integers
    elif element == UINT32:
        set_tile[uint32_t, int64_t](task, NULL, NULL)
    elif element == INT32:
        set_tile[int32_t, int64_t](task, NULL, NULL)
    elif element == UINT64:
        set_tile[uint64_t, wide_t](task, NULL, NULL)
    elif element == INT64:
        set_tile[int64_t, wide_t](task, NULL, NULL)
    elif element == FLOAT64:
        set_tile[double, twofold_t](task, NULL, NULL)
    else:  # halves have been widened
        set_tile[float, double](task, NULL, NULL)


cdef inline void set_store(Average* task, acc_t* sums, mean_t* mean) noexcept nogil:
    task.store = <store_t> store_means[acc_t, mean_t]
    task.store_plane = <store_plane_t> store_plane[acc_t, mean_t]


cdef void set_real_store_for(Average* task, Element out, acc_t* sums) noexcept nogil:
    if out == FLOAT16:
        set_store[acc_t, float16_t](task, NULL, NULL)
    elif out == BFLOAT16:
        set_store[acc_t, bfloat16_t](task, NULL, NULL)
    elif out == FLOAT32:
        set_store[acc_t, float](task, NULL, NULL)
    else:
        set_store[acc_t, double](task, NULL, NULL)


cdef void set_short_store_for(Average* task, Element out, acc_t* sums) noexcept nogil:
    if out == UINT8:
        set_store[acc_t, uint8_t](task, NULL, NULL)
    elif out == INT8:
        set_store[acc_t, int8_t](task, NULL, NULL)
    elif out == UINT16:
        set_store[acc_t, uint16_t](task, NULL, NULL)
    elif out == INT16:
        set_store[acc_t, int16_t](task, NULL, NULL)
    else:
        set_real_store_for[acc_t](task, out, NULL)


cdef void set_store_for(
    Average* task, Element element, Element out,
) noexcept nogil:
    """The store for means of `element` kept as `out`: a float, or the same integers."""
    if element == FLOAT64:
        set_real_store_for[twofold_t](task, out, NULL)
    elif element == FLOAT16 or element == BFLOAT16 or element == FLOAT32:
        set_real_store_for[double](task, out, NULL)
    elif element == UINT64 or element == INT64:
        if out == UINT64:
            set_store[wide_t, uint64_t](task, NULL, NULL)
        elif out == INT64:
            set_store[wide_t, int64_t](task, NULL, NULL)
        else:
            set_real_store_for[wide_t](task, out, NULL)
    elif out == UINT32:
        set_store[int64_t, uint32_t](task, NULL, NULL)
    elif out == INT32:
        set_store[int64_t, int32_t](task, NULL, NULL)
    else:
        set_short_store_for[int64_t](task, out, NULL)


cdef bint are_long_runs(const Pooling* p) noexcept nogil:
    """Whether planes are pooled to one number each, by `sum_run`, which no packing improves on."""
    cdef Line line
    if not p.whole or p.d.count * p.h.count > 1 or p.lanes > 1:
        return False
    line = line_of(p, 0)
    return line.count * p.w.size >= LONG and step_of_run(p, &line) == p.x.itemsize


cdef Py_ssize_t largest_pack(const Pooling* p) noexcept nogil:
    """The most elements of a plane that is better packed; see docs/design/packing.md."""
    if not have_stacks(p) or p.d.size * p.h.size == 1:
        return LARGEST
    return max(MEDIUM, min(8 * p.d.count * p.h.count * p.w.count, LARGEST - 1))


cdef bint is_real(Element element) noexcept nogil:
    return element in (FLOAT16, BFLOAT16, FLOAT32, FLOAT64)


cdef bint merges(const Pooling* p, const Array* out) noexcept nogil:
    """Whether the means of a plane are a run in memory, and so few that divisors can be kept."""
    cdef Py_ssize_t line = p.w.count * p.lanes * out.itemsize
    return p.lane_blocks == 1 and p.spans == 1 and (
        p.d.count * p.h.count * p.w.count * p.lanes <= PLANE
        and (p.lanes == 1 or out.lane == out.itemsize)
        and (p.w.count == 1 or out.w == p.lanes * out.itemsize)
        and (p.h.count == 1 or out.h == line)
        and (p.d.count == 1 or out.d == p.h.count * line)
    )


cdef int run_tile(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Average* average = <const Average*> task
    average.tile(average, job, scratch + average.sums, scratch)
    return 0


cdef int run_halving(const void* task, Py_ssize_t job, char* _scratch) noexcept nogil:
    cdef const Average* average = <const Average*> task
    cdef const Pooling* p = &average.pooling
    cdef Py_ssize_t first = job * p.group
    halve(p, first, min(p.group, p.lines - first), &average.out)
    return 0


cdef int run_pack(const void* task, Py_ssize_t job, char* scratch) noexcept nogil:
    cdef const Average* average = <const Average*> task
    cdef const Packing* packing = &average.packing
    cdef Average inner = average[0]
    cdef Py_ssize_t k
    inner.divisors = inner.means.plane = NULL   # they are for planes, not for packs
    inner.pooling = pack(packing, &average.pooling, job, scratch + average.sums)
    inner.out = packed_results(
        packing, &inner.pooling, &average.out, scratch + average.sums + pack_size(packing)
    )
    for k in range(job_count(&inner.pooling)):
        inner.tile(&inner, k, NULL, scratch)
    unpack(packing, &inner.pooling, job, &inner.out, &average.out)
    return 0


cdef int pool(
    Canonical* c, Windows windows, Element element, Element out_element, int num_threads,
) except -1 nogil:
    cdef Average task
    cdef double divisors[PLANE]
    cdef Py_ssize_t lanes
    cdef bint short_sums = is_short(element) and windows.largest <= SHORT_WINDOW
    set_tile_for(&task, element)
    if not short_sums:
        set_store_for(&task, element, out_element)
    task.means = means_of_short(element, out_element, windows.largest)
    while True:
        task.pooling = plan(c, element, windows, 1, num_threads)
        task.packing = plan_packing(c, &task.pooling, largest_pack(&task.pooling))
        task.out = c.arrays[1]
        task.divisors = task.means.plane = NULL
        if task.packing.groups == 0 and element != FLOAT64 and merges(&task.pooling, &task.out):
            if short_sums:
                scales_of_plane(&task.pooling, &task.means, divisors)
            else:
                prepare_plane(
                    &task.pooling,
                    is_real(element) and is_real(out_element) and out_element != FLOAT64, divisors,
                )
            task.divisors = divisors
        # Tiles of sums of lines and of windows, running sums, divisors.
        lanes = max(task.pooling.lane_block, <Py_ssize_t> PACK)
        task.sums = (2 * (TILE + VECTOR) + PARTIALS * lanes) * (
            sizeof(twofold_t) if element == FLOAT64 or element == UINT64 or element == INT64
            else sizeof(double)
        ) + (1 + TILE) * sizeof(double)
        if is_short(element):
            task.sums = 6 * (TILE + VECTOR) * sizeof(int64_t)
            task.pooling.group = max(
                task.pooling.group,
                min(<Py_ssize_t> LINES, task.pooling.lines // (JOBS * num_threads)),
            )
            task.pooling.groups = pieces(task.pooling.lines, task.pooling.group)
        task.planes = not is_short(element) and are_long_runs(&task.pooling)
        if task.planes:
            task.pooling.group = max(1, min(PLANES, c.channels // (JOBS * num_threads)))
            run_jobs(
                run_tile, &task, c.batches * pieces(c.channels, task.pooling.group), task.sums,
                num_threads,
            )
        elif task.packing.groups > 0:
            run_jobs(
                run_pack, &task, c.batches * task.packing.groups,
                task.sums + pack_size(&task.packing) + results_size(&task.packing, &task.out),
                num_threads,
            )
        elif is_halving(&task.pooling, &task.out, element, out_element):
            run_jobs(run_halving, &task, task.pooling.groups, 0, num_threads)
        else:
            run_jobs(
                run_tile, &task, job_count(&task.pooling),
                task.sums + buffer_size(&task.pooling), num_threads,
            )
        if not advance(c):
            return 0


def average(
    x,                      # IN: array of the elements below
    out,                    # OUT: array, aligned
    Windows windows,        # IN
    Element element,        # IN: what x holds
    Element out_element,    # IN: what out holds
    int num_threads,        # IN
):
    """Average `x` over `windows` into `out`. Neither is empty."""
    cdef Canonical c
    c.count = 0
    try:
        borrow(&c, x, False, size_of(element))
        borrow(&c, out, True, size_of(out_element))
        arrange(&c, windows)
        if is_brief(&c, num_threads):
            pool(&c, windows, element, out_element, num_threads)
        else:
            with nogil:
                pool(&c, windows, element, out_element, num_threads)
    finally:
        give_back(&c)
