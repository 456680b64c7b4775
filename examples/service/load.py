"""Load the service from another process: good pictures and bad requests, every answer checked.

Without --url, the service is started here, on loopback, with the settings of the environment.
Exit status: 0, or 1 if an answer was wrong or the memory of the service grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import httpx
import numpy as np
import psutil
from bad_forms import bad_forms
from bad_requests import Bad, bad_requests
from good_requests import Good, good_requests
from settings import Settings
from tensor_requests import Tensor, tensor_requests

Request: TypeAlias = Good | Tensor

BAD_SHARE = 0.25
GONE_SHARE = 0.02  # of requests whose sender hangs up within PATIENCE
PATIENCE = 0.02  # seconds

WARM_UP = 0.3  # of the time; by then every worker thread has met the largest picture

# Pictures come and go; the median of what is held wanders by 10 MiB from one half to the other.
MOST_GROWTH = 20 * 2**20


@dataclass
class Report:
    """What was seen."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of requests with pictures
    live_seconds: list[float] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    elapsed: float = 0

    def note(
        self, kind: str, right: bool, name: str, response: httpx.Response, count: int = 1
    ) -> None:
        """Count an answer; a request that came when the service was full may come again."""
        if response.status_code == 503 and "retry-after" in response.headers:
            self.counts["busy"] += 1
        elif right:
            self.counts[kind] += count
        else:
            self.wrong.append(f"{name}: {response.status_code} {response.text[:200]}")


async def send_good(client: httpx.AsyncClient, good: Request, report: Report) -> None:
    """Send pictures and check every number of the answer."""
    started = time.perf_counter()
    response = await good.send(client)
    elapsed = time.perf_counter() - started
    right = good.is_answered_by(response)
    if right:
        report.seconds.append(elapsed)
    report.note("pictures", right, good.name, response, good.count)


async def send_bad(client: httpx.AsyncClient, bad: Bad, report: Report) -> None:
    """Send a bad request and check its refusal."""
    response = await client.request(
        bad.method, bad.path, params=bad.params, headers=bad.headers, content=bad.content()
    )
    report.note("refused", bad.is_refused_by(response), bad.name, response)


async def send(
    client: httpx.AsyncClient, goods: list[Request], bads: list[Bad], report: Report, seed: int
) -> None:
    """Send one request after another until cancelled."""
    choice = random.Random(seed)
    while True:
        kind = choice.random()
        try:
            if kind < GONE_SHARE:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(choice.random() * PATIENCE):
                        await send_good(client, choice.choice(goods), Report())
                report.counts["hung up"] += 1
            elif kind < GONE_SHARE + BAD_SHARE:
                await send_bad(client, choice.choice(bads), report)
            else:
                await send_good(client, choice.choice(goods), report)
        except httpx.HTTPError as error:
            report.wrong.append(f"no answer: {error!r}")


async def watch(client: httpx.AsyncClient, server: psutil.Process | None, report: Report) -> None:
    """Ask the service ten times a second whether it lives, and the system for its memory."""
    start = time.perf_counter()
    while True:
        asked = time.perf_counter()
        response = await client.get("/health/live")
        report.live_seconds.append(time.perf_counter() - asked)
        if response.status_code != 200:
            report.wrong.append(f"/health/live: {response.status_code}")
        if server is not None:
            report.memory.append((asked - start, resident(server)))
        await asyncio.sleep(0.1)


def resident(server: psutil.Process) -> int:
    """Return the bytes of memory that the processes of the service hold."""
    processes = [server, *server.children(recursive=True)]
    return sum(process.memory_info().rss for process in processes)


async def load(url: str, pid: int | None, options: argparse.Namespace) -> Report:
    """Run all clients for as long as is asked."""
    settings = Settings()
    goods: list[Request] = list(tensor_requests(settings) if options.several else good_requests())
    bads = [*bad_requests(settings), *bad_forms(settings)]
    report = Report()
    server = None if pid is None else psutil.Process(pid)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        started = time.perf_counter()
        # Each at least once, however short the run is.
        for good in goods:
            await send_good(client, good, report)
        for bad in bads:
            await send_bad(client, bad, report)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(watch(client, server, report))
                for seed in range(options.concurrency):
                    tasks.create_task(send(client, goods, bads, report, seed))
    report.elapsed = time.perf_counter() - started
    return report


@contextlib.contextmanager
def service(url: str | None = None, pid: int | None = None) -> Iterator[tuple[str, int | None]]:
    """Give the address and the process of the service, which is started unless it runs."""
    if url:
        yield url, pid
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = str(Path(__file__).parent)
    command = ["uvicorn", "app:app", "--app-dir", here, "--port", str(port), "--no-access-log"]
    with subprocess.Popen([sys.executable, "-m", *command, "--log-level", "warning"]) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_ready(url)
            yield url, server.pid
        finally:
            server.terminate()


def wait_until_ready(url: str, seconds: float = 30) -> None:
    """Return when the service takes pictures."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/health/ready").raise_for_status()
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready after {seconds:g} s")


def growth(memory: list[tuple[float, int]], seconds: float) -> int:
    """Return by how much the median of the time after the warm-up rose from half to half."""
    middle = seconds * (1 + WARM_UP) / 2
    first = [held for at, held in memory if seconds * WARM_UP <= at < middle]
    second = [held for at, held in memory if at >= middle]
    return round(statistics.median(second) - statistics.median(first))


def percentiles(seconds: list[float]) -> str:
    """Return the median and the slowest in a hundred."""
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument(
        "--several", action="store_true", help="pictures in a request, and tensors for features"
    )
    parser.add_argument("--concurrency", type=int, default=8, help="requests under way at once")
    parser.add_argument("--url", help="of a service that runs already, say http://127.0.0.1:8000")
    parser.add_argument("--pid", type=int, help="its process, if its memory shall be watched")
    return parser.parse_args(argv)


def main(options: argparse.Namespace) -> int:
    """Run the test and print what was seen."""
    with service(options.url, options.pid) as (url, pid):
        report = asyncio.run(load(url, pid, options))

    counts = report.counts
    print(
        f"answers     {counts['pictures']} pictures right, {counts['refused']} bad requests "
        f"refused, {counts['busy']} busy, {counts['hung up']} hung up, {len(report.wrong)} wrong"
    )
    print(f"throughput  {counts['pictures'] / report.elapsed:.1f} pictures/s")
    print(f"requests    {percentiles(report.seconds)}")
    print(f"liveness    {percentiles(report.live_seconds)}")
    grown = 0
    if report.memory:
        grown = growth(report.memory, options.seconds)
        held = [bytes_held / 2**20 for _, bytes_held in report.memory]
        print(
            f"memory      {held[0]:.0f} MiB before, {held[-1]:.0f} MiB after, "
            f"{max(held):.0f} MiB at most, {grown / 2**20:+.1f} MiB from half to half"
        )
    for line in report.wrong[:20]:
        print(f"wrong       {line}")
    return 1 if report.wrong or grown > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main(arguments()))
