"""What all programs share: cases are checked, timed in turn, and written."""

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
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from batches_check import check_batch
from batches_peers import LIBRARIES_OF_BATCHES
from cases import Case, family_of
from check import check, check_threads
from library import Library
from options_check import check_options
from options_peers import LIBRARIES_OF_OPTIONS
from peers import LIBRARIES
from process import Workers
from timing import SECONDS

# Seconds after which the threads of the library that ran last have stopped spinning.
SETTLE = 0.02

# A load average from which on threads wait for other programs, and a barrier for the last of them.
BUSY = 1.0

OURS, READING = "adaptive_pool", "reading"
WAYS = (*LIBRARIES_OF_OPTIONS, *LIBRARIES_OF_BATCHES)
PEERS = [name for name in LIBRARIES if name not in (OURS, READING, *WAYS)]

Label = tuple[str, int]  # a library and its number of threads
Times = dict[Label, list[float]]  # a sample for each round


def _checked(case: Case, results: dict[str, list[np.ndarray]]) -> None:
    """Raise if a library does not compute what the case says."""
    if case.batch:
        check_batch(case, results)
    elif case.options and not case.result:
        check_options(case, results)
    else:
        check(case, results)


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
        results.pop(READING, None)
        _checked(case, results)
        first = first or results[OURS]
        check_threads(case, first, results[OURS])
    return ready


def rounds(labels: list[Label], workers: Workers, *, quick: bool, repeats: int) -> Times:
    """Time everybody in turn, every other time in reverse."""
    settle, seconds, repeats = (0, 0.001, 2) if quick else (SETTLE, SECONDS, repeats)
    times: Times = {label: [] for label in labels}
    several = True  # whether threads that ran last may still spin
    for i in range(repeats):
        for label in labels if i % 2 == 0 else labels[::-1]:
            if several:
                time.sleep(settle)
            times[label].append(workers.get(*label).seconds(seconds))
            several = label[1] > 1
    return times


def _paired(numerators: list[float], denominators: list[float]) -> list[float]:
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def figures(case: Case, threads: int, times: Times) -> dict:
    """Return what is kept of the times of a case with one number of threads."""
    here = {library: t for (library, count), t in times.items() if count == threads}
    ours = here[OURS]
    ratios = {name: _paired(t, ours) for name, t in here.items() if name not in (OURS, READING)}
    held = [ratios[name] for name in family_of(case.family).peers if name in ratios]
    against = [min(values) for values in zip(*held, strict=True)]  # the fastest of each round
    quartiles = statistics.quantiles(against, n=4, method="inclusive") if against else None
    one = times.get((OURS, 1))
    reading = here.get(READING)
    return {
        **dataclasses.asdict(case),
        "name": case.name,
        "threads": threads,
        "seconds": {name: statistics.median(t) for name, t in here.items()},
        "ratios": {name: statistics.median(values) for name, values in ratios.items()},
        "ratio": statistics.median(against) if against else None,
        "quartiles": [quartiles[0], quartiles[2]] if quartiles else None,
        "over_reading": statistics.median(_paired(ours, reading)) if reading else None,
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


def _is_there(kind: type[Library]) -> bool:
    return all(importlib.util.find_spec(module) for module in (kind.module, *kind.needs))


def present(names: list[str]) -> list[str]:
    """Return the peers that are installed, and tell of those that are not."""
    found = [name for name in names if _is_there(LIBRARIES[name])]
    absent = [name for name in names if name not in found]
    if absent:
        print(f"absent: {', '.join(absent)}", flush=True)
    return found


def possible(cases: list[Case]) -> list[Case]:
    """Return the cases whose dtypes are there."""
    if importlib.util.find_spec("ml_dtypes"):
        return cases
    print("absent: ml_dtypes, no bfloat16", flush=True)
    return [case for case in cases if case.dtype != "bfloat16"]


def processes(cases: list[Case], peers: list[str], threads: list[int], *others: str) -> Workers:
    """Start a process for each library that a case names and that is there."""
    needed = {name for case in cases for name in family_of(case.family).libraries}
    return Workers([OURS, *(name for name in peers if name in needed), *others], threads)


def measured(
    case: Case,
    peers: list[str],
    workers: Workers,
    arguments: argparse.Namespace,
    *others: str,
) -> list[dict]:
    """Check and time a case; return its figures for each number of threads."""
    taking_part = [name for name in family_of(case.family).libraries if name in peers]
    labels = prepare(case, [OURS, *taking_part, *others], arguments.threads, workers)
    times = rounds(labels, workers, quick=arguments.quick, repeats=arguments.repeats)
    for label in labels:
        workers.get(*label).forget()
    return [figures(case, count, times) for count in arguments.threads]


def told(results: list[dict]) -> str:
    """Return the ratios of a case, a line for each number of threads."""
    lines = []
    for result in results:
        ratios = " ".join(f"{name} {ratio:.2f}" for name, ratio in result["ratios"].items())
        lines.append(f"    threads {result['threads']}: {ratios or 'no peer'}")
    return "\n".join(lines)


def measured_all(
    chosen: list[Case], arguments: argparse.Namespace, peers: list[str], *others: str
) -> list[dict]:
    """Check and time all cases, and tell of each."""
    workers, results = processes(chosen, peers, arguments.threads, *others), []
    for number, case in enumerate(chosen, 1):
        new = measured(case, peers, workers, arguments, *others)
        results += new
        print(f"{number}/{len(chosen)}  {case.family}  {case.name}\n{told(new)}", flush=True)
    workers.close()
    return results


def options(
    description: str, repeats: int, peers: Sequence[str] = PEERS
) -> argparse.ArgumentParser:
    """Return a parser of what all have in common."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="only check that all of it still runs")
    parser.add_argument("--peers", nargs="+", choices=peers, default=peers)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument(
        "--repeats", type=int, default=repeats, help="rounds, of which medians are taken"
    )
    parser.add_argument("--output", metavar="NAME", help="write NAME.json, NAME.md and NAME.png")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line."""
    arguments = parser.parse_args()
    if arguments.repeats < 2:
        parser.error("--repeats must be at least 2")
    arguments.threads = list(dict.fromkeys(arguments.threads))
    if arguments.output:  # now, and not when everything has been measured
        Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
    return arguments


def warned(about: dict) -> dict:
    """Return what the figures depend on, and warn if the machine is busy."""
    if about["load"] and about["load"] > BUSY:
        print(f"load average {about['load']:.1f}: what several threads take means little")
    return about


def _short(value: object) -> object:
    """Four digits of each figure."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _short(entry) for key, entry in value.items()}
    return [_short(entry) for entry in value] if isinstance(value, list | tuple) else value


def rounded(data: dict) -> dict:
    """Return results as they are written."""
    return {**data, "results": [_short(result) for result in data["results"]]}


def text_of(data: dict) -> str:
    """Return results as JSON, one a line, and so the steps of a sweep."""
    parts = []
    for key, value in data.items():
        listed = isinstance(value, list) and key in ("results", "steps")
        lines = ",\n".join(json.dumps(entry) for entry in value) if listed else ""
        parts.append(f'"{key}": ' + (f"[\n{lines}\n]" if listed else json.dumps(value)))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write(data: dict, report: str, rows: list, name: str) -> None:
    """Write the results, the report, and the picture if matplotlib is there."""
    Path(f"{name}.json").write_text(text_of(data))
    Path(f"{name}.md").write_text(report)
    if not importlib.util.find_spec("matplotlib"):
        print("absent: matplotlib, no picture")
    elif rows:
        importlib.import_module("plot").draw(rows, Path(f"{name}.png"))
