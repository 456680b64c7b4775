"""``adaptive-pool pyramid``: an array or a picture at a half, a quarter, an eighth of its size."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np

from .._average import adaptive_avg_pool2d
from .._maximum import adaptive_max_pool2d
from .._options import NanPolicy
from .._problem import Array
from .._pyramid import pyramid
from .._windows import Windows, block_windows
from .alpha import Alpha, Pooling, Transparent, as_channel, visible_maximum, weighted_mean
from .errors import CommandError, on_one_line
from .files import Pixels, array_in, is_channels_last, is_picture
from .numbers import at_least_1, lengths, names, number, several
from .output import Picture, described, writing
from .pictures import MAX_PIXELS, limited, read_picture
from .replacing import Replacement, check_target

HELP = "write an array or a picture at a half, a quarter, an eighth of its size"

DESCRIPTION = """\
Pool one input to a pyramid of levels. An element of level L is the average of a block of F**L
elements along each axis, where F is the --factor; blocks at the end of an axis have what is left.
Every level is made of the input itself, and averages of integers are rounded once.

The input is a .npy file, which is mapped, or a picture, read as for `adaptive-pool pool`. For
OUT.npy or OUT.png the levels are OUT_1.npy or OUT_1.png, OUT_2 and so on; level 0 is the input. A
.npy file has an array of the shape and dtype of its level. Pictures are written for pictures and
for arrays (H, W) or (H, W, C), in uint8 or uint16.

The axes that become shorter are those of a picture, and the last two of an array. An array that
looks like a picture, with 1 to 4 channels behind its last two axes, is refused without --axes.
An option whose value begins with a minus needs a sign of equality: --axes=-2,-1.

OUT.zarr is an OME-Zarr 0.5 of all levels, level 0 as well, with scale and translation of each. Its
input is a .npy file, a TIFF, a Zarr array or an OME-Zarr (v2 or v3), and neither has to fit the
memory. Axes have the names of the input or --axes-names, else the last of t,c,z,y,x, and are
stored in that order, the axes of space last. Those that become shorter are y and x, or --axes, by
name or by number. While it is written it is OUT.zarr.partial: after Ctrl-C, a lost machine or a
full disk the same command with --resume does what is not done.

Exit status: 0, 2 if there is no output, or 130 after Ctrl-C."""

_FOR_PICTURES = ("gray", "alpha", "max_pixels")
_FOR_ZARR = ("axes_names", "chunks", "shards", "memory", "resume", "dask", "scheduler")


def _axes(text: str) -> tuple[int, ...] | tuple[str, ...]:
    if any(character.isalpha() for character in text):
        return names(text)
    return several("an axis", text)


def _factors(text: str) -> tuple[int, ...]:
    factors = several("a factor", text)
    if min(factors) < 1:
        raise argparse.ArgumentTypeError(f"a factor is at least 1, got {text!r}")
    return factors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "input", type=Path, metavar="INPUT", help="a .npy file or a picture, for OUT.zarr see above"
    )
    parser.add_argument(
        "out", type=Path, nargs="?", metavar="OUT", help="level L is OUT_L, or in OUT.zarr"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="the same")
    parser.add_argument(
        "--levels", type=at_least_1, required=True, metavar="N", help="write levels 1 to N"
    )
    parser.add_argument(
        "--factor",
        type=_factors,
        default=(2,),
        metavar="F",
        help="from one level to the next: 2 along all axes, or 1,2 along each; default: 2",
    )
    parser.add_argument(
        "--axes",
        type=_axes,
        metavar="A,B",
        help="one to three axes of an array, as in 0,1 for (H, W, C), or in a Zarr as in z,y,x; "
        "default: -2,-1",
    )
    parser.add_argument("--reduce", choices=("avg", "max"), default="avg", help="default: avg")
    parser.add_argument(
        "--nodata",
        type=number,
        metavar="X",
        help="elements equal to X do not count, a block of nothing else is X: --nodata=-1",
    )
    parser.add_argument(
        "--nan-policy",
        choices=get_args(NanPolicy),
        default="propagate",
        help="whether NaN makes a block NaN, or does not count; default: propagate",
    )
    parser.add_argument("--gray", action="store_true", help="read a picture as one channel")
    parser.add_argument(
        "--alpha",
        choices=get_args(Alpha),
        help="how transparent pixels count, as for `adaptive-pool pool`; default: weighted",
    )
    parser.add_argument(
        "--max-pixels",
        type=at_least_1,
        metavar="N",
        help=f"refuse a picture of more than N pixels; default: {MAX_PIXELS}",
    )
    parser.add_argument("--threads", type=at_least_1, metavar="N", help="default: all CPUs")
    _add_arguments_of_zarr(parser.add_argument_group("for OUT.zarr"))


def _add_arguments_of_zarr(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--axes-names",
        type=names,
        metavar="A,B",
        help="names of the input's axes, as in c,y,x; t is time, c are channels",
    )
    group.add_argument(
        "--chunks",
        type=lengths,
        metavar="N",
        help="shape of chunks: a number for the last two axes and all that are pooled, 1 along the "
        "others; or one for each axis, as they are stored. Default: 512, of three axes 64",
    )
    group.add_argument(
        "--shards", type=lengths, metavar="N", help="shape of shards, likewise; default: none"
    )
    group.add_argument(
        "--memory",
        type=at_least_1,
        metavar="MIB",
        help="about how much memory to take, in MiB; default: 512",
    )
    group.add_argument(
        "--resume", action="store_true", help="go on with OUT.zarr.partial, if there is one"
    )
    group.add_argument("--dask", action="store_true", help="run by Dask, in threads")
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="run by the workers of this scheduler of Dask"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the levels of one input: all of them, or none."""
    if (arguments.out is None) == (arguments.output is None):
        raise CommandError("give one output, OUT or --output OUT")
    output: Path = arguments.out or arguments.output
    if output.suffix.lower() == ".zarr":
        _refuse(arguments, _FOR_PICTURES, "is for pictures, and the output is a Zarr")
        from . import zarr_pyramid

        return zarr_pyramid.run(arguments, output)
    _refuse(arguments, _FOR_ZARR, "is for an output that ends in .zarr")
    if any(isinstance(axis, str) for axis in arguments.axes or ()):
        raise CommandError("axes have names in a Zarr only: give --axes as numbers")
    if arguments.axes is not None and is_picture(arguments.input):
        raise CommandError(f"--axes is for arrays: {arguments.input} is a picture")
    paths = [
        output.with_name(f"{output.stem}_{level}{output.suffix}")
        for level in range(1, arguments.levels + 1)
    ]
    for path in paths:
        check_target(path)
    to_picture = output.suffix.lower() != ".npy"
    pictures = [Picture(path, "channels_last") for path in paths] if to_picture else []
    source = _read(arguments)
    with _of(arguments.input):
        if isinstance(source, Transparent):
            with_alpha = bool(pictures) and pictures[0].takes_alpha(source.colours.dtype)
            levels = [
                _transparent_level(source, level, arguments, with_alpha=with_alpha)
                for level in range(1, arguments.levels + 1)
            ]
        else:
            levels = _levels(source, arguments)
        for picture, level in zip(pictures, levels, strict=False):
            picture.add("", "", level[..., None] if level.ndim == 2 else level)
    _write(paths, levels, pictures)
    written = [picture.pixels for picture in pictures] or levels
    for k, (path, level) in enumerate(zip(paths, written, strict=True), 1):
        print(on_one_line(f"level {k}: {path}, {described(level)}"))
    return 0


