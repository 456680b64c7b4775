"""Results of many problems in one call are compared before they are timed.

With a call of this library for each problem they agree to the bit. With others they agree within
the tolerances of `check.py`, which are those of the longest windows.
"""

from __future__ import annotations

import numpy as np
from cases import Case
from check import same, tolerance
from peers import LIBRARIES


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return (a.shape, a.dtype) == (b.shape, b.dtype) and a.tobytes() == b.tobytes()


def _agree(case: Case, library: str, a: np.ndarray, b: np.ndarray) -> bool:
    if issubclass(LIBRARIES[library], LIBRARIES["adaptive_pool"]):
        return _same_bits(a, b)
    return same(a, b, *tolerance(case))


def check_batch(case: Case, results: dict[str, list[np.ndarray]]) -> None:
    """Raise if a library does not compute what the case says; a baseline may have no results."""
    ours = results["adaptive_pool"]
    for library, theirs in results.items():
        if theirs and not (
            len(ours) == len(theirs)
            and all(_agree(case, library, a, b) for a, b in zip(ours, theirs, strict=True))
        ):
            raise ValueError(f"{case.name}: {library} and adaptive_pool differ")
