"""The other end of `worker.py`: processes that run one library each."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

from cases import Case

HERE = Path(__file__).parent


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process that is to use so many threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads))}


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

    def _ask(self, **request: object) -> object:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.library} failed")
        return json.loads(answer)

    def prepare(self, case: Case, path: Path) -> bool:
        """Make a case ready and save its result, or return False if the library has no such."""
        return bool(self._ask(prepare=dataclasses.asdict(case), save=str(path)))

    def seconds(self, budget: float) -> float:
        """Time the prepared call."""
        return float(str(self._ask(time=budget)))

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


class Workers:
    """Processes by library and number of threads, started when first asked for."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, int], Worker] = {}

    def get(self, library: str, threads: int) -> Worker:
        """Return the process of a library."""
        if (library, threads) not in self._started:
            self._started[library, threads] = Worker(library, threads)
        return self._started[library, threads]

    def close(self) -> None:
        """End all processes."""
        for worker in self._started.values():
            worker.close()
