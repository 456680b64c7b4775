"""Multiscale pyramids: an array at several resolutions, each level made of the first."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array
from ._average import _average
from ._counting import counting_of, mask_of
from ._maximum import _maximum
from ._objects import is_a, no_memory, said, shown
from ._options import CountedTypes, described, options_of
from ._threads import as_threads
from ._together import REDUCTIONS, is_small, pool_together, wanted_of
from ._windows import Table, as_size, block_windows, first_entries

_MOST_LEVELS = 64  # no axis is longer than 1 then, where the factor is 2


@described
def pyramid(
    x: npt.ArrayLike,
    levels: int,
    *,
    axes: int | Sequence[int] = (-2, -1),
    factor: int | Sequence[int] = 2,
    reduce: Literal["avg", "max"] = "avg",
    num_threads: int | None = None,
    **options: Unpack[CountedTypes],
) -> list[Array]:
    """Pool an array to a pyramid of levels, each a given factor coarser than the one before.

    An element of level `l` is the average, or the maximum, of a block of ``factor**l`` elements of
    `x` along each of `axes`; blocks at the end of an axis have what is left, so no size needs to
    divide. Every level is what it would be if it were made of `x` alone: averages of integers are
    rounded once, half to even. A large input is read from memory once for all levels, piece by
    piece, while a piece is in the cache; with `where` and the options after it, once for each.

    Parameters
    ----------
    x : array_like
        Level 0, of any shape. Integers of 8 to 64 bits, float16, bfloat16, float32 or float64;
        bool for maxima only.
    levels : int
        Number of arrays in the result, of which `x` is the first.
    axes : int or sequence of 1 to 3 int
        The axes that become shorter, counted from the end if negative.
    factor : int or sequence of int
        Length of a block of level 1 along all of `axes`, or along each of them.
    reduce : {"avg", "max"}
        What becomes of a block.
    where : array_like of bool, optional
        Which elements count, in any shape that broadcasts to that of `x`.
    nan_policy : {"propagate", "omit"}
        Whether NaN counts, which makes a block NaN, or is left out. Of integers it says nothing.
    nodata : scalar, optional
        A number that stands for no data: elements that are equal to it do not count. The dtype of
        `x` must have it exactly.
    empty : scalar, optional
        What a block becomes none of whose elements count. By default `nodata`, if that is given;
        else NaN and, of integers, an error.
    min_count : int
        Elements that must count in a block: with fewer it becomes `empty` too.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. Results are the same for any number.

    Returns
    -------
    list of ndarray, dtype of `x` in the byte order of the machine
        Level 0 is `x` itself, as an array, not a copy, and as it is. Level `l` has length
        ``ceil(I / factor**l)`` along an axis of length `I`.

    Raises
    ------
    TypeError
        If a dtype is not supported, bool is to be averaged, an array has a mask, or an argument is
        of the wrong type.
    ValueError
        If `levels` is not 1 to 64, there are not 1 to 3 axes, all different and of `x`, a factor
        is 0, `reduce` is unknown, or a block of integers is empty.
    MemoryError
        If there is no memory for the levels or the tables of blocks.

    See Also
    --------
    block_windows : the blocks of a level.

    Notes
    -----
    Levels that are made of the level before differ, as each rounds again: of random bytes a sixth
    of the elements of level 3. At odd sizes, an element at the end of an axis then counts as much
    as two others.

    References
    ----------
    P. Burt and E. Adelson, "The Laplacian Pyramid as a Compact Image Code", IEEE Transactions on
    Communications 31, 1983, for pyramids; with blocks instead of Gaussian weights.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> x = np.arange(20, dtype=np.uint8).reshape(4, 5)
    >>> for level in ap.pyramid(x, 3)[1:]:
    ...     print(level)
    [[ 3  5  6]
     [13 15 16]]
    [[ 9 12]]

    Along one axis only, and maxima:

    >>> ap.pyramid(x, 2, axes=0, factor=3, reduce="max")[1]
    array([[10, 11, 12, 13, 14],
           [15, 16, 17, 18, 19]], dtype=uint8)
    """
    return _pyramid("pyramid", x, levels, axes, factor, reduce, num_threads, options)


def _pyramid(
    function: str,
    x: npt.ArrayLike,
    levels: int,
    axes: Any,
    factor: Any,
    reduce: Any,
    num_threads: int | None,
    given: Mapping[str, Any],
) -> list[Array]:
    try:
        options = options_of(function, given, CountedTypes)
        x = as_array(function, "x", x)
        num_threads = as_threads(function, num_threads)  # no code of the caller's runs from now on
        count = as_size(function, "levels", levels)
        if not 1 <= count <= _MOST_LEVELS:
            raise ValueError(f"{function}: levels must be 1 to {_MOST_LEVELS}, got {count}")
        factors = _factors(function, x.ndim, axes, factor)
        name = str.__str__(reduce) if is_a(reduce, str) else ""
        if name not in REDUCTIONS:
            raise ValueError(f"{function}: reduce must be 'avg' or 'max', got {shown(reduce)}")
        _dtypes.check_dtype(function, "x", x.dtype, _dtypes.SUPPORTED)
        if name == "avg" and x.dtype.kind == "b":
            raise TypeError(
                f"{function}: averages of bool are no bool; pass reduce='max', or convert x"
            )
        if any(x.shape[axis] > 2**62 for axis in factors):
            raise ValueError(
                f"{function}: pooled axes must have at most 2**62 elements, got shape {x.shape}"
            )
        if options is not None:  # before `empty` is what nodata is
            counting_of(function, options._replace(where=None), x.shape, _dtypes.native(x.dtype))
        source = _Source(x, tuple(factors))
        blocks = _blocks(x.shape, factors, count)
        pool = _one_by_one if options is not None or is_small(x) else _together
        made = pool(function, name, source, blocks, num_threads, given)
        return [x, *[source.as_given(level) for level in made]]
    except MemoryError as error:
        raise no_memory(function, error) from error


def _factors(function: str, ndim: int, axes: Any, factor: Any) -> dict[int, int]:
    """Return the factor of each pooled axis, in the order of the axes."""
    names = [_axis(function, entry) for entry in _entries(function, "axes", axes)]
    if not 1 <= len(names) <= 3:
        raise ValueError(f"{function}: axes must be 1 to 3 axes, got {shown(axes)}")
    if any(not -ndim <= axis < ndim for axis in names):
        raise ValueError(f"{function}: x has {ndim} axes, got axes {shown(axes)}")
    pooled = [axis % ndim for axis in names]
    if len(set(pooled)) < len(pooled):
        raise ValueError(f"{function}: axes must be different, got {shown(axes)}")
    given = _entries(function, "factor", factor)
    factors = [as_size(function, "factor", entry) for entry in given]
    if not _is_sequence(factor):
        factors *= len(pooled)
    if len(factors) != len(pooled) or min(factors) < 1:
        raise ValueError(
            f"{function}: factor must be an int from 1 on, or one for each of {len(pooled)} axes, "
            f"got {shown(factor)}"
        )
    return dict(sorted(zip(pooled, factors, strict=True)))


def _is_sequence(given: Any) -> bool:
    if is_a(given, np.ndarray):
        return np.asarray(given).ndim > 0
    return hasattr(type(given), "__iter__") and not is_a(given, (str, bytes))


def _entries(function: str, name: str, given: Any) -> tuple[Any, ...]:
    """Return the entries of a short sequence, or one that is none."""
    return first_entries(f"{function}: {name}", given, 4) if _is_sequence(given) else (given,)


def _axis(function: str, entry: Any) -> int:
    if is_a(entry, (bool, np.bool_)):
        raise TypeError(f"{function}: axes must be integers, got the bool {entry}")
    try:
        return operator.index(entry)
    except MemoryError as error:
        raise no_memory(f"{function}: axes", error) from error
    except Exception as error:  # whatever an __index__ raises
        raise TypeError(f"{function}: axes must be integers: {said(error)}") from error


def _blocks(shape: tuple[int, ...], factors: dict[int, int], count: int) -> list[list[Table]]:
    """Return the blocks of each level but the first, along each pooled axis."""
    lengths = dict.fromkeys(factors, 1)
    levels: list[list[Table]] = []
    for _ in range(1, count):
        for axis, factor in factors.items():  # no number is much larger than an axis
            lengths[axis] = min(lengths[axis] * factor, max(shape[axis], 1))
        levels.append([block_windows(shape[axis], lengths[axis]) for axis in factors])
    return levels


class _Source:
    """Level 0, and the same as kernels have it: the pooled axes last, in their order."""

    def __init__(self, x: Array, pooled: tuple[int, ...]) -> None:
        self.shape, self.dtype, self.pooled = x.shape, _dtypes.native(x.dtype), pooled
        self.x = self.pooled_last(x)

    def pooled_last(self, x: Array) -> Array:
        return np.moveaxis(x, self.pooled, range(-len(self.pooled), 0))

    def as_given(self, y: Array) -> Array:
        return np.moveaxis(y, range(-len(self.pooled), 0), self.pooled)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Return a new array of that shape which is a run in the order of the given axes."""
        given = list(self.shape)
        for axis, length in zip(self.pooled, shape[-len(self.pooled) :], strict=True):
            given[axis] = length
        return self.pooled_last(np.empty(given, dtype))


