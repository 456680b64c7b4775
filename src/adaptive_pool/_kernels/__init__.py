"""The compiled code. It knows canonical problems, and nothing of Python arguments.

The sources are here; `baseline` and `x86_64_v3` hold what was built of them, for which processors.
One build is chosen, once, when the package is imported: the best that this processor runs, or the
one that the environment variable ``ADAPTIVE_POOL_ISA`` names. ``isa`` says which, ``isas_built``
what there is. All give the same bits.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import TYPE_CHECKING

from .cpu import has_x86_64_v3

# From the best to the most common.
_RUNS = {"x86_64_v3": has_x86_64_v3(), "baseline": True}

isas_built = tuple(
    name for name in _RUNS if importlib.util.find_spec(f"{__name__}.{name}.average") is not None
)


def _choose(wanted: str | None) -> str:
    if not wanted:
        return next(name for name in isas_built if _RUNS[name])
    if wanted not in isas_built:
        raise ImportError(
            f"ADAPTIVE_POOL_ISA={wanted!r} is not built here, expected one of {list(isas_built)}"
        )
    if not _RUNS[wanted]:
        raise ImportError(f"ADAPTIVE_POOL_ISA={wanted!r} does not run on this processor")
    return wanted


isa = _choose(os.environ.get("ADAPTIVE_POOL_ISA"))

if TYPE_CHECKING:
    from .baseline.average import average
    from .baseline.average_backward import average_backward
    from .baseline.maximum import maximum
    from .baseline.maximum_backward import any_outside, maximum_backward
else:

    def _load(name):
        return importlib.import_module(f"{__name__}.{isa}.{name}")

    average = _load("average").average
    average_backward = _load("average_backward").average_backward
    maximum = _load("maximum").maximum
    any_outside = _load("maximum_backward").any_outside
    maximum_backward = _load("maximum_backward").maximum_backward

__all__ = [
    "any_outside",
    "average",
    "average_backward",
    "isa",
    "isas_built",
    "maximum",
    "maximum_backward",
]
