"""Calls on arrays that touch unreadable pages, each named on standard output before it is made.

Run as a script with the name of a group, and the dtypes, or all of them; a fault ends it, and the
last line says where.
"""

import importlib.util
import itertools
import math
import os
import sys

import numpy as np
from cases import CHANNELS, DTYPES, FLOATS, dtype_of, random_array
from guarded import BROADCAST, LAYOUTS, Guarded
from oracle import function, shape_of
from test_backward_paths import AVERAGES, MAXIMA, channels_for
from test_maximum_paths import LONG, SEVERAL, SHORT

import adaptive_pool as ap
from adaptive_pool import _together

_together._SMALL = -1  # results of small arrays too are made together
SIZE = 10 << 20  # bytes of each memory: more than an input that kernels call large
FORMATS = ("channels_first", "channels_last")
PRESENT = [d for d in DTYPES if d != "bfloat16" or importlib.util.find_spec("ml_dtypes")]


class Calls:
    """All operations on inputs of one dtype, the arrays of which all touch a page."""

    def __init__(self, name):
        rng = np.random.default_rng(3)
        self.name = name
        self.dtype = dtype_of(name)
        self.source, self.gradient, self.target, self.places, self.mask = (
            Guarded(SIZE) for _ in range(5)
        )
        self.mask.fill(rng.random(9967) < 0.6)
        values = random_array(rng, 9973, self.dtype)
        self.gradient.fill(values)
        if name in FLOATS:
            values[rng.random(values.shape) < 0.003] = np.nan
        self.source.fill(values)

    def make(self, text, call, *args, **options):
        os.write(1, f"{self.name}: {text}\n".encode())
        call(*args, **options)

    def array(self, memory, shape, layout, at_end, dtype=None):
        dtype = self.dtype if dtype is None else dtype
        return memory.array(shape, dtype, layout(shape, dtype.itemsize), at_end)

    def forward(self, shape, counts, data_format, layouts=("dense", "dense"), **options):
        """Average, maximum, and maximum with indices of either type."""
        ndim = len(counts)
        options["data_format"] = data_format
        x_layout = {**LAYOUTS, **BROADCAST}[layouts[0]]
        y_layout = LAYOUTS[layouts[1]]
        first = len(shape) - ndim - (data_format == "channels_last")
        y_shape = (*shape[:first], *counts, *shape[first + ndim :])
        results = [*FLOATS[2:]] if self.name not in FLOATS else [self.name, "float64"]
        if self.name in DTYPES[5:]:  # integers, but not bools
            results.append(self.name)
        maximum = function("max", ndim)
        for at_end in (True, False):
            text = f"{shape} to {counts}, {'-'.join(layouts)}, at_end={at_end}, {options}"
            x = self.array(self.source, shape, x_layout, at_end)
            for result in results:
                dtype = dtype_of(result)
                y = self.array(self.target, y_shape, y_layout, at_end, dtype)
                self.make(
                    f"average as {result} {text}",
                    function("avg", ndim), x, counts, out=y, dtype=dtype, **options,
                )  # fmt: skip
            y = self.array(self.target, y_shape, y_layout, at_end, np.dtype(np.float32))
            self.make(
                f"scaled average {text}",
                function("avg", ndim), x, counts, out=y, dtype="f4", scale=0.5, **options,
            )  # fmt: skip
            y = self.array(self.target, y_shape, y_layout, at_end)
            self.make(f"maximum {text}", maximum, x, counts, out=y, **options)
            if isinstance(options.get("windows", "torch"), str):
                together = getattr(ap, f"spatial_pyramid_pool{ndim}d")
                sizes = [counts, (1,) * ndim]
                reduce = "avg" if options.get("windows") == "area" else ("avg", "max")
                self.make(f"together {text}", together, x, sizes, reduce=reduce, **options)
            for index in ("int32", "int64"):
                where = self.array(self.places, y_shape, y_layout, at_end, np.dtype(index))
                self.make(
                    f"maximum with indices {text}",
                    maximum, x, counts, return_indices=True, index_dtype=index, out=(y, where),
                    **options,
                )  # fmt: skip

    def backward(
        self, shape, counts, data_format, layouts=("dense", "dense"), windows="torch", **options
    ):
        """Both gradients; the indices are the positions of the windows, as far as that goes."""
        ndim = len(counts)
        options["data_format"] = data_format
        g_layout, x_layout = (LAYOUTS[name] for name in layouts)
        first = len(shape) - ndim - (data_format == "channels_last")
        g_shape = (*shape[:first], *counts, *shape[first + ndim :])
        plane = int(np.prod(shape[first : first + ndim]))
        average, maximum = (function(name, ndim, backward=True) for name in ("avg", "max"))
        for at_end in (True, False):
            text = f"{shape} from {counts}, {'-'.join(layouts)}, at_end={at_end}, {options}"
            g = self.array(self.gradient, g_shape, g_layout, at_end)
            x = self.array(self.target, shape, x_layout, at_end)
            self.make(
                f"average backward {text}", average, g, shape, out=x, windows=windows, **options
            )
            for index in ("int32", "int64"):
                where = self.array(self.places, g_shape, g_layout, at_end, np.dtype(index))
                where[...] = plane - 1 - np.arange(where.size).reshape(g_shape) % plane
                self.make(f"maximum backward {text}", maximum, g, where, shape, out=x, **options)
                self.make(f"maximum backward, new {text}", maximum, g, where, shape, **options)

    def counted(self, shape, counts, data_format, layout, at_end, beyond=0, **options):
        """All operations where not all elements count; lengths say what lies `beyond` a page."""
        ndim, layout_of = len(counts), LAYOUTS[layout]
        options["data_format"] = data_format
        first = len(shape) - ndim - (data_format == "channels_last")
        samples = len(options["regions"]) if "regions" in options else shape[0]
        y_shape = (samples, *shape[1:first], *counts, *shape[first + ndim :])
        text = f"{shape} to {counts}, {layout}, at_end={at_end}, beyond={beyond}, {[*options]}"
        x = self.array(self.source, shape, layout_of, at_end)
        where = self.array(self.mask, shape, layout_of, at_end, np.dtype(bool))
        if beyond:
            wide = (*shape[:first], shape[first] + beyond, *shape[first + 1 :])
            x, where = (np.lib.stride_tricks.as_strided(a, wide) for a in (x, where))
        some = {"empty": 1, "where": where, **options}
        y = self.array(self.target, y_shape, layout_of, at_end, np.dtype(np.float64))
        self.make(f"average {text}", function("avg", ndim), x, counts, out=y, dtype="f8", **some)
        y = self.array(self.target, y_shape, layout_of, at_end)
        where = self.array(self.places, y_shape, layout_of, at_end, np.dtype(np.int64))
        self.make(
            f"maximum {text}",
            function("max", ndim), x, counts, return_indices=True, out=(y, where), **some,
        )  # fmt: skip
        if self.name not in FLOATS:
            return
        g = self.array(self.gradient, y_shape, layout_of, at_end)
        out = None if beyond else self.array(self.target, shape, layout_of, at_end)
        del some["empty"]
        self.make(
            f"average backward {text}",
            function("avg", ndim, backward=True), g, x.shape, out=out, x=x, nodata=1, **some,
        )  # fmt: skip

    def by_area(self, shape, counts, data_format, layout="dense", beyond=0, **options):
        """Averages and their gradients, of all elements and of some; `beyond` as in `counted`."""
        ndim, layout_of = len(counts), LAYOUTS[layout]
        options |= {"data_format": data_format, "windows": "area"}
        first = len(shape) - ndim - (data_format == "channels_last")
        samples = len(options["regions"]) if "regions" in options else shape[0]
        y_shape = (*shape[:first], *counts, *shape[first + ndim :])
        y_shape = (samples, *y_shape[1:]) if first > 0 else y_shape
        results = [self.name, "float64"] if self.name != "bool" else ["float32"]
        pool, back = (function("avg", ndim, backward) for backward in (False, True))
        for at_end in (True,) if beyond else (True, False):
            text = f"{shape} to {counts}, {layout}, at_end={at_end}, beyond={beyond}, {[*options]}"
            x = self.array(self.source, shape, layout_of, at_end)
            where = self.array(self.mask, shape, layout_of, at_end, np.dtype(bool))
            g = None
            if self.name in FLOATS:
                g = self.array(self.gradient, y_shape, layout_of, at_end)
            target = None if beyond else self.array(self.target, shape, layout_of, at_end)
            if beyond:
                wide = (*shape[:first], shape[first] + beyond, *shape[first + 1 :])
                x, where = (np.lib.stride_tricks.as_strided(a, wide) for a in (x, where))
            for some in ({}, {"where": where}):
                said = f"{text}, {[*some]}"
                for result in results:
                    dtype = dtype_of(result)
                    y = self.array(self.target, y_shape, layout_of, at_end, dtype)
                    empty = {"empty": 1, **some} if some else {}
                    self.make(
                        f"average as {result} {said}",
                        pool, x, counts, out=y, dtype=dtype, **empty, **options,
                    )  # fmt: skip
                if g is not None:
                    read = {"x": x, "nodata": 1, **some} if some else {}
                    self.make(
                        f"average backward {said}", back, g, x.shape, out=target, **read, **options
                    )

    def both(self, shape, counts, data_format, layouts=("dense", "dense"), **options):
        self.forward(shape, counts, data_format, layouts, **options)
        if self.name in FLOATS and layouts[0] in LAYOUTS:
            self.backward(shape, counts, data_format, layouts, **options)


