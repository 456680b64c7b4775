"""Every allocation of a call made to fail in turn: MemoryError, nothing written, nothing leaked.

``python stress/failing_allocations.py [CASE ...]`` lets those of the kernels fail, then those of
Python and NumPy too, which the tests leave out. For Linux with glibc; it needs a C compiler.

Each case has a process of its own, in which no call succeeds before all attempts have failed: a
kernel module keeps memory from one call to the next, and would have nothing to ask for.
"""

import argparse
import ctypes
import gc
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import adaptive_pool as ap
from adaptive_pool import _together
from adaptive_pool._kernels.call import known

SOURCE = Path(__file__).with_suffix(".c")
KERNELS = "adaptive_pool/_kernels/"
ATTEMPTS = 6  # at each allocation; if more blocks are live after each of them, one is lost
SENTINEL = 0xA5


class Case(NamedTuple):
    """A call, the arrays it writes to, and how many blocks its kernel asks for."""

    call: Callable[..., object]
    outs: tuple[np.ndarray, ...]
    blocks: int


def average(shape, counts, element="float32", blocks=1, make=np.empty, **options):
    x = values(shape, element, make)
    ndim = len(counts)
    pool = getattr(ap, f"adaptive_avg_pool{ndim}d")
    out = make(pool_shape(shape, counts, options), options.get("dtype", element))
    return Case(lambda: pool(x, counts, out=out, **options), (out,), blocks)


def maximum(shape, counts, element="float32", blocks=1, make=np.empty, indexed=True, **options):
    x = values(shape, element, make)
    pool = getattr(ap, f"adaptive_max_pool{len(counts)}d")
    outs = (make(pool_shape(shape, counts, options), element),)
    if indexed:
        outs = (*outs, make(outs[0].shape, np.int64))
    return Case(
        lambda: pool(
            x, counts, return_indices=indexed, out=outs if indexed else outs[0], **options
        ),
        outs,
        blocks,
    )


def average_backward(shape, counts, element="float32", blocks=2, make=np.empty, **options):
    gradient = values(pool_shape(shape, counts, options), element, make)
    back = getattr(ap, f"adaptive_avg_pool{len(counts)}d_backward")
    out = make(shape, element)
    return Case(lambda: back(gradient, shape, out=out, **options), (out,), blocks)


def maximum_backward(shape, counts, element="float32", blocks=1, make=np.empty, **options):
    gradient = values(pool_shape(shape, counts, options), element, make)
    indices = np.arange(gradient.size).reshape(gradient.shape) % 5
    back = getattr(ap, f"adaptive_max_pool{len(counts)}d_backward")
    out = make(shape, element)
    return Case(lambda: back(gradient, indices, shape, out=out, **options), (out,), blocks)


def packed(backward=False, **options):
    values_, offsets, out = np.ones((50, 20), "f4"), [3, 10, 10, 47], np.empty((3, 4, 20), "f4")
    if backward:
        out, g = np.empty_like(values_), np.ones((3, 4, 20), "f4")
        back = ap.adaptive_avg_pool1d_packed_backward
        return Case(lambda: back(g, offsets, (50, 20), out=out, **LAST, **options), (out,), 2)
    pool = ap.adaptive_avg_pool1d_packed
    return Case(lambda: pool(values_, offsets, 4, out=out, **LAST, **options), (out,), 1)


def ragged(shapes, counts, make=np.empty, indexed=False, **options):
    items = [values(shape, "float32", make) for shape in shapes]
    pool = getattr(ap, f"adaptive_{'max' if indexed else 'avg'}_pool{len(counts)}d_ragged")
    outs = (np.empty((len(shapes), *pool_shape(shapes[0], counts, {})), "f4"),)
    if not indexed:
        return Case(lambda: pool(items, counts, out=outs[0], **options), outs, 2)
    outs = (*outs, np.empty(outs[0].shape, np.int64))
    return Case(lambda: pool(items, counts, return_indices=True, out=outs, **options), outs, 2)


def together(shape, sizes, make=np.empty, **options):
    _together._SMALL = -1  # small arrays too are read once
    x = values(shape, "float32", make)
    outs = tuple(np.empty(pool_shape(shape, size, {}), "f4") for _ in range(2) for size in sizes)
    pool, reduce = ap.spatial_pyramid_pool2d, ("avg", "max")
    return Case(lambda: pool(x, sizes, reduce=reduce, out=outs, **options), outs, 2)


def scaled(shape, counts, make=np.empty, **options):
    x, ndim = values(shape, "uint8", make), len(counts)
    out = make(pool_shape(shape, counts, options), "f4")
    pool = getattr(ap, f"adaptive_avg_pool{ndim}d")
    return Case(lambda: pool(x, counts, scale=0.5, out=out, **options), (out,), 2)


