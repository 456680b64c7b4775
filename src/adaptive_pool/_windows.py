"""Which inputs feed which outputs: windows by rule, and those that a caller gives.

The rules themselves are in `_kernels/call/rules.pxd`. `pool_windows` cuts an axis into a number of
windows, `block_windows` into windows of one length; `area_weights` says what elements weigh.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ._arrays import as_array
from ._dtypes import text_of
from ._kernels.call.problem import check_not_empty
from ._kernels.call.tables import (
    LONGEST_TABLE,
    RULES,
    cut,
    cut_in_blocks,
    first_outside,
    weigh,
)
from ._objects import is_a, no_memory, said, shown

Boundary: TypeAlias = Literal["short", "trim"]
Rule: TypeAlias = Literal["torch", "split", "uniform", "ceil", "area"]
Table: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
# A table, or one with what elements weigh: see `Weighed`.
GivenTable: TypeAlias = (
    Table
    | tuple[
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
        int,
        int,
        int,
    ]
)
Windows: TypeAlias = Rule | Sequence[tuple[npt.ArrayLike, npt.ArrayLike]] | npt.NDArray[Any]

# No size, nor any number, is larger.
_LARGEST = 2**63 - 1

# Starts and ends on longer axes might not fit 64 bits with a sign.
_LONGEST_AXIS = 2**62


class Weighed(NamedTuple):
    """Some of the windows of an axis, checked, and what their elements weigh.

    For calls that compute a part of a result; callers of public functions never see it. Weights
    are divided by `unit`, as kernels have them.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]  # what the first element weighs, if less than `whole`, or 0; may
    lasts: npt.NDArray[np.int64]  # be of no elements: then all elements weigh alike
    whole: int
    total: int  # of a window
    unit: int

    def part(self, first: int, last: int, begin: int) -> Weighed:
        """Return some of the windows, of an axis that begins later."""
        here = slice(first, last)
        return self._replace(
            starts=self.starts[here] - begin,
            ends=self.ends[here] - begin,
            firsts=self.firsts[here],
            lasts=self.lasts[here],
        )


def weighed_alike(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], unit: int) -> Weighed:
    """Return windows whose elements all weigh `unit`."""
    none = np.empty(0, np.int64)
    return Weighed(starts, ends, none, none, 1, 0, unit)


