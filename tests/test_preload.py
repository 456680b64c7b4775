"""gunicorn with the service preloaded: its workers are forks of a process that ran in parallel."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("gunicorn", reason="of the extra `service`; not for Windows")

import httpx
import load

WORKERS = 3
THREADS = 4


@pytest.fixture
def gunicorn(tmp_path):
    """Return the address and the process id of the master."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        fd = listening.fileno()
        service = Path(load.__file__).parent
        environment = {
            **os.environ,
            "HOME": str(tmp_path),  # where gunicorn keeps a socket
            "SERVICE_NUM_THREADS": str(THREADS),
            "SERVICE_WORKERS": "2",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(
                [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
            ),
        }
        command = [
            sys.executable, "-m", "gunicorn", "-c", service / "gunicorn.conf.py",
            "--bind", f"fd://{fd}", "--workers", str(WORKERS),
            "--graceful-timeout", "5", "preloaded:app",
        ]  # fmt: skip
        with subprocess.Popen(command, pass_fds=[fd], env=environment) as master:
            url = "http://{}:{}".format(*listening.getsockname())
            try:
                load.wait_until_ready(url)
                yield url, master.pid
            finally:
                master.terminate()
                assert master.wait(30) == 0


def test_every_worker_answers_parallel_calls(gunicorn):
    url, master = gunicorn
    good = max(load.good_requests(), key=lambda g: g.picture.pixels.size)
    assert good.picture.pixels.nbytes > THREADS * 2**20
    answered = set()
    deadline = time.monotonic() + 60
    while len(answered) < WORKERS and time.monotonic() < deadline:
        # A new connection each, which any worker may take.
        response = httpx.post(
            f"{url}/features",
            params=good.params,
            content=good.picture.body,
            headers={"Accept": good.media_type},
            timeout=20,
        )
        assert good.is_answered_by(response), response.text
        assert response.headers["right"] == "True"
        assert response.headers["loaded-by"] == str(master)
        answered.add(response.headers["answered-by"])
    assert len(answered) == WORKERS
    assert str(master) not in answered

    metrics = httpx.get(f"{url}/metrics").text
    counted = [
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith('service_step_seconds_count{step="pool"}')
    ]
    assert len(counted) == 1
    assert counted[0] >= WORKERS
