"""What every operation gives for inputs that are the same everywhere and forever, as digests.

    python tests/digests.py             prints them
    python tests/digests.py --write     rewrites tests/data/digests.json

**A digest that changes is a change of behaviour.** It needs an entry in CHANGELOG.md that says
which results change and why; only then is the file rewritten, in the same commit. New cases add
lines and change none.

Inputs are made of bytes by SHAKE-128 of the name of the case and of exact arithmetic: not by
NumPy's generators, whose distributions may change from version to version. A case is frozen with
its digests, so the cases of other tests, which may change, are not used here.
"""

import argparse
import dataclasses
import functools
import hashlib
import json
import math
from pathlib import Path

import numpy as np
from cases import DTYPES, FLOATS
from oracle import function

FILE = Path(__file__).parent / "data" / "digests.json"

Table = tuple[tuple[int, ...], tuple[int, ...]]


@dataclasses.dataclass(frozen=True)
class Case:
    """Planes and their windows. `special`: NaNs, infinities, zeros of both signs among them."""

    lead: tuple[int, ...]
    sizes: tuple[int, ...]
    counts: tuple[int, ...] | None
    windows: str | tuple[Table, ...] = "torch"
    special: bool = False
    dtypes: tuple[str, ...] = tuple(DTYPES)

    @property
    def outputs(self) -> tuple[int, ...]:
        return self.counts or tuple(len(starts) for starts, _ in self.windows)


# By the paths that they reach; the numbers in the kernels that they stand around are in brackets.
CASES = {
    # One to four lanes when channels are last, a vector and less (8), a strip (32), a block (512).
    "2d": Case((2, 3), (11, 13), (4, 5)),
    "2d-one-lane": Case((2, 1), (17, 40), (5, 7)),
    "2d-two-lanes": Case((3, 2), (9, 21), (9, 4)),
    "2d-four-lanes": Case((2, 4), (12, 24), (4, 8)),
    "2d-seven-lanes": Case((1, 7), (12, 25), (5, 6)),
    "2d-sixteen-lanes": Case((1, 16), (10, 20), (3, 7)),
    "2d-strip": Case((1, 33), (12, 14), (7, 7)),
    "2d-many-lanes": Case((1, 130), (7, 9), (3, 4)),
    "2d-blocks-of-lanes": Case((1, 600), (4, 5), (2, 3)),
    # Small planes turned (16, 32 of short integers), lines added in registers, tiles (4096).
    "pack": Case((2, 70), (7, 7), (3, 3)),
    "stacks": Case((1, 40), (26, 26), (7, 7)),
    "wide-lines": Case((1, 2), (3, 4200), (2, 6)),
    "turned-lines": Case((1, 2), (68, 64), (32, 9)),
    "rows-to-short-windows": Case((3, 40), (100,), (30,)),
    # Output size 1: planes that are runs, few and many; a run that does not fit a tile.
    "one-number": Case((2, 66), (7, 7), (1, 1)),
    "one-number-large": Case((1, 3), (70, 130), (1, 1)),
    "one-number-3d": Case((2, 9), (3, 4, 5), (1, 1, 1)),
    # Long windows along W (32, 64), of one row and of several, of one lane and of two to four.
    "long-windows": Case((1, 2), (300,), (3,)),
    "long-windows-of-rows": Case((1, 3), (9, 200), (2, 3)),
    "long-windows-overlapping": Case((1, 4), (5, 135), (2, 2)),
    # Windows of 2, 3 and 4 columns that follow each other; bytes to half their size.
    "half-the-size": Case((1, 3), (8, 70), (4, 35)),
    "a-third-of-the-size": Case((2, 2), (9, 33), (3, 11)),
    "a-quarter-of-the-size": Case((1, 4), (8, 36), (2, 9)),
    # More outputs than inputs; nothing pooled; one row, one column.
    "enlarged": Case((2, 5), (4, 5), (9, 13)),
    "enlarged-a-lot": Case((1, 2), (3, 4), (5, 300)),
    "kept": Case((2, 3), (5, 17), (5, 17)),
    "rows-kept": Case((2, 3), (12, 9), (12, 1)),
    "columns-kept": Case((2, 3), (12, 9), (1, 9)),
    # Sums of 16, 32 and 64 bits of short integers (257, 32768 elements).
    "window-of-300": Case((1, 3), (20, 30), (1, 2)),
    "window-of-40000": Case((2, 1), (200, 201), (1, 1)),
    "1d": Case((2, 3), (65,), (7,)),
    "3d": Case((1, 5), (5, 7, 10), (3, 4, 3)),
    "3d-pack": Case((1, 40), (4, 5, 6), (2, 2, 3)),
    "split": Case((2, 5), (11, 13), (3, 5), "split"),
    "uniform": Case((2, 5), (11, 13), (3, 5), "uniform"),
    "ceil": Case((2, 5), (11, 13), (4, 5), "ceil"),
    # Tables: gaps; in no order; three and more windows to an element.
    "gaps": Case((2, 3), (9, 30), None, (((1, 3), (2, 6)), ((2, 12, 12), (9, 13, 20)))),
    "unsorted": Case((2, 9), (9, 30), None, (((4, 0, 2), (9, 9, 3)), ((4, 0, 7), (9, 30, 8)))),
    "crowded": Case((1, 3), (9, 8), None, (((0, 0, 1, 2), (9, 9, 9, 9)), ((0, 0), (8, 5)))),
    "special": Case((2, 5), (11, 13), (4, 5), special=True),
    "special-pack": Case((2, 40), (7, 8), (3, 3), special=True),
    "special-long": Case((1, 3), (5, 200), (2, 2), special=True),
    "special-one-number": Case((2, 40), (12, 12), (1, 1), special=True),
    # Enough for several threads; more than 8 MiB, which is asked for early.
    "threads": Case((3, 35), (60, 61), (7, 9), dtypes=("uint8", "float16", "float32", "float64")),
    "large": Case((5, 3), (390, 400), (7, 7), dtypes=("float32",)),
}

