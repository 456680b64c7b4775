"""Options: what few calls say. Their types, their defaults, and how functions take them.

Functions take options as ``**options``: each argument that is not given costs a call time, and
there are many. Type checkers know them by the classes here; `described` lists them in signatures.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

from ._objects import is_a

NanPolicy: TypeAlias = Literal["propagate", "omit"]
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Options(NamedTuple):
    """Which elements count, over what is pooled, windows with few elements, and scaled means."""

    where: npt.ArrayLike | None = None
    nan_policy: NanPolicy = "propagate"
    nodata: float | None = None
    x: npt.ArrayLike | None = None  # of gradients, which need it for the two before
    lengths: npt.ArrayLike | None = None
    regions: npt.ArrayLike | None = None
    offsets: npt.ArrayLike | None = None  # of packed values, which are one sample
    empty: float | None = None
    min_count: int = 1
    return_counts: bool = False
    scale: npt.ArrayLike | None = None
    offset: npt.ArrayLike | None = None

    @property
    def scales(self) -> bool:
        """Whether results are scaled."""
        return self.scale is not None or self.offset is not None

    def without_scaling(self) -> Options | None:
        """Return the others, or None if all of them are as they are by default."""
        return _or_none(self._replace(scale=None, offset=None))


class RegionTypes(TypedDict, total=False):
    """Options of what stands at indices."""

    regions: npt.ArrayLike | None


class _CountTypes(TypedDict, total=False):
    min_count: int
    where: npt.ArrayLike | None
    nan_policy: NanPolicy
    nodata: float | None


class _PartTypes(RegionTypes, _CountTypes, total=False):
    lengths: npt.ArrayLike | None


class GradientTypes(_PartTypes, total=False):
    """Options of gradients of averages."""

    x: npt.ArrayLike | None


class OptionTypes(_PartTypes, total=False):
    """Options of averages and maxima, but for the one that changes what is returned."""

    empty: float | None


class AllOptionTypes(OptionTypes, total=False):
    """All options."""

    return_counts: bool


class _ScaleTypes(TypedDict, total=False):
    scale: npt.ArrayLike | None
    offset: npt.ArrayLike | None


class AverageTypes(OptionTypes, _ScaleTypes, total=False):
    """Options of averages, but for the one that changes what is returned."""


class AllAverageTypes(AllOptionTypes, _ScaleTypes, total=False):
    """All options of averages."""


class CountedTypes(_CountTypes, total=False):
    """Options of what counts, and of what becomes of windows with few elements."""

    empty: float | None


class AllPackedTypes(CountedTypes, total=False):
    """All options of packed values."""

    return_counts: bool


class PackedGradientTypes(_CountTypes, total=False):
    """Options of gradients of averages of packed values."""

    x: npt.ArrayLike | None


class _EachTypes(TypedDict, total=False):
    min_count: int
    where: Sequence[npt.ArrayLike | None] | None
    nan_policy: NanPolicy
    nodata: float | None


class RaggedTypes(_EachTypes, total=False):
    """Options of lists of arrays, likewise."""

    empty: float | None


class AllRaggedTypes(RaggedTypes, total=False):
    """All options of lists of arrays."""

    return_counts: bool


class RaggedAverageTypes(RaggedTypes, _ScaleTypes, total=False):
    """Options of averages of lists of arrays, likewise."""


class AllRaggedAverageTypes(AllRaggedTypes, _ScaleTypes, total=False):
    """All options of averages of lists of arrays."""


class RaggedGradientTypes(_EachTypes, total=False):
    """Options of gradients of averages of lists of arrays."""

    x: Sequence[npt.ArrayLike] | None


def options_of(function: str, given: Mapping[str, Any], types: type) -> Options | None:
    """Return options, or None if all of them are as they are by default."""
    for name in given:
        if name not in types.__annotations__:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
    return _or_none(Options(**given))


def _or_none(options: Options) -> Options | None:
    defaults = zip(options, Options(), strict=True)
    return None if all(a is b or _are_same(a, b) for a, b in defaults) else options


def _are_same(given: Any, default: Any) -> bool:
    """Whether a value is a default, of the same type or of NumPy's."""
    plain = given.item() if is_a(given, np.generic) else given
    return type(plain) is type(default) and bool(plain == default)


def described(function: _Function) -> _Function:
    """List the options of a function in its signature, before what is said of results."""
    signature = inspect.signature(function)
    types = _TYPES_OF[signature.parameters["options"].annotation]
    taken = [*signature.parameters.values()][:-1]
    last = [p for p in taken if p.name in ("dtype", "out", "num_threads")]
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for (name, default), annotation in zip(
            Options()._asdict().items(), Options.__annotations__.values(), strict=True
        )
        if name in types.__annotations__
    ]
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*(p for p in taken if p not in last), *options, *last]
    )
    return function


_TYPES_OF = {
    f"Unpack[{types.__name__}]": types
    for types in (
        RegionTypes,
        GradientTypes,
        OptionTypes,
        AllOptionTypes,
        AllAverageTypes,
        CountedTypes,
        AllPackedTypes,
        PackedGradientTypes,
        AllRaggedTypes,
        AllRaggedAverageTypes,
        RaggedGradientTypes,
    )
}
