"""Time this library against PyTorch: `python benchmarks/run.py`.

Every library runs in a process of its own (two pools of spinning threads in one process disturb
each other), on the same numbers, in turn. Results are compared before they are timed. The figure is
the median of the paired ratios.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from cases import Case, cases

HERE = Path(__file__).parent
LIBRARIES = ("adaptive_pool", "torch")

# Seconds after which the threads of the library that ran last have stopped spinning.
SETTLE = 0.02


class Worker:
    """A process that runs one library."""

    def __init__(self, library: str, threads: int) -> None:
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )

    def ask(self, **request: object) -> str:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.library} failed")
        return answer

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def check(case: Case, files: dict[str, Path]) -> None:
    """Stop if the libraries disagree by more than the peer's own error."""
    ours, theirs = (np.load(files[library]) for library in LIBRARIES)
    for key in ours.files:
        a, b = ours[key], theirs[key]
        if a.dtype.kind in "iu":
            same = np.array_equal(a, b)
        else:  # the peer sums in float32, or rounds to a half
            loose = {"float32": 1e-4, "float16": 2e-3, "bfloat16": 2e-2}[case.dtype]
            same = np.allclose(a, b, rtol=loose, atol=loose)
        if not same:
            raise SystemExit(f"{case.family}, {case.name}: the results differ")


def measure(case: Case, workers: dict[str, Worker], repeats: int, seconds: float) -> dict:
    """Check and time one case."""
    with tempfile.TemporaryDirectory() as folder:
        files = {library: Path(folder) / f"{library}.npz" for library in LIBRARIES}
        for library, worker in workers.items():
            worker.ask(prepare=dataclasses.asdict(case), save=str(files[library]))
        check(case, files)
    times: dict[str, list[float]] = {library: [] for library in LIBRARIES}
    for _ in range(repeats):
        for library, worker in workers.items():
            time.sleep(SETTLE)
            times[library].append(float(worker.ask(time=seconds)))
    ours, theirs = (times[library] for library in LIBRARIES)
    return {
        **dataclasses.asdict(case),
        "name": case.name,
        "seconds": {library: statistics.median(times[library]) for library in LIBRARIES},
        "ratio": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
    }


def table(results: list[dict]) -> str:
    """Write Markdown: a row for each case, a geometric mean for each family."""
    lines = [
        "| family | case | threads | torch, us | adaptive_pool, us | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for r in results:
        ours, theirs = (r["seconds"][library] * 1e6 for library in LIBRARIES)
        lines.append(
            f"| {r['family']} | {r['name']} | {r['threads']} | {theirs:.0f} | {ours:.0f} "
            f"| {r['ratio']:.2f} |"
        )
    lines += ["", "| family | threads | geometric mean | least |", "|---|---|---|---|"]
    for key in dict.fromkeys((r["family"], r["threads"]) for r in results):
        ratios = [r["ratio"] for r in results if (r["family"], r["threads"]) == key]
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        lines.append(f"| {key[0]} | {key[1]} | {mean:.2f} | {min(ratios):.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only check that this still runs")
    parser.add_argument("--only", default="", help="families that contain this text")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--output", help="write NAME.json and NAME.md")
    arguments = parser.parse_args()
    seconds, repeats = (0.001, 2) if arguments.quick else (0.03, arguments.repeats)
    results = []
    for threads in dict.fromkeys(arguments.threads):
        workers = {library: Worker(library, threads) for library in LIBRARIES}
        for case in cases(quick=arguments.quick):
            if arguments.only in case.family:
                result = {"threads": threads, **measure(case, workers, repeats, seconds)}
                results.append(result)
                print(
                    f"{threads}  {case.family:<28} {case.name:<60} {result['ratio']:6.2f}",
                    flush=True,
                )
        for worker in workers.values():
            worker.close()
    text = table(results)
    print("\n" + text.partition("\n\n")[2], end="")
    if arguments.output:
        machine = {
            "machine": platform.machine(),
            "system": platform.system(),
            "cpus": os.cpu_count(),
        }
        Path(f"{arguments.output}.json").write_text(
            json.dumps({"machine": machine, "results": results}, indent=1) + "\n"
        )
        Path(f"{arguments.output}.md").write_text(text)


if __name__ == "__main__":
    main()
