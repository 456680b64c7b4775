"""Time many problems in one call: `python benchmarks/batches.py`, see `benchmarks/README.md`.

Pictures to one tensor, arrays of many sizes, packed texts, several results of one array, pyramids:
against this library with a call for each, and against other libraries. Processes, rounds and ratios
are those of the other benchmarks.
"""

from __future__ import annotations

import time

from batches_cases import cases, memory_cases
from batches_drawn import drawn_batches
from batches_peers import LIBRARIES_OF_BATCHES
from batches_report import markdown, targets
from extras import memory_of
from measure import (
    machine,
    measured_all,
    options,
    parsed,
    possible,
    present,
    rounded,
    warned,
    write,
)

CELLS, QUICK = 60, 8  # for each seed


def main() -> None:
    """Run what the command line asks for."""
    start = time.perf_counter()
    parser = options(__doc__.splitlines()[0], repeats=5, peers=list(LIBRARIES_OF_BATCHES))
    parser.add_argument("--only", default="", metavar="TEXT", help="families with it, or memory")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--cells", type=int, default=CELLS, help="of each seed")
    arguments = parsed(parser)
    peers, count = present(arguments.peers), QUICK if arguments.quick else arguments.cells
    chosen = cases(only=arguments.only, quick=arguments.quick)
    drawn = [case for seed in arguments.seeds for case in drawn_batches(seed, count)]
    chosen += possible([case for case in drawn if arguments.only in case.family])
    about = warned(machine(peers))
    data = {"machine": about, "seeds": arguments.seeds, "cells": count}
    data["memory"] = []
    if arguments.only in ("", "memory"):
        data["memory"] = memory_of(memory_cases(quick=arguments.quick), arguments.threads)
    data["results"] = measured_all(chosen, arguments, peers)
    data = rounded(data)
    print(f"\n{targets(data)}\nin {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.output:
        write(data, markdown(data), [], arguments.output)


if __name__ == "__main__":
    main()
