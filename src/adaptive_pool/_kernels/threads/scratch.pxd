"""Memory that kernels work in, kept from one call to the next.

Allocated by each call, it made glibc give the top of the heap back to the system after it, with the
result that the caller was done with: a call that fills 230 KB took 93 us, of which 60 were page
faults. One block is kept. A call takes it and leaves nothing, so that another
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
    #ifdef __SANITIZE_ADDRESS__
    #include <sanitizer/asan_interface.h>
    #define ap_fence(begin, end) \\
        __asan_poison_memory_region(begin, (char *) (end) - (char *) (begin))
    #define ap_open(begin, end) \\
        __asan_unpoison_memory_region(begin, (char *) (end) - (char *) (begin))
    #else
    #define ap_fence(begin, end) ((void) 0)
    #define ap_open(begin, end) ((void) 0)
    #endif
    static void *ap_kept = NULL;
    """
    void ap_fence(void* begin, void* end) noexcept nogil    # nobody may touch this memory
    void ap_open(void* begin, void* end) noexcept nogil
    void* ap_kept
    void* ap_exchange(void** place, void* block) noexcept nogil

cdef enum:
    MOST_KEPT = 1048576     # bytes
    CACHE_LINE = 64


cdef struct Block:
    # Lies just before the memory that is handed out, which starts a cache line: vectors that cross
    # one take up to twice the time.
    void* allocated
    Py_ssize_t size


cdef inline Py_ssize_t whole_cache_lines(Py_ssize_t size) noexcept nogil:
    return (size + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE


cdef inline Block* allocate(Py_ssize_t size) noexcept nogil:
    """A block with `size` bytes behind it, or NULL."""
    cdef void* allocated = malloc(sizeof(Block) + CACHE_LINE + <size_t> size)
    cdef Block* block
    if allocated == NULL:
        return NULL
    block = <Block*> (
        <size_t> whole_cache_lines(<Py_ssize_t> (<size_t> allocated + sizeof(Block)))
    ) - 1
    block.allocated, block.size = allocated, size
    return block


cdef inline void release(void* block) noexcept nogil:
    if block != NULL:
        free((<Block*> block).allocated)


cdef inline char* take_scratch(Py_ssize_t size) noexcept nogil:
    """Memory of `size` bytes and more, or NULL."""
    cdef Block* block = <Block*> ap_exchange(&ap_kept, NULL)
    if block == NULL or block.size < size:
        release(block)
        block = allocate(size)
        if block == NULL:
            return NULL
    cdef char* scratch = <char*> (block + 1)
    ap_open(scratch, scratch + size)
    ap_fence(scratch + size, <char*> block.allocated + sizeof(Block) + CACHE_LINE + block.size)
    return scratch


cdef inline void put_back_scratch(char* scratch) noexcept nogil:
    cdef Block* block = <Block*> scratch - 1
    if block.size > MOST_KEPT:
        release(block)
    else:
        release(ap_exchange(&ap_kept, block))
