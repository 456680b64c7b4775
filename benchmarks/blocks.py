"""Libraries that reduce blocks: they take part where sizes divide."""

from __future__ import annotations

import functools
import importlib
import os
from typing import Any

import numpy as np
from cases import INTEGERS, Case
from data import input_of
from library import Call, Library

FORWARD = ("avg", "max", "max_values")
# What NumPy computes with: halves of `ml_dtypes` would be added as bfloat16.
NUMPY = (*INTEGERS, "float16", "float32", "float64")


def _takes_part(case: Case, dtypes: tuple[str, ...]) -> bool:
    return case.divides and case.operation in FORWARD and case.dtype in dtypes


def _input(case: Case) -> np.ndarray:
    return input_of(case).astype(case.dtype, copy=False)


def _blocks(case: Case) -> list[int]:
    return [i // o for i, o in case.pooled]


def _blocks_of_all_axes(case: Case) -> list[int]:
    """One block for each axis of the array as it is stored."""
    if case.data_format == "channels_first":
        return [1, 1, *_blocks(case)]
    return [1, *_blocks(case), 1]


def _first(case: Case) -> int:
    """Return the first pooled axis."""
    return 2 if case.data_format == "channels_first" else 1


def windows_as_axes(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return an input with an axis more for each that is cut, and the axes of the windows."""
    first = _first(case)
    if all(o == 1 for _, o in case.pooled):
        return x, tuple(range(first, first + case.ndim))
    split = [n for i, o in case.pooled for n in (o, i // o)]
    x = x.reshape(*x.shape[:first], *split, *x.shape[first + case.ndim :])
    return x, tuple(range(first + 1, first + 2 * case.ndim, 2))


class ScikitImage(Library):
    """`block_reduce`."""

    module = "skimage"
    distribution = "scikit-image"

    def prepare(self, case: Case) -> Call | None:
        if not _takes_part(case, ("float32",)):
            return None
        block_reduce = importlib.import_module("skimage.measure").block_reduce
        x, function = _input(case), np.mean if case.operation == "avg" else np.max
        block = tuple(_blocks_of_all_axes(case))
        return lambda: block_reduce(x, block, function)


class NumPyReshape(Library):
    """`x.reshape(..., OH, kh, OW, kw).mean((-3, -1))`; of whole axes just `x.mean((-2, -1))`.

    Means of integers that are to be integers are rounded.
    """

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if not _takes_part(case, NUMPY):
            return None
        x, axes = windows_as_axes(case, _input(case))
        if case.operation != "avg":
            return lambda: x.max(axes)
        if case.result:
            return lambda: np.rint(x.mean(axes)).astype(case.result)
        return lambda: x.mean(axes)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return super().as_numpy(result.reshape(case.output_shape), case)


class NumPyReduceat(Library):
    """`reduceat` along one axis after the other."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if not _takes_part(case, ("float32",)):
            return None
        x, blocks = _input(case), _blocks(case)
        starts = [
            (axis, np.arange(0, i, i // o))
            for axis, (i, o) in reversed(list(enumerate(case.pooled, _first(case))))
        ]
        ufunc = np.add if case.operation == "avg" else np.maximum
        count = np.float32(np.prod(blocks) if case.operation == "avg" else 1)
        return lambda: (
            functools.reduce(lambda y, s: ufunc.reduceat(y, s[1], s[0]), starts, x) / count
        )


class TensorStore(Library):
    """`downsample`. Means of integers are integers."""

    module = "tensorstore"
    distribution = "tensorstore"

    def prepare(self, case: Case) -> Call | None:
        if not _takes_part(case, (*INTEGERS, "float32", "float64")) or case.operation == "max":
            return None
        if case.operation == "avg" and case.dtype in INTEGERS and not case.result:
            return None
        ts = importlib.import_module("tensorstore")
        context = ts.Context({"data_copy_concurrency": {"limit": self.threads}})
        x, factors = ts.array(_input(case), context=context), _blocks_of_all_axes(case)
        method = "mean" if case.operation == "avg" else "max"
        return lambda: ts.downsample(x, factors, method).read().result()


class Keras(Library):
    """Pooling in Keras on NumPy. That needs JAX, which takes as many threads as it likes."""

    module = "keras"
    distribution = "keras"
    needs = ("jax", "scipy")

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        os.environ["KERAS_BACKEND"] = "numpy"
        self.ops = importlib.import_module("keras").ops

    def prepare(self, case: Case) -> Call | None:
        if not _takes_part(case, ("float32",)) or case.operation == "max":
            return None
        pool = self.ops.average_pool if case.operation == "avg" else self.ops.max_pool
        x, blocks = _input(case), tuple(_blocks(case))
        return lambda: np.asarray(pool(x, blocks, blocks, "valid", case.data_format))