NANS = {
    "float16": [0x7E00, 0xFE01], "bfloat16": [0x7FC0, 0xFFC1],
    "float32": [0x7FC00000, 0xFFC00001], "float64": [0x7FF8000000000000, 0xFFF8000000000001],
}  # fmt: skip
ZEROS_AND_INFINITIES = [0.0, -0.0, np.inf, -np.inf]


def raw(name, shape, dtype):
    """Bytes of SHAKE-128, as little-endian integers of a type."""
    little = np.dtype(dtype).newbyteorder("<")
    size = math.prod(shape) * little.itemsize
    x = np.frombuffer(hashlib.shake_128(name.encode()).digest(size), little)
    return x.astype(dtype).reshape(shape)


@functools.lru_cache(maxsize=64)
def array(name, shape, dtype, special=False):
    """Numbers of all sizes, ties among them.

    Floats have as many random bits as the type holds, and exponents from -6 to 9: every rounding
    on the way shows in a sum.
    """
    if dtype.kind == "b":
        return (raw(name, shape, "u1") & 1).astype(bool)
    few = raw(f"{name}/few", shape, "u1")
    if dtype.kind in "iu":
        x = raw(name, shape, dtype)
        return np.where(few & 1, x & dtype.type(3), x)
    bits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype.name]
    mantissa = raw(name, shape, "i8") >> (63 - bits)
    exponent = (raw(f"{name}/exponent", shape, "u1") & 15).astype(np.int32) - bits - 6
    x = np.ldexp(mantissa.astype(np.float64), exponent)
    x = np.where(few & 7 == 0, np.ldexp((few >> 5).astype(np.float64), -2), x).astype(dtype)
    if special:
        words = x.view(f"u{dtype.itemsize}")
        chosen = [*NANS[dtype.name], *np.array(ZEROS_AND_INFINITIES, dtype).view(words.dtype)]
        for k, word in enumerate(chosen):
            words[raw(f"{name}/special", shape, "u1") == k] = word
    return x


class Way:
    """How arrays are given to a function, and what comes back is taken: here, as they are."""

    data_format = "channels_first"

    def __init__(self, num_threads=1):
        self.num_threads = num_threads

    def give(self, x, ndim):
        return x

    def take(self, y, ndim):
        return y

    def call(self, operation, ndim, *arrays, backward=False, sizes=None, **options):
        """Call a function; return its results as they are channels first."""
        given = [self.give(x, ndim) for x in arrays]
        if backward:
            shape = list(given[0].shape)
            first = len(shape) - ndim - (self.data_format == "channels_last")
            shape[first : first + ndim] = sizes
            sizes = tuple(shape)
        y = function(operation, ndim, backward)(
            *given,
            sizes,
            data_format=self.data_format,
            num_threads=self.num_threads,
            **options,
        )
        return [self.take(part, ndim) for part in (y if isinstance(y, tuple) else (y,))]


def results(name, dtype, way):
    """All arrays for a case and a dtype, by operation."""
    case = CASES[name]
    ndim = len(case.sizes)
    x = array(f"{name}/x", (*case.lead, *case.sizes), dtype, case.special)
    windows = {"windows": case.windows}
    forward = {"sizes": case.counts, **windows}
    kinds = [None, np.float64, np.float16]
    if dtype.kind in "iu":
        kinds.append(dtype)
    average = [y for kind in kinds for y in way.call("avg", ndim, x, dtype=kind, **forward)]
    maximum = way.call("max", ndim, x, return_indices=True, **forward)
    maximum += way.call("max", ndim, x, **forward)
    found = {"average": average, "maximum": maximum}
    back = {"backward": True, "sizes": case.sizes}
    found["maximum unpool"] = way.call("unpool", ndim, *maximum[:2], **back)
    if dtype.name in FLOATS:
        g = array(f"{name}/g", (*case.lead, *case.outputs), dtype, case.special)
        plane = math.prod(case.sizes)
        indices = raw(f"{name}/indices", g.shape, "u4") % np.uint32(plane)
        found["average backward"] = way.call("avg", ndim, g, **back, **windows)
        for kind in (np.int32, np.int64):
            found.setdefault("maximum backward", []).extend(
                way.call("max", ndim, g, indices.astype(kind), **back)
            )
    return found


def digest(arrays):
    """32 bits of SHA-256 of the little-endian bytes."""
    state = hashlib.sha256()
    for y in arrays:
        words = np.ascontiguousarray(y).view(f"u{y.itemsize}")
        state.update(words.astype(words.dtype.newbyteorder("<"), copy=False).tobytes())
    return state.hexdigest()[:8]


def dtypes_of(case):
    """The dtypes of a case that there are here: bfloat16 needs ml_dtypes."""
    for name in case.dtypes:
        if name == "bfloat16":
            try:
                import ml_dtypes
            except ImportError:
                continue
            yield np.dtype(ml_dtypes.bfloat16)
        else:
            yield np.dtype(name)


def digests(names=CASES, way=None):
    """Digests by case and operation, then by dtype."""
    found = {}
    for name in names:
        for dtype in dtypes_of(CASES[name]):
            for operation, arrays in results(name, dtype, way or Way()).items():
                found.setdefault(f"{name}: {operation}", {})[dtype.name] = digest(arrays)
    return found


def text(found):
    """JSON with a line for each case and operation."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"rewrite {FILE.name}")
    if parser.parse_args().write:
        FILE.write_text(text(digests()))
    else:
        print(text(digests()), end="")


if __name__ == "__main__":
    main()
