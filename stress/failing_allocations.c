/* Allocations that fail one at a time, and a count of the blocks that are live.

   Preloaded, it stands before the C library's allocator (glibc's, by the names it gives to it). The
   n-th allocation from now that this thread makes, in a file whose path holds `part`, fails.
   What libgomp asks for does not count: without memory it ends the process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static _Thread_local long left;     /* until the one that fails; 0: none does */
static char part[64];
static atomic_long live;

void fail_in_turn(long n, const char *path) {
    left = 0;
    strncpy(part, path, sizeof part - 1);
    left = n;
}

/* No allocation fails any more; returns how many were left, 0 if one has failed. */
long stop_failing(void) {
    long rest = left;
    left = 0;
    return rest;
}

long live_blocks(void) { return live; }

static int fails(void *caller) {
    Dl_info file;
    if (left == 0 || !dladdr(caller, &file) || !strstr(file.dli_fname, part)
        || strstr(file.dli_fname, "libgomp") || --left > 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

static void *counted(void *block) {
    if (block)
        live++;
    return block;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size) { return fails(CALLER) ? NULL : counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) {
    return fails(CALLER) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size) {
    void *moved = fails(CALLER) ? NULL : __libc_realloc(block, size);
    if (block == NULL)
        return counted(moved);
    if (size == 0)
        live--;
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
}

void *memalign(size_t alignment, size_t size) {
    return fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
    return *block ? 0 : ENOMEM;
}

void free(void *block) {
    if (block)
        live--;
    __libc_free(block);
}
