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
    """Pool some rows at a time: each output is made of the same elements as ever."""
    last = data_format == "channels_last"
    *leading, height, width, channels = array.shape if last else (*array.shape, 1)
    count = height if size[0] is None else size[0]
    strips = []
    for plane in range(math.prod(leading)):
        for start, end, outputs in _strips(height, count, windows):
            rows = end - start
            shape = (rows, width, channels) if last else (1, rows, width)
            first = (plane * height + start) * width * channels
            strips.append(
                pool(array.part(first, shape), (outputs, size[1]))
            )  # one mapped at a time
    pooled = np.stack(strips)  # each (outputs, W, C) or (1, outputs, W)
    return pooled.reshape(*leading, count, *(pooled.shape[2:] if last else pooled.shape[3:]))


def _strips(height: int, count: int, windows: Rule) -> list[tuple[int, int, int]]:
    """Return first and last rows, and to how many outputs they are pooled by the same rule.

    By area, rows weigh the same only from one place where an output and a row end together to the
    next.
    """
    starts, ends = pool_windows(height, count, windows)
    outputs = max(count // math.gcd(height, count), 1) if windows == "area" else 1
    firsts, lasts = starts[::outputs].tolist(), ends[outputs - 1 :: outputs].tolist()
    return [(first, last, outputs) for first, last in zip(firsts, lasts, strict=True)]