def values(shape, dtype, make):
    x = make(shape, dtype)
    x[...] = np.arange(x.size).reshape(shape) % 251
    return x


def pool_shape(shape, counts, options):
    last = options.get("data_format") == "channels_last"
    first = len(shape) - len(counts) - last
    samples = (len(options["regions"]),) if "regions" in options else shape[:1]
    return (*samples, *shape[1:first], *counts, *shape[len(shape) - last :])


def crop(shape, dtype):
    """An array whose leading axes, three of them, have no common step: one place is not all."""
    return np.empty([*(n + 1 for n in shape[:3]), *shape[3:]], dtype)[:-1, :-1, :-1]


def crop_channels(shape, dtype):
    """Channels last that have a step: the two leading axes and they have none in common."""
    return np.empty([*(n + 1 for n in shape[:-1]), 2 * shape[-1]], dtype)[:-1, :-1, :-1, :-1, ::2]


LAST = {"data_format": "channels_last"}
TWO = {"num_threads": 2}
THIRD = {"where": np.arange(50) % 3 > 0}
REGIONS = {"regions": np.array([[0, 1, 30, 2, 50], [2, 0, 40, 0, 50], [1, 5, 6, 7, 8]])}
LENGTHS = {"lengths": np.array([40, 3, 17])}
COUNTS = {"return_counts": True}
AREA = {"windows": "area"}
WINDOWS = [(np.array([0, 3, 1]), np.array([4, 9, 2]))]

