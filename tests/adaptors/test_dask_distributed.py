"""Four worker processes, and an array of four times their memory."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed", reason="the workers are those of dask.distributed")

import dask
import dask.array as da
from distributed import Client, LocalCluster

from adaptive_pool import dask as lazy
from adaptive_pool import pool_windows

WORKERS, MEMORY = 4, 300 * 2**20  # bytes of each worker, of which libraries take about 190 MiB
SIZE, CHUNK = 36_000, 1000
STATUS = Path("/proc/self/status")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STATUS.exists(), reason="Linux says what was used"),
]


def line(k):
    """Small integers, of which all sums here are exact."""
    return (k * 7919 % 1013).astype(np.float32)


def block_of(block_info):
    (i0, i1), (j0, j1) = block_info[None]["array-location"]
    return line(np.arange(i0, i1))[:, np.newaxis] + line(np.arange(j0, j1) + 5)


def peak():
    """The most bytes of this process; `getrusage` would count those of who started it."""
    [kibibytes] = re.findall(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    return os.getpid(), int(kibibytes) * 1024


@pytest.fixture(scope="module")
def client():
    with (
        dask.config.set({"distributed.worker.memory.pause": 0.9}),
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            memory_limit=MEMORY,
            dashboard_address=None,
        ) as cluster,  # fmt: skip
        Client(cluster) as client,
    ):
        yield client


def pairs_of(size):
    return list(zip(*pool_windows(SIZE, size), strict=True))


def mean_of(size):
    """Sums of rows and of columns, weighted by how often a window has each."""
    n = np.array([b - a for a, b in pairs_of(size)])
    rows, columns = (
        np.array([values[a:b].sum(dtype=np.float64) for a, b in pairs_of(size)])
        for values in (line(np.arange(SIZE)), line(np.arange(SIZE) + 5))
    )
    return (np.multiply.outer(rows, n) + np.multiply.outer(n, columns)) / np.multiply.outer(n, n)


def maximum_of(size):
    return np.add.outer(
        *(
            [values[a:b].max() for a, b in pairs_of(size)]
            for values in (line(np.arange(SIZE)), line(np.arange(SIZE) + 5))
        )
    )


@pytest.mark.parametrize(("kind", "size"), [("max", 75), ("avg", 7)], ids=["blocks", "slabs"])
def test_an_array_larger_than_all_memory(client, kind, size):
    chunks = ((CHUNK,) * (SIZE // CHUNK),) * 2
    x = da.map_blocks(block_of, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0), np.float32))
    assert x.nbytes > 4 * WORKERS * MEMORY
    before = dict(client.run(peak).values())
    assert len(before) == WORKERS
    if kind == "avg":
        y = lazy.adaptive_avg_pool2d(x, size, dtype=np.float64, limit="8 MiB")
        np.testing.assert_array_equal(y.compute(), mean_of(size))
    else:
        y = lazy.adaptive_max_pool2d(x, size, limit="8 MiB")
        np.testing.assert_array_equal(y.compute(), maximum_of(size))
    after = dict(client.run(peak).values())
    assert after.keys() == before.keys()  # no worker was killed and started again
    print(f"peaks of workers: {sorted(m >> 20 for m in after.values())} MiB of {MEMORY >> 20}")
    assert max(after.values()) < MEMORY
