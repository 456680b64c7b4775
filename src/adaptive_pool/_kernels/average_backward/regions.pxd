"""Regions, which may overlap: the sums of each line of the result, whatever windows hold it.

The shares of each window are added to all columns that it holds, region after region, in a tile
that is stored at the end. Of one region the order is that of all other ways.
"""
from libc.string cimport memset

from adaptive_pool._kernels.average_backward.problem cimport MOST_LANES, TILE
from adaptive_pool._kernels.average_backward.shares cimport (
    add_run, add_share_run, factor, share_of, share_run, store_sums, take_run, weigh_run,
)
from adaptive_pool._kernels.average_backward.uncounted cimport (
    SEEN, Place, Uncounted, zero_uncounted,
)
from adaptive_pool._kernels.call.canonical cimport Array, Geometry
from adaptive_pool._kernels.call.elements cimport real_t
from adaptive_pool._kernels.call.part_runs cimport Group
from adaptive_pool._kernels.call.parts cimport Part
from adaptive_pool._kernels.call.tables cimport Axis, holds, int64_t, weight_of, window_weight
from adaptive_pool._kernels.tiles.planes cimport JOBS, at, pieces

cdef enum:
    LINES = 16              # of the result that a job takes, at most
    CHANNELS = 32           # that are taken for lanes


cdef struct Regions:
    Geometry g              # grad_input of one sample, and all of grad_output
    Group group
    bint given              # whether that is the shares of all windows, in float64
    Uncounted uncounted
    Py_ssize_t lane_block   # lanes, lines and columns of a job
    Py_ssize_t lines
    Py_ssize_t columns


cdef inline void take_channels(Geometry* g) noexcept nogil:
    """Take channels for lanes, which are looked at together."""
    cdef int a
    g.lanes, g.channels = g.channels, 1
    for a in range(g.count):
        g.arrays[a].lane = g.arrays[a].channel


