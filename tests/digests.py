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
class Options:
    """What counts, and over what is pooled.

    `where` names the axes of x that a mask has: N, C, and P for those that are pooled.
    """

    where: str = ""
    omit: bool = False  # NaN, which a fifth of the elements of floats are
    nodata: int | None = None  # which another fifth of the elements are
    lengths: tuple[int, ...] | tuple[tuple[int, ...], ...] | None = None
    regions: tuple[tuple[int, ...], ...] | None = None
    min_count: int = 1
    empty: int | None = None  # where the result is of floats; integers always need a number


@dataclasses.dataclass(frozen=True)
class Case:
    """Planes and their windows. `special`: NaNs, infinities, zeros of both signs among them."""

    lead: tuple[int, ...]
    sizes: tuple[int, ...]
    counts: tuple[int, ...] | None
    windows: str | tuple[Table, ...] = "torch"
    special: bool = False
    dtypes: tuple[str, ...] = tuple(DTYPES)
    options: Options | None = None

    @property
    def outputs(self) -> tuple[int, ...]:
        counts = self.counts or tuple(len(starts) for starts, _ in self.windows)
        regions = self.options and self.options.regions
        return (len(regions) if regions else self.lead[0], *self.lead[1:], *counts)


# No bools stand for no data.
NUMBERS = tuple(name for name in DTYPES if name != "bool")
# In no order, one beyond the lengths of a case.
TABLE = (2, 12, 12, 0), (9, 13, 20, 30)
# One in another, one twice, and one without elements.
REGIONS = (
    (1, 0, 11, 0, 13), (1, 2, 7, 5, 12), (0, 4, 4, 1, 3), (1, 2, 7, 5, 12), (0, 3, 4, 12, 13),
)  # fmt: skip
REGIONS_3D = (0, 0, 5, 1, 7, 2, 10), (1, 2, 4, 0, 7, 0, 5), (0, 4, 5, 0, 7, 0, 4)

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
    # By area: as above, and integers of 8 and 16 bits of many rows, of totals beyond 31 bits.
    "area": Case((2, 5), (11, 13), (4, 5), "area"),
    "area-one-lane": Case((2, 1), (17, 40), (5, 7), "area"),
    "area-three-lanes": Case((2, 3), (12, 25), (5, 6), "area"),
    "area-many-lanes": Case((1, 130), (7, 9), (3, 4), "area"),
    "area-pack": Case((2, 40), (7, 8), (3, 3), "area"),
    "area-wide-lines": Case((1, 2), (3, 4200), (2, 11), "area"),
    "area-long-windows": Case((1, 2), (300,), (7,), "area"),
    "area-tall-windows": Case((1, 3), (2603, 5), (2, 3), "area"),
    "area-large": Case((2, 1), (331, 367), (7, 11), "area", dtypes=("uint8", "int16", "float32")),
    "area-enlarged": Case((2, 5), (4, 5), (9, 13), "area"),
    "area-one-axis": Case((2, 3), (12, 9), (3, 4), "area"),
    "area-3d": Case((1, 5), (5, 7, 10), (3, 4, 3), "area"),
    "area-special": Case((2, 5), (11, 13), (4, 5), "area", special=True),
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
    # Masks of every element, of what channels share, of what samples share, of channels.
    "where": Case((2, 3), (11, 13), (4, 5), options=Options("NCP")),
    "where-strip": Case((1, 33), (12, 14), (7, 7), options=Options("CP")),
    "where-pack": Case((2, 70), (7, 7), (3, 3), options=Options("NP")),
    "where-one-number": Case((2, 66), (7, 7), (1, 1), options=Options("P")),
    "where-1d": Case((3, 40), (100,), (1,), options=Options("NP")),
    "where-of-channels": Case((2, 9), (5, 8), (2, 3), options=Options("C")),
    "where-long-windows": Case((1, 2), (300,), (3,), options=Options("CP", min_count=48)),
    "where-rows": Case((1, 3), (9, 200), (2, 3), options=Options("P", empty=2, min_count=199)),
    "where-halves": Case((1, 3), (8, 70), (4, 35), options=Options("CP", min_count=2)),
    "where-enlarged": Case((2, 5), (4, 5), (9, 13), options=Options("NP")),
    "where-kept": Case((2, 3), (5, 17), (5, 17), options=Options("NCP")),
    "where-3d": Case((2, 5), (4, 5, 6), (2, 2, 3), options=Options("NP")),
    "where-tables": Case(
        (2, 3), (9, 30), None, (((1, 3, 0), (2, 6, 9)), ((12, 0), (20, 30))), options=Options("NP")
    ),
    "min-count": Case((2, 5), (7, 9), (3, 4), options=Options(min_count=9, empty=-1)),
    # NaN and numbers that are left out; NaN and infinities that count.
    "omit": Case((2, 5), (11, 13), (4, 5), special=True, options=Options(omit=True)),
    "omit-one-number": Case((2, 40), (12, 12), (1, 1), special=True, options=Options(omit=True)),
    "nodata": Case(
        (2, 5), (11, 13), (4, 5), special=True, dtypes=NUMBERS, options=Options(nodata=3)
    ),
    "nodata-blocks": Case((1, 40), (14, 14), (7, 7), dtypes=NUMBERS, options=Options(nodata=3)),
    "all-that-leave-out": Case(
        (2, 9), (9, 21), (4, 3), "split", True, NUMBERS, Options("NP", True, 3, min_count=3)
    ),
    # Lengths and regions, with masks too; windows that end beyond a length.
    "lengths": Case((4, 9), (65,), (7,), options=Options(lengths=(65, 0, 3, 40))),
    "lengths-one-number": Case((4, 33), (50,), (1,), options=Options(lengths=(50, 0, 1, 33))),
    "lengths-of-axes": Case(
        (3, 5), (11, 13), (3, 4), "split", options=Options(lengths=((11, 13), (5, 9), (3, 4)))
    ),
    "lengths-where": Case(
        (3, 17), (40,), (4,), special=True, options=Options("NP", True, lengths=(40, 9, 26))
    ),
    "lengths-tables": Case(
        (3, 2), (30,), None, (TABLE,), options=Options(lengths=(30, 12, 0), min_count=2)
    ),
    "regions": Case((2, 3), (11, 13), (3, 3), options=Options(regions=REGIONS)),
    "regions-many-lanes": Case((2, 70), (11, 13), (4, 4), options=Options(regions=REGIONS)),
    "regions-1d": Case(
        (3, 4), (90,), (1,), options=Options(regions=((2, 0, 90), (0, 5, 60), (0, 40, 77)))
    ),
    "regions-3d": Case((2, 3), (5, 7, 10), (2, 3, 2), options=Options(regions=REGIONS_3D)),
    "regions-where": Case(
        (2, 9), (11, 13), (2, 3), "torch", True, NUMBERS, Options("NP", True, 3, regions=REGIONS)
    ),
    "area-where": Case(
        (2, 9), (11, 13), (4, 5), "area", True, NUMBERS, Options("NP", True, 3, min_count=20)
    ),
    "area-lengths": Case(
        (3, 5), (11, 13), (4, 5), "area", options=Options("P", lengths=((11, 13), (5, 9), (3, 10)))
    ),
    "area-regions": Case((2, 3), (11, 13), (3, 3), "area", options=Options(regions=REGIONS)),
    "threads-where": Case(
        (3, 35),
        (60, 61),
        (7, 9),
        dtypes=("int16", "float32"),
        options=Options("NP", True, lengths=((60, 61), (13, 40), (60, 2)), min_count=3),
    ),
}

