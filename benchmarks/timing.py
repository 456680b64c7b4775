"""How long a call takes."""

from __future__ import annotations

import time

from library import Call

# Batches in a sample, of which the least counts: what else runs on the machine only ever adds.
BATCHES = 5

SECONDS = 0.02  # of a sample

# The part of a sample that wakes threads and fills caches, and is not counted.
WARM_UP = 0.2


def _batch(call: Call, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def seconds_per_call(call: Call, budget: float) -> float:
    """Take a sample of about `budget` seconds.

    How many calls make a batch is told by the fastest of those that warm up: the first after a
    pause may take a thousand times as long as the next.
    """
    fastest, end = _batch(call, 1), time.perf_counter() + WARM_UP * budget
    while time.perf_counter() < end:
        fastest = min(fastest, _batch(call, 1))
    count = max(1, int((1 - WARM_UP) * budget / BATCHES / max(fastest, 1e-7)))
    batches = max(1, min(BATCHES, int(budget / (count * fastest))))
    return min(_batch(call, count) for _ in range(batches))
