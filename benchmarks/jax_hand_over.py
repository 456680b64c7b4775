"""What it costs to hand arrays over to and from JAX, beside pooling the same in NumPy.

    python benchmarks/jax_hand_over.py [--quick] [--threads N]

The ways take turns, so that what else runs on the machine slows all of them; times are medians. A
jitted call that only takes one element of each plane says what any call costs that JAX compiled.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import adaptive_pool as ap
import adaptive_pool.jax as pool

SHAPES = [(1, 4, 16, 16), (1, 16, 32, 32), (4, 16, 64, 64), (16, 16, 96, 96), (64, 16, 160, 160)]
SIZE = (7, 7)


def ways(x: Any, threads: int) -> dict[str, Callable[[], Any]]:
    """Return the calls that are compared, warm."""
    here = jax.numpy.asarray(x)
    any_call = jax.jit(lambda x: x[..., 0, 0])
    jitted = jax.jit(lambda x: pool.adaptive_avg_pool2d(x, SIZE, num_threads=threads))

    def called_back(x: Any) -> Any:
        return ap.adaptive_avg_pool2d(np.asarray(x), SIZE, num_threads=threads)

    @jax.jit
    def by_callback(x: Any) -> Any:
        result = jax.ShapeDtypeStruct((*x.shape[:-2], *SIZE), x.dtype)
        return jax.pure_callback(called_back, result, x, vmap_method="expand_dims")

    calls = {
        "NumPy": lambda: ap.adaptive_avg_pool2d(x, SIZE, num_threads=threads),
        "any jitted call": lambda: any_call(here).block_until_ready(),
        "jitted": lambda: jitted(here).block_until_ready(),
        "not jitted": lambda: pool.adaptive_avg_pool2d(
            here, SIZE, num_threads=threads
        ).block_until_ready(),
        "by pure_callback": lambda: by_callback(here).block_until_ready(),
    }
    expected = calls["NumPy"]()
    for name, call in calls.items():
        if name != "any jitted call" and not np.array_equal(call(), expected):
            raise AssertionError(f"{name} gives something else")
    return calls


def medians(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the median time of each call, in microseconds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: 1e6 * statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only check that all of it still runs")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"float32 to 7 x 7, {options.threads} thread(s), medians in microseconds\n")
    for k, shape in enumerate(SHAPES[:2] if options.quick else SHAPES):
        x = np.random.default_rng(0).random(shape, np.float32)
        rounds = 3 if options.quick else min(400, max(15, 2 * 10**8 // x.nbytes))
        taken = medians(ways(x, options.threads), rounds)
        if k == 0:
            print("| bytes |", *(f"{name} |" for name in taken))
            print("|---" * (len(taken) + 1) + "|")
        print(f"| {x.nbytes} |", *(f"{microseconds:.0f} |" for microseconds in taken.values()))


if __name__ == "__main__":
    main()
