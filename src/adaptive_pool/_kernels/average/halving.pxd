"""Short integers to half their size: means of windows of 2 x 2, of one to four channels.

The general way takes four passes over such windows: docs/design/packing.md has the figures.
"""
from adaptive_pool._kernels.average.short_integers cimport is_negative
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport INT8, INT16, UINT8, UINT16, Element
from adaptive_pool._kernels.tiles.planes cimport Line, Pooling, at, input_at, line_of, next_line

cdef extern from "average/halving.h":
    enum:
        HALVING "AP_HALVING"
    void ap_halve(
        const char* row, Py_ssize_t step, Py_ssize_t n, int lanes, int size, bint negative,
        char* out,
    ) noexcept nogil


cdef inline bint is_halving(
    const Pooling* p, const Array* out, Element element, Element out_element,
) noexcept nogil:
    """Whether `halve` is what is asked for: windows of 2 x 2 that follow each other."""
    cdef Py_ssize_t size = p.x.itemsize
    return HALVING and (
        element in (UINT8, INT8, UINT16, INT16) and out_element == element
        and p.lanes <= 4 and p.fetch == NULL
        and p.w.regular == 2 and p.h.shortest == 2 and p.h.longest == 2 and p.d.longest == 1
        and p.x.w == p.lanes * size and out.w == p.lanes * size
        and (p.lanes == 1 or p.x.lane == size and out.lane == size)
    )


cdef inline void halve(
    const Pooling* p, Py_ssize_t first, Py_ssize_t count,   # IN: output lines
    const Array* out,
) noexcept nogil:
    cdef Line line = line_of(p, first)
    for _k in range(count):
        ap_halve(
            input_at(p, &line, 0, p.w.starts[0], 0), p.x.h, 2 * p.w.count, <int> p.lanes,
            <int> p.x.itemsize, is_negative(p.element),
            at(out, line.batch, line.channel, line.od, line.oh, 0, 0),
        )
        next_line(p, &line)
