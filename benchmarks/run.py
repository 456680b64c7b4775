"""Time this library against others: `python benchmarks/run.py`, see `benchmarks/README.md`.

Every library runs in a process of its own (two pools of spinning threads in one process disturb
each other), on the same numbers, in turn. Results are compared before they are timed. A ratio is
the median of the ratios of the rounds.
"""

from __future__ import annotations

import time

from cases import cases
from extras import extras
from measure import (
    READING,
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
from report import family_rows, markdown, summary


def main() -> None:
    """Run what the command line asks for."""
    start, parser = time.perf_counter(), options(__doc__.splitlines()[0], repeats=7)
    parser.add_argument("--only", default="", metavar="TEXT", help="families with it, or extras")
    arguments = parsed(parser)
    peers = present(arguments.peers)
    chosen = possible(cases(only=arguments.only, quick=arguments.quick))
    data = {"machine": warned(machine(peers))}
    data["results"] = measured_all(chosen, arguments, peers, READING)
    if arguments.only in ("", "extras"):
        print("tiny call, import, memory", flush=True)
        data["extras"] = extras(arguments.threads, quick=arguments.quick)
    data = rounded(data)
    print(f"\n{summary(data)}\nin {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.output:
        write(data, markdown(data), family_rows(data["results"]), arguments.output)


if __name__ == "__main__":
    main()
