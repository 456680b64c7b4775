"""Dask arrays: the bits of the same call in memory, for any chunks, and nothing before compute."""

import numpy as np
import pytest

pytest.importorskip("dask.array", reason="the adaptor is for Dask")

import dask
import dask.array as da
from cases import DTYPES, dtype_of, random_array, same

import adaptive_pool as ap
from adaptive_pool import dask as lazy

pytestmark = pytest.mark.filterwarnings("ignore::dask.array.core.PerformanceWarning")


@pytest.fixture(autouse=True)
def _in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def functions(name):
    return getattr(lazy, name), getattr(ap, name)


def results_of(computed):
    return computed if isinstance(computed, tuple) else (computed,)


def agree(name, x, chunks, *args, limit=None, **options):
    """The lazy results are those in memory, and their metadata said so."""
    ours, in_memory = functions(name)
    given = dict(options)
    if isinstance(options.get("where"), da.Array):
        given["where"] = options["where"].compute()
    expected = results_of(in_memory(x, *args, **given))
    arrays = results_of(ours(da.from_array(x, chunks=chunks), *args, limit=limit, **options))
    assert [(a.shape, a.dtype) for a in arrays] == [(e.shape, e.dtype) for e in expected]
    computed = dask.compute(*arrays)
    assert same(computed, expected)
    return arrays


def random_chunks(rng, size):
    if size == 0:
        return (0,)
    borders = np.unique(rng.integers(0, size + 1, rng.integers(0, 4)))
    sizes = np.diff([0, *borders, size])
    return tuple(int(n) for n in sizes)  # some of them may be 0


def random_windows(rng, sizes, area):
    """Rules, or tables in any order."""
    kind = rng.choice(["torch", "split", "uniform", "ceil", "given", *(["area"] * 3 * area)])
    if kind == "given":
        tables = []
        for size in sizes:
            starts = rng.integers(0, size, rng.integers(1, 6))
            ends = starts + 1 + (rng.random(len(starts)) * (size - starts)).astype(int)
            tables.append((starts, ends))
        return None, tables
    counts = []
    for size in sizes:
        count = int(rng.integers(1, 1 + (2 * size if kind in ("torch", "area") else size)))
        while kind == "ceil" and -(-size // -(-size // count)) != count:
            count -= 1
        counts.append(None if rng.random() < 0.1 else count)
    return tuple(counts), str(kind)


def random_case(seed):
    rng = np.random.default_rng(seed)
    ndim, average = int(rng.integers(1, 4)), bool(rng.random() < 0.6)
    dtype = dtype_of(DTYPES[seed % len(DTYPES)])
    sizes = tuple(int(n) for n in rng.integers(1, [0, 90, 24, 12][ndim], ndim))
    lead = tuple(int(n) for n in rng.integers(1, 4, rng.integers(0, 3)))
    last = bool(rng.random() < 0.3)
    channels = (int(rng.integers(1, 12)),)
    shape = (*lead, *sizes, *channels) if last else (*lead, *channels, *sizes)
    x = random_array(rng, shape, dtype)
    options = {"data_format": "channels_last" if last else "channels_first"}
    if dtype.name in ("bfloat16", "float32", "float64"):  # so that an order shows in the bits
        x = (x.astype(np.float64) * 2.0 ** rng.integers(-40, 40, shape)).astype(dtype)
    if dtype.kind not in "biu" and rng.random() < 0.3:
        x[rng.random(shape) < 0.05] = rng.choice([np.nan, np.inf, -np.inf])
    size, options["windows"] = random_windows(rng, sizes, average)
    if rng.random() < 0.3:
        options["where"] = rng.random(shape) < 0.7
        options["empty"] = 1
    if rng.random() < 0.3:
        options["nan_policy"] = "omit"
        options["empty"] = 1
    if rng.random() < 0.2:
        options.update(return_counts=True, min_count=int(rng.integers(1, 9)), empty=1)
    if average and rng.random() < 0.2:
        options.update(scale=rng.random(channels), offset=0.5)
    if average and rng.random() < 0.6:
        options["dtype"] = np.float64
    elif average and dtype.kind in "iu" and "scale" not in options:
        options["dtype"] = dtype
    if not average:
        options["return_indices"] = bool(rng.random() < 0.7)
    name = f"adaptive_{'avg' if average else 'max'}_pool{ndim}d"
    chunks = tuple(random_chunks(rng, n) for n in shape)
    limit = int(rng.integers(1, 4000)) if rng.random() < 0.5 else None
    return name, x, chunks, size, limit, options


@pytest.mark.parametrize("seed", range(150))
def test_bits_are_those_in_memory_for_random_chunks(seed):
    name, x, chunks, size, limit, options = random_case(seed)
    agree(name, x, chunks, size, limit=limit, **options)
