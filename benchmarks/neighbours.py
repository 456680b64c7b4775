"""Threads beside other processes: what the default number of threads takes over one thread.

    python benchmarks/neighbours.py                         beside no, one and two busy processes
    ADAPTIVE_POOL_THREADS=openmp python benchmarks/neighbours.py       the same on OpenMP's threads

Blocks of calls on one thread and on the default number of threads take turns. A row says, for one
cell, what a call takes, and the ratio of a block to the one before: median, 9th decile, worst, and
the worst of one thread to itself, which is what the machine does. Last come several callers at once, over the same calls one after the other.
docs/design/threads.md has the targets.
"""

import argparse
import concurrent.futures
import contextlib
import os
import statistics
import subprocess
import sys
import time

import numpy as np

import adaptive_pool as ap

# Shapes pooled to 7 x 7, from about 20 us to 20 ms on one thread.
CELLS = {
    "20 us": (1, 64, 40, 40),
    "45 us": (1, 128, 56, 56),
    "200 us": (8, 64, 56, 56),
    "500 us": (4, 256, 56, 56),
    "2 ms": (16, 256, 56, 56),
    "20 ms": (32, 64, 224, 224),
}
BLOCK = 0.03  # seconds of calls


@contextlib.contextmanager
def busy(count):
    """Processes that do nothing but take time."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    time.sleep(0.2)
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def times(call, threads, calls):
    """Seconds of each of some calls in a row."""
    taken = []
    with ap.num_threads(threads):
        for _ in range(calls):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
    return taken


def pictures():
    """40 pictures and 10 feature maps, in turn: what a service does."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(200, 900, (40, 2))
    shown = [rng.integers(0, 255, (h, w, 3), dtype=np.uint8) for h, w in sizes]
    maps = [rng.random((1, 256, h, h), np.float32) for h in rng.integers(7, 60, 10)]

    def loop():
        for picture in shown:
            ap.adaptive_avg_pool2d(picture, 224, data_format="channels_last", dtype=np.uint8)
        for x in maps:
            ap.adaptive_avg_pool2d(x, 7)

    return loop


def cells():
    for name, shape in CELLS.items():
        x = np.random.default_rng(0).random(shape, np.float32)
        out = np.empty((*shape[:2], 7, 7), np.float32)
        yield name, lambda x=x, out=out: ap.adaptive_avg_pool2d(x, 7, out=out)
    yield "a loop of pictures", pictures()


def compare(call, threads, seconds):
    """A call on one thread and on several; ratios of blocks, and those of one thread to itself."""
    calls = max(1, round(BLOCK / statistics.median(times(call, 1, 5))))
    one, several, ratios, noise = [], [], [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(ratios) < 10:
        a, b, c = (times(call, count, calls) for count in (1, threads, 1))
        ratios.append(sum(b) / sum(a))
        noise.append(sum(c) / sum(a))
        one += a
        several += b
    return statistics.median(one), statistics.median(several), sorted(ratios), max(noise)


def together(call, callers, rounds):
    """Seconds of some calls of each caller, all at once, over the same calls one after the other."""
    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        list(pool.map(lambda _: call(), range(callers)))
        begin = time.perf_counter()
        list(pool.map(lambda _: [call() for _ in range(rounds)], range(callers)))
        at_once = time.perf_counter() - begin
    begin = time.perf_counter()
    for _ in range(callers * rounds):
        call()
    return at_once / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each cell")
    arguments = parser.parse_args()
    threads = ap.get_num_threads()
    print(f"{ap.config()['threads']}, {threads} threads, {os.cpu_count()} CPUs")
    print("busy  cell                       one   several  median 9th decile  worst  (one)")
    for count in arguments.busy:
        with busy(count):
            for name, call in cells():
                one, several, ratios, noise = compare(call, threads, arguments.seconds)
                print(
                    f"{count:>4}  {name:<20}{one * 1e6:>8.0f}us{several * 1e6:>8.0f}us"
                    f"{statistics.median(ratios):>8.2f}{ratios[len(ratios) * 9 // 10]:>11.2f}"
                    f"{ratios[-1]:>7.2f}{noise:>7.2f}",
                    flush=True,
                )
    print(
        f"\n{arguments.callers} callers at once                             median             worst"
    )
    for name, call in cells():
        rounds = max(1, round(0.2 / statistics.median(times(call, 1, 5)) / arguments.callers))
        ratios = [together(call, arguments.callers, rounds) for _ in range(7)]
        middle = statistics.median(ratios)
        print(f"      {name:<38}{middle:>8.2f}{max(ratios):>18.2f}", flush=True)


if __name__ == "__main__":
    main()
