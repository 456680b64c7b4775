"""Which outputs a task computes, and which inputs it needs for them.

Results are cut, not inputs: a block of outputs is pooled from a slice of the input, by the windows
of the whole axis, moved to where the slice begins. So no window is ever cut, and a block has the
bits of the whole result for any chunks.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from .._windows import (
    Table,
    Weighed,
    Windows,
    cut_by_rule,
    explicit_table,
    rule_or_pairs,
    weighed_by_area,
)

Range: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class Span:
    """Some outputs of an axis, the inputs they are pooled from, and windows over these.

    Of an axis that is not cut, which is pooled as the caller said, there are no windows here.
    """

    outputs: Range
    inputs: Range
    windows: Table | Weighed | None

    @property
    def count(self) -> int:
        """How many outputs there are."""
        return self.outputs[1] - self.outputs[0]

    @property
    def size(self) -> int:
        """How many inputs there are."""
        return self.inputs[1] - self.inputs[0]

    @property
    def is_plain(self) -> bool:
        """Whether there are windows, of whole elements."""
        return self.windows is not None and not isinstance(self.windows, Weighed)

    def repeated(self, times: int) -> Table | Weighed:
        """Return each window so many times."""
        assert self.windows is not None
        starts, ends = (np.repeat(table, times) for table in self.windows[:2])
        if isinstance(self.windows, Weighed):  # alike, see `must_keep_to_lines`
            return self.windows._replace(starts=starts, ends=ends)
        return starts, ends

    @property
    def is_one_window(self) -> bool:
        """Whether a single window covers all inputs."""
        assert self.windows is not None
        starts, ends = self.windows[:2]
        return self.count == 1 and int(ends[0] - starts[0]) == self.size


def tables_of(
    function: str, sizes: tuple[int, ...], counts: tuple[int, ...], windows: Windows
) -> tuple[Table | Weighed, ...]:
    """Return the windows of whole axes, of a geometry that was checked."""
    given = rule_or_pairs(function, len(sizes), windows)
    if not isinstance(given, str):
        tables = [
            explicit_table(function, axis, size, pair)
            for axis, (size, pair) in enumerate(zip(sizes, given, strict=True))
        ]
        return tuple(tables)
    if given == "area":
        return tuple([weighed_by_area(function, i, o) for i, o in zip(sizes, counts, strict=True)])
    return tuple([cut_by_rule(function, i, o, given) for i, o in zip(sizes, counts, strict=True)])


def _span(table: Table | Weighed, first: int, last: int) -> Span:
    begin, end = int(table[0][first:last].min()), int(table[1][first:last].max())
    if isinstance(table, Weighed):
        return Span((first, last), (begin, end), table.part(first, last, begin))
    starts, ends = table
    moved = starts[first:last] - begin, ends[first:last] - begin
    return Span((first, last), (begin, end), moved)


def _borders_like(chunks: Sequence[int], count: int) -> list[int]:
    """Cut outputs in proportion to the chunks of the input, each at least one output."""
    size = sum(chunks)
    ends = itertools.accumulate(chunks)
    return sorted({0, count, *((2 * end * count + size) // (2 * size) for end in ends)})


def _halved(borders: list[int]) -> list[int]:
    middles = [(a + b) // 2 for a, b in itertools.pairwise(borders)]
    return sorted({*borders, *middles})


def cut_outputs(
    tables: Sequence[Table | Weighed],
    chunks: Sequence[Sequence[int]],
    others: int,
    itemsizes: tuple[int, int],
    limit: int,
) -> list[list[Span]]:
    """Cut the outputs of each pooled axis, so that a task has no more than `limit` bytes if it can.

    `others` are the elements of a chunk along axes that are not pooled, `itemsizes` those of input
    and result.
    """
    borders = [_borders_like(c, len(t[0])) for c, t in zip(chunks, tables, strict=True)]
    while True:
        spans = [
            [_span(table, a, b) for a, b in itertools.pairwise(ends)]
            for table, ends in zip(tables, borders, strict=True)
        ]
        sizes = [max(span.size for span in axis) for axis in spans]
        counts = [max(span.count for span in axis) for axis in spans]
        most = others * max(
            itemsizes[0] * int(np.prod(sizes, dtype=object)),
            itemsizes[1] * int(np.prod(counts, dtype=object)),
        )
        if most <= limit or max(counts) == 1:
            return spans
        axis = max(range(len(spans)), key=lambda k: (counts[k] > 1, sizes[k], counts[k]))
        borders[axis] = _halved(borders[axis])


def _hold_parts(tables: Sequence[Table | Weighed | None]) -> bool:
    """Whether windows hold elements in part."""
    return any(isinstance(table, Weighed) and len(table.firsts) > 0 for table in tables)


def is_whole(tables: Sequence[Table | Weighed], sizes: Sequence[int]) -> bool:
    """Whether elements of windows are numbered through, as docs/design/summation.md says.

    They are where one window is all of W; others are added line by line.
    """
    starts, ends = tables[-1][:2]
    return len(starts) == 1 and int(ends[0] - starts[0]) == sizes[-1] and not _hold_parts(tables)


def must_keep_to_lines(spans: Sequence[Span], *, whole: bool) -> bool:
    """Whether a block by itself would be numbered through where the windows of all are not.

    The slice of a block may have no more columns than its one window. `whole` is what `is_whole`
    says of all windows. Of a single line the order is the same.
    """
    lines = max((span.size for span in spans[:-1]), default=1)
    weighs = _hold_parts([span.windows for span in spans])
    return not whole and not weighs and lines > 1 and spans[-1].is_one_window


def chunks_within(ends: Sequence[int], inputs: Range) -> Iterator[tuple[int, slice]]:
    """Yield the chunks that hold some inputs of an axis, and where in them these are.

    `ends` are those of all chunks.
    """
    begin, end = inputs
    if begin == end:  # of an empty axis
        yield 0, slice(0, 0)
    k = bisect.bisect_right(ends, begin)
    while begin < end:
        start, stop = ends[k - 1] if k > 0 else 0, min(ends[k], end)
        if stop > begin:
            yield k, slice(begin - start, stop - start)
            begin = stop
        k += 1


def pieces_of_range(inputs: Range, chunks: Sequence[int], most: int) -> list[Range]:
    """Cut inputs where chunks end, and into pieces of no more than so many."""
    begin, end = inputs
    inner = [border for border in itertools.accumulate(chunks) if begin < border < end]
    pieces = []
    for a, b in itertools.pairwise([begin, *dict.fromkeys(inner), end]):
        pieces += [(k, min(k + most, b)) for k in range(a, b, most)]
    return pieces


def slabs_of(
    inputs: Sequence[Range], chunks: Sequence[Sequence[int]], row: int, limit: int
) -> list[tuple[Range, ...]]:
    """Cut the slice of a window into slabs of whole lines, in row-major order.

    `row` are the bytes of a column of it, with all that is not pooled. A slice of a single line is
    cut along W.
    """
    *outer, w = inputs
    lines = [b - a for a, b in outer]
    if all(n == 1 for n in lines):
        return [(*outer, piece) for piece in pieces_of_range(w, chunks[-1], max(limit // row, 1))]
    row *= w[1] - w[0]
    if len(outer) == 2:
        d, h = outer
        plane = row * lines[1]
        if plane <= limit:
            planes = pieces_of_range(d, chunks[0], limit // plane)
            return [(piece, h, w) for piece in planes]
        rows = pieces_of_range(h, chunks[1], max(limit // row, 1))
        return [((k, k + 1), piece, w) for k in range(*d) for piece in rows]
    return [(piece, w) for piece in pieces_of_range(outer[0], chunks[0], max(limit // row, 1))]
