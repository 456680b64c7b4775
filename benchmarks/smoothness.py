"""Whether the time of an element is smooth along window lengths: `python benchmarks/smoothness.py`.

For each dtype, kind and number of lanes, windows of every length up to 70 and some up to 300 are
pooled in one dimension, ten in a row. Two neighbouring lengths make a step if an element of the
longer windows takes more than 1.5 times as long, or a whole window of them less than 1 / 1.5 of the
time: longer windows have fewer results, so that an element may well take less, but a window should
not. Pairs that look like a step are measured once more, in turn, and count if they still do.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from data import dtype_of
from drawn import DTYPES
from groups import LIMIT
from sweep_report import steps

import adaptive_pool as ap

LANES = (1, 3, 4, 16, 64)  # one lane is channels first
AROUND = (127, 128, 129, 255, 256, 257)  # where a power of two may matter
LENGTHS = sorted({*range(1, 71), *range(72, 136, 8), *range(136, 301, 12), *AROUND, 300})
QUICK = (1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 127, 128, 300)
KINDS: dict[str, Callable] = {
    "average": ap.adaptive_avg_pool1d,
    "max with indices": functools.partial(ap.adaptive_max_pool1d, return_indices=True),
    "max, values only": ap.adaptive_max_pool1d,
}
WINDOWS = 10  # along the axis
ELEMENTS = 200_000  # about so many in a call: they fit a core's own cache
SECONDS, AGAIN = 0.001, 9  # of a sample; samples of each of a suspicious pair

Curve = Callable[[int], float]  # from a window length to nanoseconds an element


def _best(call: Callable, seconds: float) -> float:
    """Return the seconds of the fastest of some calls."""
    call()
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        call()
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return best


def curve(numbers: np.ndarray, pool: Callable, lanes: int) -> Curve:
    """Return what measures windows of a length."""

    def nanoseconds(length: int) -> float:
        line = WINDOWS * length * lanes
        shape = (max(1, ELEMENTS // line), WINDOWS * length, lanes)
        x = numbers[: shape[0] * line].reshape(shape)
        layout = "channels_last"
        if lanes == 1:
            x, layout = x[..., 0][:, None], "channels_first"
        call = functools.partial(pool, x, WINDOWS, data_format=layout)
        return _best(call, SECONDS) / x.size * 1e9

    return nanoseconds


def change(shorter: int, longer: int, before: float, after: float) -> float:
    """Return how much more the longer window takes an element, or the shorter one a window."""
    return max(after / before, before * shorter / (after * longer))


def _again(measure: Curve, pair: tuple[int, int]) -> list[float]:
    samples = [[measure(length) for length in pair] for _ in range(AGAIN)]
    return [statistics.median(column) for column in zip(*samples, strict=True)]


def steps_of(measure: Curve, lengths: Sequence[int]) -> Iterator[dict]:
    """Yield the steps of a curve."""
    times = {length: measure(length) for length in lengths}
    for pair in itertools.pairwise(lengths):
        if change(*pair, *(times[length] for length in pair)) <= LIMIT:
            continue
        ns = _again(measure, pair)
        factor = change(*pair, *ns)
        if factor > LIMIT:
            yield {
                "lengths": list(pair),
                "ns": [round(t, 4) for t in ns],
                "factor": round(factor, 2),
            }


def all_steps(*, quick: bool) -> list[dict]:
    """Return all steps, with one thread."""
    found: list[dict] = []
    lengths = QUICK if quick else LENGTHS
    most = ELEMENTS + WINDOWS * lengths[-1] * max(LANES)
    with ap.num_threads(1):
        for dtype in DTYPES:
            numbers = np.random.default_rng(1).integers(-120, 120, most).astype(dtype_of(dtype))
            for kind, lanes in itertools.product(KINDS, LANES):
                measure = curve(numbers, KINDS[kind], lanes)
                which = {"kind": kind, "dtype": dtype, "lanes": lanes}
                found += [{**which, **step} for step in steps_of(measure, lengths)]
    return found


def main() -> None:
    """Print a table of the steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer lengths")
    found = all_steps(quick=parser.parse_args().quick)
    print(f"steps of more than {LIMIT}: {len(found)}\n\n{steps({'steps': found})}")


if __name__ == "__main__":
    main()
