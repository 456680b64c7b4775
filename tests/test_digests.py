"""The same bits as ever, however a result is asked for: `digests` has the cases, and the rule."""

import json
import os
import subprocess
import sys
from pathlib import Path

import digests
import numpy as np
import pytest
from digests import CASES, FILE, Way
from oracle import pooled_back, pooled_last

from adaptive_pool import _kernels, _threads

GOLDEN = json.loads(FILE.read_text())

# Offsets from a cache line are tried with these, which read and write in place where they can.
ALIGNED = ["2d", "pack", "stacks", "one-number", "long-windows", "half-the-size"]


def at_offset(x, offset):
    """An equal array so many bytes past the begin of a cache line."""
    raw = np.empty(x.nbytes + 128, np.uint8)
    begin = -raw.ctypes.data % 64 + offset
    moved = raw[begin : begin + x.nbytes].view(x.dtype).reshape(x.shape)
    moved[...] = x
    return moved


class Split(Way):
    """Cut along the first axis of several elements, one call for each part."""

    def __init__(self, cuts):
        super().__init__()
        self.cuts = cuts

    def call(self, operation, ndim, *arrays, **options):
        # Not along samples if regions name them.
        first = 1 if "regions" in options else 0
        axis = next(k for k, n in enumerate(arrays[0].shape) if k >= first and n > 1)
        cuts = self.cuts(arrays[0].shape[axis])
        cut = {
            key: np.split(value, cuts, axis)
            for key, value in options.items()
            if key in ("where", "x", "lengths") and np.shape(value)[axis] > 1
        }
        parts = [np.split(x, cuts, axis) for x in arrays]
        results = [
            super(Split, self).call(
                operation, ndim, *part, **options | {key: value[k] for key, value in cut.items()}
            )
            for k, part in enumerate(zip(*parts, strict=True))
        ]
        return [np.concatenate(y, axis) for y in zip(*results, strict=True)]


# Where a batch of n is cut.
CUTS = {
    "one-and-the-rest": lambda n: [1],
    "halves": lambda n: [n // 2],
    "one-by-one": lambda n: [*range(1, min(n, 5))],
}


class Strided(Way):
    """As a view with other strides."""

    def __init__(self, view):
        super().__init__()
        self.view = view

    def give(self, x, ndim):
        y = self.view(x)
        assert y.shape == x.shape
        return y


VIEWS = {
    "every-second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "every-second-on-all-axes": lambda x: (
        x.repeat(2, 0).repeat(2, -2).repeat(2, -1)[::2, ..., ::2, ::2]
    ),
    "reversed": lambda x: np.ascontiguousarray(x[..., ::-1])[..., ::-1],
    "all-reversed": lambda x: np.ascontiguousarray(np.flip(x)).__getitem__(
        (slice(None, None, -1),) * x.ndim
    ),
    "transposed": np.asfortranarray,
    "channels-innermost": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1),
    "crop": lambda x: np.pad(x, 1)[(slice(1, -1),) * x.ndim],
}


class Broadcast(Way):
    """Each sample twice, by a step of 0."""

    def give(self, x, ndim):
        return np.broadcast_to(x[:, np.newaxis], (len(x), 2, *x.shape[1:]))

    def take(self, y, ndim):
        assert y[:, 0].tobytes() == y[:, 1].tobytes()
        return y[:, 0]


class Aligned(Way):
    """So many bytes past the begin of a cache line, `out` too."""

    def __init__(self, offset):
        super().__init__()
        self.offset = offset

    def give(self, x, ndim):
        return at_offset(x, self.offset)

    def call(self, *arguments, **options):
        fresh = super().call(*arguments, **options)
        count = 2 if options.get("return_indices") else 1  # there is no `out` for counts
        outs = tuple(at_offset(np.zeros_like(y), self.offset) for y in fresh[:count])
        super().call(*arguments, **options, out=outs if count == 2 else outs[0])
        assert [y.tobytes() for y in outs] == [y.tobytes() for y in fresh[:count]]
        return fresh


class ChannelsLast(Way):
    """In the other layout, in memory too."""

    data_format = "channels_last"

    def give(self, x, ndim):
        return np.ascontiguousarray(pooled_back(x, ndim, self.data_format))

    def take(self, y, ndim):
        return pooled_last(y, ndim, self.data_format)


WAYS = {
    "1-thread": Way(),
    **{f"{n}-threads": Way(n) for n in (2, 3, 7)},
    **{name: Split(cuts) for name, cuts in CUTS.items()},
    **{name: Strided(view) for name, view in VIEWS.items()},
    "broadcast": Broadcast(),
    "misaligned": Aligned(1),
    "channels-last": ChannelsLast(),
    **{f"channels-last-{n}-threads": ChannelsLast(n) for n in (2, 3, 7)},
}


# Ways that take the same code as others do, in other numbers.
AGAIN = ["2-threads", "7-threads", "halves", "one-by-one", "every-second", "reversed",
         "channels-last-2-threads", "channels-last-7-threads"]  # fmt: skip
# The last byte of a vector in a line, and elements of every size across its end.
OFFSETS = [1, 2, 4, 8, 16, 32, 60, 63]


def golden(names):
    """The digests of some cases, of the dtypes that there are here."""
    here = {name: {d.name for d in digests.dtypes_of(CASES[name])} for name in names}
    return {
        key: {dtype: value for dtype, value in line.items() if dtype in here[key.split(": ")[0]]}
        for key, line in GOLDEN.items()
        if key.split(": ")[0] in here
    }


@pytest.fixture
def eager(monkeypatch):
    """Threads are used however little there is to do."""
    monkeypatch.setattr(_threads, "BYTES_PER_THREAD", 1)


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, id=name, marks=[pytest.mark.slow] if name in AGAIN else [])
        for name, way in WAYS.items()
    ],
)
@pytest.mark.parametrize("name", CASES)
def test_same_bits(name, way, eager):
    assert digests.digests([name], way) == golden([name])


@pytest.mark.parametrize(
    "offset",
    [
        pytest.param(offset, marks=[] if offset in OFFSETS else [pytest.mark.slow])
        for offset in range(1, 64)
    ],
)
@pytest.mark.parametrize("name", ALIGNED)
def test_any_alignment(name, offset):
    assert digests.digests([name], Aligned(offset)) == golden([name])


@pytest.mark.parametrize("isa", _kernels.isas_built)
def test_every_build(isa):
    if not _kernels._RUNS[isa]:
        pytest.skip(f"this processor does not run {isa}")
    result = subprocess.run(
        [sys.executable, str(Path(digests.__file__))], capture_output=True, text=True, timeout=600,
        check=True, env={**os.environ, "ADAPTIVE_POOL_ISA": isa},
    )  # fmt: skip
    assert json.loads(result.stdout) == golden(CASES)


def test_no_digest_without_a_case():
    assert {key.split(": ")[0] for key in GOLDEN} == set(CASES)
