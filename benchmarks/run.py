"""Time this library against others: `python benchmarks/run.py`, see `benchmarks/README.md`.

Every library runs in a process of its own (two pools of spinning threads in one process disturb
each other), on the same numbers, in turn. Results are compared before they are timed. A ratio is
the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np
from cases import Case, cases, family_of
from check import check, check_threads
from extras import extras
from peers import LIBRARIES
from process import Workers
from report import markdown, summary

# Seconds after which the threads of the library that ran last have stopped spinning.
SETTLE = 0.02

# A load average from which on threads wait for other programs, and a barrier for the last of them.
BUSY = 1.0

# Of a sample.
SECONDS = 0.02

OURS, READING = "adaptive_pool", "reading"
PEERS = [name for name in LIBRARIES if name not in (OURS, READING)]

Label = tuple[str, int]  # a library and its number of threads
Times = dict[Label, list[float]]  # a sample for each round


def prepare(case: Case, libraries: list[str], threads: list[int], workers: Workers) -> list[Label]:
    """Make a case ready in every process, and check the results; return who takes part."""
    ready: list[Label] = []
    first: list[np.ndarray] | None = None  # our results with the first number of threads
    for count in threads:
        results = {}
        for library in libraries:
            arrays = workers.get(library, count).prepare(case)
            if arrays is not None:
                ready.append((library, count))
                results[library] = arrays
        results.pop(READING)
        check(case, results)
        first = first or results[OURS]
        check_threads(case, first, results[OURS])
    return ready


def rounds(labels: list[Label], workers: Workers, *, quick: bool, repeats: int) -> Times:
    """Time everybody in turn, every other time in reverse."""
    settle, seconds, repeats = (0, 0.001, 2) if quick else (SETTLE, SECONDS, repeats)
    times: Times = {label: [] for label in labels}
    for i in range(repeats):
        for label in labels if i % 2 == 0 else labels[::-1]:
            time.sleep(settle)
            times[label].append(workers.get(*label).seconds(seconds))
    return times


def _paired(numerators: list[float], denominators: list[float]) -> list[float]:
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def figures(case: Case, threads: int, times: Times) -> dict:
    """Return what is kept of the times of a case with one number of threads."""
    here = {library: t for (library, count), t in times.items() if count == threads}
    ours = here[OURS]
    ratios = {name: _paired(t, ours) for name, t in here.items() if name in PEERS}
    held = [ratios[name] for name in family_of(case.family).peers if name in ratios]
    against = [min(values) for values in zip(*held, strict=True)]  # the fastest of each round
    quartiles = statistics.quantiles(against, n=4, method="inclusive") if against else None
    one = times.get((OURS, 1))
    return {
        **dataclasses.asdict(case),
        "name": case.name,
        "threads": threads,
        "seconds": {name: statistics.median(t) for name, t in here.items()},
        "ratios": {name: statistics.median(values) for name, values in ratios.items()},
        "ratio": statistics.median(against) if against else None,
        "quartiles": [quartiles[0], quartiles[2]] if quartiles else None,
        "over_reading": statistics.median(_paired(ours, here[READING])),
        "speedup": statistics.median(_paired(one, ours)) if one and threads > 1 else None,
    }


def machine(peers: list[str]) -> dict:
    """Return what the figures depend on, before anything is measured."""
    info = Path("/proc/cpuinfo")
    models = (
        [x for x in info.read_text().splitlines() if "model name" in x] if info.exists() else []
    )
    distributions = [LIBRARIES[name].distribution for name in (OURS, *peers)]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "system": platform.system(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {
            name: importlib.metadata.version(name)
            for name in dict.fromkeys((*distributions, "numpy"))
        },
    }


def present(names: list[str]) -> list[str]:
    """Return the peers that are installed, and tell of those that are not."""
    found = [name for name in names if importlib.util.find_spec(LIBRARIES[name].module)]
    absent = [name for name in names if name not in found]
    if absent:
        print(f"absent: {', '.join(absent)}", flush=True)
    return found


def wanted(arguments: argparse.Namespace) -> list[Case]:
    """Return the cases that the command line asks for and that can be made."""
    chosen = cases(only=arguments.only, quick=arguments.quick)
    if importlib.util.find_spec("ml_dtypes"):
        return chosen
    print("absent: ml_dtypes, no bfloat16", flush=True)
    return [case for case in chosen if case.dtype != "bfloat16"]


def measure(arguments: argparse.Namespace, peers: list[str]) -> list[dict]:
    """Check and time all cases that the command line asks for."""
    threads = list(dict.fromkeys(arguments.threads))
    chosen, results = wanted(arguments), []
    needed = {name for case in chosen for name in family_of(case.family).libraries}
    workers = Workers([OURS, *(name for name in peers if name in needed), READING], threads)
    for number, case in enumerate(chosen, 1):
        taking_part = [name for name in family_of(case.family).libraries if name in peers]
        labels = prepare(case, [OURS, *taking_part, READING], threads, workers)
        times = rounds(labels, workers, quick=arguments.quick, repeats=arguments.repeats)
        new = [figures(case, count, times) for count in threads]
        results += new
        print(f"{number}/{len(chosen)}  {case.family}  {case.name}")
        for figure in new:
            ratios = " ".join(f"{name} {ratio:.2f}" for name, ratio in figure["ratios"].items())
            print(f"    threads {figure['threads']}: {ratios or 'no peer'}", flush=True)
    workers.close()
    return results


def write(data: dict, name: str) -> None:
    """Write the results, the report, and the picture if matplotlib is there."""
    Path(f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    Path(f"{name}.md").write_text(markdown(data))
    if not importlib.util.find_spec("matplotlib"):
        print("absent: matplotlib, no picture")
    elif any(result["ratio"] for result in data["results"]):
        importlib.import_module("plot").draw(data, Path(f"{name}.png"))


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only check that all of it still runs")
    parser.add_argument("--only", default="", metavar="TEXT", help="families with it, or extras")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--repeats", type=int, default=7, help="rounds, of which medians are taken")
    parser.add_argument("--output", metavar="NAME", help="write NAME.json, NAME.md and NAME.png")
    arguments = parser.parse_args()
    if arguments.repeats < 2:
        parser.error("--repeats must be at least 2")
    return arguments


def main() -> None:
    """Run what the command line asks for."""
    start, arguments = time.perf_counter(), options()
    if arguments.output:  # now, and not when everything has been measured
        Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
    peers = present(arguments.peers)
    about = machine(peers)
    if about["load"] and about["load"] > BUSY:
        print(f"load average {about['load']:.1f}: what several threads take means little")
    data = {"machine": about, "results": measure(arguments, peers)}
    if arguments.only in ("", "extras"):
        print("tiny call, import, memory", flush=True)
        data["extras"] = extras(list(dict.fromkeys(arguments.threads)), quick=arguments.quick)
    print(f"\n{summary(data)}\nin {time.perf_counter() - start:.0f} s", flush=True)
    if arguments.output:
        write(data, arguments.output)


if __name__ == "__main__":
    main()
