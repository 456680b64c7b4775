"""Blocks of labelled and of lazy arrays: ours against coarsen of Dask and of xarray.

    python benchmarks/dask_blocks.py [--quick] [--rounds 5]

A picture of float32 in memory, of which a sixth is NaN where the name says so, becomes blocks of 8
by 8. Dask has it in chunks of 2048 by 2048, each an array of its own. Each measurement is a process
of its own, rounds alternate between libraries, and what is printed are medians of rounds, of which
each is the median of its calls.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BLOCK, CHUNK = 8, 2048
HERE = Path(__file__).resolve()


def picture(size: int, holes: bool) -> Any:
    """Return the picture, the same in every process."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.random((size, size), np.float32)
    if holes:
        x[rng.random(x.shape, np.float32) < 1 / 6] = np.nan
    return x


def chunked(x: Any) -> Any:
    """Return a picture in chunks, as they would come from a file."""
    import dask.array as da
    import numpy as np

    return da.from_array(x, chunks=min(CHUNK, len(x) // 2)).map_blocks(np.copy).persist()


def lazy_ours(x: Any, holes: bool) -> Callable[[], Any]:
    from adaptive_pool.dask import adaptive_avg_pool2d

    y, policy = chunked(x), "omit" if holes else "propagate"
    return lambda: adaptive_avg_pool2d(y, len(x) // BLOCK, nan_policy=policy).compute()


def lazy_theirs(x: Any, holes: bool) -> Callable[[], Any]:
    import dask.array as da
    import numpy as np

    y, mean = chunked(x), np.nanmean if holes else np.mean
    return lambda: da.coarsen(mean, y, {0: BLOCK, 1: BLOCK}).compute()


def labelled_ours(x: Any, holes: bool) -> Callable[[], Any]:  # noqa: ARG001 - NaN is left out
    import xarray as xr

    import adaptive_pool.xarray  # noqa: F401

    y = xr.DataArray(x, dims=("y", "x"))
    return lambda: y.pool.coarsen_to(y=len(x) // BLOCK, x=len(x) // BLOCK).values


def labelled_theirs(x: Any, holes: bool) -> Callable[[], Any]:  # noqa: ARG001
    import xarray as xr

    xr.set_options(use_numbagg=False, use_bottleneck=False)  # as xarray is without extras
    y = xr.DataArray(x, dims=("y", "x"))
    return lambda: y.coarsen(y=BLOCK, x=BLOCK).mean().values


def labelled_numbagg(x: Any, holes: bool) -> Callable[[], Any]:
    import xarray as xr

    call = labelled_theirs(x, holes)
    xr.set_options(use_numbagg=True)
    return call


CASES = {
    "dask.array.coarsen(mean)": (lazy_ours, lazy_theirs, False),
    "dask.array.coarsen(nanmean), a sixth NaN": (lazy_ours, lazy_theirs, True),
    "DataArray.coarsen().mean(), a sixth NaN": (labelled_ours, labelled_theirs, True),
    "the same with numbagg": (labelled_ours, labelled_numbagg, True),
}


def measure(case: str, ours: bool, size: int, calls: int) -> None:
    """Print the median time of a call, and a sum of its results."""
    import numpy as np

    us, them, holes = CASES[case]
    call = (us if ours else them)(picture(size, holes), holes)
    checksum, seconds = float(np.nansum(call(), dtype=np.float64)), []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    print(json.dumps([statistics.median(seconds), checksum]))


def process(*arguments: str) -> list[float]:
    run = subprocess.run(
        [sys.executable, str(HERE), *arguments], check=True, capture_output=True, text=True
    )
    answer: list[float] = json.loads(run.stdout)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small picture, and one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        case, ours, size, calls = options.one
        measure(case, ours == "ours", int(size), int(calls))
        return
    size, calls = (2048, 3) if options.quick else (8192, 5)
    rounds = 1 if options.quick else options.rounds
    print(f"{size} x {size} float32, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")
    print("| against | theirs, ms | ours, ms | times as fast |\n|---|---|---|---|")
    for case in CASES:
        if "numbagg" in case and find_spec("numbagg") is None:
            continue
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        sums = {}
        for _ in range(rounds):
            for who, seconds in times.items():
                median, sums[who] = process("--one", case, who, str(size), str(calls))
                seconds.append(median)
        if abs(sums["ours"] - sums["theirs"]) > 1e-5 * abs(sums["theirs"]):
            raise SystemExit(f"{case}: results differ, {sums}")
        theirs, ours = (statistics.median(times[who]) * 1e3 for who in ("theirs", "ours"))
        print(f"| {case} | {theirs:.1f} | {ours:.1f} | {theirs / ours:.1f} |")


if __name__ == "__main__":
    main()
