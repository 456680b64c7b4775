"""``adaptive-pool pool``: files of any size in, one fixed shape out."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np

from .. import _dtypes
from .._problem import Array, DataFormat
from .._threads import get_num_threads
from .._windows import Rule
from ..pictures import Layout
from .ahead import MOST_THREADS, Ahead
from .alpha import Alpha
from .errors import CommandError, Skipped, on_one_line, warn
from .files import Pixels, Reading, arrays, dtype_of, find, has_channels_first, is_picture, read
from .numbers import at_least_1, divisors, of_channels
from .output import Output, make_output
from .pictures import MAX_PIXELS, limited
from .pooling import Batch, Pooler
from .replacing import is_stdout
from .strips import Large

HELP = "pool pictures and arrays to one size, into one file"

DESCRIPTION = """\
Pool the two image axes of every input to one size, and write the results to one file.

An input is a picture, a .npy file, a .npz file (every array in it), a folder (the pictures and
arrays in it and below, sorted, without hidden files) or a quoted pattern, in which ** stands for
any folders. A file that is found twice is pooled once. Pictures are read ahead, in as many threads
as pool, and inputs alike are pooled together; how much is in memory does not depend on the number
of files.

Pictures are turned upright and read as RGB, or with --gray as one channel; of several frames, the
first. Their values are uint8. Grey pictures of 16 or 32 bits keep their values and come as uint16,
int32, uint32 or float32, and colours of 16 bits in PNG and TIFF as uint16. Other pictures of more
than 8 bits a channel are skipped, because Pillow would drop the rest: save them as .npy.

--alpha says how transparent pixels count:
  weighted  as much as they show: the average of a colour is the sum of colour times alpha over the
            sum of alpha, the maximum is that of the pixels that show at all, and where nothing
            shows, both are 0; an output picture is transparent itself, if its format can be
  drop      in full, with the colour that is stored for them, visible or not
  keep      alpha is one more channel of every picture, and each channel is pooled by itself

Arrays hold any number of images: (..., H, W, C), or (..., C, H, W) with --data-format
channels_first; an array of two axes is one channel. With channels_first, an array of three axes is
skipped if the last has 1 to 4 elements and the first more: it is taken for a picture with its
channels last. Without --data-format, an array where it is the other way round is pooled as
(H, W, C), and named. The output is laid out as --data-format says, wherever it comes from, unless
--layout says otherwise. A .npy file may be larger than the memory, as it is mapped.

With --mean or --std, pictures come as models want them: (m / 255 - M) / S for the average m of each
window, computed in float64 and rounded once to float32, or to a float type of --dtype. Values of
16 bits are divided by 65535. Numbers that begin with a minus need a sign of equality: --mean=-1.

The suffix of the output decides what is written:
  .npy      one array, the results stacked along a new first axis in the order of the inputs; all
            must have the shape and dtype of the first. Which input each row is from is written
            beside it: for features.npy in features.names.json
  .npz      one array for each input under the name of its file (FILE:KEY for those from .npz
            files, ~2 and so on for names that repeat or that numpy.load would take for each
            other); shapes may differ
  a picture (.png, .jpg and others) the result of exactly one input, in uint8; 16 bits stay so in
            .png and .tif, and in .pgm for grey; other formats are refused for them

Results are written to a hidden file as they come, and it takes the place of the output when all
are there. An output that exists keeps its links, mode and owner, and after Ctrl-C its content: a
line on stderr says which hidden files hold what was done.

