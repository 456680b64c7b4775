"""Many problems in one call: what is timed, and what is aimed at."""

from __future__ import annotations

import dataclasses
from typing import Any

from cases import FIRST, LAST, PACKED, RAGGED, Case
from ways import Target

FORWARD = ("avg", "max_values")


def _of(family: str, *rest: Any, operations: tuple[str, ...] = FORWARD, **given: Any) -> list[Case]:
    """Every operation on the same items."""
    return [Case(family, operation, *rest, **given) for operation in operations]


# Feature maps of regions of any size; texts of a sentence encoder without padding.
_CASES = (
    *_of(RAGGED, "maps", (1000, 64, 60, 60), (7, 7), FIRST, batch="ragged", least=(10, 10)),
    *_of(PACKED, "texts", (10_000, 128, 60), (1,), LAST, batch="packed", least=(5,)),
)

TARGETS = (
    Target(RAGGED, FORWARD, "single calls", 1.7, threads=2),
    Target(RAGGED, FORWARD, "torch loop", 5),
    Target(PACKED, ("avg",), "single calls", 20),
    Target(PACKED, ("avg",), "sum", 1.5),
)


def _less(case: Case) -> Case:
    """Return a case of the same kind that takes no time."""
    shape = (min(case.shape[0], 9), min(case.shape[1], 5), *case.shape[2:])
    return dataclasses.replace(case, shape=shape)


def cases(*, only: str = "", quick: bool = False) -> list[Case]:
    """All cases of the families that contain `only`; small ones for `quick`."""
    chosen = [case for case in _CASES if only in case.family]
    return [_less(case) for case in chosen] if quick else chosen


def memory_cases(*, quick: bool = False) -> list[Case]:
    """Each kind of call with some items and with many: memory must not grow with them."""
    chosen: dict[str, Case] = {}
    for case in cases(quick=quick):
        chosen.setdefault(case.batch, case)
    return [
        dataclasses.replace(case, shape=(case.shape[0] // part, *case.shape[1:]))
        for case in chosen.values()
        for part in (8, 1)
    ]
