"""The benchmark of lazy and labelled arrays runs, and its results agree with its peers'."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dask.array", reason="it measures Dask")
pytest.importorskip("xarray", reason="it measures xarray")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "dask_blocks.py"

pytestmark = pytest.mark.slow


def test_the_benchmark_runs():
    command = [sys.executable, str(SCRIPT), "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line for line in run.stdout.splitlines() if "coarsen(" in line]
    assert len(rows) == 3
    assert all(float(row.split("|")[-2]) > 0 for row in rows)
