"""Many problems in one call: what is timed, and what is aimed at."""

from __future__ import annotations

import dataclasses
from typing import Any

from cases import FIRST, LAST, PACKED, PYRAMIDS, RAGGED, SIZES, TENSORS, TOGETHER, Case
from ways import Target

FORWARD = ("avg", "max_values")
BOTH = ("both", "both_indices")

# Inputs of 25 MB and more, some of which a shared cache holds, with their layouts and dtypes.
LARGE = (
    ("feature maps", (16, 128, 56, 56), FIRST, "float32"),
    ("feature maps", (16, 256, 56, 56), LAST, "float32"),
    ("detector", (1, 256, 200, 336), FIRST, "float32"),
    ("detector", (1, 256, 200, 336), LAST, "float32"),
    ("frames", (16, 3, 720, 1280), FIRST, "uint8"),
    ("frames", (16, 3, 720, 1280), LAST, "uint8"),
)


def _of(family: str, operations: tuple[str, ...], *rest: Any, **given: Any) -> list[Case]:
    """Every operation on the same items, which come from memory: they are cold anyway."""
    return [Case(family, operation, *rest, **given) for operation in operations]


def _large(family: str, operations: tuple[str, ...], size: int, **given: Any) -> list[Case]:
    """Every operation on large inputs, warm and cold."""
    return [
        Case(family, operation, name, shape, (size, size), layout, dtype, cold=cold, **given)
        for operation in operations
        for name, shape, layout, dtype in LARGE
        for cold in (False, True)
    ]


# What a classifier is fed, from 0.1 to 12 megapixels; feature maps of regions of any size; texts
# of a sentence encoder without padding; a volume of a microscope, section by section.
PHOTOGRAPHS = ("photographs", (64, 3, 3000, 4000), (224, 224), FIRST, "uint8")
MAPS = ("maps", (1000, 64, 60, 60), (7, 7), FIRST)
TEXTS = ("texts", (10_000, 128, 60), (1,), LAST)
VOLUME = ("volume", (64, 2048, 2048), (128, 128), FIRST, "uint16")

_CASES = (
    *_of(TENSORS, ("avg",), *PHOTOGRAPHS, batch="pictures", least=(250, 400)),
    *_of(RAGGED, FORWARD, *MAPS, batch="ragged", least=(10, 10)),
    *_of(PACKED, FORWARD, *TEXTS, batch="packed", least=(5,)),
    *_large(TOGETHER, BOTH, 7, batch="together"),
    *_large(SIZES, (*FORWARD, "both"), 6, batch="sizes", sizes=(1, 2, 3, 6)),
    *_of(PYRAMIDS, ("avg",), *VOLUME, batch="pyramid"),
)

TARGETS = (
    Target(TENSORS, ("avg",), "opencv blobs", 6, threads=2),
    Target(TENSORS, ("avg",), "fast_image_resize + numpy", 1.3, threads=2),
    Target(TENSORS, ("avg",), "torch, each", 3, threads=2),
    Target(TENSORS, ("avg",), "bytes alone", 1.15, threads=2),
    Target(RAGGED, FORWARD, "single calls", 1.7, threads=2),
    Target(RAGGED, FORWARD, "torch loop", 5),
    Target(PACKED, ("avg",), "single calls", 20),
    Target(PACKED, ("avg",), "sum", 1.5),
    Target(TOGETHER, BOTH, "slowest alone", 1.3),
    Target(SIZES, FORWARD, "slowest alone", 1.5),
    Target(PYRAMIDS, ("avg",), "tensorstore levels", 4),
    Target(PYRAMIDS, ("avg",), "tinybrain", 10),
)


def _less(case: Case) -> Case:
    """Return a case of the same kind that takes no time."""
    part = {"pictures": 10, "together": 10, "sizes": 5, "pyramid": 32}.get(case.batch, 1)
    lead, pooled = case.shape[: -case.ndim], case.shape[-case.ndim :]
    shape = (*(min(length, 5) for length in lead), *(length // part for length in pooled))
    size = case.size if case.batch == "sizes" else tuple(max(n // part, 1) for n in case.size)
    least = tuple(length // part for length in case.least)
    return dataclasses.replace(case, shape=shape, size=size, least=least)


def cases(*, only: str = "", quick: bool = False) -> list[Case]:
    """All cases of the families that contain `only`; a small one of each kind for `quick`."""
    chosen = [case for case in _CASES if only in case.family]
    if not quick:
        return chosen
    kinds: dict[tuple[object, ...], Case] = {}
    for case in chosen:
        kinds.setdefault((case.family, case.operation, case.data_format, case.cold), _less(case))
    return list(kinds.values())


def memory_cases(*, quick: bool = False) -> list[Case]:
    """Each kind of call with some items and with many: memory must not grow with them."""
    chosen: dict[str, Case] = {}
    for case in cases(quick=quick):
        chosen.setdefault(case.batch, case)
    return [
        dataclasses.replace(case, shape=(max(case.shape[0] // part, 1), *case.shape[1:]))
        for case in chosen.values()
        for part in (8, 1)
    ]
