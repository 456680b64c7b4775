"""The last step of an average: sums to means, in the type of the output."""
from libc.math cimport NAN, isfinite
from libc.string cimport memcpy

from adaptive_pool._kernels.average.accumulators cimport (
    acc_t, mean_t, narrow_real_t, nothing, plus, store_mean, twofold_mean, twofold_t,
)
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport one_nan, real_t, store_real
from adaptive_pool._kernels.simd.halves cimport half_t, narrow_run
from adaptive_pool._kernels.tiles.planes cimport VECTOR, Line, Pooling, Tile, at, input_at
from adaptive_pool._kernels.call.tables cimport Axis, window_size

cdef enum:
    SHORT_RUN = 64          # means on their way to halves


cdef inline double mean_of_scaled(
    const Pooling* p, const Line* line, Py_ssize_t ow, Py_ssize_t lane,
) noexcept nogil:
    """The mean of one float64 window whose sum overflows although its mean need not."""
    cdef twofold_t total = nothing[twofold_t](&total)
    cdef double scale = 2.0 ** -64, x
    cdef Py_ssize_t k, w
    for k in range(line.count):
        for w in range(p.w.starts[ow], p.w.ends[ow]):
            memcpy(&x, input_at(p, line, k, w, lane), sizeof(double))
            total = plus[twofold_t, double](total, x * scale)
    if not isfinite(total.value):  # there are infinities or NaNs in the window
        return total.value
    return twofold_mean(total, line.count * window_size(p.w, ow)) / scale


cdef inline bint are_equal(const Axis* w) noexcept nogil:
    """Whether all windows are of one size."""
    return w.shortest == w.longest


cdef inline void prepare_divisors(
    const Pooling* p, const Tile* tile, const Line* line, Py_ssize_t lanes, bint inverse,
    double* divisors,       # OUT: 1 + windows x lanes
) noexcept nogil:
    """The sizes of the windows of a line, or their inverses, each `lanes` times, from 1 on.

    One window stands for all if they are equal. divisors[0] is the number of input lines that
    they are for.
    """
    cdef Py_ssize_t ow, lane
    cdef double lines = <double> line.count, size
    if divisors[0] == lines:
        return
    divisors[0] = lines
    divisors += 1
    for ow in range(tile.ow0, tile.ow0 + 1 if are_equal(p.w) else tile.ow1):
        size = lines * <double> window_size(p.w, ow)
        for lane in range(lanes):
            divisors[lane] = 1.0 / size if inverse else size
        divisors += lanes


cdef inline void store_run(
    const acc_t* sums, Py_ssize_t n,
    const double* divisors, Py_ssize_t step,    # IN: step 1: one for each sum; 0: one for all
    mean_t* mean,                               # OUT: n
) noexcept nogil:
    """Store means side by side. To be called with a literal step, so that it vectorises."""
    cdef Py_ssize_t i, done = 0, count
    cdef double means[SHORT_RUN]
    cdef float narrow
    if acc_t is double:
        if mean_t in half_t:
            while done < n:
                count = min(n - done, <Py_ssize_t> SHORT_RUN)
                for i in range(count):
                    means[i] = one_nan(sums[done + i] * divisors[(done + i) * step])
                narrow_run[mean_t](means, count, mean + done)
                done += count
    for i in range(done, n):
        if acc_t is double:
            if mean_t is float:
                # Narrowed before NaNs are looked for: a mask for floats from a comparison of
                # doubles takes as many instructions as all the rest.
                narrow = <float> (sums[i] * divisors[i * step])
                mean[i] = narrow if narrow == narrow else <float> NAN
            elif mean_t in narrow_real_t:
                store_real[mean_t](&mean[i], one_nan(sums[i] * divisors[i * step]))
            else:
                store_mean[mean_t, acc_t](&mean[i], sums[i], divisors[i * step])
        else:
            store_mean[mean_t, acc_t](&mean[i], sums[i], divisors[i * step])


cdef inline void prepare_plane(
    const Pooling* p, bint inverse,
    double* divisors,       # OUT: outputs of a plane x lanes
) noexcept nogil:
    """The sizes of all windows of a plane, or their inverses."""
    cdef Py_ssize_t od, oh, ow, lane
    cdef double size
    for od in range(p.d.count):
        for oh in range(p.h.count):
            for ow in range(p.w.count):
                size = <double> (
                    window_size(p.d, od) * window_size(p.h, oh) * window_size(p.w, ow)
                )
                for lane in range(p.lanes):
                    divisors[lane] = 1.0 / size if inverse else size
                divisors += p.lanes


cdef inline void store_plane(
    const acc_t* sums, Py_ssize_t n,
    const double* divisors,     # IN: n
    mean_t* mean,               # OUT: n
) noexcept nogil:
    """`store_run` for neighbours in a plane."""
    store_run[acc_t, mean_t](sums, n, divisors, 1, mean)


cdef inline void store_means(
    const Pooling* p, const Array* out, const Tile* tile, const Line* line,
    const acc_t* sums,      # IN: windows x lanes
    double* divisors,       # scratch: what was prepared last
    mean_t* mean,           # the type of the output
) noexcept nogil:
    """Divide the sums of the windows of a line by their sizes."""
    cdef Py_ssize_t ow, lane, lanes = tile.lanes, windows = tile.ow1 - tile.ow0
    cdef Py_ssize_t step = 0 if are_equal(p.w) else 1
    cdef char* target = at(
        out, line.batch, line.channel, line.od, line.oh, tile.ow0, tile.lane
    )
    # Few lanes, side by side, are stored as one run.
    cdef bint run = lanes < VECTOR and out.w == lanes * <Py_ssize_t> sizeof(mean_t) and (
        lanes == 1 or out.lane == <Py_ssize_t> sizeof(mean_t)
    )
    if acc_t is twofold_t:  # one by one: some may have to be done again
        run = False
    if acc_t is double:
        prepare_divisors(p, tile, line, lanes if run else 1, mean_t in narrow_real_t, divisors)
    else:
        prepare_divisors(p, tile, line, lanes if run else 1, False, divisors)
    divisors += 1
    if run and are_equal(p.w):
        store_run[acc_t, mean_t](sums, windows * lanes, divisors, 0, <mean_t*> target)
        return
    elif run:
        store_run[acc_t, mean_t](sums, windows * lanes, divisors, 1, <mean_t*> target)
        return
    elif acc_t is twofold_t:
        pass
    elif lanes > 1 and out.lane == <Py_ssize_t> sizeof(mean_t):
        for ow in range(windows):
            store_run[acc_t, mean_t](sums, lanes, divisors + ow * step, 0, <mean_t*> target)
            sums += lanes
            target += out.w
        return
    for ow in range(windows):
        for lane in range(lanes):
            mean = <mean_t*> (target + lane * out.lane)
            store_run[acc_t, mean_t](sums + lane, 1, divisors + ow * step, 0, mean)
            if acc_t is twofold_t:
                if mean_t in real_t:
                    if not (isfinite(sums[lane].value) and isfinite(sums[lane].error)):
                        store_real[mean_t](
                            mean,
                            one_nan(mean_of_scaled(p, line, tile.ow0 + ow, tile.lane + lane)),
                        )
        sums += lanes
        target += out.w
