"""A million mixed calls, errors among them, in one process: nothing may grow.

    python stress/soak.py --calls 1000000

The calls are those of `fuzz`, small, and every second one is bad; now and then a large one runs on
seven threads. Memory, descriptors and threads are counted after a tenth of the calls, when caches
and scratch have the size that they keep, and at the end.
"""

import argparse
import contextlib
import gc
import random
import resource
import secrets
import sys
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from calls import random_call
from faults import FAULTS

import adaptive_pool as ap

SMALL = 60  # elements of an array
HALF = 4  # calls of the same arrays that are right, and as many that are wrong
LARGE = 10_000  # one call in so many runs on seven threads

# What a library that keeps nothing may still have more at the end than after the warm-up:
# up to 1 MiB of scratch, the stacks of threads whenever they have first been of use
# (docs/design/threads.md); the allocator leaves as much again unused between what lives.
RSS = 8 << 20
# Each of the four functions that prepare a call remembers up to 256 signatures, of which there are
# any number at either count: the results, a problem, tables, shapes, some 25 objects each.
BLOCKS = 4 * 256 * 25


@dataclass(frozen=True)
class Count:
    """What the process holds."""

    rss: int  # bytes
    blocks: int  # objects of Python, about
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return (
            f"{self.rss / 2**20:.1f} MiB, {self.blocks} blocks, {self.descriptors} descriptors, "
            f"{self.threads} threads"
        )


def count() -> Count:
    """Count, with as many threads of OpenMP's as a call may leave."""
    with_seven_threads()
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Count(
        pages * resource.getpagesize(),
        sys.getallocatedblocks(),
        len(list(Path("/proc/self/fd").iterdir())),
        len(list(Path("/proc/self/task").iterdir())),
    )


LIMITS = Count(RSS, BLOCKS, 0, 0)
PICTURES = np.ones((64, 64, 32, 32), np.float32)


def with_seven_threads() -> None:
    ap.adaptive_avg_pool2d(PICTURES, 4, num_threads=7)


def some_calls(chance: random.Random) -> tuple[int, int]:
    """Call a random function with random arrays, right and wrong; return how often, each."""
    call = random_call(chance, SMALL, bad=0)
    results = call.run(call.ready())
    fitting = [name for name, fault in FAULTS.items() if fault.fits(call)]
    for name in chance.choices(fitting, k=HALF):
        spoilt = replace(call, fault=name, seed=chance.randrange(2**32))
        ready = call.ready(results)
        fault = FAULTS[name]
        fault.spoil(ready.arguments, call, random.Random(spoilt.seed))
        with contextlib.suppress(*fault.errors):
            call.run(ready)
            raise AssertionError(f"nothing was raised by {spoilt!r}")
    for _ in range(HALF - 1):
        call.run(call.ready(results))
    return HALF, HALF


def soak(calls: int, seed: int) -> int:
    """Return the exit status."""
    chance = random.Random(seed)
    print(f"build {ap.config()['isa']}, seed {seed}", flush=True)
    begin, bad = time.monotonic(), 0
    before = None
    good = large = 0
    while good + bad < calls:
        if before is None and good + bad >= calls // 10:
            before = count()
            print(f"after {good + bad} calls: {before}", flush=True)
        if good + bad >= large:
            with_seven_threads()
            large += LARGE
        right, wrong = some_calls(chance)
        good, bad = good + right, bad + wrong
    seconds = time.monotonic() - begin
    after = count()
    print(f"after {good + bad} calls: {after}")
    print(f"{bad} of them bad, {(good + bad) / seconds:.0f} calls a second")
    grown = [
        f.name
        for f in fields(Count)
        if getattr(after, f.name) - getattr(before, f.name) > getattr(LIMITS, f.name)
    ]
    for name in grown:
        print(f"{name}: grown by more than {getattr(LIMITS, name)}")
    return 1 if grown else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, help="of the first call (default: another each time)")
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
    return soak(arguments.calls, seed)


if __name__ == "__main__":
    sys.exit(main())
