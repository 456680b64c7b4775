"""What the ways of spreading gradients over a line share: the problem, a job, a share."""
from libc.math cimport NAN
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport one_nan, real_t, store_real
from adaptive_pool._kernels.tiles.planes cimport Array
from adaptive_pool._kernels.average_backward.runs cimport Run, Runs
from adaptive_pool._kernels.call.tables cimport Axis

cdef enum:
    LINE = 8192         # sums of the windows of a line
    ROW = 4096          # elements of a piece of a row that is made in scratch; at most LINE // 2
    FILL = 8            # a run of columns is filled in steps of so many
    WINDOWS = 1024      # windows at a time; BY_VALUES
    OVERLAP = 3         # the most windows that hold a line or a column ; BY_VALUES

cdef enum Way:
    BY_PLANES           # one lane and one window, so one value fills a plane
    BY_VALUES           # one lane, few windows to a column: line_values.pxd
    BY_RUNS             # lanes side by side
    BY_WINDOWS          # anything: columns are added to window by window


cdef struct Spread:
    Array grad_output
    Array grad_input
    const Axis* d
    const Axis* h
    const Axis* w
    Runs d_runs
    Runs h_runs
    Runs w_runs
    Py_ssize_t batches
    Py_ssize_t channels
    Py_ssize_t depth        # D, H and W, or 1, 1 and D x H x W
    Py_ssize_t height
    Py_ssize_t width
    Py_ssize_t lanes
    Py_ssize_t group        # channels, lines, columns and lanes of a job
    Py_ssize_t lines
    Py_ssize_t columns
    Py_ssize_t lane_block
    Way way
    bint contiguous         # rows of grad_input are
    Py_ssize_t most_lines   # the most windows that hold a line, and a column
    Py_ssize_t most_columns
    Py_ssize_t longest      # columns of a run


cdef struct Place:
    # One job: columns w0:w1 and some lanes of the lines h0:h1 at (batch, channel0:channel1, d).
    Py_ssize_t batch
    Py_ssize_t channel0
    Py_ssize_t channel1
    Py_ssize_t d
    Py_ssize_t h0
    Py_ssize_t h1
    Py_ssize_t w0
    Py_ssize_t w1
    Py_ssize_t lane
    Py_ssize_t lanes
    const Run* d_run        # the runs that d, h0 and w0 are in
    const Run* h_run
    const Run* w_run
    Py_ssize_t ow0          # the windows that hold a column
    Py_ssize_t ow1


cdef inline double factor(double size, real_t* _) noexcept nogil:
    """What share() takes for a division by `size`, the number of elements of a window."""
    if real_t is double:
        return size
    else:
        return 1.0 / size


cdef inline double share(double x, double factor, real_t* _) noexcept nogil:
    """x over the size of a window; rounding to a narrower type hides that of a reciprocal."""
    if real_t is double:
        return x / factor
    else:
        return x * factor


cdef inline void store_sum(real_t* out, double x) noexcept nogil:
    """Store x, or the one NaN, rounded once."""
    cdef float narrow
    if real_t is float:  # looked at when it is narrow: vectors hold twice as many
        narrow = <float> x
        out[0] = narrow if narrow == narrow else <float> NAN
    else:
        store_real[real_t](out, one_nan(x))


cdef inline void repeat(
    char* first, Py_ssize_t size, Py_ssize_t step, Py_ssize_t times,
) noexcept nogil:
    """Repeat the `size` bytes at `first` every `step` bytes until they are there `times` times."""
    cdef Py_ssize_t k, done = size, whole = size * times
    if step > size:
        for k in range(1, times):
            memcpy(first + k * step, first, size)
        return
    while done < whole:
        size = min(done, whole - done)
        memcpy(first + done, first, size)
        done += size


cdef inline void copy_row(
    const Spread* s, const Place* place, char* out,
    const real_t* row,      # IN: the columns w0:w1, all lanes of the job
    Py_ssize_t step,        # IN: bytes of it from column to column
) noexcept nogil:
    cdef Py_ssize_t columns = place.w1 - place.w0, lanes = place.lanes, _w, lane
    if s.contiguous and lanes == s.lanes:
        memcpy(out, row, columns * lanes * sizeof(real_t))
        return
    for _w in range(columns):
        if s.contiguous:
            memcpy(out, row, lanes * sizeof(real_t))
        else:
            for lane in range(lanes):
                (<real_t*> (out + lane * s.grad_input.lane))[0] = row[lane]
        out += s.grad_input.w
        row = <const real_t*> (<const char*> row + step)
