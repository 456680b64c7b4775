"""What calls with options are held against: this library without them, and other ways.

To add one: a class with `prepare(case)`, and its name in `LIBRARIES_OF_OPTIONS` and its families.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
from blocks import windows_as_axes
from cases import Case
from data import dtype_of, gradient_of, input_of
from library import Call, Library
from options_data import lengths_of, options_of
from ours import AdaptivePool


class Plain(AdaptivePool):
    """This library without options: the same arrays, all of whose elements count."""

    def prepare(self, case: Case) -> Call | None:
        if case.regions:
            return None
        if case.operation == "max_backward":  # NaN would be most maxima, all in the same lines
            case = dataclasses.replace(case, options="")
        return self.with_options(case, {})

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return []  # it is another result


class ValidAlone(AdaptivePool):
    """This library on the elements that count, alone in one array: as many windows as texts."""

    def prepare(self, case: Case) -> Call | None:
        if case.operation not in ("avg", "max_values") or case.data_format != "channels_last":
            return None
        x, lengths = input_of(case), lengths_of(case)[:, 0]
        valid = np.concatenate([text[:length] for text, length in zip(x, lengths, strict=True)])
        ends = np.cumsum(lengths)
        options = {"windows": [(ends - lengths, ends)], "data_format": case.data_format}
        pool = getattr(self.ap, f"adaptive_{case.operation[:3]}_pool1d")
        return lambda: pool(valid, None, **options)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.reshape(case.output_shape)]


class OneByOne(AdaptivePool):
    """This library, a call for each region; gradients are added."""

    def prepare(self, case: Case) -> Call | None:
        if not case.regions or case.operation == "max" or case.dtype in ("float16", "bfloat16"):
            return None
        dtype, options = dtype_of(case.dtype), {"data_format": case.data_format}
        x, g = (a.astype(dtype, copy=False) for a in (input_of(case), gradient_of(case)))
        channels = () if case.data_format == "channels_last" else (slice(None),)
        regions = [
            (sample, *channels, *map(slice, edges[::2], edges[1::2]))
            for sample, *edges in options_of(case)["regions"].tolist()
        ]
        name = f"adaptive_{case.operation[:3]}_pool{case.ndim}d"
        pool, gradient = getattr(self.ap, name), getattr(self.ap, f"{name}_backward")
        if not case.operation.endswith("backward"):
            return lambda: np.stack([pool(x[region], case.size, **options) for region in regions])
        given: list[tuple] = [(own,) for own in g]
        if case.operation == "max_backward":
            for k, region in enumerate(regions):
                _, indices = pool(x[region], case.size, return_indices=True, **options)
                given[k] += (indices,)

        def add() -> np.ndarray:
            total = np.zeros(case.input_shape, dtype)
            for region, arguments in zip(regions, given, strict=True):
                part = total[region]
                part += gradient(*arguments, part.shape, **options)
            return total

        return add


def _where_of(case: Case) -> np.ndarray:
    """Return the mask of a case; of one with lengths, that which says the same."""
    masked = dataclasses.replace(case, options="mask") if case.options == "lengths" else case
    return options_of(masked)["where"]


def _mask_of(case: Case) -> np.ndarray | None:
    """Return the mask (texts, tokens) of texts that become one number for each channel."""
    if case.operation != "avg" or case.data_format != "channels_last" or case.size != (1,):
        return None
    return _where_of(case)[..., 0]


class Einsum(Library):
    """`einsum` with a float32 mask that is there already, and a division by its sums."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        x, mask = input_of(case), _mask_of(case)
        if mask is None:
            return None
        given = mask.astype(np.float32)
        return lambda: np.einsum("nlc,nl->nc", x, given) / given.sum(1, keepdims=True)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.reshape(case.output_shape)]


class Int64Mask(Einsum):
    """An int64 mask, as tokenizers return it, broadcast to full size in float64."""

    def prepare(self, case: Case) -> Call | None:
        x, mask = input_of(case), _mask_of(case)
        if mask is None:
            return None
        given = mask.astype(np.int64)

        def mean() -> np.ndarray:
            full = np.broadcast_to(given[..., np.newaxis], x.shape).astype(np.float64)
            return (x * full).sum(1) / np.clip(full.sum(1), 1e-9, None)

        return mean


class NumPyWhere(Library):
    """`mean` and `max` of NumPy with `where`, of whole axes and exact factors."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if not case.divides or case.operation not in ("avg", "max_values"):
            return None
        x, axes = windows_as_axes(case, input_of(case))
        where, _ = windows_as_axes(case, np.broadcast_to(_where_of(case), case.input_shape))
        if case.operation == "avg":
            return lambda: x.mean(axes, where=where)
        return lambda: x.max(axes, where=where, initial=-np.inf)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.reshape(case.output_shape)]


class XArray(Library):
    """`coarsen(...).mean()` and `.max()`, which leave NaN out, by numbagg if that is there."""

    module = "xarray"
    distribution = "xarray"

    def prepare(self, case: Case) -> Call | None:
        one_plane = case.shape[:2] == (1, 1) and case.ndim == 2
        if not one_plane or not case.divides or case.operation not in ("avg", "max_values"):
            return None
        x = importlib.import_module("xarray").DataArray(
            input_of(case).reshape(case.shape[2:]), dims=("y", "x")
        )
        (height, rows), (width, columns) = case.pooled
        factors = {"y": height // rows, "x": width // columns}
        if case.operation == "avg":
            return lambda: x.coarsen(factors).mean()
        return lambda: x.coarsen(factors).max()

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.to_numpy().reshape(case.output_shape)]


class Numbagg(Library):
    """`nanmean` and `nanmax` over axes of blocks."""

    module = "numbagg"
    distribution = "numbagg"

    def prepare(self, case: Case) -> Call | None:
        if not case.divides or case.operation not in ("avg", "max_values"):
            return None
        numbagg = importlib.import_module("numbagg")
        reduce = numbagg.nanmean if case.operation == "avg" else numbagg.nanmax
        x, axes = windows_as_axes(case, input_of(case))
        return lambda: reduce(x, axis=axes)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.reshape(case.output_shape)]


LIBRARIES_OF_OPTIONS: dict[str, type[Library]] = {
    "plain": Plain,
    "valid alone": ValidAlone,
    "one by one": OneByOne,
    "einsum": Einsum,
    "int64 mask": Int64Mask,
    "numpy where": NumPyWhere,
    "xarray": XArray,
    "numbagg": Numbagg,
}
