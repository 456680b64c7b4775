"""A call of a public function as a literal that says all there is to know.

``repr(call)`` is the call: pasted into `tests/test_found_by_fuzzing.py` it is a test.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from arrays import Data, Literal, Memory
from cases import dtype_of
from oracle import function, tables, weights

Pair = tuple[tuple[int, ...], tuple[int, ...]]
Arrays = tuple[np.ndarray, ...]


class Changing:
    """A size that is another one at every look; the first counts."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __index__(self) -> int:
        self.size += 1
        return self.size - 1


SPELLINGS = {
    "tuple": tuple,
    "list": list,
    "NumPy integers": lambda sizes: [np.int64(n) for n in sizes],
    "changing": lambda sizes: [Changing(n) for n in sizes],
}


@dataclass
class Ready:
    """The arguments of a call, and all the memory they lie in, what is between them included."""

    arguments: dict[str, Any]
    inputs: list[np.ndarray] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)  # of `out`


@dataclass(frozen=True, repr=False)
class Call(Literal):
    """What is called, with what; `fault` names what is wrong with it."""

    operation: str  # "avg", "max" or "unpool", which counts as backward
    ndim: int
    x: Data  # backward, the gradient of the output
    output_size: tuple[int | None, ...] | None = None
    windows: str | tuple[Pair, ...] = "torch"
    data_format: str = "channels_first"
    spelling: str = "tuple"  # of the sizes
    dtype: str | None = None  # of averages
    index_dtype: str | None = None  # of the maxima's indices, if they are wanted
    pooled_from: tuple[int, ...] | None = None  # backward, the pooled axes of the input
    positions: Data | None = None  # of max backward, of unpool: their remainders are the indices
    some_empty: bool = False  # some indices are -1
    mask: Data | None = None  # which elements count
    read: Data | None = None  # of average backward, the input, of which NaN may not count
    omit: bool = False  # NaN
    parts: tuple[tuple[int, ...], ...] | None = None  # lengths, or regions
    samples: int | None = None  # backward, that regions are of
    least: int = 1  # elements that must count in a window; others become 1
    counted: bool = False  # whether numbers of them are wanted
    out: tuple[Memory, ...] = ()
    out_overlaps: int | None = None  # `out` lies so many bytes into the memory of x
    num_threads: int | None = None
    fault: str | None = None
    seed: int = 0  # of the fault

    @property
    def backward(self) -> bool:
        return self.pooled_from is not None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of what windows are cut from."""
        if not self.backward:
            return self.x.shape
        shape = self.with_pooled(self.pooled_from)
        return shape if self.samples is None else (self.samples, *shape[1:])

    @property
    def has_options(self) -> bool:
        return self.mask is not None or self.omit or self.parts is not None or self.counted

    @property
    def are_lengths(self) -> bool:
        """Whether parts are one length, or one for each pooled axis, and not regions."""
        return bool(self.parts) and all(len(row) <= self.ndim for row in self.parts)

    @property
    def array_name(self) -> str:
        """What the function calls x."""
        return "values" if self.operation == "unpool" else "grad_output" if self.backward else "x"

    @property
    def shape_name(self) -> str:
        """What the function calls the shape of its result, backward."""
        return "output_shape" if self.operation == "unpool" else "input_shape"

    @property
    def name(self) -> str:
        """The function's, with which its errors begin."""
        return function(self.operation, self.ndim, self.backward).__name__

    @property
    def first(self) -> int:
        """The first of the pooled axes."""
        return len(self.x.shape) - self.ndim - (self.data_format == "channels_last")

    @property
    def pooled(self) -> tuple[int, ...]:
        """The lengths of the pooled axes of x."""
        return self.x.shape[self.first : self.first + self.ndim]

    def with_pooled(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of x with the pooled axes replaced."""
        return (*self.x.shape[: self.first], *sizes, *self.x.shape[self.first + self.ndim :])

    @property
    def tables(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The windows of each pooled axis."""
        if not isinstance(self.windows, str):
            return [(np.array(s, np.int64), np.array(e, np.int64)) for s, e in self.windows]
        return tables(*self.lengths, self.windows)

    @property
    def weights(self) -> list[np.ndarray] | None:
        """What elements weigh along each pooled axis, if the rule says so."""
        return weights(*self.lengths, self.windows) if self.windows == "area" else None

    @property
    def lengths(self) -> tuple[Sequence[int], Sequence[int]]:
        """Lengths of the pooled axes of the input, and numbers of windows that a rule cuts."""
        if self.backward:
            return self.pooled_from, self.pooled
        wanted = self.output_size or (None,) * self.ndim
        counts = [i if o is None else o for i, o in zip(self.pooled, wanted, strict=True)]
        return self.pooled, counts

    def plain_positions(self) -> np.ndarray:
        """Return the indices, contiguous."""
        x = self.positions.plain()
        plane = math.prod(self.pooled_from)
        if self.some_empty:
            return x % x.dtype.type(plane + 1) - x.dtype.type(1)
        return x % x.dtype.type(max(plane, 1))

    def plain(self) -> Ready:
        """Return what must give the same bits: contiguous arrays, one thread, no `out`."""
        ready = Ready({self.array_name: self.x.plain(), "num_threads": 1})
        if self.positions is not None:
            ready.arguments["indices"] = self.plain_positions()
        self._add_options(ready.arguments, "tuple")
        return ready

    def ready(self, results: Arrays = ()) -> Ready:
        """Return the arguments as described, `out` for such results among them."""
        overlaps = self.out_overlaps is not None and len(results) == 1
        room = self.out_overlaps + results[0].nbytes if overlaps else 0
        raw, x = self.x.laid(self.x.plain(), room)
        ready = Ready({self.array_name: x}, [raw])
        arguments = ready.arguments
        if self.positions is not None:
            raw, arguments["indices"] = self.positions.laid(self.plain_positions())
            ready.inputs.append(raw)
        self._add_options(arguments, self.spelling)
        if self.num_threads is not None:
            arguments["num_threads"] = self.num_threads
        if overlaps:
            memory = ready.inputs[0][self.out_overlaps : room]
            arguments["out"] = memory.view(results[0].dtype).reshape(results[0].shape)
        elif self.out and results:
            wanted = results[: len(self.out)]  # numbers of elements are always new
            outs = [m.empty(y.shape, y.dtype) for m, y in zip(self.out, wanted, strict=True)]
            ready.frames = [raw for raw, _ in outs]
            arguments["out"] = tuple(y for _, y in outs) if len(outs) == 2 else outs[0][1]
        return ready

    def _add_options(self, arguments: dict[str, Any], spelling: str) -> None:
        spell = SPELLINGS[spelling]
        arguments["data_format"] = self.data_format
        if self.backward:
            arguments[self.shape_name] = spell(self.input_shape)
        else:
            size = self.output_size
            arguments["output_size"] = None if size is None else spell(size)
        if self.positions is None:
            arguments["windows"] = self.windows
        if self.mask is not None:
            arguments["where"] = self.mask.laid(self.mask.plain())[1]
        if self.omit:
            arguments["nan_policy"] = "omit"
        if self.read is not None:
            arguments["x"] = self.read.laid(self.read.plain())[1]
        if self.parts is not None:
            width = len(self.parts[0]) if self.parts else 1 + 2 * self.ndim
            rows = np.array(self.parts, np.int64).reshape(len(self.parts), width)
            rows = rows[:, 0] if width == 1 else rows
            arguments["lengths" if self.are_lengths else "regions"] = rows
        if self.has_options:
            arguments["min_count"] = self.least
        if self.has_options and not self.backward:
            arguments.update(empty=1, return_counts=self.counted)
        if self.dtype is not None:
            arguments["dtype"] = dtype_of(self.dtype)
        if self.index_dtype is not None:
            arguments.update(return_indices=True, index_dtype=self.index_dtype)

    def run(self, ready: Ready) -> Arrays:
        """Call the function; return its results, one or two."""
        y = function(self.operation, self.ndim, self.backward)(**ready.arguments)
        return y if isinstance(y, tuple) else (y,)
