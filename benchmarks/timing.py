"""How long a call takes."""

from __future__ import annotations

import time

from library import Call


def seconds_per_call(call: Call, budget: float) -> float:
    """Repeat a call for about `budget` seconds; the first one, after a pause, is not counted."""
    start = time.perf_counter()
    call()
    count = max(1, int(budget / max(time.perf_counter() - start, 1e-7)))
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count
