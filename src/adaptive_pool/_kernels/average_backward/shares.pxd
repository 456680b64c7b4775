"""Shares, and sums of shares: their arithmetic.

Shares are added along od and oh, in row-major order, then along ow, from 0.0 and in float64. They
are rounded once, to the type of the result. Where windows hold elements in part, shares are
multiplied by what the element weighs along D and H, and their sums by what it weighs along W.
"""
from libc.string cimport memcpy, memset

from adaptive_pool._kernels.average_backward.segments cimport Segment
from adaptive_pool._kernels.call.elements cimport (
    bfloat16_t, float16_t, load_real, one_nan, real_t,
)
from adaptive_pool._kernels.call.tables cimport Axis, weight_of
from adaptive_pool._kernels.simd.halves cimport narrow_run

cdef extern from "average_backward/sums.h" nogil:
    void add_run "ap_add_run"(const double* run, Py_ssize_t n, double* sums)
    void weigh_run "ap_weigh_run"(
        const double* run, Py_ssize_t n, double weight, bint begin, double* sums)
    void ap_weigh_windows(
        const double* runs, Py_ssize_t count, Py_ssize_t n, double first, double between,
        double last, double* sums)
    void sum_runs "ap_sum_runs"(
        const double* runs, Py_ssize_t count, Py_ssize_t step, Py_ssize_t n, double* sums,
    )
    void sum_segments_of_one "ap_sum_segments"(
        const double* line, const Py_ssize_t* first, const Py_ssize_t* last, Py_ssize_t step,
        Py_ssize_t segments, double* sums,
    )
    void ap_store_floats(const double* sums, Py_ssize_t n, float* out)
    void ap_store_doubles(const double* sums, Py_ssize_t n, double* out)
    void ap_share_floats(const float* x, Py_ssize_t n, double factor, double* shares)
    void ap_share_doubles(const double* x, Py_ssize_t n, double size, double* shares)
    void ap_share_each_float(const float* x, Py_ssize_t n, const double* factors, double* shares)
    void ap_share_each_double(const double* x, Py_ssize_t n, const double* sizes, double* shares)
    void ap_add_share_floats(const float* x, Py_ssize_t n, double factor, double* sums)
    void ap_add_share_doubles(const double* x, Py_ssize_t n, double size, double* sums)


cdef inline double factor(double size, const real_t* _) noexcept nogil:
    """What shares are made with; rounding to a narrower type hides that of a reciprocal."""
    if real_t is double:
        return size
    else:
        return 1.0 / size


cdef inline double share_of(const real_t* x, double factor) noexcept nogil:
    if real_t is double:
        return 0.0 + x[0] / factor
    else:
        return 0.0 + load_real[real_t](x) * factor


cdef inline void share_run(
    const real_t* x, Py_ssize_t n, double factor, double* shares,
) noexcept nogil:
    cdef Py_ssize_t i
    if real_t is float:
        ap_share_floats(x, n, factor, shares)
    elif real_t is double:
        ap_share_doubles(x, n, factor, shares)
    else:
        for i in range(n):
            shares[i] = 0.0 + load_real[real_t](x + i) * factor


cdef inline void share_each(
    const real_t* x, Py_ssize_t n, const double* factors, double* shares,
) noexcept nogil:
    """Shares of elements of which each has a factor of its own."""
    cdef Py_ssize_t i
    if real_t is float:
        ap_share_each_float(x, n, factors, shares)
    elif real_t is double:
        ap_share_each_double(x, n, factors, shares)
    else:
        for i in range(n):
            shares[i] = 0.0 + load_real[real_t](x + i) * factors[i]


cdef inline void add_share_run(
    const real_t* x, Py_ssize_t n, double factor, double* sums,
) noexcept nogil:
    cdef Py_ssize_t i
    if real_t is float:
        ap_add_share_floats(x, n, factor, sums)
    elif real_t is double:
        ap_add_share_doubles(x, n, factor, sums)
    else:
        for i in range(n):
            sums[i] += load_real[real_t](x + i) * factor


cdef inline void take_run(
    const char* shares, Py_ssize_t step, Py_ssize_t n, bint begin,
    double* sums,           # IN, OUT; if they begin with these, only OUT
) noexcept nogil:
    """Shares that are given, float64 in any steps."""
    cdef Py_ssize_t i
    if step != sizeof(double):
        for i in range(n):
            sums[i] = (<const double*> (shares + i * step))[0] + (0.0 if begin else sums[i])
    elif begin:
        memcpy(sums, shares, n * sizeof(double))
    else:
        add_run(<const double*> shares, n, sums)


cdef inline void store_sums(
    double* sums,           # IN, OUT: NaNs may become the one NaN
    Py_ssize_t n,
    real_t* out,            # OUT
) noexcept nogil:
    """Store sums, each rounded once."""
    cdef Py_ssize_t i
    if real_t is float:
        ap_store_floats(sums, n, out)
    elif real_t is double:
        ap_store_doubles(sums, n, out)
    else:
        for i in range(n):
            sums[i] = one_nan(sums[i])
        narrow_run(sums, n, out)


cdef inline double weight_of_line(
    const Axis* d, Py_ssize_t od, const Segment* in_d,
    const Axis* h, Py_ssize_t oh, const Segment* in_h,
) noexcept nogil:
    """What the lines of two segments weigh in a window that holds them."""
    return <double> weight_of(d, od, in_d.begin) * <double> weight_of(h, oh, in_h.begin)


cdef inline void weigh_windows(
    const Axis* w, const Segment* s,    # IN: windows along W, and a segment that some hold
    const double* line,     # IN: those x n sums
    Py_ssize_t n,
    double* sums,           # OUT: n
) noexcept nogil:
    ap_weigh_windows(
        line, s.last - s.first, n, <double> weight_of(w, s.first, s.begin), <double> w.total,
        <double> weight_of(w, s.last - 1, s.begin), sums,
    )


cdef inline void sum_windows(
    const Axis* w, const Segment* s,    # IN: the windows along W, and a segment of columns
    double* line,           # IN, OUT as in store_sums(): those of the segment x n sums
    Py_ssize_t n,
    double* sums,           # scratch: n
    real_t* out,            # OUT: the n elements of a column
) noexcept nogil:
    cdef Py_ssize_t windows = s.last - s.first
    if w.firsts != NULL and windows > 0:
        weigh_windows(w, s, line, n, sums)
        line, windows = sums, 1
    if windows == 1:
        store_sums[real_t](line, n, out)
        return
    if windows == 0:
        memset(sums, 0, n * sizeof(double))
    else:
        sum_runs(line, windows, n, n, sums)
    store_sums[real_t](sums, n, out)