def weighed_by_area(function: str, size: int, count: int) -> Weighed:
    """Return the windows of the rule "area"."""
    starts, ends = cut_by_rule(function, size, count, "area")
    if count == 0 or size % count == 0:
        return weighed_alike(starts, ends, count)
    firsts, lasts = np.empty((2, count), np.int64)
    weigh(firsts, lasts, size)
    unit = math.gcd(size, count)
    return Weighed(starts, ends, firsts // unit, lasts // unit, count // unit, size // unit, unit)


def check_rule(function: str, rule: object, name: str = "windows") -> str:
    """Return the name of a window rule, as a plain string, or raise unless `rule` is one."""
    if not is_a(rule, str):
        pairs = " or a sequence of (starts, ends) pairs, one for each pooled axis"
        raise TypeError(
            f"{function}: {name} must be the name of a rule{pairs if name == 'windows' else ''}, "
            f"got {'None' if rule is None else type(rule).__name__}"
        )
    text = str.__str__(rule)
    if text not in RULES:
        raise ValueError(
            f"{function}: unknown window rule {shown(text)}, expected one of {list(RULES)}"
        )
    return text


def check_unweighted(function: str, windows: object) -> None:
    """Raise for the rule whose windows hold elements in part: of these there is no maximum."""
    if is_a(windows, str) and str.__str__(windows) == "area":
        raise ValueError(
            f"{function}: windows 'area' weigh elements, which is for averages; 'torch' has "
            "windows of the same elements"
        )


def _empty_table(function: str, count: int) -> Table:
    """Return room for a table."""
    if count >= LONGEST_TABLE:
        raise MemoryError(f"{function}: no memory for the table of {count} windows")
    try:
        return np.empty(count, np.int64), np.empty(count, np.int64)
    except MemoryError as error:
        raise no_memory(function, error) from error


def table_of_each(function: str, size: int) -> Table:
    """Return windows of one element each."""
    starts, ends = _empty_table(function, size)
    starts[:] = np.arange(size)
    np.add(starts, 1, out=ends)
    return starts, ends


def rule_or_pairs(function: str, ndim: int, windows: Any) -> str | tuple[Any, ...]:
    """Return the name of a rule, or one pair of tables for each pooled axis, not yet checked."""
    if type(windows) is str and windows in RULES:
        return windows
    if type(windows) in (list, tuple):  # of pairs as `pool_windows` gives them
        pairs = tuple(windows[: ndim + 1])
        if [*map(type, pairs)] == [tuple] * ndim:
            return pairs
    if is_a(windows, np.ndarray):
        return _rows_of(function, ndim, windows)
    if is_a(windows, (str, bytes)) or not is_a(windows, Sequence):
        return check_rule(function, windows)
    pairs = first_entries(f"{function}: windows", windows, ndim + 1)
    if any(is_a(pair, str) for pair in pairs):
        raise ValueError(
            f"{function}: one window rule is for all pooled axes, got {shown(windows)}; for "
            f"another rule on each axis pass its windows: [pool_windows(...), pool_windows(...)]"
        )
    is_single = any(is_a(pair, np.ndarray) and np.asarray(pair).ndim == 1 for pair in pairs)
    if is_single or len(pairs) != ndim:
        got = "a single pair" if is_single else len(pairs) if len(pairs) < ndim else "more"
        expected = ", ".join(["(starts, ends)"] * ndim)
        raise ValueError(
            f"{function}: windows must be a rule or {ndim} (starts, ends) "
            f"{'pair' if ndim == 1 else 'pairs'}, one for each pooled axis, "
            f"got {got}; expected [{expected}]"
        )
    return pairs


def _rows_of(function: str, ndim: int, windows: Any) -> tuple[Any, ...]:
    """Return the pairs that stand in one array of shape (axis, start or end, window)."""
    array = as_array(function, "windows", windows)
    if array.ndim != 3 or array.shape[:2] != (ndim, 2):
        wrapped = "; one axis alone is windows[numpy.newaxis]" if array.ndim == 2 else ""
        raise ValueError(
            f"{function}: windows as one array must have shape ({ndim}, 2, number of windows): "
            f"starts and ends for each pooled axis; got shape {array.shape}{wrapped}"
        )
    return tuple(array)


def explicit_table(function: str, axis: int, size: int, pair: Any) -> Table:
    """Return one axis of explicit windows, checked: ``0 <= start < end <= size``."""
    where = f"{function}: windows of pooled axis {axis}"
    both = pair if type(pair) is tuple else ()
    # A pair is anything of two elements but a string.
    if not both and hasattr(type(pair), "__len__") and not is_a(pair, (str, bytes)):
        both = first_entries(where, pair, 3)
    if len(both) != 2:
        raise ValueError(f"{where} must be a pair (starts, ends), got {shown(pair)}")
    starts = _borders(where, size, "starts", both[0])
    ends = _borders(where, size, "ends", both[1])
    if len(starts) != len(ends):
        raise ValueError(f"{where}: {len(starts)} starts but {len(ends)} ends")
    first = first_outside(starts, ends, size)
    if first < len(starts):
        raise ValueError(
            f"{where}: 0 <= start < end <= {size} must hold, "
            f"got window {first} from {starts[first]} to {ends[first]}"
        )
    return starts, ends


def given_table(function: str, axis: int, size: int, pair: Any) -> GivenTable:
    """Return one axis of explicit windows, likewise, with what elements weigh if that is given."""
    if type(pair) is not Weighed:
        return explicit_table(function, axis, size, pair)
    starts, ends, firsts, lasts = (table.astype(np.int64) for table in pair[:4])
    return starts, ends, firsts, lasts, pair.whole, pair.total, pair.unit


def _borders(where: str, size: int, name: str, given: object) -> npt.NDArray[np.int64]:
    """Return all starts, or all ends, as a table of our own."""
    array = as_array(where, name, given)
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{where}: {name} must be integers, got dtype {text_of(array.dtype)}")
    if array.ndim != 1:
        raise ValueError(f"{where}: {name} must have one dimension, got shape {array.shape}")
    copy = array.astype(np.int64)  # nobody can change it after it was checked
    if array.dtype.kind == "u" and (copy < 0).any():
        raise ValueError(
            f"{where}: 0 <= start < end <= {size} must hold, "
            f"got {name} up to {copy.view(np.uint64).max()}"
        )
    return copy


def first_entries(what: str, given: Iterable[Any], most: int) -> tuple[Any, ...]:
    """Return what `given` begins with, `most` entries at most: it may be of any length."""
    try:
        return tuple(itertools.islice(given, most))
    except MemoryError as error:
        raise no_memory(what, error) from error
    except Exception as error:  # whatever an __iter__ raises
        raise TypeError(f"{what} cannot be read: {said(error)}") from error


def as_size(function: str, name: str, value: object) -> int:
    """Return `value` as a size, evaluating its ``__index__`` once."""
    if type(value) is int and 0 <= value <= _LARGEST:
        return value
    if is_a(value, (bool, np.bool_)):
        raise TypeError(f"{function}: {name} must be an integer, got the bool {value}")
    try:
        size = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{function}: {name} must be an integer, got {type(value).__name__}"
        ) from None
    except MemoryError as error:
        raise no_memory(f"{function}: {name}", error) from error
    except Exception as error:  # whatever an __index__ raises
        raise TypeError(f"{function}: {name} is not an integer: {said(error)}") from error
    if size < 0:
        raise ValueError(f"{function}: {name} must not be negative, got {shown(size)}")
    if size > _LARGEST:
        raise ValueError(f"{function}: {name} is too large to address, got {shown(size)}")
    return size