def every_width(calls):
    """Every tail of every loop over columns, of windows short, long and whole, also enlarging."""
    for width, data_format in itertools.product(range(1, 41), FORMATS):
        shape = shape_of((), (3, width), 2, data_format)
        for count in {1, 2, -(-width // 3), width, width + 3}:
            calls.both(shape, (2, count), data_format)
        calls.both(shape_of((2,), (width,), 3, data_format), (-(-width // 2),), data_format)


def every_channel(calls):
    """Packs of planes, full and not, and every tail of loops over lanes."""
    for channels, data_format in itertools.product(sorted({*range(1, 34), *CHANNELS}), FORMATS):
        for counts in ((2, 3), (1, 1), (6, 9)):
            calls.both(shape_of((2,), (5, 7), channels, data_format), counts, data_format)
        calls.both(shape_of((1,), (3, 40), channels, data_format), (1, 4), data_format)


def every_layout(calls):
    """Read and written in place or by pieces, whichever way memory runs."""
    names = itertools.chain(
        itertools.product(LAYOUTS, LAYOUTS), itertools.product(BROADCAST, ["dense"])
    )
    for layouts, data_format in itertools.product(names, FORMATS):
        for sizes, counts in (((9, 37), (2, 5)), ((6, 8), (1, 1)), ((1, 70), (1, 1))):
            for channels in (1, 3, 19):
                calls.both(shape_of((2,), sizes, channels, data_format), counts, data_format,
                           layouts)  # fmt: skip


def every_path(calls):
    """Turned tiles, stacks, strips, columns, surveys, runs: what the tests of paths know of."""
    for (sizes, counts), data_format in itertools.product(LONG + SEVERAL + SHORT, FORMATS):
        for channels in (2, 33) if np.prod(sizes) < 3000 else (3,):
            calls.both(shape_of((), sizes, channels, data_format), counts, data_format)
    for channels, width in itertools.product(range(1, 6), (2, 8, 30, 32, 34, 62, 64, 66, 130)):
        for count in (width // 2, width // 4):  # bytes to half their size, windows of one size
            if count:
                shape = shape_of((2,), (8, width), channels, "channels_last")
                calls.both(shape, (4, count), "channels_last")


def every_gradient(calls):
    """The ways of both backward kernels, with tables of any order and gaps."""
    if calls.name not in FLOATS:
        return
    for names in (AVERAGES, MAXIMA):
        for (name, channels), data_format in itertools.product(
            channels_for(names, 300, 10**5), FORMATS
        ):
            sizes, windows = names[name]
            counts = tuple(w if isinstance(w, int) else len(w[0]) for w in windows)
            if np.prod(counts) * channels > 10**5:
                continue
            calls.backward(
                shape_of((2,), sizes, channels, data_format), counts, data_format,
                windows="torch" if counts == windows else windows,
            )  # fmt: skip


def two_threads(calls):
    """Inputs that are large enough for two, and one that is more than caches hold."""
    item = calls.dtype.itemsize
    size = 600_000 if calls.name in FLOATS else 270_000
    for data_format in FORMATS:
        for sizes, counts in (((33, 35), (7, 6)), ((9, 11), (1, 1)), ((20, 21), (24, 25))):
            shape = shape_of((2,), sizes, size // (2 * math.prod(sizes) * item), data_format)
            calls.both(shape, counts, data_format, num_threads=2)
        shape = shape_of((), (3, size // (3 * item)), 1, data_format)
        calls.both(shape, (2, 5), data_format, num_threads=2)
        if calls.name in ("uint8", "float16", "float32", "float64"):
            shape = shape_of((), (8, 9_000_000 // (8 * 64 * item)), 64, data_format)
            calls.forward(shape, (3, 7), data_format, num_threads=2)


def every_table(calls):
    """Window tables of the caller's, which are copied before they are looked at."""
    if calls.name not in DTYPES[5:]:
        return
    shape = (4, 9)
    starts = calls.array(calls.source, (5,), LAYOUTS["dense"], True)
    ends = calls.array(calls.target, (5,), LAYOUTS["dense"], True)
    starts[...], ends[...] = [0, 2, 4, 0, 8], [2, 3, 9, 9, 9]
    x = np.ones(shape, np.float32)
    for name in LAYOUTS:
        calls.make(f"windows {name}", function("avg", 1), x, None, windows=[(starts, ends)])


def every_option(calls):
    """Masks, lengths and regions, as arrays lie; and lengths of what is on a page that faults."""
    cases = [((9, 37), (2, 5)), ((6, 8), (1, 1)), ((1, 70), (1, 9)), ((33,), (4,))]
    for layout, (sizes, counts), channels, data_format, at_end in itertools.product(
        LAYOUTS, cases, (1, 3, 19), FORMATS, (True, False)
    ):
        shape = shape_of((2,), sizes, channels, data_format)
        ends = [border for size in sizes for border in (size // 3, size)]
        calls.counted(shape, counts, data_format, layout, at_end)
        calls.counted(
            shape, counts, data_format, layout, at_end, lengths=[sizes, [n // 2 for n in sizes]]
        )
        calls.counted(
            shape, counts, data_format, layout, at_end,
            regions=[[1, *ends], [0, *ends], [1, *(b for n in sizes for b in (0, n))]],
        )  # fmt: skip
    for width, channels in itertools.product((1, 2, 7, 8, 9, 31, 64, 333), (1, 2, 8, 33, 384)):
        for data_format in FORMATS if channels == 1 else FORMATS[1:]:
            calls.counted(
                shape_of((1,), (width,), channels, data_format), (3,), data_format, "dense", True,
                beyond=5000, lengths=[width],
            )  # fmt: skip


def every_area(calls):
    """Windows that hold elements in part, of few columns and many, lanes and layouts, and parts."""
    for width, data_format in itertools.product(range(1, 41), FORMATS):
        for count in {2, -(-2 * width // 3), width + 3}:
            calls.by_area(shape_of((), (3, width), 2, data_format), (2, count), data_format)
    for channels, data_format in itertools.product(CHANNELS, FORMATS):
        for counts in ((2, 3), (6, 9)):
            calls.by_area(shape_of((2,), (5, 7), channels, data_format), counts, data_format)
    for layout, channels, data_format in itertools.product(LAYOUTS, (1, 3, 19), FORMATS):
        for sizes, counts in (((9, 37), (2, 5)), ((1, 70), (1, 9)), ((3, 4, 5), (2, 3, 6))):
            shape = shape_of((2,), sizes, channels, data_format)
            ends = [border for size in sizes for border in (size // 3, size)]
            calls.by_area(shape, counts, data_format, layout)
            calls.by_area(
                shape, counts, data_format, layout, lengths=[sizes, [n // 2 + 1 for n in sizes]]
            )
            calls.by_area(shape, counts, data_format, layout, regions=[[1, *ends], [0, *ends]])
    for sizes, counts in (((4, 4100), (3, 7)), ((9001,), (2,)), ((4100, 3), (7, 2))):
        for data_format in FORMATS:
            calls.by_area(shape_of((1,), sizes, 2, data_format), counts, data_format)
    for width, channels in itertools.product((1, 2, 7, 9, 31, 64, 333), (1, 2, 8, 33)):
        for data_format in FORMATS if channels == 1 else FORMATS[1:]:
            shape = shape_of((1,), (width,), channels, data_format)
            calls.by_area(shape, (3,), data_format, beyond=5000, lengths=[width])


GROUPS = {
    f.__name__: f
    for f in (
        every_width, every_channel, every_layout, every_path, every_gradient, two_threads,
        every_table, every_option, every_area,
    )
}  # fmt: skip

if __name__ == "__main__":
    for name in sys.argv[2:] or PRESENT:
        GROUPS[sys.argv[1]](Calls(name))
    os.write(1, b"all done\n")
