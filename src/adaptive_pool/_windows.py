"""Which inputs feed which outputs: the window rules, defined here and nowhere else.

Every rule is one expression for the start and one for the end of window `i`, in integers. They
hold for a Python int as well as for an int64 array of all `i`.
"""

from __future__ import annotations

import bisect
import itertools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ._dtypes import text_of
from ._objects import is_a, no_memory, said, shown

Rule: TypeAlias = Literal["torch", "split", "uniform", "ceil"]
Table: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
Windows: TypeAlias = Rule | Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]

# i * (I % O) must fit 64 bits with a sign. A table of this length would hold 32 GiB.
_LONGEST_TABLE = 2**31

# No size, nor any number, is larger.
_LARGEST = 2**63 - 1


def _torch(i: Any, size: int, count: int) -> tuple[Any, Any]:
    # floor(i*I/O) and ceil((i+1)*I/O), with I = quotient*O + rest so that i*I cannot overflow.
    quotient, rest = divmod(size, count)
    start = i * quotient + i * rest // count
    end = (i + 1) * quotient + ((i + 1) * rest + count - 1) // count
    return start, end


def _split(i: Any, size: int, count: int) -> tuple[Any, Any]:
    quotient, rest = divmod(size, count)
    start = i * quotient + np.minimum(i, rest)
    return start, start + quotient + (i < rest)


def _uniform(i: Any, size: int, count: int) -> tuple[Any, Any]:
    stride = size // count
    start = i * stride
    if stride == 0:  # no step to take: only the first `size` windows could differ
        return start, start + (i < size)
    return start, start + (size - (count - 1) * stride)


def _ceil(i: Any, size: int, count: int) -> tuple[Any, Any]:
    block = -(-size // count)
    start = np.minimum(i * block, size)
    return start, np.minimum(start + block, size)


RULES = {"torch": _torch, "split": _split, "uniform": _uniform, "ceil": _ceil}


def check_rule(function: str, rule: object) -> str:
    """Return the name of a window rule, as a plain string, or raise unless `rule` is one."""
    if not is_a(rule, str):
        raise TypeError(
            f"{function}: windows must be the name of a rule or a sequence of (starts, ends) "
            f"pairs, got {type(rule).__name__}"
        )
    name = str.__str__(rule)
    if name not in RULES:
        raise ValueError(
            f"{function}: unknown window rule {shown(name)}, expected one of {list(RULES)}"
        )
    return name


def check_not_empty(function: str, size: int, count: int, rule: str) -> None:
    """Raise if a rule leaves a window empty: from the first of them on, all are."""

    def is_empty(i: int) -> bool:
        start, end = RULES[rule](i, size, count)
        return bool(start >= end)

    if count > 0 and is_empty(count - 1):
        first = bisect.bisect_left(range(size), True, key=is_empty)
        raise ValueError(
            f"{function}: window rule {rule!r} leaves window {first} empty "
            f"for input size {size} and output size {count}"
        )


def table(function: str, size: int, count: int, rule: str) -> Table:
    """Return the windows of one axis, or raise if one of them would be empty."""
    check_not_empty(function, size, count, rule)
    if count >= _LONGEST_TABLE:
        raise MemoryError(f"{function}: no memory for the table of {count} windows")
    if count == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    try:
        starts, ends = RULES[rule](np.arange(count, dtype=np.int64), size, count)
    except MemoryError as error:
        raise no_memory(function, error) from error
    return starts, ends


def pairs_of(function: str, ndim: int, windows: Sequence[Any]) -> tuple[Any, ...]:
    """Return one pair of tables for each pooled axis."""
    pairs = first_entries(f"{function}: windows", windows, ndim + 1)
    if len(pairs) != ndim:
        raise ValueError(
            f"{function}: windows must be a rule or {ndim} (starts, ends) pairs, "
            f"one for each pooled axis, got {len(pairs) if len(pairs) < ndim else 'more'}"
        )
    return pairs


def explicit_table(function: str, axis: int, size: int, pair: Any) -> Table:
    """Return one axis of explicit windows, checked: ``0 <= start < end <= size``."""
    where = f"{function}: windows of pooled axis {axis}"
    # A pair is anything of two elements but a string.
    sized = hasattr(type(pair), "__len__") and not is_a(pair, str)
    both = first_entries(where, pair, 3) if sized else ()
    if len(both) != 2:
        raise ValueError(f"{where} must be a pair (starts, ends), got {shown(pair)}")
    tables = []
    for name, given in zip(("starts", "ends"), both, strict=True):
        try:
            array = np.asarray(given)
        except ValueError as error:  # a ragged list
            raise ValueError(f"{where}: {name} is no array: {said(error)}") from error
        except MemoryError as error:
            raise no_memory(where, error) from error
        except Exception as error:  # whatever an __array__ raises
            raise TypeError(f"{where}: {name} is no array: {said(error)}") from error
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
        tables.append(copy)
    starts, ends = tables
    if len(starts) != len(ends):
        raise ValueError(f"{where}: {len(starts)} starts but {len(ends)} ends")
    bad = ~((starts >= 0) & (starts < ends) & (ends <= size))
    if bad.any():
        first = int(np.argmax(bad))
        raise ValueError(
            f"{where}: 0 <= start < end <= {size} must hold, "
            f"got window {first} from {starts[first]} to {ends[first]}"
        )
    return starts, ends


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


def pool_windows(input_size: int, output_size: int, rule: Rule = "torch") -> Table:
    """Compute the windows that a rule cuts an axis into.

    Output `i` is pooled from the inputs ``starts[i]:ends[i]``. All arithmetic is exact.

    Parameters
    ----------
    input_size : int
        Length `I` of the axis, up to ``2**62``.
    output_size : int
        Number `O` of windows; 0 gives empty tables.
    rule : {"torch", "split", "uniform", "ceil"}
        How the axis is cut:

        =========== ========================== ======================================
        rule        start of window i          end of window i
        =========== ========================== ======================================
        "torch"     ``floor(i*I/O)``           ``ceil((i+1)*I/O)``
        "split"     ``i*(I//O) + min(i, I%O)`` ``start + I//O + (i < I%O)``
        "uniform"   ``i*(I//O)``               ``start + I - (O-1)*(I//O)``
        "ceil"      ``i*ceil(I/O)``            ``min(start + ceil(I/O), I)``
        =========== ========================== ======================================

        "torch" windows overlap and vary in size, and repeat where ``O > I``; "split" is
        `numpy.array_split`; "uniform" is one stride and one kernel size; "ceil" is fixed blocks,
        the last one shorter. All four agree where `O` divides `I`.

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
    size = as_size(function, "input_size", input_size)
    count = as_size(function, "output_size", output_size)
    name = check_rule(function, rule)
    if size > 2**62:
        raise ValueError(f"{function}: input_size must be at most 2**62, got {size}")
    return table(function, size, count, name)
