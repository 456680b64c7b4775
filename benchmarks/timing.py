"""How long a call takes."""

from __future__ import annotations

import time

from library import Call

# Batches in a sample, of which the least counts: what else runs on the machine only ever adds.
BATCHES = 5


def _batch(call: Call, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def seconds_per_call(call: Call, budget: float) -> float:
    """Take a sample of about `budget` seconds; the first call, after a pause, does not count."""
    first = max(_batch(call, 1), 1e-7)
    count = max(1, int(budget / BATCHES / first))
    batches = max(1, min(BATCHES, int(budget / (count * first))))
    return min(_batch(call, count) for _ in range(batches))
