"""What counts, as kernels are told; see counting.h."""
from libc.string cimport memcpy

from adaptive_pool._kernels.call.elements cimport Element, size_of

cdef extern from "tiles/counting.h" nogil:
    ctypedef void (*blank_t "ap_blank")(
        const counting_t* c, const char* x, const char* where, Py_ssize_t n, char* copy,
        unsigned char* flags,
    ) noexcept
    ctypedef void (*unflag_t "ap_unflag")(
        const counting_t* c, const char* x, Py_ssize_t n, unsigned char* flags,
    ) noexcept
    ctypedef struct counting_t "ap_counting":
        blank_t blank
        unflag_t unflag
        Py_ssize_t size
        char nothing[8]
        bint omits, has_nodata
        char nodata[8]
    const blank_t* ap_all_blanks
    const unflag_t* ap_all_unflags


cdef inline int set_flagging(
    counting_t* counting, Element element,
    const char* nothing,    # IN: what stands for an element that does not count
    bint omits,             # IN: whether NaN does not count
    nodata,                 # IN: the bytes of an element that does not count, or None
) except -1:
    """What counts, for those who want flags."""
    counting.blank, counting.unflag = NULL, ap_all_unflags[<int> element]
    counting.size = size_of(element)
    memcpy(counting.nothing, nothing, size_of(element))
    counting.omits, counting.has_nodata = omits, nodata is not None
    if nodata is not None:
        memcpy(counting.nodata, <const char*> <bytes> nodata, size_of(element))
    return 0


cdef inline int set_counting(
    counting_t* counting, Element element, const char* nothing, bint omits, nodata,
) except -1:
    """The same, for those who want copies beside flags."""
    set_flagging(counting, element, nothing, omits, nodata)
    counting.blank = ap_all_blanks[<int> element]
    return 0
