"""An array in a ``.npy`` file that is written row by row, while nobody knows how many will come.

Where the disk sets aside room for all rows that are expected, the rows are mapped, some megabytes
at a time: the disk is found full before the work, not after it, and what is written needs no
memory. A mapped page for which there is no room would end the process; so without that promise rows
are written in the usual way.
"""

from __future__ import annotations

import math
from typing import IO

import numpy as np

from .._problem import Array
from .replacing import reserve

# Bytes.
_MAPPED_AT_ONCE = 2**24


class Rows:
    """Rows of one shape and dtype: room for `expected` of them to begin with, more as they come."""

    def __init__(self, stream: IO[bytes], like: Array, expected: int) -> None:
        self.shape, self.dtype = like.shape, like.dtype
        self._stream = stream
        self._write_header(expected)
        self._start = stream.tell()
        self._size = math.prod(self.shape) * self.dtype.itemsize  # of a row
        self._at_once = max(1, _MAPPED_AT_ONCE // max(1, self._size))
        self._room = 0
        self._first = 0  # of the chunk, the rows that are being written
        self._chunk: Array = np.empty((0, *self.shape), self.dtype)
        self._reserve(expected)

    def put(self, k: int, row: Array) -> None:
        """Write row number `k`; they come in their order."""
        if k == self._first + len(self._chunk):
            self._leave()
            self._first, self._chunk = k, self._next(k)
        self._chunk[k - self._first] = row

    def finish(self, count: int) -> None:
        """End the file after `count` rows."""
        self._leave()
        self._stream.flush()
        self._stream.truncate(self._start + count * self._size)
        self._stream.seek(0)
        self._write_header(count)
        self._stream.flush()

    def _write_header(self, count: int) -> None:
        # It has the same length for any number of rows.
        head = np.lib.format.header_data_from_array_1_0(np.empty((0, *self.shape), self.dtype))
        np.lib.format.write_array_header_1_0(self._stream, {**head, "shape": (count, *self.shape)})

    def _reserve(self, rows: int) -> None:
        self._stream.flush()
        self._mapped = reserve(self._stream, self._start + rows * self._size)
        self._room = rows

    def _next(self, first: int) -> Array:
        """Return the rows from `first` on, as many as are looked at together."""
        if first == self._room:
            self._reserve(2 * first)
        count = min(self._at_once, self._room - first)
        offset = self._start + first * self._size
        shape = (count, *self.shape)
        if self._mapped and self._size:
            try:
                return np.memmap(self._stream, self.dtype, "r+", offset, shape)
            except OSError:  # this file system has no maps
                self._mapped = False
        return np.zeros(shape, self.dtype)

    def _leave(self) -> None:
        """Have the rows that are looked at in the file."""
        if not isinstance(self._chunk, np.memmap) and self._chunk.size:
            self._stream.seek(self._start + self._first * self._size)
            self._stream.write(self._chunk.reshape(-1).view(np.uint8).data)
        self._first += len(self._chunk)
        self.release()

    def release(self) -> None:
        """Hold no map of the file: some systems do not delete or replace one that is mapped."""
        self._chunk = np.empty((0, *self.shape), self.dtype)