def _check_axis(function: str, name: str, value: object) -> int:
    size = as_size(function, name, value)
    if size > _LONGEST_AXIS:
        raise ValueError(f"{function}: {name} must be at most 2**62, got {size}")
    return size


def pool_windows(input_size: int, output_size: int, rule: Rule = "torch") -> Table:
    """Cut an axis into a given number of windows.

    Output `i` is pooled from the inputs ``starts[i]:ends[i]``. To cut an axis into windows of a
    given length use `block_windows`.

    Parameters
    ----------
    input_size : int
        Length `I` of the axis, up to ``2**62``.
    output_size : int
        Number `O` of windows; 0 gives empty tables.
    rule : {"torch", "split", "uniform", "ceil", "area"}
        How the axis is cut, computed exactly, in integers:

        =========== ========================== ======================================
        rule        start of window i          end of window i
        =========== ========================== ======================================
        "torch"     ``floor(i*I/O)``           ``ceil((i+1)*I/O)``
        "split"     ``i*(I//O) + min(i, I%O)`` ``start + I//O + (i < I%O)``
        "uniform"   ``i*(I//O)``               ``start + I - (O-1)*(I//O)``
        "ceil"      ``i*ceil(I/O)``            ``min(start + ceil(I/O), I)``
        "area"      ``floor(i*I/O)``           ``ceil((i+1)*I/O)``
        =========== ========================== ======================================

        "torch" windows overlap, differ in length by at most one, and repeat where ``O > I``.
        "split" is `numpy.array_split`. "uniform" has one stride and one length. "ceil" has blocks
        of one length, the last one shorter. "area" has windows of the same elements as "torch",
        and an element counts by the part of it that lies between ``i*I/O`` and ``(i+1)*I/O``:
        `area_weights` says how much that is; tables alone do not. All five agree where `O` divides
        `I`.

    Returns
    -------
    starts, ends : ndarray of int64, shape (O,)
        ``0 <= starts[i] < ends[i] <= I``.

    Raises
    ------
    TypeError
        If a size is not an integer (a bool is not).
    ValueError
        If a size is negative, the rule unknown, or a window empty: any with ``I == 0``, "ceil"
        where the blocks run out, "split" and "uniform" with ``O > I``.

    See Also
    --------
    area_weights : what elements weigh in windows of the rule "area".
    block_windows : windows of a given length.

    References
    ----------
    The "torch" rule is that of PyTorch's adaptive pooling, from K. He et al., "Spatial Pyramid
    Pooling in Deep Convolutional Networks for Visual Recognition", ECCV 2014, section 3.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.pool_windows(5, 3)
    (array([0, 1, 3]), array([2, 4, 5]))
    >>> ap.pool_windows(5, 3, rule="split")
    (array([0, 2, 4]), array([2, 4, 5]))
    """
    function = "pool_windows"
    size = _check_axis(function, "input_size", input_size)
    count = as_size(function, "output_size", output_size)
    return cut_by_rule(function, size, count, check_rule(function, rule, "rule"))


def cut_by_rule(function: str, size: int, count: int, rule: str) -> Table:
    """Return the windows of a rule, or raise if one is empty."""
    check_not_empty(function, size, count, rule)
    starts, ends = _empty_table(function, count)
    cut(starts, ends, size, RULES[rule])
    return starts, ends