def _refuse(arguments: argparse.Namespace, options: tuple[str, ...], reason: str) -> None:
    for option in options:
        if getattr(arguments, option):
            raise CommandError(f"--{option.replace('_', '-')} {reason}")


def _read(arguments: argparse.Namespace) -> Pixels:
    path: Path = arguments.input
    try:
        if is_picture(path):
            with limited(arguments.max_pixels or MAX_PIXELS):
                return read_picture(path, arguments.gray, arguments.alpha or "weighted")
        return array_in(path)
    except CommandError:
        raise
    except Exception as error:  # a broken file makes a reader raise anything
        raise CommandError(f"cannot read {path}: {error}") from error


@contextlib.contextmanager
def _of(path: Path) -> Iterator[None]:
    """Name the input in whatever the block has against it."""
    try:
        yield
    except (MemoryError, TypeError, ValueError) as error:
        raise CommandError(f"{path}: {error}") from error


def _levels(array: Array, arguments: argparse.Namespace) -> list[Array]:
    axes: tuple[int, ...] | None = arguments.axes
    if is_picture(arguments.input):
        axes = 0, 1
    elif axes is None:
        if is_channels_last(array.shape):
            raise ValueError(
                f"shape {array.shape} is that of a picture with its channels last, and the last "
                "two axes would be pooled: say which ones, --axes 0,1 or --axes=-2,-1"
            )
        axes = -2, -1
    factor = arguments.factor
    return pyramid(
        array,
        arguments.levels + 1,
        axes=axes,
        factor=factor if len(factor) > 1 else factor[0],
        reduce=arguments.reduce,
        num_threads=arguments.threads,
        nodata=arguments.nodata,
        nan_policy=arguments.nan_policy,
    )[1:]


def _transparent_level(
    picture: Transparent, level: int, arguments: argparse.Namespace, *, with_alpha: bool
) -> Array:
    """Return the colours of a level, each pixel weighted by its alpha, and alpha as the last."""
    if arguments.nodata is not None:
        raise ValueError("pixels count as they show: --nodata goes with --alpha keep or drop")
    factors = arguments.factor * (2 if len(arguments.factor) == 1 else 1)
    if len(factors) != 2:
        raise ValueError(f"a picture has 2 axes, got {len(factors)} factors")
    windows: Windows = [
        block_windows(size, factor**level)
        for size, factor in zip(picture.weights.shape, factors, strict=True)
    ]
    pooling = Pooling((None, None), windows, arguments.threads)
    maxima = arguments.reduce == "max"
    if maxima:
        colours = visible_maximum(picture, pooling)
    else:
        colours = weighted_mean(picture, pooling, picture.colours.dtype)
    if not with_alpha:
        return colours
    weights = as_channel(*picture)
    given: dict[str, Any] = {"windows": windows, "num_threads": arguments.threads}
    if maxima:
        alpha = adaptive_max_pool2d(weights, None, **given)
    else:
        alpha = adaptive_avg_pool2d(weights, None, dtype=weights.dtype, **given)
    return np.concatenate([colours, alpha[..., None]], axis=-1)


def _write(paths: list[Path], levels: list[Array], pictures: list[Picture]) -> None:
    """Write all levels into hidden files, and then put each in its place."""
    with contextlib.ExitStack() as opened:
        new = []
        for number, (path, level) in enumerate(zip(paths, levels, strict=True)):
            with writing(path):
                new.append(opened.enter_context(Replacement(path)))
                if pictures:
                    pictures[number].write(new[-1].stream)
                else:
                    np.save(new[-1].stream, level, allow_pickle=False)
                new[-1].finish()
        for path, replacement in zip(paths, new, strict=True):
            with writing(path):
                replacement.commit()
