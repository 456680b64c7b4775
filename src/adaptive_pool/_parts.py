"""Over what is pooled: samples up to their lengths, regions, items of packed values.

Each part is to the bit what it would be pooled alone. `_kernels/call/parts.pyx` cuts its windows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _windows
from ._arrays import Array, as_array
from ._counting import Counting, as_number, bytes_of
from ._dtypes import text_of
from ._kernels.call.parts import Parts
from ._kernels.call.problem import check_addressable
from ._objects import shown
from ._options import Options
from ._problem import (
    DataFormat,
    as_bool,
    check_counts,
    check_data_format,
    check_room_for_axis,
    pooled_axes,
)


def _integers(function: str, name: str, given: npt.ArrayLike) -> Array:
    """Return an array of integers, as int64 of our own, which nobody can change meanwhile."""
    array = as_array(function, name, given)
    if array.size == 0:
        return array.astype(np.int64, order="C")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{function}: {name} must be integers, got dtype {text_of(array.dtype)}")
    copy = array.astype(np.int64, order="C")
    if array.dtype.kind == "u" and (copy < 0).any():
        raise ValueError(f"{function}: {name} must fit their axes, got {array.max()}")
    return copy


def _lengths(function: str, given: npt.ArrayLike, samples: int, ndim: int) -> Array:
    """Return lengths of the right shape; `Parts` looks at each."""
    lengths = _integers(function, "lengths", given)
    if lengths.shape not in ((samples,), (samples, ndim)):
        wanted = f"({samples},)" if ndim == 1 else f"({samples},) or ({samples}, {ndim})"
        raise ValueError(
            f"{function}: lengths must have shape {wanted}: one for each of {samples} samples, "
            f"or for each of their pooled axes; got shape {lengths.shape}"
        )
    return lengths


def _regions(function: str, given: npt.ArrayLike, ndim: int) -> Array:
    """Return regions of the right shape, likewise."""
    regions = _integers(function, "regions", given)
    width = 1 + 2 * ndim
    if regions.shape == (0,):
        regions = regions.reshape(0, width)
    if regions.ndim != 2 or regions.shape[1] != width:
        raise ValueError(
            f"{function}: regions must have shape (K, {width}): a sample, then start and end on "
            f"each pooled axis; got shape {regions.shape}"
        )
    return regions


def _items(function: str, given: npt.ArrayLike, size: int) -> Array:
    """Return the parts of packed values as regions of one sample."""
    offsets = _integers(function, "offsets", given)
    if offsets.ndim != 1 or len(offsets) == 0:
        raise ValueError(
            f"{function}: offsets must have shape (N + 1,): where each of N items starts, and "
            f"where the last one ends; got shape {offsets.shape}"
        )
    starts, ends = offsets[:-1], offsets[1:]
    if not 0 <= offsets[0] <= size:
        raise ValueError(
            f"{function}: offsets must lie in 0:{size + 1} for {size} values along the pooled "
            f"axis, got {offsets[0]} in offsets[0]"
        )
    bad = (starts > ends) | (ends > size)
    if bad.any():
        k = int(bad.argmax())
        raise ValueError(
            f"{function}: 0 <= start <= end <= {size} must hold for each item, "
            f"got {offsets[k]} to {offsets[k + 1]} for item {k}"
        )
    return np.stack([np.zeros_like(starts), starts, ends], axis=1)


class PartsProblem:
    """A geometry for each part, checked: what `Problem` is for a whole array.

    Without lengths and regions the array is one part, and gets an axis for it.
    """

    def __init__(
        self,
        function: str,
        input_shape: tuple[int, ...],
        sizes: tuple[int | None, ...],
        data_format: DataFormat,
        windows: _windows.Windows,
        itemsize: int,
        options: Options,
        name: str = "x",
    ) -> None:
        lengths, regions, offsets = options.lengths, options.regions, options.offsets
        self.function, self.ndim = function, len(sizes)
        self.least = max(_windows.as_size(function, "min_count", options.min_count), 1)
        self.wants_counts = as_bool(function, "return_counts", options.return_counts)
        self.is_single = lengths is None and regions is None and offsets is None
        self.what = ""
        for what, given in (("lengths", lengths), ("regions", regions), ("items", offsets)):
            self.what = self.what if given is None else what
        if lengths is not None and regions is not None:
            raise ValueError(f"{function}: pass lengths or regions, not both")
        data_format = check_data_format(function, data_format)
        first = pooled_axes(function, self.ndim, input_shape, data_format, name)
        if self.is_single:
            check_room_for_axis(function, f"with options {name}", input_shape)
            input_shape, first = (1, *input_shape), first + 1
        elif first == 0:
            got = f"got {name} {input_shape}"
            if name == "x":
                got = f"got x of shape {input_shape}; x[numpy.newaxis] is one sample"
            raise ValueError(
                f"{function}: {self.what} need an axis of samples before the pooled ones, {got}"
            )
        lead, pooled = input_shape[1:first], input_shape[first : first + self.ndim]
        rule, tables = self._cut(sizes, pooled, windows)
        self.is_weighted = rule == "area"
        counts: tuple[int, ...] = tuple(
            [
                size if table is None else len(table[0])  # type: ignore[misc]
                for size, table in zip(sizes, tables, strict=True)
            ]
        )
        if self.is_single:
            rows = np.array([[0, *(k for size in pooled for k in (0, size))]])
        elif offsets is not None:
            rows = _items(function, offsets, *pooled)
            self.begin: int = rows[0, 1] if len(rows) > 0 else 0
            self.end: int = rows[-1, 2] if len(rows) > 0 else 0
        elif lengths is not None:
            rows = _lengths(function, lengths, input_shape[0], self.ndim)
        else:
            rows = _regions(function, regions, self.ndim)  # type: ignore[arg-type]
        rest = input_shape[first + self.ndim :]
        self.others = len(lead) + len(rest) + (not self.is_single)
        self.count, self.input_shape, self.first_axis = len(rows), input_shape, first
        self.plane = math.prod(pooled)
        self.shape = (len(rows), *lead, *counts, *rest)  # with an axis for a single part
        self.output_shape = self.shape[self.is_single :]
        check_addressable(function, self.output_shape, max(itemsize, 8))  # numbers of elements too
        self.computes = 0 not in self.output_shape
        self.counted: Array | None = None
        self.parts = Parts(
            function, self.what, first, pooled, counts, input_shape[0], rows, rule, tables
        )
        self.at_once: bool = self.parts.at_once
        others = math.prod(lead) * math.prod(rest)
        self.elements = self.parts.elements * others + math.prod(self.output_shape)

    def _cut(
        self, sizes: tuple[int | None, ...], pooled: tuple[int, ...], windows: _windows.Windows
    ) -> tuple[str, tuple[_windows.GivenTable | None, ...]]:
        """Return a rule, and tables for the axes that it does not cut."""
        given = _windows.rule_or_pairs(self.function, self.ndim, windows)
        if isinstance(given, str):
            if None in sizes and self.what in ("regions", "items"):
                raise ValueError(
                    f"{self.function}: output_size must be given for {self.what}, for they have "
                    f"lengths of their own; got {sizes}"
                )
            return given, tuple(
                [
                    _windows.table_of_each(self.function, size) if count is None else None
                    for count, size in zip(sizes, pooled, strict=True)
                ]
            )
        tables = tuple(
            [
                _windows.given_table(self.function, axis, size, pair)
                for axis, (size, pair) in enumerate(zip(pooled, given, strict=True))
            ]
        )
        check_counts(self.function, sizes, tables)
        return "area" if any(len(table) > 2 for table in tables) else "torch", tables

    def cut(self) -> Parts | None:
        """Return the parts as kernels read them, or None where nothing is to be computed."""
        return self.parts if self.computes else None

    def expand(self, x: Array) -> Array:
        """Return an array with an axis for parts."""
        return x[np.newaxis] if self.is_single else x

    def _counts(self) -> Array:
        """Return the elements of each window, in a shape that broadcasts to all results."""
        product: Any = np.int64(1)
        for axis in range(self.ndim):
            shape = [1] * len(self.shape)
            for k in (0, self.first_axis + axis):
                shape[k] = self.shape[k]
            sizes = np.empty(shape, np.int64)
            self.parts.count_elements(axis, sizes)
            product = product * sizes
        return np.asarray(product)

    def units(self) -> Array:
        """Return what kernels divide the weights of each part by, in a shape that broadcasts."""
        units = np.empty((self.count, *[1] * (len(self.shape) - 1)), np.int64)
        self.parts.store_units(units)
        return units

    def count_all(self) -> None:
        """Count the elements of each window, all of which count, if they are wanted.

        Before results are stored, for there may be no memory.
        """
        if self.wants_counts:
            self.counted = np.broadcast_to(self._counts(), self.shape).copy()

    def with_counts(self, result: Any) -> Any:
        """Return a result, or a tuple of them, and how many elements each window has, if wanted."""
        if not self.wants_counts:
            return result
        if self.counted is None:
            self.count_all()
        counts: Any = self.counted
        last = counts[0] if self.is_single else counts
        return (*result, last) if isinstance(result, tuple) else (result, last)

    def clear_rest(self, result: Array) -> None:
        """Store zeros outside of all items, of which kernels store the gradients and no more."""
        if self.what == "items":
            rows = np.moveaxis(result, self.first_axis, 0)
            rows[: self.begin] = 0
            rows[self.end :] = 0

    def check_gradient(self, shape: tuple[int, ...], name: str) -> None:
        """Raise unless there is a gradient, or a value, for every part."""
        if shape != self.output_shape:
            raise ValueError(
                f"{self.function}: {name} must have shape {self.output_shape} for "
                f"{self.count} {self.what}, got shape {shape}"
            )

    def without_short(self, gradient: Array) -> Array:
        """Return the gradient with zeros for windows that have too few elements."""
        if self.least == 1:
            return gradient  # windows without elements pass none on
        short = self._counts() < self.least
        copy = gradient.copy()
        copy[np.broadcast_to(short, self.shape)[0 if self.is_single else ...]] = 0
        return copy

    def settle(self, empty: object, dtype: np.dtype[Any]) -> None:
        """Say what windows with few elements become, or raise if there are any and it is open."""
        filler = _filler(self.function, empty, dtype)
        self.is_open, self.dtype = filler is None, dtype
        if self.is_open and self.computes:
            self.check_short(self._counts())
        self.filler = filler or bytes(dtype.itemsize)
        self.parts.fill_short(self.least, self.filler)

    def check_short(self, counts: Array) -> None:
        """Raise if windows have too few elements, unless it is settled what they become."""
        short = counts < self.least
        if self.is_open and short.any():
            position = [int(k) for k in np.argwhere(short)[0]]
            window = tuple(position[self.first_axis : self.first_axis + self.ndim])
            of = "" if self.is_single else f" of {self.what}[{position[0]}]"
            raise ValueError(
                f"{self.function}: window {window}{of} has fewer elements that count than "
                f"{self.least}, and {self.dtype} has no NaN for it; say with empty what it becomes"
            )

    def stores_apart(self, counting: Counting | None) -> bool:
        """Whether results, once they are stored, may still be refused, changed or lack memory."""
        return self.wants_counts or (counting is not None and (self.is_open or self.least > 1))


def _nan(dtype: np.dtype[Any]) -> bytes:
    return np.array(math.nan).astype(dtype).tobytes()


def _filler(function: str, empty: object, dtype: np.dtype[Any]) -> bytes | None:
    """Return what an empty window becomes, as it is in memory; None: that is an error."""
    if empty is None:
        return None if dtype.kind in "biu" else _nan(dtype)
    filler = bytes_of(as_number(function, "empty", empty), dtype)
    if filler is None:
        raise ValueError(f"{function}: empty must fit dtype {dtype}, got {shown(empty)}")
    return filler
