"""Maxima of maxima: windows that are made of whole other windows need not be looked at again.

The maximum of a union is that of the maxima, and overlaps do no harm. Halves, thirds and the whole
of an axis are made of its sixths, and so are blocks of 4 of blocks of 2.
"""

from __future__ import annotations

import numpy as np

from ._arrays import Array
from ._dtypes import WORDS
from ._kernels.call.problem import Problem
from ._windows import Table, cut_by_rule

_PIECE = 65536  # elements that are looked at at a time


def tables_of(function: str, problem: Problem) -> tuple[Table, ...]:
    """Return the windows of a problem."""
    given = problem.windows
    if isinstance(given, tuple):
        return given
    lengths = zip(problem.input_size, problem.output_size, strict=True)
    return tuple([cut_by_rule(function, size, count, str(given)) for size, count in lengths])


def _ranges(fine: Table, coarse: Table) -> Table | None:
    """Return of which windows of one table those of another are made, or None if not of whole."""
    starts, ends = fine
    if (np.diff(starts) < 0).any() or (np.diff(ends) < 0).any() or (starts[1:] > ends[:-1]).any():
        return None  # in disorder, or with gaps
    firsts, lasts = np.searchsorted(starts, coarse[0]), np.searchsorted(ends, coarse[1])
    if (firsts == len(starts)).any() or (lasts == len(ends)).any() or (firsts > lasts).any():
        return None
    if (starts[firsts] != coarse[0]).any() or (ends[lasts] != coarse[1]).any():
        return None
    return firsts, lasts + 1


def ranges_of(fine: tuple[Table, ...], coarse: tuple[Table, ...]) -> tuple[Table, ...] | None:
    """Return the same for each axis, or None."""
    ranges: list[Table] = []
    for one, other in zip(fine, coarse, strict=True):
        found = _ranges(one, other)
        if found is None:
            return None
        ranges.append(found)
    return tuple(ranges)


def is_settled(maxima: Array) -> bool:
    """Whether maxima of these are the same in any order: neither -0.0 nor NaN is among them.

    Of elements that are equal the first one wins, in the order of the input, and 0.0 equals -0.0;
    of NaNs, which may have different bits, the last one.
    """
    if maxima.dtype.kind in "biu":
        return True
    word = WORDS[maxima.itemsize].type
    sign = word(1 << (8 * maxima.itemsize - 1))
    infinity = np.array(np.inf).astype(maxima.dtype).view(word)
    bits = maxima.ravel(order="K").view(word)
    for k in range(0, bits.size, _PIECE):
        piece = bits[k : k + _PIECE]
        if (piece == sign).any() or ((piece & ~sign) > infinity).any():
            return False
    return True
