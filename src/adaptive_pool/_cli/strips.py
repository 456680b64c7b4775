"""Arrays in files for which there is no room, mapped or read: pooled strip by strip."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._problem import Array, DataFormat
from .._windows import Rule, pool_windows
from .npy import read_header

Size = tuple[int | None, int | None]


class Large(NamedTuple):
    """An array in a ``.npy`` file, in C order, of which only parts can be mapped."""

    path: Path
    offset: int
    shape: tuple[int, ...]  # with channels
    dtype: np.dtype

    def part(self, first: int, shape: tuple[int, ...]) -> Array:
        """Return the elements from number `first` on."""
        offset = self.offset + first * self.dtype.itemsize
        return np.asarray(np.memmap(self.path, self.dtype, "r", offset, shape))


def large(path: Path) -> Large:
    """Return the array in a file, without channels where it has two axes."""
    with path.open("rb") as stream:
        shape, fortran_order, dtype = read_header(stream)
        if fortran_order:
            raise MemoryError("an array in Fortran order must fit the memory as a whole")
        return Large(path, stream.tell(), shape, dtype)


def pool_in_strips(
    array: Large,
    pool: Callable[[Array, Size], Array],
    size: Size,
    windows: Rule,
    data_format: DataFormat,
) -> Array:
    """Pool the rows of one output at a time: each output is made of the same elements as ever."""
    last = data_format == "channels_last"
    *leading, height, width, channels = array.shape if last else (*array.shape, 1)
    starts, ends = pool_windows(height, height if size[0] is None else size[0], windows)
    strips = []
    for plane in range(math.prod(leading)):
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            rows = end - start
            shape = (rows, width, channels) if last else (1, rows, width)
            first = (plane * height + start) * width * channels
            strips.append(pool(array.part(first, shape), (1, size[1])))  # one mapped at a time
    pooled = np.stack(strips)  # each (1, W, C) or (1, 1, W)
    return pooled.reshape(*leading, len(starts), *(pooled.shape[2:] if last else pooled.shape[3:]))
