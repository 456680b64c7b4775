"""Arrays that touch unreadable pages: one byte read or written outside them ends the process.

POSIX only. Scratch memory and the stack have no such pages; that is what sanitizers are for.
"""

import ctypes
import math
import mmap
import sys

import numpy as np

UNAVAILABLE = sys.platform == "win32"
PROT_NONE = 0


class Guarded:
    """Memory between two pages that can be neither read nor written."""

    def __init__(self, size):
        page = mmap.PAGESIZE
        pages = math.ceil(size / page)
        self.map = mmap.mmap(-1, (pages + 2) * page)
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for guard in (address, address + (pages + 1) * page):
            if protect(ctypes.c_void_p(guard), ctypes.c_size_t(page), PROT_NONE):
                raise OSError(ctypes.get_errno(), "mprotect failed")
        self.bytes = np.frombuffer(self.map, np.uint8, pages * page, page)

    def fill(self, values):
        """Repeat the bytes of `values` throughout."""
        pattern = np.ascontiguousarray(values).view(np.uint8).ravel()
        self.bytes[...] = np.resize(pattern, self.bytes.size)

    def array(self, shape, dtype, strides, at_end):
        """An array whose last byte, or first, touches a guard page. Nothing is copied."""
        reach = [stride * (size - 1) for size, stride in zip(shape, strides, strict=True)]
        before = -sum(min(step, 0) for step in reach)
        after = sum(max(step, 0) for step in reach) + dtype.itemsize
        offset = self.bytes.size - after if at_end else before
        return np.ndarray(shape, dtype, self.bytes.data, offset, strides)


def dense(shape, itemsize, order=None, padding=0):
    """Strides of a dense array whose axes lie in memory in some order, the last ones padded."""
    strides = [0] * len(shape)
    step = itemsize
    for k in reversed(order or range(len(shape))):
        strides[k] = step
        step *= shape[k] + padding
        padding = 0
    return strides


def channels_moved(shape, itemsize):
    """Channels first that lie as channels last do, and the other way round."""
    axes = list(range(len(shape)))
    return dense(shape, itemsize, [*axes[:1], *axes[2:], *axes[1:2]])


# Strides by shape and size of an element. The extreme elements are at the ends of the memory.
LAYOUTS = {
    "dense": dense,
    "reversed": lambda shape, itemsize: [-s for s in dense(shape, itemsize)],
    "reversed-columns": lambda shape, itemsize: (
        dense(shape, itemsize)[:-1] + [-s for s in dense(shape, itemsize)[-1:]]
    ),
    "every-second": lambda shape, itemsize: [2 * s for s in dense(shape, itemsize)],
    "padded-rows": lambda shape, itemsize: dense(shape, itemsize, padding=3),
    "fortran": lambda shape, itemsize: dense(shape, itemsize, list(range(len(shape)))[::-1]),
    "channels-moved": channels_moved,
    "odd-steps-of-size-1": lambda shape, itemsize: [
        12345 * itemsize if size == 1 else stride
        for size, stride in zip(shape, dense(shape, itemsize), strict=True)
    ],
}

# For inputs alone: their elements share memory.
BROADCAST = {
    "one-row": lambda shape, itemsize: [
        0 if k == len(shape) - 2 else s for k, s in enumerate(dense(shape, itemsize))
    ],
    "one-column": lambda shape, itemsize: [*dense(shape[:-1], itemsize), 0],
    "one-element": lambda shape, itemsize: [0] * len(shape),
}
