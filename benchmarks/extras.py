"""What is no comparison: a tiny call, the import, memory. Each in a process of its own.

`python extras.py tiny SECONDS`, `import REPEATS`, `memory CASE THREADS` print a JSON value each.
"""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, case_of, cases
from library import Call, flat
from ours import AdaptivePool
from process import HERE, environment
from timing import seconds_per_call

IMPORT = """
import numpy, time
start = time.perf_counter()
import adaptive_pool
print(time.perf_counter() - start)
"""
PROC = Path("/proc/self")


def tiny(seconds: float) -> dict[str, float]:
    """Time calls on an array of 16 numbers."""
    ap = AdaptivePool(1).ap
    x, out = np.ones((1, 1, 4, 4), np.float32), np.empty((1, 1, 2, 2), np.float32)
    calls = {
        "avg": lambda: ap.adaptive_avg_pool2d(x, 2),
        "avg, out=": lambda: ap.adaptive_avg_pool2d(x, 2, out=out),
        "max": lambda: ap.adaptive_max_pool2d(x, 2),
        "max, out=": lambda: ap.adaptive_max_pool2d(x, 2, out=out),
    }
    return {
        name: statistics.median(seconds_per_call(call, seconds) for _ in range(7))
        for name, call in calls.items()
    }


def import_time(repeats: int) -> float:
    """Time the import where NumPy is imported already, files being in the page cache."""
    command = [sys.executable, "-c", IMPORT]
    times = [float(subprocess.check_output(command, cwd="/")) for _ in range(repeats + 1)]
    return statistics.median(times[1:])


def _kilobytes(name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", (PROC / "status").read_text(), re.MULTILINE)
    assert match
    return int(match[1])


def _call(library: AdaptivePool, case: Case) -> Call:
    call = library.prepare(case)
    assert call is not None
    return call


def _least(case: Case) -> Case:
    """Return the same call on the least input."""
    ones = (1,) * case.ndim
    others = case.shape[1 : -case.ndim] if case.batch else (1,)
    pooled = tuple(i // o for i, o in case.pooled) if case.batch == "pyramid" else ones
    least, sizes = ones[: len(case.least)], (1,) * len(case.sizes)
    shape = (1, *others, *pooled)
    return dataclasses.replace(case, shape=shape, size=ones, least=least, sizes=sizes)


def memory(case: Case, threads: int) -> int | None:
    """Return the peak bytes of a call beside input and output, or None if not on Linux.

    A call on the least input comes first, so that code and what NumPy loads late do not count.
    """
    library = AdaptivePool(threads)
    _call(library, _least(case))()
    call = _call(library, case)
    try:
        (PROC / "clear_refs").write_text("5")  # the peak starts again from here
    except OSError:
        return None
    before = _kilobytes("VmRSS")
    result = call()
    peak = _kilobytes("VmHWM")
    outputs = flat([result])
    return (peak - before) * 1024 - sum(output.nbytes for output in outputs)


def _memory_cases(quick: bool) -> list[Case]:
    """The first large case of each operation, layout and dtype."""
    chosen: dict[tuple[str, ...], Case] = {}
    for case in cases(quick=quick):
        if case.dtype == "bfloat16":  # the same words as float16, and a package more
            continue
        if quick or case.input_bytes > 16_000_000:
            chosen.setdefault((case.operation, case.data_format, case.dtype), case)
    return list(chosen.values())


def _run(threads: int, *arguments: str) -> Any:
    # Blocks from 128 KB on go back to the system when freed, so that a peak is a peak.
    limit = str(1 << 17)
    env = {**environment(threads), "MALLOC_MMAP_THRESHOLD_": limit, "MALLOC_TRIM_THRESHOLD_": limit}
    command = [sys.executable, str(HERE / "extras.py"), *arguments]
    return json.loads(subprocess.check_output(command, cwd=HERE, env=env))


def tiny_calls(*, quick: bool) -> dict[str, float]:
    """Time calls on an array of 16 numbers in a process of their own."""
    return _run(1, "tiny", "0.001" if quick else "0.02")


def memory_of(chosen: list[Case], threads: list[int]) -> list[dict[str, Any]]:
    """Measure the memory of cases, each in a process of its own."""
    return [
        {
            "name": case.name,
            "threads": count,
            "bytes": _run(count, "memory", json.dumps(dataclasses.asdict(case)), str(count)),
        }
        for case in chosen
        for count in threads
    ]


def extras(threads: list[int], *, quick: bool) -> dict[str, Any]:
    """Measure all of it."""
    chosen = _memory_cases(quick)[: 2 if quick else None]
    return {
        "tiny call": tiny_calls(quick=quick),
        "import": _run(1, "import", "3" if quick else "11"),
        "memory": memory_of(chosen, threads),
    }


def main() -> None:
    """Measure one thing."""
    what, *rest = sys.argv[1:]
    if what == "tiny":
        value: object = tiny(float(rest[0]))
    elif what == "import":
        value = import_time(int(rest[0]))
    else:
        value = memory(case_of(json.loads(rest[0])), int(rest[1]))
    print(json.dumps(value))


if __name__ == "__main__":
    main()