cdef inline Py_ssize_t plan_regions(Regions* r, int num_threads) noexcept nogil:
    """Cut the work into jobs; returns how many."""
    cdef const Geometry* g = &r.g
    cdef const Py_ssize_t* sizes = &g.sizes[0][0]
    cdef Py_ssize_t lines = g.batches * g.channels * sizes[0] * sizes[1], enough = 1
    if num_threads > 1:
        enough = JOBS * num_threads
    r.lane_block = min(g.lanes, <Py_ssize_t> MOST_LANES)
    if g.arrays[0].lane != g.arrays[0].itemsize:
        r.lane_block = min(g.lanes, <Py_ssize_t> CHANNELS)
    r.columns = min(sizes[2], max(TILE // r.lane_block, <Py_ssize_t> 1))
    r.lines = max(min(<Py_ssize_t> LINES, lines // enough), <Py_ssize_t> 1)
    return pieces(lines, r.lines) * pieces(sizes[2], r.columns) * pieces(g.lanes, r.lane_block)


cdef inline Py_ssize_t regions_scratch() noexcept nogil:
    """Bytes of a tile, of the shares of a window, and of what is looked at."""
    return (TILE + MOST_LANES) * <Py_ssize_t> sizeof(double) + <Py_ssize_t> SEEN


cdef struct Held:
    # The windows of an axis that hold an index: they are among begin:end.
    const Axis* axis
    Py_ssize_t i
    Py_ssize_t begin
    Py_ssize_t end


cdef inline Held windows_holding(const Axis* axis, Py_ssize_t i) noexcept nogil:
    cdef Held held
    cdef Py_ssize_t o
    held.axis, held.i, held.begin, held.end = axis, i, axis.count, 0
    for o in range(axis.count):
        if holds(axis, o, i):
            held.begin = min(held.begin, o)
            held.end = o + 1
    return held


cdef inline bint sum_shares(
    const Regions* r, const char* gradient, const Held* in_d, const Held* in_h,
    int64_t columns,        # IN: what those of the window along W weigh
    Py_ssize_t lanes,
    double* line,           # OUT
    const real_t* like,
) noexcept nogil:
    """Add the shares of all windows (od, oh) that hold a line; False: there are none."""
    cdef const Array* g = &r.g.arrays[1]
    cdef const Axis* d = in_d.axis
    cdef const Axis* h = in_h.axis
    cdef Py_ssize_t od, oh, lane
    cdef const char* run
    cdef double f, x, weight
    cdef bint any = False
    for od in range(in_d.begin, in_d.end):
        if not holds(d, od, in_d.i):
            continue
        for oh in range(in_h.begin, in_h.end):
            if not holds(h, oh, in_h.i):
                continue
            run = gradient + od * g.d + oh * g.h
            f = <double> (window_weight(d, od) * window_weight(h, oh))
            f = factor[real_t](f * <double> columns, like)
            if d.firsts != NULL or h.firsts != NULL:
                weight = (
                    <double> weight_of(d, od, in_d.i) * <double> weight_of(h, oh, in_h.i)
                )
                for lane in range(lanes):
                    if r.given:
                        x = (<const double*> (run + lane * g.lane))[0]
                    else:
                        x = share_of[real_t](<const real_t*> (run + lane * g.lane), f)
                    line[lane] = weight * x + (line[lane] if any else 0.0)
            elif r.given:
                take_run(run, g.lane, lanes, not any, line)
            elif lanes > 1 and g.lane != sizeof(real_t) and any:
                for lane in range(lanes):
                    line[lane] += share_of[real_t](<const real_t*> (run + lane * g.lane), f)
            elif lanes > 1 and g.lane != sizeof(real_t):
                for lane in range(lanes):
                    line[lane] = share_of[real_t](<const real_t*> (run + lane * g.lane), f)
            elif any:
                add_share_run[real_t](<const real_t*> run, lanes, f, line)
            else:
                share_run[real_t](<const real_t*> run, lanes, f, line)
            any = True
    return any


cdef inline void add_region(
    const Regions* r, Py_ssize_t k, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d,
    Py_ssize_t h, Py_ssize_t w0, Py_ssize_t w1, Py_ssize_t lane, Py_ssize_t lanes,
    double* tile, double* line, const real_t* like,
) noexcept nogil:
    """Add what a region gives to the columns w0:w1 of a line."""
    cdef const Part* part = &r.group.parts[k]
    cdef const Axis* axes = r.group.axes + 3 * k
    cdef const Axis* in_w = axes + 2
    cdef Held in_d, in_h
    cdef double share
    cdef Py_ssize_t ow, w, begin, end
    cdef const char* gradient
    d -= part.starts[0]
    h -= part.starts[1]
    if not 0 <= d < part.sizes[0] or not 0 <= h < part.sizes[1]:
        return
    in_d, in_h = windows_holding(axes, d), windows_holding(axes + 1, h)
    gradient = k * r.group.steps[1] + <const char*> at(
        &r.g.arrays[1], batch, channel, 0, 0, 0, lane
    )
    for ow in range(in_w.count):
        begin = max(part.starts[2] + in_w.starts[ow], w0)
        end = min(part.starts[2] + in_w.ends[ow], w1)
        if begin >= end or not sum_shares[real_t](
            r, gradient + ow * r.g.arrays[1].w, &in_d, &in_h, window_weight(in_w, ow), lanes,
            line, like,
        ):
            continue
        if in_w.firsts != NULL:
            for w in range(begin, end):
                weigh_run(
                    line, lanes, <double> weight_of(in_w, ow, w - part.starts[2]), False,
                    tile + (w - w0) * lanes,
                )
        elif lanes == 1:
            share = line[0]
            for w in range(begin - w0, end - w0):
                tile[w] += share
        else:
            for w in range(begin - w0, end - w0):
                add_run(line, lanes, tile + w * lanes)


cdef inline void zero_columns(
    const Regions* r, Py_ssize_t batch, Py_ssize_t channel, Py_ssize_t d, Py_ssize_t h,
    Py_ssize_t w0, Py_ssize_t w1, Py_ssize_t lane, Py_ssize_t lanes, char* scratch,
) noexcept nogil:
    """Store 0 for what does not count from the first column that a region has to the last."""
    cdef Py_ssize_t begin = w1, end = w0, i
    cdef const Part* part
    for i in range(r.group.count):
        part = &r.group.parts[r.group.order[i]]
        if 0 <= d - part.starts[0] < part.sizes[0] and 0 <= h - part.starts[1] < part.sizes[1]:
            begin = min(begin, max(<Py_ssize_t> part.starts[2], w0))
            end = max(end, min(<Py_ssize_t> (part.starts[2] + part.sizes[2]), w1))
    zero_uncounted(
        &r.uncounted,
        Place(batch, channel, channel + 1, d, d + 1, h, h + 1, begin, end, lane, lanes), scratch,
    )


cdef inline int gather_regions(
    const Regions* r, Py_ssize_t job, char* scratch, const real_t* like,
) noexcept nogil:
    cdef const Geometry* g = &r.g
    cdef const Array* out = &g.arrays[0]
    cdef double* tile = <double*> scratch
    cdef double* line = tile + TILE
    cdef Py_ssize_t blocks = pieces(g.lanes, r.lane_block), lane, lanes, w0, w1, n, k, w, i
    cdef Py_ssize_t d, h, batch, channel
    cdef char* place
    cdef real_t* values = <real_t*> line
    lane = job % blocks * r.lane_block
    lanes = min(r.lane_block, g.lanes - lane)
    job //= blocks
    blocks = pieces(g.sizes[0][2], r.columns)
    w0 = job % blocks * r.columns
    w1 = min(w0 + r.columns, g.sizes[0][2])
    n = job // blocks * r.lines
    for k in range(n, min(n + r.lines, g.batches * g.channels * g.sizes[0][0] * g.sizes[0][1])):
        h = k % g.sizes[0][1]
        d = k // g.sizes[0][1] % g.sizes[0][0]
        i = k // g.sizes[0][1] // g.sizes[0][0]
        channel, batch = i % g.channels, i // g.channels
        memset(tile, 0, (w1 - w0) * lanes * <Py_ssize_t> sizeof(double))
        for i in range(r.group.count):
            add_region[real_t](
                r, r.group.order[i], batch, channel, d, h, w0, w1, lane, lanes, tile, line, like,
            )
        place = at(out, batch, channel, d, h, w0, lane)
        if out.lane == sizeof(real_t) and out.w == lanes * <Py_ssize_t> sizeof(real_t):
            store_sums[real_t](tile, (w1 - w0) * lanes, <real_t*> place)
        elif out.lane == sizeof(real_t):
            for w in range(w1 - w0):
                store_sums[real_t](tile + w * lanes, lanes, <real_t*> (place + w * out.w))
        else:
            for w in range(w1 - w0):
                store_sums[real_t](tile + w * lanes, lanes, values)
                for i in range(lanes):
                    (<real_t*> (place + i * out.lane))[0] = values[i]
                place += out.w
        if r.given:
            zero_columns(
                r, batch, channel, d, h, w0, w1, lane, lanes, <char*> (line + MOST_LANES)
            )
    return 0
