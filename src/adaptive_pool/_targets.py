"""Arrays of the caller's that several results go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from ._arrays import Array
from ._problem import check_out, deliver, share_memory


def check_apart(function: str, arrays: Sequence[Array]) -> None:
    """Raise if two arrays share memory."""
    places = [(*byte_bounds(np.asarray(x)), k) for k, x in enumerate(arrays) if x.size > 0]
    before: list[tuple[int, int]] = []  # where those end that may reach into the next, and which
    for begin, end, k in sorted(places):
        before = [(other_end, j) for other_end, j in before if other_end > begin]
        for _, j in before:
            if share_memory(arrays[j], arrays[k]):
                raise ValueError(
                    f"{function}: out[{min(j, k)}] and out[{max(j, k)}] must not share memory"
                )
        before.append((end, k))


def check_targets(function: str, targets: Sequence[Any], results: Sequence[Array]) -> None:
    """Raise unless each of some results has an array of its own to go to."""
    for k, (target, result) in enumerate(zip(targets, results, strict=True)):
        check_out(function, f"out[{k}]", target, result.shape, result.dtype)
    check_apart(function, targets)


def deliver_all(function: str, results: Sequence[Array], targets: Sequence[Any]) -> Sequence[Any]:
    """Copy each of some results to its array, once all are known to fit; return these arrays."""
    check_targets(function, targets, results)
    for result, target in zip(results, targets, strict=True):
        deliver(result, target, None)
    return targets
