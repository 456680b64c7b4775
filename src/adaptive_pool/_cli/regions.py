"""Regions of an array: parts that are read once, and from which all levels of a pyramid are made.

Three things decide where an array may be cut. A block of the coarsest level, ``F**N`` elements
along a pooled axis, is in one region as a whole. What is written of a level at a time, a chunk or a
shard, comes from one region alone, so that it is written once and by one thread; levels too coarse
for that are collected first, and written in the end. And a region has more than one block of each
level along the last pooled axis, unless the whole axis has one: a single window along it is added
up in another order (docs/design/summation.md), and the last bit of a float might differ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

Box = tuple[slice, ...]
Shape = tuple[int, ...]


class Cutting(NamedTuple):
    """How level 0 is cut into regions; what is said of axes is said of each of them."""

    shape: Shape  # of level 0
    factors: Shape  # 1 along axes that are not pooled
    levels: int  # beside level 0
    unit: Shape  # of a region; those at the end are shorter
    last_pooled: int

    def level_shape(self, level: int) -> Shape:
        """Return the shape of a level."""
        return tuple(-(-n // f**level) for n, f in zip(self.shape, self.factors, strict=True))

    def boxes(self) -> list[Box]:
        """Return the regions, in row-major order."""
        return list(itertools.product(*self.cuts()))

    def cuts(self) -> list[list[slice]]:
        """Return the parts that each axis is cut into."""
        return [self._cuts(axis) for axis in range(len(self.shape))]

    def _cuts(self, axis: int) -> list[slice]:
        length, unit = self.shape[axis], self.unit[axis]
        borders = [*range(0, length, unit), length]
        block = self.factors[axis] ** self.levels
        if axis == self.last_pooled and len(borders) > 2 and length - borders[-2] <= block:
            del borders[-2]  # one block alone goes with those before it
        return [slice(a, b) for a, b in itertools.pairwise(borders)]

    def of_level(self, box: Box, level: int) -> Box:
        """Return what a region comes to in a level."""
        return tuple(
            slice(part.start // f**level, -(-part.stop // f**level))
            for part, f in zip(box, self.factors, strict=True)
        )

    def writes_whole(self, level: int, written: Shape) -> bool:
        """Whether regions hold all of each part of a level, of this shape, that they touch."""
        return all(
            unit >= n or unit % (f**level * w) == 0
            for n, f, unit, w in zip(self.shape, self.factors, self.unit, written, strict=True)
        )


def cut(
    shape: Shape,
    factors: Shape,
    last_pooled: int,
    levels: int,
    written: Shape,
    itemsize: int,
    room: int,
) -> Cutting:
    """Cut level 0 into regions of at most `room` bytes that many levels can be written from.

    `written` is the shape of a chunk, or of a shard where there are any.
    """
    for direct in range(levels, -1, -1):
        unit = [
            _unit(n, f, levels, w * f**direct, more_than_one=axis == last_pooled)
            for axis, (n, f, w) in enumerate(zip(shape, factors, written, strict=True))
        ]
        if math.prod(unit) * itemsize <= room:
            break
    else:
        raise ValueError(
            f"a block of level {levels}, in whole chunks, needs a region of shape {tuple(unit)}, "
            f"{math.prod(unit) * itemsize} bytes, but one may have {room}: write fewer levels or "
            "smaller chunks, or give more --memory"
        )
    for axis in reversed(range(len(shape))):  # rows as long as possible: files have them together
        more = room // (math.prod(unit) * itemsize)
        unit[axis] = min(shape[axis], unit[axis] * more)
    return Cutting(shape, factors, levels, tuple(unit), last_pooled)


def _unit(length: int, factor: int, levels: int, written: int, *, more_than_one: bool) -> int:
    block = factor**levels
    unit = math.lcm(block, written)
    if more_than_one and unit == block:
        unit *= 2
    return min(length, unit)


def grid(shape: Shape, unit: Shape) -> Iterator[Box]:
    """Yield parts of an array that are `unit` long, or at the end what is left."""
    axes = [
        [slice(start, min(start + u, n)) for start in range(0, n, u)]
        for n, u in zip(shape, unit, strict=True)
    ]
    yield from itertools.product(*axes)


def shared(a: Box, b: Box) -> Box:
    """Return what two boxes have in common."""
    return tuple(
        slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(a, b, strict=True)
    )


def within(part: Box, box: Box) -> Box:
    """Return where a part of a box is, counted from its beginning."""
    return tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True))


def extent(box: Box) -> Shape:
    """Return the shape of a box."""
    return tuple(part.stop - part.start for part in box)