def area_weights(input_size: int, output_size: int) -> npt.NDArray[np.int64]:
    """Weigh the elements of windows of the rule "area".

    Window `i` covers the axis from ``i*I/O`` to ``(i+1)*I/O``, element `k` from `k` to ``k + 1``.
    An element weighs the length of what both cover.

    Parameters
    ----------
    input_size : int
        Length `I` of the axis, up to ``2**62``.
    output_size : int
        Number `O` of windows.

    Returns
    -------
    ndarray of int64, shape (O, L)
        In units of ``1/O``, in which all weights are integers: ``weights[i, j]`` is that of element
        ``starts[i] + j``, for the tables of ``pool_windows(I, O, "area")``. `L` is the length of
        the longest window; behind shorter ones there are zeros. Each row adds up to `I`.

    Raises
    ------
    TypeError
        If a size is not an integer (a bool is not).
    ValueError
        If a size is negative, or `I` is 0 and `O` is not.
    MemoryError
        If there is no memory for the weights.

    See Also
    --------
    pool_windows : which elements windows hold.

    Notes
    -----
    Along several axes the weight of an element is the product of those along each. These are the
    weights of OpenCV's ``INTER_AREA`` where it shrinks pictures, and of area-weighted (first-order
    conservative) regridding on a line.

    Examples
    --------
    >>> import adaptive_pool as ap
    >>> ap.area_weights(5, 3)
    array([[3, 2, 0],
           [1, 3, 1],
           [2, 3, 0]])
    """
    function = "area_weights"
    size = _check_axis(function, "input_size", input_size)
    count = as_size(function, "output_size", output_size)
    starts, ends = cut_by_rule(function, size, count, "area")
    if count == 0:
        return np.empty((0, 0), np.int64)
    try:
        lengths = ends - starts
        weights = np.full((count, int(lengths.max())), count, np.int64)
        weights[np.arange(weights.shape[1]) >= lengths[:, np.newaxis]] = 0
        firsts, lasts = np.empty((2, count), np.int64)
        weigh(firsts, lasts, size)
        rows = np.flatnonzero(lasts)
        weights[rows, lengths[rows] - 1] = lasts[rows]
        rows = np.flatnonzero(firsts)
        weights[rows, 0] = firsts[rows]
    except MemoryError as error:
        raise no_memory(function, error) from error
    except ValueError as error:  # more than can be addressed
        raise MemoryError(f"{function}: {said(error)}") from error
    return weights


def block_windows(size: int, block: int, *, boundary: Boundary = "short", offset: int = 0) -> Table:
    """Cut an axis into blocks of a given length.

    Block `i` holds the inputs from ``offset + i*block`` on, `block` of them, so the result is that
    of ``x[offset:]`` taken `block` elements at a time. The number of blocks follows from the
    lengths, and is the length of the pooled axis. To choose that number instead use `pool_windows`.

    Parameters
    ----------
    size : int
        Length of the axis, up to ``2**62``.
    block : int
        Length of a block, at least 1. It may be larger than the axis.
    boundary : {"short", "trim"}
        What becomes of a last block that has fewer than `block` elements: "short" keeps it, so
        that its mean is over the elements it has; "trim" leaves it out.
    offset : int
        Where the first block starts, from 0 to `size`. Elements before it belong to no block.

    Returns
    -------
    starts, ends : ndarray of int64
        ``starts[i] = offset + i*block`` and ``ends[i] = min(starts[i] + block, size)``, for
        ``ceil((size - offset)/block)`` blocks, or with "trim" ``floor((size - offset)/block)``.
        There are none where nothing is left to cut.

    Raises
    ------
    TypeError
        If a length is not an integer (a bool is not).
    ValueError
        If a length is negative, `block` is 0, `offset` is more than `size`, or the boundary
        unknown.

    See Also
    --------
    pool_windows : a given number of windows.

    Notes
    -----
    "trim" has the blocks of ``xarray.DataArray.coarsen(boundary="trim")`` and of
    ``dask.array.coarsen(trim_excess=True)``. "short" has those of scikit-image's
    ``block_reduce``, which also fills the last one up with zeros and counts them. `pool_windows`
    with "ceil" spreads the axis over a number of blocks, and 51 elements in 6 blocks are 9 each,
    not 10.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool as ap
    >>> ap.block_windows(7, 3)
    (array([0, 3, 6]), array([3, 6, 7]))
    >>> ap.block_windows(7, 3, boundary="trim", offset=1)
    (array([1, 4]), array([4, 7]))

    Blocks of 2 by 3, as tables for two axes:

    >>> x = np.arange(20.0).reshape(4, 5)
    >>> ap.adaptive_avg_pool2d(x, None, windows=[ap.block_windows(4, 2), ap.block_windows(5, 3)])
    array([[ 3.5,  6. ],
           [13.5, 16. ]])
    """
    function = "block_windows"
    size = _check_axis(function, "size", size)
    block = as_size(function, "block", block)
    offset = as_size(function, "offset", offset)
    if block == 0:
        raise ValueError(f"{function}: block must be at least 1, got 0")
    if offset > size:
        raise ValueError(f"{function}: offset must be at most size, got {offset} for size {size}")
    name = str.__str__(boundary) if is_a(boundary, str) else ""
    if name not in ("short", "trim"):
        raise ValueError(f"{function}: boundary must be 'short' or 'trim', got {shown(boundary)}")
    whole, rest = divmod(size - offset, block)
    count = whole + (rest > 0 and name == "short")
    block = min(block, size)  # starts and ends then fit 64 bits
    starts, ends = _empty_table(function, count)
    cut_in_blocks(starts, ends, size, block, offset)
    return starts, ends
