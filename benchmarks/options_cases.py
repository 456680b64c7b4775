"""Calls with options that are timed, and what is aimed at."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from cases import (
    AREA,
    AREA_PICTURES,
    FEW_CHANNELS,
    FIRST,
    HOLES,
    LAST,
    MASKED,
    REGIONS,
    TEXTS,
    TEXTS_MASKED,
    TINY_OPTIONS,
    Case,
    Workload,
)
from ways import Target

EMBEDDINGS = Workload("embeddings", (64, 384, 256), (1,), "padded texts of a sentence encoder")
RASTER = Workload("raster", (1, 1, 3000, 4000), (300, 400), "an overview of a raster with gaps")
MAPS = Workload("feature maps", (16, 128, 56, 56), (7, 7), "a mask of every element")
PROPOSALS = Workload("proposals", (8, 256, 50, 68), (7, 7), "what a detector looks at")
VIEWS = Workload("feature maps", (16, 128, 56, 56), (13, 13), "sizes that do not divide")
TINY = Workload("tiny", (2, 3, 8), (2,), "a call of microseconds")

ALL = ("avg", "max_values", "avg_backward", "max_backward")
MEANS = ("avg", "avg_backward")


@dataclass(frozen=True)
class Group:
    """One option on some workloads: every operation, warm and cold."""

    family: str
    options: str
    workloads: tuple[Workload, ...]
    layouts: tuple[str, ...] = (FIRST,)
    operations: tuple[str, ...] = ALL
    regions: int = 0

    def cases(self) -> list[Case]:
        """Return the cases of the group."""
        return [
            Case(
                self.family,
                operation,
                w.name,
                w.shape,
                w.size,
                layout,
                cold=cold,
                options=self.options,
                regions=self.regions,
            )
            for operation in self.operations
            for w in self.workloads
            for layout in self.layouts
            for cold in (False, True)
        ]


# To add options: a family in `cases.py`, a line here, and the arguments in `options_data.py`.
GROUPS = (
    Group(TEXTS, "lengths", (EMBEDDINGS,), (LAST,)),
    Group(TEXTS_MASKED, "mask", (EMBEDDINGS,), (LAST,)),
    Group(TEXTS_MASKED, "gaps", (EMBEDDINGS,), (LAST,)),
    Group(MASKED, "where", (MAPS,), (FIRST, LAST)),
    Group(MASKED, "where", (EMBEDDINGS,), (LAST,)),
    Group(HOLES, "holes", (RASTER,)),
    Group(REGIONS, "regions", (PROPOSALS,), regions=1000),
    Group(AREA, "area", (*FEW_CHANNELS, VIEWS), (FIRST, LAST), MEANS),
    Group(TINY_OPTIONS, "lengths", (TINY,)),
    Group(TINY_OPTIONS, "mask", (TINY,)),
    Group(TINY_OPTIONS, "holes", (TINY,)),
)


BACKWARD = ("avg_backward", "max_backward")
TARGETS = (
    Target(TEXTS, ("avg", "max_values"), "valid alone", 1.3),
    Target(TEXTS, ("avg",), "einsum", 2),
    Target(TEXTS, ("avg",), "int64 mask", 30),
    Target(TEXTS_MASKED, ("avg",), "plain", 1.5),
    Target(MASKED, ("avg",), "plain", 2),
    Target(HOLES, ("avg",), "plain", 2),
    Target(HOLES, ("avg",), "xarray", 30),
    Target(HOLES, ("avg",), "numbagg", 15),
    *(Target(name, BACKWARD, "plain", 1.5) for name in (TEXTS, TEXTS_MASKED, MASKED, HOLES)),
    Target(REGIONS, BACKWARD, "one by one", 1.5),
    Target(AREA, ("avg",), "plain", 1.3, is_mean=True),
    Target(AREA, BACKWARD, "plain", 1.5),
    Target(AREA_PICTURES, ("avg",), "opencv", 6, is_mean=True),
    Target(AREA_PICTURES, ("avg",), "fast_image_resize", 1, is_mean=True),
)


def _less(case: Case) -> Case:
    """Return a case of the same kind that takes no time."""
    pooled = [(max(size // 10, 3), max(count // 10, 1)) for size, count in case.pooled]
    shape = (min(case.shape[0], 4), min(case.shape[1], 5), *(size for size, _ in pooled))
    size = tuple(count for _, count in pooled)
    return dataclasses.replace(case, shape=shape, size=size, regions=min(case.regions, 9))


def cases(*, only: str = "", quick: bool = False) -> list[Case]:
    """All cases of the families that contain `only`; small ones for `quick`."""
    chosen = [case for group in GROUPS for case in group.cases() if only in case.family]
    return [_less(case) for case in chosen] if quick else chosen
