"""What tasks do: they pool slices of arrays that are in memory, by the functions of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._arrays import Array
from .._average import _average
from .._maximum import _maximum
from .._problem import DataFormat, Size, axes_pooled
from ._cut import Span, must_keep_to_lines


@dataclass(frozen=True)
class Call:
    """What all tasks of a call have in common."""

    function: str
    ndim: int
    data_format: DataFormat
    sizes: tuple[int, ...]  # of the pooled axes of the whole input
    dtype: np.dtype[Any]  # of the result
    index_dtype: np.dtype[Any] | None  # of indices of maxima, if they are wanted
    num_threads: int | None
    is_average: bool
    options: Mapping[str, Any]  # but for arrays
    is_whole: bool = False  # see `is_whole` of _cut.py
    # Where no axis is cut, what the caller said:
    output_size: Size = None
    windows: Any = None
    # What becomes of windows with few elements, as a fold needs it:
    least: int = 1
    filler: bytes | None = None  # None: that is an error

    @property
    def wants_counts(self) -> bool:
        """Whether to return how many elements count."""
        return bool(self.options.get("return_counts", False))


@dataclass(frozen=True)
class Block:
    """What one task computes."""

    spans: Sequence[Span]  # of pooled axes
    arrays: Mapping[str, Any] = field(default_factory=dict)  # options of this block


def join(pieces: Any, axis: int) -> Array:
    """Return the slice that pieces make, nested as deep as axes are cut, from `axis` on."""
    if not isinstance(pieces, list):
        return pieces  # type: ignore[no-any-return]
    parts = [join(piece, axis + 1) for piece in pieces]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis)


def first_pooled(call: Call, axes: int) -> int:
    """Return the first of the pooled axes."""
    return axes_pooled(call.ndim, axes, call.data_format).start  # type: ignore[no-any-return]


def pool_block(call: Call, block: Block, axis: int, x: Any, where: Any) -> Any:
    """Pool the slice that a block needs; `axis` is the first pooled one."""
    x = join(x, axis)
    where = None if where is None else join(where, axis)
    given = {**call.options, **block.arrays, "where": where}
    size, windows = call.output_size, call.windows
    is_cut = windows is None
    if is_cut:
        size, windows = None, [span.windows for span in block.spans]
    if call.is_average:
        twice = is_cut and must_keep_to_lines(block.spans, whole=call.is_whole)
        if twice:  # two windows are no single one; lines are added once for both
            windows[-1] = block.spans[-1].repeated(2)
        means = _average(
            None, call.function, call.ndim, x, size, call.data_format, windows, call.dtype, None,
            call.num_threads, given,
        )  # fmt: skip
        return _first_column(call, means) if twice else means
    results = _maximum(
        None, call.function, call.ndim, x, size, call.index_dtype is not None, np.int64,
        call.data_format, windows, None, call.num_threads, given,
    )  # fmt: skip
    if call.index_dtype is None:
        return results
    y, indices, *counts = results
    begins = [span.inputs[0] for span in block.spans]
    sizes = x.shape[axis : axis + call.ndim]
    moved = move_indices(indices, sizes, call.sizes, begins)
    return (y, moved.astype(call.index_dtype), *counts)


def _first_column(call: Call, results: Any) -> Any:
    """Return the first of two equal columns of results."""
    if isinstance(results, tuple):
        return tuple(_first_column(call, result) for result in results)
    here = (slice(0, 1),) if call.data_format == "channels_first" else (slice(0, 1), slice(None))
    return results[(..., *here)].copy()


def move_indices(
    indices: Array, sizes: Sequence[int], whole: Sequence[int], begins: Sequence[int]
) -> Array:
    """Return flat indices of a slice as those of the whole plane; -1 stays."""
    moved, left, step = np.zeros_like(indices), indices, 1
    for size, all_of_it, begin in zip(
        reversed(sizes), reversed(whole), reversed(begins), strict=True
    ):
        left, place = np.divmod(left, max(size, 1))
        moved += (place + begin) * step
        step *= all_of_it
    return np.where(indices < 0, -1, moved)
