"""What all files here share: the problem of a call, a box of it that is a job, scratch, constants.

A *share* is what a window gives to each of its elements: its gradient over its size.
"""
from adaptive_pool._kernels.average_backward.segments cimport Segment, Segments
from adaptive_pool._kernels.average_backward.uncounted cimport SEEN, Place, Uncounted
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.tables cimport Axis

cdef enum:
    PLANES = 16         # planes that are turned into lanes: a cache line of float32
    LINE = 2048         # sums of the windows of a line x lanes: 16 KiB, of the first cache
    ROW = 1000          # windows of a row of one plane; to cut it halves the speed of memory
    MOST_LANES = 1024   # of a job
    SHARES = 16384      # shares of the windows of some planes: 128 KiB, of the second cache
    TURN = 64           # windows that are turned at a time
    COLUMNS = 256       # of a row that is turned back
    VALUES = 8192       # 2 x COLUMNS x PLANES: of the columns or segments of some lines
    BLOCK = 8           # columns that are turned back at once
    LONG_SEGMENT = 4    # columns, from which on a row is filled by segments
    FEW_PLANES = 4      # planes that would leave most lanes empty
    SHORT_LINE = 32     # columns of a line that is turned back with its neighbours
    TILE = 4096         # sums of a row, where windows are in any order
    LONG_LINE = 256     # elements, from which on what counts is looked at line by line
    JOB = 32768         # elements that several planes are put into one job for

cdef enum Way:
    BY_LANES            # lanes lie side by side in memory
    BY_PLANES           # one lane: planes are turned into lanes
    IN_ANY_ORDER        # tables that are not sorted; thousands of windows to a column


cdef struct Problem:
    Array grad_output
    bint given              # whether that is the shares of all windows, in float64, and not all
    Uncounted uncounted     # elements count
    bint counts_lines       # which are looked at when lines are copied, not when a job is done
    Array grad_input
    const Axis* d
    const Axis* h
    const Axis* w
    bint weighted           # whether windows hold elements in part
    Segments d_segments
    Segments h_segments
    Segments w_segments
    Py_ssize_t batches
    Py_ssize_t channels
    Py_ssize_t depth        # D, H and W, or 1, 1 and D x H x W
    Py_ssize_t height
    Py_ssize_t width
    Py_ssize_t lanes
    Way way
    Py_ssize_t group        # channels, planes, lines, columns and lanes of a job
    Py_ssize_t slices
    Py_ssize_t lines
    Py_ssize_t columns
    Py_ssize_t lane_block
    bint contiguous         # rows of grad_input are
    bint short_lines        # lines of one lane are, and adjoin
    bint filled             # rows are filled by segments, not turned
    bint adjoin             # lines of one lane do
    Py_ssize_t planes       # how many are turned into lanes: PLANES or, if there are few, 1


cdef struct Box:
    # One job: [d0, d1) x [h0, h1) x [w0, w1) of some channels and lanes.
    Py_ssize_t batch
    Py_ssize_t channel0
    Py_ssize_t channel1
    Py_ssize_t d0
    Py_ssize_t d1
    Py_ssize_t h0
    Py_ssize_t h1
    Py_ssize_t w0
    Py_ssize_t w1
    Py_ssize_t lane
    Py_ssize_t lanes
    Py_ssize_t od0          # the windows that hold something of it
    Py_ssize_t od1
    Py_ssize_t oh0
    Py_ssize_t oh1
    Py_ssize_t ow0
    Py_ssize_t ow1
    Py_ssize_t segments     # along W
    const Segment* d_first  # the segments that d0, h0 and w0 are in
    const Segment* h_first
    const Segment* w_first


cdef struct Scratch:
    double* line            # LINE
    double* sums            # MOST_LANES
    double* shares          # SHARES
    double* factors         # SHARES / BLOCK: one for each window
    double* tile            # TILE
    char* turned            # TURN x PLANES elements
    char* values            # VALUES elements
    char* rows              # PLANES x COLUMNS elements
    char* seen              # SEEN bytes


cdef inline bint next_segments(
    const Box* box, const Segment** d, const Segment** h,   # IN, OUT: along D and H
) noexcept nogil:
    """Go on to the next pair of segments of a box, or say that there is none."""
    if h[0].end < box.h1:
        h[0] += 1
    elif d[0].end < box.d1:
        d[0] += 1
        h[0] = box.h_first
    else:
        return False
    return True


cdef inline Place lines_of(
    const Box* box, const Segment* d, Py_ssize_t channel, Py_ssize_t h0, Py_ssize_t h1,
) noexcept nogil:
    """The box's part of a segment along D, and of some lines."""
    return Place(
        box.batch, channel, channel + 1, max(d.begin, box.d0), min(d.end, box.d1), h0, h1,
        box.w0, box.w1, box.lane, box.lanes,
    )


cdef inline Py_ssize_t lay_out(char* memory, Scratch* scratch) noexcept nogil:
    """Cut memory into what a job needs; returns the bytes of all."""
    cdef char* start = memory
    scratch.line = <double*> memory
    memory += LINE * sizeof(double)
    scratch.sums = <double*> memory
    memory += MOST_LANES * sizeof(double)
    scratch.shares = <double*> memory
    memory += SHARES * sizeof(double)
    scratch.factors = <double*> memory
    memory += SHARES // BLOCK * sizeof(double)
    scratch.tile = <double*> memory
    memory += TILE * sizeof(double)
    scratch.turned = memory
    memory += TURN * PLANES * sizeof(double)
    scratch.values = memory
    memory += VALUES * sizeof(double)
    scratch.rows = memory
    memory += COLUMNS * PLANES * sizeof(double)
    scratch.seen = memory
    memory += <Py_ssize_t> SEEN
    return memory - start