CASES: dict[str, Callable[[], Case]] = {
    "average-tiles": lambda: average((3, 40, 50), (4, 6)),
    "average-1d-own-windows": lambda: average((5, 9), (3,), windows=WINDOWS),
    "average-3d": lambda: average((2, 6, 12, 50), (2, 4, 3), "float16"),
    "average-channels-last": lambda: average((2, 9, 11, 70), (3, 4), **LAST),
    "average-packs": lambda: average((2, 64, 14, 14), (7, 7)),
    "average-packs-of-halves": lambda: average((2, 64, 14, 14), (3, 5), "float16"),
    "average-long-runs": lambda: average((8, 90, 90), (1, 1), "float64"),
    "average-halving": lambda: average((4, 64, 64), (32, 32), "uint8", dtype=np.uint8),
    "average-two-threads": lambda: average((64, 99, 101), (4, 6), **TWO),
    "average-two-threads-packs": lambda: average((2, 512, 20, 20), (7, 7), **TWO),
    "average-places": lambda: average((3, 2, 2, 9, 11), (2, 3), make=crop),
    "average-places-two-threads": lambda: average(
        (3, 2, 128, 32, 32), (32, 32), "float64", make=crop, **TWO
    ),
    "maximum-tiles": lambda: maximum((3, 40, 50), (4, 6)),
    "maximum-values-alone": lambda: maximum((3, 40, 50), (4, 6), indexed=False),
    "maximum-channels-last": lambda: maximum((2, 9, 11, 70), (3, 4), "int16", **LAST),
    "maximum-packs": lambda: maximum((2, 64, 14, 14), (7, 7), "float16"),
    "maximum-two-threads": lambda: maximum((64, 99, 101), (4, 6), **TWO),
    "maximum-places": lambda: maximum((3, 2, 2, 9, 11), (2, 3), make=crop),
    "maximum-places-two-threads": lambda: maximum(
        (3, 2, 128, 32, 32), (32, 32), "float64", make=crop, **TWO
    ),
    "average-backward": lambda: average_backward((3, 40, 50), (4, 6)),
    "average-backward-channels-last": lambda: average_backward((2, 9, 11, 70), (3, 4), **LAST),
    "average-backward-two-threads": lambda: average_backward((64, 99, 101), (4, 6), **TWO),
    "average-backward-places": lambda: average_backward((3, 2, 2, 9, 11), (2, 3), make=crop),
    "maximum-backward": lambda: maximum_backward((3, 40, 50), (4, 6)),
    "maximum-backward-halves": lambda: maximum_backward((3, 40, 50), (4, 6), "float16"),
    "maximum-backward-two-threads": lambda: maximum_backward((64, 99, 101), (4, 6), **TWO),
    "maximum-backward-places-two-threads": lambda: maximum_backward(
        (3, 2, 32, 32, 32), (16, 16), "float16", make=crop, num_threads=3
    ),
    "maximum-backward-places": lambda: maximum_backward((3, 2, 2, 9, 11), (2, 3), make=crop),
    "average-places-of-channels": lambda: average(
        (9, 8, 59, 51, 25), (40, 30), "float64", make=crop_channels, **LAST, num_threads=8
    ),
    "maximum-places-of-channels": lambda: maximum(
        (9, 8, 59, 51, 25), (40, 30), "float64", make=crop_channels, **LAST, num_threads=8
    ),
    "average-lengths": lambda: average((3, 40, 50), (4, 6), **LENGTHS),
    "average-regions": lambda: average((3, 40, 50), (4, 6), **REGIONS),
    "average-counts": lambda: average((3, 40, 50), (4, 6), **COUNTS),
    "average-where": lambda: average((3, 40, 50), (4, 6), **THIRD),
    "average-where-integers": lambda: average((3, 40, 50), (4, 6), "int16", dtype="i2", **THIRD),
    "average-where-counts": lambda: average((3, 40, 50), (4, 6), **THIRD, **COUNTS),
    "average-area": lambda: average((3, 40, 50), (7, 6), **AREA),
    "average-area-packs": lambda: average((2, 64, 14, 14), (5, 3), "uint8", dtype="u1", **AREA),
    "average-area-float64": lambda: average((2, 9, 11, 70), (4, 3), "float64", **LAST, **AREA),
    "average-area-two-threads": lambda: average((64, 99, 101), (4, 6), **TWO, **AREA),
    "average-area-regions": lambda: average((3, 40, 50), (7, 6), **REGIONS, **AREA),
    "average-area-where": lambda: average((3, 40, 50), (7, 6), **THIRD, **COUNTS, **AREA),
    "average-packed": packed,
    "average-packed-counts": lambda: packed(**COUNTS),
    "average-backward-packed": lambda: packed(backward=True),
    "average-ragged": lambda: ragged([(3, 40, 50), (3, 9, 11), (3, 200, 99)], (4, 6)),
    "average-ragged-two-threads": lambda: ragged([(3, 400, 500)] * 3, (4, 6), **TWO),
    "average-ragged-places": lambda: ragged([(3, 2, 2, 9, 11), (3, 2, 2, 7, 8)], (2, 3), crop),
    "maximum-ragged": lambda: ragged([(3, 40, 50), (3, 9, 11)], (4, 6), indexed=True),
    "together": lambda: together((3, 40, 50), [(4, 6), (7, 5)]),
    "together-nested": lambda: together((3, 40, 50), [(1, 1), (2, 2), (4, 6)]),
    "together-places": lambda: together((3, 2, 2, 9, 11), [(2, 3)], crop),
    "together-two-threads": lambda: together((64, 99, 101), [(4, 6), (7, 5)], **TWO),
    "scaled": lambda: scaled((3, 40, 50), (4, 6)),
    "scaled-places": lambda: scaled((3, 2, 2, 9, 11), (2, 3), make=crop),
    "scaled-ragged": lambda: ragged([(3, 40, 50), (3, 9, 11)], (4, 6), scale=0.5),
    "scaled-ragged-two-threads": lambda: ragged([(3, 400, 500)] * 3, (4, 6), **TWO, scale=0.5),
    "maximum-lengths": lambda: maximum((3, 40, 50), (4, 6), **LENGTHS),
    "maximum-regions": lambda: maximum((3, 40, 50), (4, 6), **REGIONS),
    "maximum-counts": lambda: maximum((3, 40, 50), (4, 6), **COUNTS),
    "maximum-where": lambda: maximum((3, 40, 50), (4, 6), **THIRD),
    "maximum-where-integers": lambda: maximum((3, 40, 50), (4, 6), "int16", **THIRD),
    "maximum-where-counts": lambda: maximum((3, 40, 50), (4, 6), **THIRD, **COUNTS),
    "maximum-where-least": lambda: maximum((3, 40, 50), (4, 6), **THIRD, min_count=2),
    "average-backward-lengths": lambda: average_backward((3, 40, 50), (4, 6), **LENGTHS),
    "average-backward-regions": lambda: average_backward((3, 40, 50), (4, 6), **REGIONS),
    "average-backward-regions-two-threads": lambda: average_backward(
        (3, 40, 50), (4, 6), **REGIONS, **TWO
    ),
    "average-backward-least": lambda: average_backward((3, 40, 50), (4, 6), min_count=3),
    "average-backward-where": lambda: average_backward((3, 40, 50), (4, 6), **THIRD),
    "average-backward-where-regions": lambda: average_backward(
        (3, 40, 50), (4, 6), **THIRD, **REGIONS
    ),
    "average-backward-area": lambda: average_backward((3, 40, 50), (7, 6), **AREA),
    "average-backward-area-channels-last": lambda: average_backward(
        (2, 9, 11, 70), (4, 3), **LAST, **AREA
    ),
    "average-backward-area-where-regions": lambda: average_backward(
        (3, 40, 50), (7, 6), **THIRD, **REGIONS, **AREA
    ),
    "maximum-backward-regions": lambda: maximum_backward((3, 40, 50), (4, 6), **REGIONS),
}


