"""Time calls with options: `python benchmarks/options.py`, see `benchmarks/README.md`.

Lengths, masks, NaN left out, regions and areas: against this library without them, and against
other ways to the same result. Processes, rounds and ratios are those of the other benchmarks.
"""

from __future__ import annotations

import time

from drawn import drawn_by_area, drawn_with_options
from extras import tiny_calls
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
from options_cases import cases
from options_peers import LIBRARIES_OF_OPTIONS
from options_report import markdown, targets

CELLS, QUICK = 60, 8  # for each seed
RESIZERS = ("opencv", "fast_image_resize")  # which know pictures by area


def main() -> None:
    """Run what the command line asks for."""
    start = time.perf_counter()
    parser = options(__doc__.splitlines()[0], repeats=5, peers=[*LIBRARIES_OF_OPTIONS, *RESIZERS])
    parser.add_argument("--only", default="", metavar="TEXT", help="families with it")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--cells", type=int, default=CELLS, help="of each seed")
    arguments = parsed(parser)
    peers, count = present(arguments.peers), QUICK if arguments.quick else arguments.cells
    chosen = cases(only=arguments.only, quick=arguments.quick)
    drawn = [case for seed in arguments.seeds for case in drawn_with_options(seed, count)]
    drawn += [case for seed in arguments.seeds for case in drawn_by_area(seed, count // 4)]
    chosen += possible([case for case in drawn if arguments.only in case.family])
    about = warned(machine(peers))
    data = {"machine": about, "seeds": arguments.seeds, "cells": count}
    data["tiny call"] = tiny_calls(quick=arguments.quick)
    data["results"] = measured_all(chosen, arguments, peers)
    data = rounded(data)
    print(f"\n{targets(data['results'])}\nin {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.output:
        write(data, markdown(data), [], arguments.output)


if __name__ == "__main__":
    main()
