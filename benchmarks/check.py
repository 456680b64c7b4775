"""Results are compared before they are timed. Every tolerance is derived here.

Libraries with our windows are compared with us. On uint8 pictures the windows differ. There, and
wherever means of integers are integers, every library, ours included, is compared with exact means
over its own windows:

* "torch": whole pixels, from floor(i*I/O) to ceil((i+1)*I/O);
* "area": from i*I/O to (i+1)*I/O, a pixel counting by the part of it inside (OpenCV);
* "centre": whole pixels whose centres lie inside that (Pillow);
* "box": the same, but for centres that lie on a border (fast_image_resize).

Where O divides I all of them are the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from cases import INTEGERS, ITEMSIZE, Case
from data import input_of
from peers import LIBRARIES

FLOAT32 = 2.0**-24  # relative error of one rounding
FLOAT64 = 1e-9  # more than the exact means of bytes are off: sums below 2**20 in float64
ROUNDING = {"float64": 2.0**-53, "float32": FLOAT32, "float16": 2.0**-11, "bfloat16": 2.0**-8}


def borders(rule: str, size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the windows of an axis start and end."""
    i = np.arange(count)
    if rule == "torch":
        return i * size // count, -(-(i + 1) * size // count)
    if rule == "area":
        return i * size / count, (i + 1) * size / count
    # In the float64 of each, which decides whose a pixel is whose centre lies on a border.
    scale = size / count
    middles = (i + 0.5) * scale
    if rule == "centre":
        starts = np.floor(middles - scale / 2 + 0.5).astype(int)
        ends = np.floor(middles + scale / 2 + 0.5).astype(int)
        starts += (starts - middles + 0.5) * (1 / scale) <= -0.5
        ends -= (ends - 1 - middles + 0.5) * (1 / scale) > 0.5
    else:
        starts = np.floor(middles - scale / 2).astype(int)
        ends = np.ceil(middles + scale / 2).astype(int)
        starts += (starts - (middles - 0.5)) * (1 / scale) <= -0.5
        ends -= (ends - 1 - (middles - 0.5)) * (1 / scale) > 0.5
    return starts, ends


def _mean(x: np.ndarray, axis: int, rule: str, count: int) -> np.ndarray:
    """Average along one axis: differences of its integral, which is linear within a pixel."""
    x = np.moveaxis(x, axis, 0)
    integral = np.concatenate([np.zeros_like(x[:1]), np.cumsum(x, 0)])
    starts, ends = borders(rule, len(x), count)

    def at(t: np.ndarray) -> np.ndarray:
        whole = np.minimum(t.astype(int), len(x) - 1)
        part = (t - whole).reshape(-1, *[1] * (x.ndim - 1))
        return integral[whole] + part * x[whole]

    lengths = (ends - starts).reshape(-1, *[1] * (x.ndim - 1))
    return np.moveaxis((at(ends) - at(starts)) / lengths, 0, axis)


def means_of(x: np.ndarray, first: int, rule: str, counts: Sequence[int]) -> np.ndarray:
    """Average in float64 along so many axes from the first on."""
    x = x.astype(np.float64)
    for axis, count in enumerate(counts, first):
        x = _mean(x, axis, rule, count)
    return x


@functools.lru_cache(maxsize=4)  # the same for every number of threads
def exact(case: Case, rule: str) -> np.ndarray:
    """Means in float64."""
    first = 2 if case.data_format == "channels_first" else 1
    return means_of(input_of(case), first, rule, [count for _, count in case.pooled])


def _windows(case: Case) -> tuple[int, int, int]:
    """Return the most and the fewest elements of a window, and the most windows of an element."""
    if case.least:  # windows of shorter items may be longer by one
        return math.prod(size // count + 2 for size, count in case.pooled), 1, 1
    most = fewest = holding = 1
    for size, count in case.pooled:
        starts, ends = borders("torch", size, count)
        most *= int((ends - starts).max())
        fewest *= int((ends - starts).min())
        change = np.bincount(starts, minlength=size + 1) - np.bincount(ends, minlength=size + 1)
        holding *= int(np.cumsum(change).max())
    return most, fewest, holding


def tolerance(case: Case) -> tuple[float, float]:
    """Return the relative and absolute difference that is allowed between us and a peer.

    Floats and gradients lie within 1, integers within `largest`. A sum of n numbers, in any order,
    and a division, is off by at most n roundings of the sum of absolute values. Forward, sums are
    kept in float32 or better, but for halves in three dimensions, which PyTorch adds in their own
    type, as it does backward. In a backward pass an element adds what it gets from the windows that
    hold it, each divided by height and width; in that of the maximum nothing is divided. Both
    results are rounded to their dtype, ours within 1 ulp.
    """
    most, fewest, holding = _windows(case)
    own = ROUNDING.get(case.dtype, FLOAT32)
    relative = 4 * own
    if case.operation == "max_backward":
        return relative, holding**2 * own
    if case.operation == "avg_backward":
        return relative, (holding + 2) * holding / fewest * own
    if case.operation != "avg":
        return 0.0, 0.0
    sums = own if case.ndim == 3 else min(own, FLOAT32)
    largest = np.iinfo(case.dtype).max + 1 if case.dtype in INTEGERS else 1
    return relative, most * sums * largest


def same(a: np.ndarray, b: np.ndarray, relative: float, absolute: float) -> bool:
    """Whether two results agree within a tolerance; integers and maxima agree exactly."""
    if a.shape != b.shape:
        return False
    if a.dtype.kind in "iu" or relative == absolute == 0:
        return np.array_equal(a, b)
    return bool((np.abs(a - b) <= absolute + relative * np.abs(a)).all())


def check(case: Case, results: dict[str, list[np.ndarray]]) -> None:
    """Raise if a library does not compute what the case says."""
    ours = results["adaptive_pool"]
    relative, absolute = tolerance(case)
    for library, theirs in results.items():
        kind = LIBRARIES[library]
        if case.result:
            if not theirs:  # of a baseline that computes something else
                continue
            by_area = case.options == "area" and kind is LIBRARIES["adaptive_pool"]
            rule = "area" if by_area else kind.windows
            mean = exact(case, "torch" if case.divides else rule)
            difference = float(np.abs(mean - theirs[0]).max())
            if difference > kind.levels + FLOAT64 * 256 ** (ITEMSIZE[case.dtype] - 1):
                raise ValueError(f"{case.name}: {library} is off by {difference:.3f} levels")
        elif len(ours) != len(theirs) or not all(
            same(a, b, relative + kind.weights, absolute) for a, b in zip(ours, theirs, strict=True)
        ):
            raise ValueError(f"{case.name}: {library} and adaptive_pool differ")


def check_threads(case: Case, one: list[np.ndarray], other: list[np.ndarray]) -> None:
    """Raise if our result depends on the number of threads."""
    if not all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True)):
        raise ValueError(f"{case.name}: the bits depend on the number of threads")
