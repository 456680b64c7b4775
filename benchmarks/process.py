"""The other end of `worker.py`: processes that run one library each."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from cases import Case

HERE = Path(__file__).resolve().parent


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process that is to use so many threads."""
    names = ("OMP", "MKL", "OPENBLAS", "RAYON", "NUMBA")
    return {**os.environ, **{f"{name}_NUM_THREADS": str(threads) for name in names}}


class Worker:
    """A process that runs one library with one number of threads."""

    def __init__(self, library: str, threads: int) -> None:
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
            env=environment(threads),
        )

    def answer(self) -> object:
        """Wait for an answer; the first says that the library is imported."""
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.library} failed")
        return json.loads(answer)

    def _ask(self, **request: object) -> object:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def prepare(self, case: Case) -> list[np.ndarray] | None:
        """Make a case ready and return its results, or None if the library has no such."""
        with tempfile.TemporaryDirectory() as folder:
            if not self._ask(prepare=dataclasses.asdict(case), save=folder):
                return None
            return [np.load(path) for path in sorted(Path(folder).iterdir())]

    def seconds(self, budget: float) -> float:
        """Time the prepared call."""
        return float(str(self._ask(time=budget)))

    def forget(self) -> None:
        """Let go of the prepared call and its input."""
        self._ask(forget=True)

    def end(self) -> None:
        """Let the process end."""
        assert self.process.stdin is not None
        self.process.stdin.close()


class Workers:
    """Processes by library and number of threads, all of them started and then waited for."""

    def __init__(self, libraries: list[str], threads: list[int]) -> None:
        self._workers = {
            (library, count): Worker(library, count) for library in libraries for count in threads
        }
        for worker in self._workers.values():
            worker.answer()

    def get(self, library: str, threads: int) -> Worker:
        """Return the process of a library."""
        return self._workers[library, threads]

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.end()
        for worker in self._workers.values():
            worker.process.wait()
