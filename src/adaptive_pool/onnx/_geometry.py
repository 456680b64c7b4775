"""What is pooled and how: arguments of several functions, checked, as one description."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx

from .. import _windows
from .._arrays import MOST_AXES
from .._objects import is_a, shown
from .._problem import Size, check_counts, normalize_size

_TYPES = {
    "float16": onnx.TensorProto.FLOAT16,
    "bfloat16": onnx.TensorProto.BFLOAT16,
    "float32": onnx.TensorProto.FLOAT,
    "float64": onnx.TensorProto.DOUBLE,
}
_KINDS = ("avg", "max")
_LARGEST_PLANE = 2**31 - 2  # places in it are counted from 1, in int32


class Geometry(NamedTuple):
    """A pool over the last axes of a tensor of known rank."""

    kind: str
    shape: tuple[int | None, ...]  # of the input; None is not known
    sizes: tuple[int | None, ...]  # one for each pooled axis; None keeps it
    windows: tuple[str | _windows.Table, ...]  # likewise
    dtype: np.dtype[Any]
    with_indices: bool

    @property
    def ndim(self) -> int:
        """How many axes are pooled."""
        return len(self.sizes)

    @property
    def element(self) -> int:
        """What ONNX calls the type of the elements."""
        number: int = _TYPES[self.dtype.name]
        return number


def geometry_of(
    function: str,
    kind: object,
    output_size: Size,
    ndim: int,
    shape: Sequence[int | None],
    windows: _windows.Windows,
    dtype: npt.DTypeLike,
    *,
    with_indices: bool,
) -> Geometry:
    """Return what is asked for, or raise; rules that cannot cut an axis raise later."""
    name = str.__str__(kind) if is_a(kind, str) else ""
    if name not in _KINDS:
        raise ValueError(f"{function}: kind must be 'avg' or 'max', got {shown(kind)}")
    if with_indices and name == "avg":
        raise ValueError(f"{function}: only maxima have indices, got kind 'avg'")
    element = np.dtype(dtype)
    if element.name not in _TYPES:
        raise TypeError(f"{function}: dtype must be one of {list(_TYPES)}, got {element.name}")
    sizes = normalize_size(function, ndim, output_size)
    known = _shape(function, shape)
    if len(known) < ndim:
        raise ValueError(
            f"{function}: shape must have an axis for each of output_size {sizes}, got {known}"
        )
    pooled = known[len(known) - ndim :]
    given = _windows.rule_or_pairs(function, ndim, windows)
    if name == "max":
        _windows.check_unweighted(function, given)
    if with_indices and math.prod(size or 1 for size in pooled) > _LARGEST_PLANE:
        raise ValueError(
            f"{function}: indices are of planes of up to {_LARGEST_PLANE} elements, got shape "
            f"{known}"
        )
    if isinstance(given, str):
        return Geometry(name, known, sizes, (given,) * ndim, element, with_indices)
    tables = tuple(
        _windows.explicit_table(function, axis, 2**62 if size is None else size, pair)
        for axis, (size, pair) in enumerate(zip(pooled, given, strict=True))
    )
    return Geometry(
        name, known, check_counts(function, sizes, tables), tables, element, with_indices
    )


def _shape(function: str, shape: Sequence[int | None]) -> tuple[int | None, ...]:
    if is_a(shape, (str, bytes)) or not is_a(shape, Sequence):
        raise TypeError(
            f"{function}: shape must be a sequence of integers, or None for sizes that are not "
            f"known yet, got {type(shape).__name__}"
        )
    taken = _windows.first_entries(f"{function}: shape", shape, MOST_AXES + 1)
    if len(taken) > MOST_AXES:
        raise ValueError(f"{function}: shape must have at most {MOST_AXES} elements")
    return tuple(
        None if size is None else _windows.as_size(function, "shape", size) for size in taken
    )