def _together(
    function: str,
    reduce: str,
    source: _Source,
    blocks: list[list[Table]],
    num_threads: int | None,
    _given: Mapping[str, Any],
) -> list[Array]:
    if not blocks:
        return []
    no_sizes, dtype = (None,) * len(source.pooled), source.dtype
    means = dtype if reduce == "avg" else None
    wanted = [
        wanted_of(
            function, reduce, source.x.shape, dtype, no_sizes, "channels_first", tables, means
        )
        for tables in blocks
    ]
    return pool_together(function, source.x, wanted, None, num_threads, source.empty)


def _one_by_one(
    function: str,
    reduce: str,
    source: _Source,
    blocks: list[list[Table]],
    num_threads: int | None,
    given: Mapping[str, Any],
) -> list[Array]:
    """Pool to each level, of what counts."""
    given = dict(given)
    if given.get("where") is not None:
        given["where"] = source.pooled_last(mask_of(function, given["where"], source.shape))
    if given.get("empty") is None and given.get("nodata") is not None:
        given["empty"] = given["nodata"]
    ndim, levels = len(source.pooled), []
    for tables in blocks:
        size = tuple([len(starts) for starts, _ in tables])
        level = source.empty((*source.x.shape[: source.x.ndim - ndim], *size), source.dtype)
        if reduce == "avg":
            _average(
                None, function, ndim, source.x, None, "channels_first", tables,
                source.dtype, level, num_threads, given, CountedTypes,
            )  # fmt: skip
        else:
            _maximum(
                None, function, ndim, source.x, None, False, np.int64, "channels_first",
                tables, level, num_threads, given, CountedTypes,
            )  # fmt: skip
        levels.append(level)
    return levels
