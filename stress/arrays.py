"""Arrays that are described by literals: what they hold, and how they lie in memory."""

import math
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cases import dtype_of, random_array

# What is between the elements of an array; no call may change it.
FILLER = 0xA5

NANS = {
    "float16": [0x7E00, 0xFE01],
    "bfloat16": [0x7FC0, 0xFFC1],
    "float32": [0x7FC00000, 0xFFC00001],
    "float64": [0x7FF8000000000000, 0xFFF8000000000001],
}


def ordinary(rng, shape, dtype):
    return random_array(rng, shape, dtype)


def ties(rng, shape, dtype):
    """Few different numbers, zeros of both signs among them."""
    x = rng.integers(0 if dtype.kind in "bu" else -2, 2, shape).astype(dtype)
    return x if dtype.kind in "biu" else np.where(rng.random(shape) < 0.3, dtype.type(-0.0), x)


def relu(rng, shape, dtype):
    """Mostly zeros: a maximum of 0 is looked up."""
    x = random_array(rng, shape, dtype)
    return np.where((rng.random(shape) < 0.7) | (x < 0), dtype.type(0), x).astype(dtype)


def _with_some(x, rng, words):
    often = rng.choice([0.001, 0.05, 0.5, 1.0])
    chosen = rng.random(x.shape) < often
    bits = x.view(f"u{x.itemsize}")
    bits[chosen] = rng.choice(np.array(words, bits.dtype), int(chosen.sum()))
    return x


def nans(rng, shape, dtype):
    """NaNs of several payloads; in integers, the least number there is."""
    x = np.array(random_array(rng, shape, dtype))
    if dtype.kind == "b":
        return x
    if dtype.kind in "iu":
        return _with_some(x, rng, [np.array(np.iinfo(dtype).min, dtype).view(f"u{x.itemsize}")])
    return _with_some(x, rng, NANS[dtype.name])


def infinities(rng, shape, dtype):
    """Infinities, and NaNs now and then; in integers, the ends of the type."""
    x = np.array(random_array(rng, shape, dtype))
    if dtype.kind == "b":
        return x
    ends = [np.iinfo(dtype).min, np.iinfo(dtype).max] if dtype.kind in "iu" else [-np.inf, np.inf]
    words = np.array(ends, dtype).view(f"u{x.itemsize}").tolist()
    if dtype.kind not in "iu" and rng.random() < 0.3:
        words += NANS[dtype.name]
    return _with_some(x, rng, words)


def any_bits(rng, shape, dtype):
    """All magnitudes down to the subnormals, but no infinity and no NaN."""
    size = math.prod(shape) * dtype.itemsize
    x = np.frombuffer(rng.bytes(size), f"u{dtype.itemsize}").reshape(shape).copy()
    if dtype.kind == "b":
        return (x & 1).view(dtype)
    if dtype.kind not in "iu":
        least_bad = np.array(np.inf, dtype).view(x.dtype)
        x[(x & least_bad) == least_bad] &= ~least_bad
    return x.view(dtype)


class Literal:
    """A dataclass whose ``repr`` leaves out what is the default."""

    def __repr__(self) -> str:
        given = [f.name for f in fields(self) if getattr(self, f.name) != f.default]
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in given)
        return f"{type(self).__name__}({inside})"


VALUES = {f.__name__: f for f in (ordinary, ties, relu, nans, infinities, any_bits)}


@dataclass(frozen=True, repr=False)
class Memory(Literal):
    """How an array lies in memory. Nothing given: contiguous, from a cache line on."""

    order: tuple[int, ...] | None = None  # its axes from the outermost to the innermost
    steps: tuple[int, ...] | None = None  # for each axis, in elements
    margin: tuple[int, ...] | None = None  # for each axis, elements left out on either side
    shift: int = 0  # bytes past the begin of a cache line

    def empty(
        self, shape: tuple[int, ...], dtype: np.dtype, room: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return all bytes, `room` at least, of a piece of memory, and an array in it."""
        ndim = len(shape)
        order = self.order or tuple(range(ndim))
        steps = self.steps or (1,) * ndim
        margin = self.margin or (0,) * ndim
        wide = [n * abs(s) + 2 * m for n, s, m in zip(shape, steps, margin, strict=True)]
        size = math.prod(wide) * dtype.itemsize
        raw = np.full(max(size + 128, room), FILLER, np.uint8)
        begin = -raw.ctypes.data % 64 + self.shift
        x = raw[begin : begin + size].view(dtype).reshape([wide[axis] for axis in order])
        x = x.transpose(np.argsort(order)) if ndim else x
        for axis, (n, s, m) in enumerate(zip(shape, steps, margin, strict=True)):
            cut = [slice(None)] * ndim
            cut[axis] = slice(m, m + n * abs(s), abs(s))
            x = x[tuple(cut)]
            cut[axis] = slice(None, None, -1 if s < 0 else 1)
            x = x[tuple(cut)]
        return raw, x


@dataclass(frozen=True, repr=False)
class Data(Literal):
    """An array: shape, dtype, what it holds, how it lies in memory."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    values: str = "ordinary"
    seed: int = 0
    memory: Memory = Memory()
    broadcast: tuple[int, ...] = ()  # axes along which one element is repeated, by a step of 0
    foreign: bool = False  # in the other byte order

    def plain(self) -> np.ndarray:
        """Return the same numbers, contiguous and in the machine's byte order."""
        rng = np.random.default_rng(self.seed)
        shape = tuple(1 if k in self.broadcast else n for k, n in enumerate(self.shape))
        x = VALUES[self.values](rng, shape, dtype_of(self.dtype))
        return np.ascontiguousarray(np.broadcast_to(x, self.shape))

    def laid(self, x: np.ndarray, room: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return all bytes of the memory, and `x` in it: numbers of this shape and dtype."""
        dtype = x.dtype.newbyteorder() if self.foreign else x.dtype
        shape = tuple(1 if k in self.broadcast else n for k, n in enumerate(self.shape))
        raw, view = self.memory.empty(shape, dtype, room)
        view[...] = x[tuple(slice(0, n) for n in shape)]
        return raw, np.broadcast_to(view, self.shape) if self.broadcast else view
