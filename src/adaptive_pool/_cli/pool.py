"""``adaptive-pool pool``: files of any size in, one fixed shape out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

import numpy as np

from .. import _dtypes
from .._average import adaptive_avg_pool2d
from .._maximum import adaptive_max_pool2d
from .._problem import Array, DataFormat
from .._windows import Rule
from .alpha import Alpha, Pooling, Transparent, visible_maximum, weighted_mean
from .errors import CommandError, Skipped, on_one_line, warn
from .files import Input, Reading, dtype_of, find, has_channels_first, is_picture, items
from .output import Output, Picture, make_output, save
from .pictures import MAX_PIXELS
from .replacing import is_stdout
from .strips import Large, Size, pool_in_strips

HELP = "pool pictures and arrays to one size, into one file"

DESCRIPTION = """\
Pool the two image axes of every input to one size, and write the results to one file.

An input is a picture, a .npy file, a .npz file (every array in it), a folder (the pictures and
arrays in it and below, sorted, without hidden files) or a quoted pattern, in which ** stands for
any folders. Inputs are read one at a time; a file that is found twice is pooled once.

Pictures are turned upright and read as RGB, or with --gray as one channel; of several frames, the
first. Their values are uint8. Grey pictures of 16 or 32 bits keep their values and come as uint16,
int32, uint32 or float32. Other pictures of more than 8 bits a channel are skipped, because Pillow
would drop the rest: save them as .npy.

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
(H, W, C), and named. The output is laid out as --data-format says, wherever it comes from. A .npy
file may be larger than the memory, as it is mapped.

The suffix of the output decides what is written:
  .npy      one array, the results stacked along a new first axis in the order of the inputs; all
            must have the shape and dtype of the first. Which input each row is from is written
            beside it: for features.npy in features.names.json
  .npz      one array for each input under the name of its file (FILE:KEY for those from .npz
            files, ~2 and so on for names that repeat or that numpy.load would take for each
            other); shapes may differ
  a picture (.png, .jpg and others) the result of exactly one input, in uint8; grey of 16 bits
            stays so in .png, .tif and .pgm

The output is written whole or not at all. One that exists keeps its links, mode and owner.

An input that cannot be read or does not fit is named on stderr, skipped and counted.
Exit status: 0 if all is well, 1 if inputs were skipped, 2 if nothing was written."""

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


def _threads(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"a number of threads is at least 1, got {text!r}")
    return int(text)


def _pixels(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"a number of pixels is at least 1, got {text!r}")
    return int(text)


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
    parser.add_argument("--gray", action="store_true", help="read pictures as one channel")
    parser.add_argument(
        "--alpha",
        choices=get_args(Alpha),
        default="weighted",
        help="how transparent pixels count, see above; default: weighted",
    )
    parser.add_argument(
        "--max-pixels",
        type=_pixels,
        default=MAX_PIXELS,
        metavar="N",
        help=f"skip pictures of more than N pixels; default: {MAX_PIXELS}. Arrays have no limit",
    )
    parser.add_argument("--threads", type=_threads, metavar="N", help="default: all CPUs")


def _dtype(arguments: argparse.Namespace, output: Output) -> str | None:
    """Return the dtype to ask of averages."""
    dtype: str | None = arguments.dtype
    if arguments.mode == "max" and dtype is not None:
        raise CommandError("--dtype is for --mode avg: maxima have the dtype of the input")
    if not isinstance(output, Picture):
        return dtype
    if dtype not in (None, "uint8", "uint16"):
        raise CommandError(f"a picture holds uint8 or uint16, got --dtype {dtype}")
    return dtype


def _pooling(arguments: argparse.Namespace, output: Output) -> Callable[[Input], Array]:
    """Return the function of one input that the arguments describe."""
    asked = _dtype(arguments, output)
    is_picture = isinstance(output, Picture)
    with_alpha = isinstance(output, Picture) and output.takes_alpha()

    def dtype_for(array: Array) -> np.dtype | None:
        if asked is None and is_picture:
            return np.dtype(np.uint16 if array.dtype == np.uint16 else np.uint8)
        return None if asked is None else np.dtype(asked)

    def pool_transparent(picture: Transparent) -> Array:
        pooling = Pooling(arguments.size, arguments.windows, arguments.threads)
        if arguments.mode == "max":
            pooled = visible_maximum(picture, pooling)
        else:
            pooled = weighted_mean(picture, pooling, dtype_for(picture.colours))
        if arguments.data_format == "channels_first":
            pooled = np.moveaxis(pooled, -1, 0)
        if not with_alpha or picture.colours.dtype != np.uint8:
            return pooled
        channel = 0 if arguments.data_format == "channels_first" else -1
        return np.concatenate([pooled, pool(np.expand_dims(picture.weights, channel))], channel)

    def pool(array: Input, size: Size = arguments.size) -> Array:
        if isinstance(array, Large):
            return pool_in_strips(array, pool, size, arguments.windows, arguments.data_format)
        if isinstance(array, Transparent):
            return pool_transparent(array)
        if arguments.mode == "max":
            return adaptive_max_pool2d(
                array,
                size,
                data_format=arguments.data_format,
                windows=arguments.windows,
                num_threads=arguments.threads,
            )
        return adaptive_avg_pool2d(
            array,
            size,
            data_format=arguments.data_format,
            windows=arguments.windows,
            dtype=dtype_for(array),
            num_threads=arguments.threads,
        )

    return pool


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
    was_given = arguments.data_format is not None
    arguments.data_format = arguments.data_format or "channels_last"
    output = make_output(arguments.output, arguments.data_format)
    pool = _pooling(arguments, output)
    reading = Reading(arguments.data_format, arguments.gray, arguments.alpha, arguments.max_pixels)
    skipped, done = Skipped(), 0
    dtypes: dict[np.dtype, str] = {}  # of pictures, each with the first that has it
    paths = find(arguments.inputs, arguments.output, skipped)
    for path in _progress(paths, skipped):
        with skipped.attempt(path):
            for name, load in items(path, reading):
                with skipped.attempt(name):
                    short = path.name + name.removeprefix(str(path))
                    array = load()
                    if not was_given and has_channels_first(array):
                        skipped.write(
                            f"{name}: shape {array.shape} is taken as (H, W, C); if its channels "
                            "are first, give --data-format channels_first"
                        )
                    if is_picture(path):
                        dtypes.setdefault(dtype_of(array), name)
                    output.add(name, short, pool(array))
                    done += 1
    if done == 0:
        raise CommandError(f"nothing to write to {arguments.output}: no input could be pooled")
    try:
        listing = save(output, arguments.output)
    except Exception as error:  # a writer of pictures raises anything
        raise CommandError(f"cannot write {arguments.output}: {error}") from error
    if len(dtypes) > 1:
        examples = ", ".join(f"{dtype} in {name}" for dtype, name in dtypes.items())
        skipped.write(f"pictures have values of several ranges, pooled as they are: {examples}")
    seconds = time.perf_counter() - started
    # Nothing of ours may get into what is written to a pipe.
    say = warn if is_stdout(arguments.output) else print
    say(f"pooled {done}, skipped {skipped.count}: {output}, {seconds:.2f} s")
    if listing:
        say(on_one_line(f"names of the rows: {listing}"))
    elif output.names:
        warn(f"names of the rows: not written, no place for them by {arguments.output}")
    return 1 if skipped.count else 0
