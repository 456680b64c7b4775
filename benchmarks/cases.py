"""What is timed, and why: workloads, and families of cases.

Shapes are channels first throughout; a case says in which layout it is stored.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

ITEMSIZE = {
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float64": 8,
    "uint8": 1,
    "uint16": 2,
    "int16": 2,
}
INTEGERS = ("uint8", "uint16", "int16")

# Below this many bytes of input, a case is about the call: it counts in the family SMALL alone.
SMALL_BYTES = 64 << 10

# A cold case has copies of its input that fill so many bytes together, more than a process can
# expect to keep of a shared cache; of small inputs so many, which is more than a core's own caches.
COLD_BYTES = 96_000_000
MOST_COPIES = 1000


@dataclass(frozen=True)
class Workload:
    """What is pooled into what, and why that is worth a measurement."""

    name: str
    shape: tuple[int, ...]
    size: tuple[int | None, ...]
    why: str


@dataclass(frozen=True)
class Case:
    """One line of the table. Fields are what JSON can hold."""

    family: str
    operation: str  # avg, max (with indices), max_values (without), avg_backward, max_backward
    workload: str
    shape: tuple[int, ...]
    size: tuple[int | None, ...]
    data_format: str = "channels_first"
    dtype: str = "float32"
    result: str | None = None  # dtype of a mean, where it is not the default
    cold: bool = False  # whether every call takes another copy of the input
    options: str = ""  # what `options_data.py` knows by this name
    regions: int = 0  # how many are pooled in the place of samples
    batch: str = ""  # many problems in one call: what `batches_data.py` knows by this name
    least: tuple[int, ...] = ()  # the shortest lengths of items, of which `shape` has the longest
    sizes: tuple[int, ...] = ()  # all that a call pools to, of which `size` has the largest

    @property
    def name(self) -> str:
        """What tells the case from all others."""
        size = ", ".join(map(str, self.sizes or self.size))
        layout = ", channels last" if self.data_format == "channels_last" else ""
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        number = f"{self.regions} " if self.regions else ""
        options = f", {number}{self.options}" if self.options else ""
        batch = f", {self.batch}" if self.batch else ""
        least = f", from {'x'.join(map(str, self.least))} on" if self.least else ""
        rest = f"{layout}{dtype}{options}{batch}{least}{', cold' if self.cold else ''}"
        return f"{self.operation} {self.workload}: {self.shape} -> ({size}){rest}"

    @property
    def ndim(self) -> int:
        """The number of pooled axes."""
        return len(self.size)

    @property
    def pooled(self) -> tuple[tuple[int, int], ...]:
        """Input and output length of each pooled axis."""
        lengths = self.shape[-self.ndim :]
        return tuple((i, i if o is None else o) for i, o in zip(lengths, self.size, strict=True))

    @property
    def divides(self) -> bool:
        """Whether all windows of an axis are of one length and do not overlap."""
        return all(i % o == 0 for i, o in self.pooled)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the input in memory."""
        return self._stored(self.shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output in memory."""
        lead = (self.regions or self.shape[0], *self.shape[1 : -self.ndim])
        return self._stored((*lead, *(o for _, o in self.pooled)))

    @property
    def input_bytes(self) -> int:
        """The bytes of the input, at most; of a backward pass those of the gradient it returns."""
        return math.prod(self.shape) * ITEMSIZE[self.dtype]

    @property
    def copies(self) -> int:
        """How many copies of the input the calls take in turn."""
        if not self.cold:
            return 1
        return min(MOST_COPIES, max(2, -(-COLD_BYTES // self.input_bytes)))

    def _stored(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.data_format == "channels_first":
            return shape
        return (shape[0], *shape[2:], shape[1])


@dataclass(frozen=True)
class Family:
    """Cases that are summed up together: the time of the fastest of `peers` over ours."""

    name: str
    peers: tuple[str, ...]
    beside: tuple[str, ...] = ()  # timed and shown as well, not summed up

    @property
    def libraries(self) -> tuple[str, ...]:
        """All libraries that are timed beside ours."""
        return self.peers + self.beside


TORCH = ("torch",)
PHOTOGRAPHIC = ("torch, each", "opencv blobs", "fast_image_resize + numpy")
SMALL = "arrays under 64 KB"
# Families of the sweep, whose cases `drawn.py` draws.
CELLS = "random cells"
CELLS_OF_INTEGERS = "random cells of integers"
PICTURES_DRAWN = "random pictures"
BLOCKS = "output size 1 and exact factors"
# Families of calls with options, whose cases `options_cases.py` has.
TEXTS = "texts up to their lengths"
TEXTS_MASKED = "texts with a mask for all channels"
MASKED = "a mask as large as the input"
HOLES = "NaN left out"
REGIONS = "regions"
AREA = "windows by area"
AREA_PICTURES = "uint8 pictures by area"
TINY_OPTIONS = "tiny calls with options"
CELLS_WITH_OPTIONS = "random cells with options"
# Families of many problems in one call, whose cases `batches_cases.py` has.
TENSORS = "photographs to one tensor"
RAGGED = "arrays of many sizes"
PACKED = "packed texts"
TOGETHER = "average and maximum together"
SIZES = "several sizes together"
PYRAMIDS = "pyramids"
CELLS_OF_BATCHES = "random cells of many"
FAMILIES = (
    Family("average, channels first", TORCH, ("openvino",)),
    Family("max, channels first", TORCH, ("openvino",)),
    Family("output size 1, channels first", TORCH),
    Family("average and max, channels last", TORCH),
    Family("channels last, 1 to 4 channels", TORCH),
    Family("average backward, channels first", TORCH),
    Family("average backward, channels last", TORCH),
    Family("max backward, channels first", TORCH),
    Family("max backward, channels last", TORCH),
    Family("1d and 3d", TORCH),
    Family("float16 and bfloat16", TORCH),
    Family("uint8 pictures", ("opencv", "pillow"), ("fast_image_resize",)),
    Family(SMALL, TORCH),
    Family("sizes that divide", ("numpy", "reduceat", "scikit-image"), TORCH),
    Family(CELLS, TORCH),
    Family(CELLS_OF_INTEGERS, TORCH),
    Family(PICTURES_DRAWN, ("fast_image_resize",), ("opencv", "pillow")),
    Family(BLOCKS, ("numpy", "opencv"), ("tensorstore", "keras")),
    Family(TEXTS, ("plain",), ("valid alone", "einsum", "int64 mask", "numpy where")),
    Family(TEXTS_MASKED, ("plain",), ("einsum", "int64 mask", "numpy where")),
    Family(MASKED, ("plain",), ("numpy where",)),
    Family(HOLES, ("plain",), ("xarray", "numbagg")),
    Family(REGIONS, ("one by one",)),
    Family(AREA, ("plain",)),
    Family(AREA_PICTURES, ("opencv",), ("fast_image_resize", "plain")),
    Family(TINY_OPTIONS, ("plain",)),
    Family(CELLS_WITH_OPTIONS, ("plain", "one by one")),
    Family(TENSORS, PHOTOGRAPHIC, ("bytes alone", "single calls")),
    Family(RAGGED, ("single calls",), ("torch loop",)),
    Family(PACKED, ("single calls",), ("sum", "reduceat of items", "torch segments", "torch loop")),
    Family(TOGETHER, ("single calls",), ("slowest alone", "torch calls")),
    Family(SIZES, ("single calls",), ("slowest alone", "torch calls")),
    Family(PYRAMIDS, ("tensorstore levels", "tinybrain"), ("single calls",)),
    Family(
        CELLS_OF_BATCHES,
        ("single calls",),
        ("torch loop", "torch calls", "tensorstore levels", *PHOTOGRAPHIC),
    ),
)

# Inputs of this size and more come from memory: they are held against the time of reading them.
FROM_MEMORY = 100_000_000
# Forward cases of this size fit the shared cache of a server, and are worth a second thread.
FITS_CACHE = (1_000_000, 32_000_000)

PLANES = (
    Workload("large planes", (16, 256, 100, 100), (10, 10), "many, from memory; sizes divide"),
    Workload("detector, early", (4, 512, 112, 112), (7, 7), "feature maps before a detector's end"),
    Workload("detector, late", (4, 512, 56, 56), (7, 7), "the same, of a size that caches hold"),
    Workload("small planes", (8, 256, 14, 14), (7, 7), "what is done for each plane counts"),
    Workload("odd planes", (16, 128, 30, 30), (7, 7), "sizes do not divide: windows overlap"),
    Workload("huge windows", (32, 64, 224, 224), (7, 7), "windows of 32 x 32, far from memory"),
    Workload("region", (1, 256, 50, 68), (7, 7), "one region of interest"),
    Workload("small region", (1, 256, 20, 31), (7, 7), "one of the many that a detector proposes"),
)
PICTURES = (
    Workload("picture to 224", (1, 3, 1080, 1920), (224, 224), "three planes only, long lines"),
    Workload("pictures to 7", (8, 3, 1080, 1920), (7, 7), "windows of 154 x 275"),
    Workload("small picture", (1, 3, 480, 640), (224, 224), "windows of two or three pixels"),
    Workload("photograph", (1, 3, 3000, 4000), (224, 224), "144 MB from memory, one picture"),
)
FEW_CHANNELS = (
    *PICTURES,
    Workload("grey picture", (1, 1, 1080, 1920), (224, 224), "one channel: layouts coincide"),
    Workload("two channels", (4, 2, 512, 512), (64, 64), "flow fields; windows of 8 x 8"),
    Workload("four channels", (1, 4, 1080, 1920), (270, 480), "RGBA; windows of 4 x 4"),
)
ENDS = (
    Workload("ResNet's end", (32, 2048, 7, 7), (1, 1), "49 elements to one, 65536 times"),
    Workload("one ResNet's end", (1, 2048, 7, 7), (1, 1), "the same for one picture"),
    Workload("short end", (1, 512, 7, 7), (1, 1), "100 KB: the call counts too"),
    Workload("wide end", (16, 512, 28, 28), (1, 1), "784 elements to one"),
    Workload("large end", (8, 64, 224, 224), (1, 1), "103 MB from memory"),
)
OTHER_NDIM = (
    Workload("1d long", (16, 64, 20000), (50,), "long windows along the contiguous axis"),
    Workload("1d short", (32, 256, 250), (32,), "audio features; windows of 8 and 9"),
    Workload("1d one line", (1, 1, 4_000_000), (1000,), "one line cannot be cut by planes"),
    Workload("3d video", (4, 32, 16, 56, 56), (4, 7, 7), "video features"),
    Workload("3d volume", (1, 16, 64, 64, 64), (7, 7, 7), "medical volumes; windows overlap"),
    Workload("3d clip", (1, 3, 16, 224, 224), (8, 56, 56), "small windows, few planes"),
)
HALVES = (
    Workload("odd planes", (16, 128, 30, 30), (7, 7), "sizes do not divide: windows overlap"),
    Workload("detector, late", (4, 512, 56, 56), (7, 7), "what mixed precision stores"),
    Workload("large planes", (16, 256, 100, 100), (10, 10), "many, from memory; sizes divide"),
    Workload("picture to 224", (1, 3, 1080, 1920), (224, 224), "three planes only, long lines"),
)
PHOTOGRAPHS = (
    Workload("to 224", (1, 3, 1080, 1920), (224, 224), "what a classifier is fed; overlap"),
    Workload("exact 2x", (1, 3, 1080, 1920), (540, 960), "OpenCV has a path for this alone"),
    Workload("exact 4x8", (1, 3, 1080, 1920), (270, 240), "Pillow has a path for whole factors"),
    Workload("exact 4x", (1, 3, 3000, 4000), (750, 1000), "a preview of a photograph"),
    Workload("photograph", (1, 3, 3000, 4000), (224, 224), "36 MB: windows of 14 x 18"),
    Workload("small picture", (1, 3, 480, 640), (224, 224), "windows of two or three pixels"),
    Workload("grey", (1, 1, 1080, 1920), (224, 224), "one channel"),
    Workload("RGBA", (1, 4, 1080, 1920), (224, 224), "four channels"),
)
TINY = (
    Workload("tiny", (1, 64, 8, 9), (5, 7), "a call of microseconds; windows overlap"),
    Workload("tiny, one axis", (1, 64, 10, 9), (None, 7), "an axis that stays as it is"),
    Workload("tiny, more", (1, 64, 13, 13), (20, 20), "more outputs than inputs"),
)
TINY_OTHER = (
    Workload("tiny end", (1, 256, 7, 7), (1, 1), "50 KB to 256 numbers"),
    Workload("tiny picture", (1, 3, 64, 64), (7, 7), "a thumbnail"),
    Workload("tiny 1d", (1, 64, 100), (10,), "a window of a signal"),
)
DIVIDING = (
    Workload("large planes", (16, 256, 100, 100), (10, 10), "many, from memory"),
    Workload("pyramid", (1, 64, 512, 512), (64, 64), "one level of a pyramid"),
    Workload("picture", (1, 3, 1080, 1920), (135, 240), "windows of 8 x 8"),
)
VOLUME = Workload("3d video", (4, 32, 16, 56, 56), (4, 7, 7), "a backward pass of three axes")

FORWARD = ("avg", "max")
BACKWARD = ("avg_backward", "max_backward")
FIRST, LAST = "channels_first", "channels_last"


def _family(
    name: str,
    operations: tuple[str, ...],
    workloads: tuple[Workload, ...],
    data_format: str = FIRST,
    dtype: str = "float32",
    result: str | None = None,
) -> list[Case]:
    """Every operation on every workload."""
    return [
        Case(name, operation, w.name, w.shape, w.size, data_format, dtype, result)
        for operation in operations
        for w in workloads
    ]


def _all() -> list[Case]:
    many = PLANES[:-1] + ENDS[:1]
    return [
        *_family("average, channels first", ("avg",), PLANES + PICTURES),
        *_family("max, channels first", ("max",), PLANES + PICTURES + ENDS[:1]),
        *_family("output size 1, channels first", ("avg",), ENDS),
        *_family("average and max, channels last", FORWARD, PLANES + ENDS[:1], LAST),
        *_family("channels last, 1 to 4 channels", FORWARD, FEW_CHANNELS, LAST),
        *_family("average backward, channels first", BACKWARD[:1], (*many, PICTURES[0], VOLUME)),
        *_family("average backward, channels last", BACKWARD[:1], (*many, PICTURES[0]), LAST),
        *_family("max backward, channels first", BACKWARD[1:], (*many, PICTURES[0], VOLUME)),
        *_family("max backward, channels last", BACKWARD[1:], (*many, PICTURES[0]), LAST),
        *_family("1d and 3d", FORWARD, OTHER_NDIM),
        *_family("float16 and bfloat16", FORWARD, HALVES, dtype="float16"),
        *_family("float16 and bfloat16", FORWARD, HALVES, dtype="bfloat16"),
        *_family("uint8 pictures", ("avg",), PHOTOGRAPHS, LAST, "uint8", "uint8"),
        *_family(SMALL, FORWARD, TINY + TINY_OTHER),
        *_family(SMALL, FORWARD, TINY, LAST),
        *_family(SMALL, BACKWARD, TINY[:1]),
        *_family("sizes that divide", ("avg", "max_values"), DIVIDING),
    ]


def cases(*, only: str = "", quick: bool = False) -> list[Case]:
    """All cases of the families that contain `only`; the smallest of each kind for `quick`."""
    chosen = [case for case in _all() if only in case.family]
    for case in chosen:
        if (case.input_bytes < SMALL_BYTES) != (case.family == SMALL):
            raise ValueError(f"{case.name}: arrays under 64 KB have a family of their own")
    if quick:
        smallest: dict[tuple[str, ...], Case] = {}
        for case in sorted(chosen, key=lambda case: case.input_bytes):
            smallest.setdefault((case.family, case.operation, case.dtype), case)
        chosen = [case for case in chosen if case in smallest.values()]
    return chosen


def case_of(fields: dict) -> Case:
    """Return the case that `dataclasses.asdict` and JSON have made `fields` of."""
    names = {field.name for field in dataclasses.fields(Case)}
    given: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in fields.items() if k in names
    }
    return Case(**given)


def family_of(name: str) -> Family:
    """Return the family of this name."""
    return next(family for family in FAMILIES if family.name == name)
