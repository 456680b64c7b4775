"""Time cells drawn by a seed against PyTorch: `python benchmarks/sweep.py --seeds 1 2 3`.

Nobody has picked the cells, so that nothing can be tuned to them: `drawn.py` draws them, and
`benchmarks/README.md` says how they are timed. Cells that seem slower than the other library are
measured once more at the end. Then windows of all lengths are looked at: `smoothness.py`.
"""

from __future__ import annotations

import argparse
import time

from cases import Case
from drawn import drawn
from groups import NOISE
from measure import (
    machine,
    measured,
    options,
    parsed,
    possible,
    present,
    processes,
    rounded,
    told,
    warned,
    write,
)
from smoothness import all_steps
from sweep_report import figures, markdown, picture_rows, slowest, steps

CELLS, QUICK = 120, 8  # for each seed


def measure(cases: list[Case], arguments: argparse.Namespace, peers: list[str]) -> list[dict]:
    """Check and time cells, and those again that seem to be below 1."""
    workers, results = processes(cases, peers, arguments.threads), []
    for number, case in enumerate(cases, 1):
        results.append(measured(case, peers, workers, arguments))
        print(f"{number}/{len(cases)}  {case.name}\n{told(results[-1])}", flush=True)
    for case, first in zip(cases, results, strict=True):
        if any(result["ratio"] and result["ratio"] < NOISE for result in first):
            second = measured(case, peers, workers, arguments)
            print(f"again  {case.name}\n{told(second)}", flush=True)
            for result, other in zip(first, second, strict=True):
                result["again"] = other["ratio"]
    workers.close()
    return [result for of_case in results for result in of_case]


def main() -> None:
    """Run what the command line asks for."""
    start, parser = time.perf_counter(), options(__doc__.splitlines()[0], repeats=3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cells", type=int, default=CELLS, help="of each seed")
    arguments = parsed(parser)
    peers, count = present(arguments.peers), QUICK if arguments.quick else arguments.cells
    about = warned(machine(peers))
    cases = possible([case for seed in arguments.seeds for case in drawn(seed, count)])
    data = {"machine": about, "seeds": arguments.seeds, "cells": count}
    data["results"] = measure(cases, arguments, peers)
    print("smoothness", flush=True)
    data = rounded({**data, "steps": all_steps(quick=arguments.quick)})
    for part in (slowest(data["results"]), figures(data["results"]), steps(data)):
        print(f"\n{part}")
    print(f"in {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.output:
        write(data, markdown(data), picture_rows(data["results"]), arguments.output)


if __name__ == "__main__":
    main()
