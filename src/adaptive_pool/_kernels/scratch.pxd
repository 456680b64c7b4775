"""Memory that kernels work in, kept from one call to the next.

Allocated by each call, it made glibc give the top of the heap back to the system after it, with the
result that the caller was done with: a call that fills 230 KB took 93 us, of which 60 were page
faults. One block is kept by each kernel module. A call takes it and leaves nothing, so that another
at the same time asks the allocator; each puts its own back, and frees what it finds there.
docs/design/threads.md.
"""
from libc.stdlib cimport free, malloc

cdef extern from *:
    """
    #ifdef _MSC_VER
    #include <intrin.h>
    #define ap_exchange(place, block) _InterlockedExchangePointer(place, block)
    #else
    #define ap_exchange(place, block) __atomic_exchange_n(place, block, __ATOMIC_ACQ_REL)
    #endif
    static void *ap_kept = NULL;
    """
    void* ap_kept
    void* ap_exchange(void** place, void* block) noexcept nogil

cdef enum:
    MOST_KEPT = 1048576     # bytes


cdef struct Block:
    Py_ssize_t size         # of the memory behind this
    Py_ssize_t _            # keeps it aligned as malloc aligns


cdef inline char* take_scratch(Py_ssize_t size) noexcept nogil:
    """Memory of `size` bytes and more, or NULL."""
    cdef Block* block = <Block*> ap_exchange(&ap_kept, NULL)
    if block == NULL or block.size < size:
        free(block)
        block = <Block*> malloc(sizeof(Block) + <size_t> size)
        if block == NULL:
            return NULL
        block.size = size
    return <char*> (block + 1)


cdef inline void put_back_scratch(char* scratch) noexcept nogil:
    cdef Block* block = <Block*> scratch - 1
    if block.size > MOST_KEPT:
        free(block)
    else:
        free(ap_exchange(&ap_kept, block))