# Cases of which averages are scaled, too.
SCALED = ("2d", "2d-one-lane", "pack", "one-number", "area-three-lanes", "area-3d", "special")

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


def given(name, dtype):
    """The input of a case, and its options as they are passed to a function."""
    case = CASES[name]
    x = array(f"{name}/x", (*case.lead, *case.sizes), dtype, case.special)
    own = case.options
    if own is None:
        return x, {}
    options = {"min_count": own.min_count, "lengths": own.lengths, "regions": own.regions}
    if own.where:
        axes = "NC" + "P" * len(case.sizes)
        shape = [n if axis in own.where else 1 for n, axis in zip(x.shape, axes, strict=True)]
        options["where"] = raw(f"{name}/where", shape, "u1") & 1 == 1
    fifths = raw(f"{name}/left out", x.shape, "u1") // 52
    x = x.copy()
    if own.omit:
        options["nan_policy"] = "omit"
        if dtype.name in FLOATS:
            x[fifths == 0] = np.nan
    if own.nodata is not None:
        options["nodata"] = own.nodata
        x[fifths == 1] = own.nodata
    return x, {key: value for key, value in options.items() if value is not None}


class Way:
    """How arrays are given to a function, and what comes back is taken: here, as they are."""

    data_format = "channels_first"

    def __init__(self, num_threads=1):
        self.num_threads = num_threads

    def give(self, x, ndim):
        return x

    def take(self, y, ndim):
        return y

    def call(self, operation, ndim, *arrays, backward=False, sizes=None, samples=None, **options):
        """Call a function; return its results as they are channels first.

        Of a gradient `sizes` are those of the input, and so is `samples` where there are regions.
        """
        given = [self.give(x, ndim) for x in arrays]
        for key in {"where", "x"} & options.keys():
            options[key] = self.give(options[key], ndim)
        if backward:
            shape = list(given[0].shape)
            shape[0] = samples or shape[0]
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
    x, options = given(name, dtype)
    windows = {"windows": case.windows}
    forward = {"sizes": case.counts, **windows, **options}
    in_floats, in_integers = {}, {}
    if options:
        forward["return_counts"] = True
        in_floats, in_integers = {"empty": case.options.empty}, {"empty": 1}
    kinds = [None, np.float64, np.float16]
    average = [y for k in kinds for y in way.call("avg", ndim, x, dtype=k, **forward, **in_floats)]
    if dtype.kind in "iu":
        average += way.call("avg", ndim, x, dtype=dtype, **forward, **in_integers)
    found = {"average": average}
    if name in SCALED:
        scaled = {"scale": 0.37, "offset": -2.5, **forward}
        found["scaled"] = [
            y
            for k in (np.float64, np.float32, np.float16, np.int8)
            for y in way.call("avg", ndim, x, dtype=k, **scaled)
        ]
    back = {"backward": True, "sizes": case.sizes}
    if "regions" in options:
        back |= {"regions": options["regions"], "samples": len(x)}
    if case.windows != "area":  # of which there are no maxima
        forward |= in_integers if dtype.kind in "biu" else in_floats
        maximum = way.call("max", ndim, x, return_indices=True, **forward)
        maximum += way.call("max", ndim, x, **forward)
        found["maximum"] = maximum
        found["maximum unpool"] = way.call("unpool", ndim, *maximum[:2], **back)
    is_read = {"x": x} if {"nan_policy", "nodata"} & options.keys() else {}
    if dtype.name in FLOATS or is_read:
        kind = dtype if dtype.name in FLOATS else np.dtype(np.float32)
        g = array(f"{name}/g", case.outputs, kind, case.special)
        found["average backward"] = way.call("avg", ndim, g, **back | windows | options | is_read)
    if dtype.name in FLOATS and "maximum" in found:
        indices = maximum[1]
        if not options:
            indices = raw(f"{name}/indices", g.shape, "u4") % np.uint32(math.prod(case.sizes))
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
