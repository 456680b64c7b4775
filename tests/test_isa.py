"""Which build of the kernels runs: visible, forced by a variable, and without effect on bits."""

import importlib
import json
import os
import subprocess
import sys

import pytest

import adaptive_pool as ap
from adaptive_pool import _kernels

MODULES = ["average", "average_backward", "maximum", "maximum_backward"]

DIGESTS = """
import hashlib, json, numpy as np, adaptive_pool as ap
rng = np.random.default_rng(5)
digests = []
for dtype in ("uint8", "int64", "float16", "float32", "float64"):
    for shape, counts, layout in (
        ((3, 5, 37, 61), (4, 7), "channels_first"), ((2, 19, 70, 37), (3, 2), "channels_last"),
        ((2, 1, 9, 3000), (2, 5), "channels_first"), ((4, 33, 7, 7), (1, 1), "channels_first"),
        ((1, 40, 45, 3), (7, 9), "channels_last"), ((2, 5, 4, 3), (9, 7), "channels_first"),
    ):
        x = (rng.standard_normal(shape) * 2.0 ** rng.integers(-4, 5, shape)).astype(dtype)
        options = {"data_format": layout}
        results = [ap.adaptive_avg_pool2d(x, counts, dtype=np.float64, **options)]
        results += ap.adaptive_max_pool2d(x, counts, return_indices=True, **options)
        results.append(ap.adaptive_max_pool2d(x, counts, **options))
        if x.dtype.kind == "f":
            results.append(ap.adaptive_avg_pool2d(x, counts, **options))
            g = results[1]
            results.append(ap.adaptive_avg_pool2d_backward(g, shape, **options))
            results.append(ap.adaptive_max_pool2d_backward(g, results[2], shape, **options))
        digests += [hashlib.sha256(r.tobytes()).hexdigest() for r in results]
print(json.dumps([ap.config()["isa"], digests]))
"""


def run(code, isa):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "ADAPTIVE_POOL_ISA": isa},
    )  # fmt: skip


def test_the_best_build_is_chosen():
    assert ap.config()["isas_built"] == _kernels.isas_built
    assert "baseline" in _kernels.isas_built
    if not os.environ.get("ADAPTIVE_POOL_ISA"):
        assert _kernels.isa == next(i for i in _kernels.isas_built if _kernels._IS_CHOSEN[i])


@pytest.mark.parametrize(
    ("built", "gains", "chosen"),
    [
        (("x86_64_v4", "x86_64_v3", "baseline"), True, "x86_64_v4"),
        (("x86_64_v4", "x86_64_v3", "baseline"), False, "x86_64_v3"),
        (("x86_64_v4", "baseline"), False, "baseline"),
        (("x86_64_v4",), False, "x86_64_v4"),
    ],
)
def test_where_a_build_does_not_gain(monkeypatch, built, gains, chosen):
    """It is taken only if nothing else is built, or if it is asked for."""
    runs = {"x86_64_v4": True, "x86_64_v3": True, "baseline": True}
    monkeypatch.setattr(_kernels, "_RUNS", runs)
    monkeypatch.setattr(_kernels, "_IS_CHOSEN", {**runs, "x86_64_v4": gains})
    monkeypatch.setattr(_kernels, "isas_built", built)
    assert _kernels._choose(None) == chosen
    assert _kernels._choose("x86_64_v4") == "x86_64_v4"


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("isa", _kernels.isas_built)
def test_each_build_says_what_it_is(isa, module):
    if not _kernels._RUNS[isa]:
        pytest.skip(f"this processor does not run {isa}")
    assert isa == importlib.import_module(f"adaptive_pool._kernels.builds.{isa}.{module}").ISA


@pytest.mark.parametrize("isa", _kernels.isas_built)
def test_same_bits(isa):
    """Each build gives the bits of the baseline."""
    if not _kernels._RUNS[isa]:
        pytest.skip(f"this processor does not run {isa}")
    name, digests = json.loads(run(DIGESTS, isa).stdout)
    assert name == isa
    baseline = json.loads(run(DIGESTS, "baseline").stdout)[1]
    assert digests == baseline
    assert len(digests) > 100


def test_unknown_build():
    result = run("import adaptive_pool", "sse9")
    assert result.returncode == 1
    assert "ADAPTIVE_POOL_ISA='sse9' is not built here, expected one of" in result.stderr