An input that cannot be read or does not fit is named on stderr, skipped and counted.
Exit status: 0 if all is well, 1 if inputs were skipped, 2 if nothing was written."""

# Pictures that are read before they are pooled, and for each thread, how many bytes of them.
_MOST_AHEAD = 64
_ROOM_AHEAD = 2**27

# A bar for fewer files would be gone before it is read.
_FEWEST_FILES_FOR_A_BAR = 4


def _size(text: str) -> tuple[int | None, ...]:
    entries = text.lower().replace("x", ",").split(",")
    sizes = tuple(
        int(entry) if entry.isascii() and entry.isdecimal() else None for entry in entries
    )
    if len(entries) > 2 or 0 in sizes:
        raise argparse.ArgumentTypeError(f"one or two positive sizes, got {text!r}")
    for entry, size in zip(entries, sizes, strict=True):
        if size is None and entry != "none":
            raise argparse.ArgumentTypeError(f"a size is a number or none, got {text!r}")
    return sizes * 2 if len(sizes) == 1 else sizes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file, folder or pattern")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write")
    parser.add_argument(
        "--size",
        type=_size,
        required=True,
        metavar="H,W",
        help="height and width, as in 7 (for both), 7,5 or 7x5; none keeps that of the input",
    )
    parser.add_argument("--mode", choices=("avg", "max"), default="avg", help="default: avg")
    parser.add_argument(
        "--windows",
        choices=get_args(Rule),
        default="torch",
        help="how an axis is cut, see `adaptive-pool windows`; default: torch",
    )
    parser.add_argument(
        "--data-format",
        choices=get_args(DataFormat),
        help="layout of arrays that are read, and of the output; default: channels_last",
    )
    parser.add_argument(
        "--dtype",
        # .npy files have no name for bfloat16.
        choices=[name for name in _dtypes.SUPPORTED if name not in ("bool", "bfloat16")],
        metavar="DTYPE",
        help="of averages: a float type or, for integers, that of the input; default: the input's "
        "for floats, float32 for pictures and other integers up to 16 bits, else float64. Maxima "
        "have that of the input",
    )
    parser.add_argument(
        "--mean",
        type=of_channels,
        metavar="M,M,M",
        help="make averages (m / 255 - M) / S in float32, as models want pictures: one number, or "
        "one for each channel; default with --std: 0",
    )
    parser.add_argument(
        "--std", type=divisors, metavar="S,S,S", help="see --mean; default with --mean: 1"
    )
    parser.add_argument(
        "--layout",
        choices=get_args(Layout),
        help="of the output, whatever the layout of arrays that are read; default: as they",
    )
    parser.add_argument("--gray", action="store_true", help="read pictures as one channel")
    parser.add_argument(
        "--alpha",
        choices=get_args(Alpha),
        default="weighted",
        help="how transparent pixels count, see above; default: weighted",
    )
    parser.add_argument(
        "--max-pixels",
        type=at_least_1,
        default=MAX_PIXELS,
        metavar="N",
        help=f"skip pictures of more than N pixels; default: {MAX_PIXELS}. Arrays have no limit",
    )
    parser.add_argument("--threads", type=at_least_1, metavar="N", help="default: all CPUs")


def _progress(paths: list[Path], skipped: Skipped) -> Iterable[Path]:
    """Return the paths, with a bar if someone watches; it is decoration, so tqdm may be absent."""
    if len(paths) < _FEWEST_FILES_FOR_A_BAR or not sys.stderr.isatty():
        return paths
    try:
        from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return paths
    skipped.write = lambda line: tqdm.write(on_one_line(line), file=sys.stderr)
    bar: Iterable[Path] = tqdm(paths, unit="file")
    return bar


def run(arguments: argparse.Namespace) -> int:
    """Pool all inputs into one output."""
    started = time.perf_counter()
    skipped = Skipped()
    notes = _Notes(skipped, layout_was_given=arguments.data_format is not None)
    arguments.data_format = arguments.data_format or "channels_last"
    with make_output(arguments.output, arguments.data_format) as output:
        try:
            _pool_all(arguments, output, skipped, notes)
            if output.count == 0:
                raise CommandError(
                    f"nothing to write to {arguments.output}: no input could be pooled"
                )
            listing = output.save()
        except KeyboardInterrupt:
            kept = output.keep()
            if kept:
                warn(f"interrupted: {kept}")
            raise
        seconds = time.perf_counter() - started
        # Nothing of ours may get into what is written to a pipe.
        say = warn if is_stdout(arguments.output) else print
        say(f"pooled {output.count}, skipped {skipped.count}: {output}, {seconds:.2f} s")
    if listing:
        say(on_one_line(f"names of the rows: {listing}"))
    elif arguments.output.suffix.lower() == ".npy":
        warn(f"names of the rows: not written, no place for them by {arguments.output}")
    return 1 if skipped.count else 0


def _pool_all(
    arguments: argparse.Namespace, output: Output, skipped: Skipped, notes: _Notes
) -> None:
    """Pool every input, while the pictures after it are being read."""
    batch = Batch(Pooler(arguments, output), output, skipped, _MOST_AHEAD // 2)
    paths = find(arguments.inputs, arguments.output, skipped)
    output.expect(len(paths))

    def take_picture(path: Path) -> None:
        if not ahead.is_ready():
            batch.pool()
        if not batch:
            ahead.drop()
        pixels = next(pictures).take()
        notes.see_picture(str(path), pixels)
        batch.add(str(path), path.name, pixels)

    def take_arrays(path: Path) -> None:
        for name, load in arrays(path, arguments.data_format):
            with skipped.attempt(name):
                array = load()
                notes.see_array(name, array)
                batch.add(name, path.name + name.removeprefix(str(path)), array)

    with _reading_ahead(paths, arguments) as ahead:
        pictures = iter(ahead)
        for path in _progress(paths, skipped):
            with skipped.attempt(path):
                (take_picture if is_picture(path) else take_arrays)(path)
        batch.pool()
    if arguments.mean is None and arguments.std is None:
        notes.say_ranges()


@contextlib.contextmanager
def _reading_ahead(paths: list[Path], arguments: argparse.Namespace) -> Iterator[Ahead[Pixels]]:
    """Have the pictures among the paths read, a limited number ahead of who takes them."""
    reading = Reading(arguments.data_format, arguments.gray, arguments.alpha)
    jobs = [partial(read, path, reading) for path in paths if is_picture(path)]
    threads = arguments.threads or get_num_threads()
    with (
        limited(arguments.max_pixels) if jobs else contextlib.nullcontext(),
        Ahead(jobs, threads, _MOST_AHEAD, _ROOM_AHEAD * min(threads, MOST_THREADS)) as ahead,
    ):
        yield ahead


class _Notes:
    """What is said of inputs that are pooled, but perhaps not as was meant."""

    def __init__(self, skipped: Skipped, *, layout_was_given: bool) -> None:
        self._skipped = skipped
        self._layout_was_given = layout_was_given
        self._dtypes: dict[np.dtype, str] = {}  # of pictures, each with the first that has it

    def see_picture(self, name: str, pixels: Pixels) -> None:
        """Remember the dtype of a picture."""
        self._dtypes.setdefault(dtype_of(pixels), name)

    def see_array(self, name: str, array: Array | Large) -> None:
        """Name an array that may lie the other way round."""
        if not self._layout_was_given and has_channels_first(array):
            self._skipped.write(
                f"{name}: shape {array.shape} is taken as (H, W, C); if its channels are first, "
                "give --data-format channels_first"
            )

    def say_ranges(self) -> None:
        """Say so if pictures have values of several ranges."""
        if len(self._dtypes) > 1:
            examples = ", ".join(f"{dtype} in {name}" for dtype, name in self._dtypes.items())
            self._skipped.write(
                f"pictures have values of several ranges, pooled as they are: {examples}"
            )