def in_a_child(case: Case) -> bytes:
    """Return what the call writes, from a copy of this process, whose own memory stays as it is."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            case.call()
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(written(case))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return result


def written(case: Case) -> bytes:
    return b"".join(out.tobytes() for out in case.outs)


class Allocator:
    """The preloaded library."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._fail = library.fail_in_turn
        self._fail.argtypes = [ctypes.c_long, ctypes.c_char_p]
        self._fail.restype = None
        self._stop = library.stop_failing
        self._stop.restype = ctypes.c_long
        self.live_blocks = library.live_blocks
        self.live_blocks.restype = ctypes.c_long

    def attempt(self, case: Case, nth: int, part: bytes) -> "Outcome":
        """Make the call while the nth allocation fails."""
        raised = compiled = False
        try:
            self._fail(nth, part)
            case.call()
        except (MemoryError, SystemError) as error:
            raised = True
            # Python may lose a block when it finds no memory; compiled modules of ours may not.
            compiled = last_file(error).endswith((".pyx", ".pxd", "View.MemoryView"))
            # What NumPy's functions raise when they find no memory.
            named = "/numpy/" in last_file(error) or str(error).startswith("<ufunc ")
            if isinstance(error, SystemError) and not named:
                raise
        try:
            left = self._stop()
        except MemoryError:  # ctypes allocates too
            left = 0
        return Outcome(left == 0, raised, compiled)


class Outcome(NamedTuple):
    reached: bool
    raised: bool
    compiled: bool  # whether it was raised in a compiled module


def last_file(error: BaseException) -> str:
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename


def fail_all(case: Case, part: str) -> int:
    """Fail each allocation in files whose path holds `part`; return how many there are."""
    allocator = Allocator()
    expected = in_a_child(case)
    ap.pool_windows(7, 3)  # NumPy registers loops when they are first used, and not twice
    untouched = bytes([SENTINEL]) * len(expected)
    gc.collect()
    gc.freeze()
    gc.disable()
    live = np.zeros(ATTEMPTS, np.int64)  # not a list, which would grow by what it counts
    for nth in itertools.count(1):
        for attempt in range(ATTEMPTS):
            for out in case.outs:
                out[...] = np.full(out.itemsize, SENTINEL, np.uint8).view(out.dtype)[0]
            known.forget_all()
            outcome = allocator.attempt(case, nth, part.encode())
            if not outcome.reached:
                assert written(case) == expected
                return nth - 1
            # Python and NumPy can do without some of theirs.
            assert outcome.raised or part != KERNELS, f"allocation {nth}: no MemoryError"
            result = untouched if outcome.raised else expected
            assert written(case) == result, f"allocation {nth}: out"
            gc.collect()
            live[attempt] = allocator.live_blocks()
        if part == KERNELS or outcome.compiled:
            assert not (np.diff(live) > 0).all(), f"allocation {nth}: live blocks {live}"
        assert in_a_child(case) == expected, f"allocation {nth}: the next call is wrong"
    raise AssertionError


def build(folder: str) -> str:
    """Build the library to preload; return its path."""
    library = f"{folder}/failing_allocations.so"
    compiler = compiler_found()
    assert compiler is not None, "no C compiler was found"
    subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", library, str(SOURCE), "-ldl"], check=True
    )
    return library


def compiler_found() -> str | None:
    return shutil.which(os.environ.get("CC", "cc"))


def run(name: str, library: str, part: str) -> int:
    """Run one case in a process of its own; return how many allocations have failed."""
    done = subprocess.run(
        [sys.executable, __file__, "--inside", part, name],
        env={**os.environ, "LD_PRELOAD": library, "PYTHONMALLOC": "malloc"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return int(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--inside", metavar="PART", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside is not None:
        print(fail_all(CASES[arguments.cases[0]](), arguments.inside))
        return
    with tempfile.TemporaryDirectory() as folder:
        library = build(folder)
        failed = False
        for name in arguments.cases or CASES:
            try:
                counts = run(name, library, KERNELS), run(name, library, "")
            except RuntimeError as error:
                print(error)
                failed = True
            else:
                print(f"{name:<36} {counts[0]} of the kernels, {counts[1]} in all", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
