"""``adaptive-pool demo``: real photographs pooled, checked against the definition, and drawn."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import _reference
from .._average import adaptive_avg_pool2d
from .._maximum import adaptive_max_pool2d
from .._problem import Array
from .._windows import pool_windows
from .contact_sheet import Row, draw_sheet
from .errors import CommandError, extra
from .replacing import check_target, replacing

HELP = "pool bundled photographs, check the results, draw a contact sheet"

DESCRIPTION = """\
Pool photographs of different sizes that scikit-image brings along (nothing is downloaded) into one
batch of 7x7 features, and into thumbnails of 128x128 in uint8. Compare every number in
them with the definition in plain NumPy, print times for the thumbnails, and write a contact sheet.

Exit status: 0 if every number is right, 1 if not, 2 if the demo cannot run."""

# Loaders in skimage.data whose pictures are in its wheels: photographs, free to use, in colour.
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "retina")

_FEATURES = 7
_THUMBNAIL = 128
_DRAWN = (128, 32, 8)
_REPEATS = 5


class Photograph(NamedTuple):
    """A picture of any size."""

    name: str
    pixels: Array  # (H, W, 3), uint8


class Batch(NamedTuple):
    """Results of one operation: equal shapes from photographs of any size."""

    features: Array  # (N, 3, 7, 7): float32 means or uint8 maxima
    thumbnails: Array  # (N, 128, 128, 3), uint8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("contact_sheet.png"),
        help="PNG file to write; default: contact_sheet.png",
    )


def load_photographs(names: Sequence[str] = PHOTOGRAPHS) -> list[Photograph]:
    """Return photographs from the installed package."""
    with extra("demo"):
        import skimage.data
    try:
        return [Photograph(name, getattr(skimage.data, name)()) for name in names]
    except (ImportError, OSError) as error:  # not in this build, and a download failed
        raise CommandError(f"this scikit-image lacks a photograph: {error}") from error


def _channels_first(pixels: Array) -> Array:
    return np.moveaxis(pixels, -1, -3)  # a view, pooled in place


def average_thumbnail(pixels: Array, size: int) -> Array:
    """Average to a square picture."""
    return adaptive_avg_pool2d(pixels, size, data_format="channels_last", dtype=np.uint8)


def maximum_thumbnail(pixels: Array, size: int) -> Array:
    """Take maxima to a square picture."""
    return adaptive_max_pool2d(pixels, size, data_format="channels_last")


def pool_averages(photographs: Sequence[Photograph]) -> Batch:
    """Average every photograph."""
    planes = [_channels_first(pixels) for _, pixels in photographs]
    return Batch(
        np.stack([adaptive_avg_pool2d(x, _FEATURES) for x in planes]),
        np.stack([average_thumbnail(pixels, _THUMBNAIL) for _, pixels in photographs]),
    )


def pool_maxima(photographs: Sequence[Photograph]) -> Batch:
    """Take the maxima of every photograph."""
    planes = [_channels_first(pixels) for _, pixels in photographs]
    return Batch(
        np.stack([adaptive_max_pool2d(x, _FEATURES) for x in planes]),
        np.stack([maximum_thumbnail(pixels, _THUMBNAIL) for _, pixels in photographs]),
    )


def is_right(pixels: Array, averages: Array, maxima: Array) -> bool:
    """Whether results, channels first, are to the bit those of the definition."""
    planes = _channels_first(pixels)
    windows = [
        pool_windows(length, count)
        for length, count in zip(planes.shape[1:], averages.shape[1:], strict=True)
    ]
    return np.array_equal(
        averages, _reference.average(planes, windows, averages.dtype)
    ) and np.array_equal(maxima, _reference.maximum(planes, windows)[0])


def _milliseconds(function: Callable[[Array, int], Array], pixels: Array) -> float:
    """Return the time of the fastest of a few calls."""
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        function(pixels, _THUMBNAIL)
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def _print_table(photographs: Sequence[Photograph], averages: Batch, maxima: Batch) -> bool:
    """Print times and the outcome of the check, and return whether all is right."""
    print(f"{'photograph':<18} {'shape':<15} {'average':>10} {'maximum':>10}  check")
    wrong = 0
    for k, (name, pixels) in enumerate(photographs):
        right = is_right(pixels, averages.features[k], maxima.features[k]) and is_right(
            pixels, *map(_channels_first, (averages.thumbnails[k], maxima.thumbnails[k]))
        )
        wrong += not right
        print(
            f"{name:<18} {pixels.shape!s:<15} "
            f"{_milliseconds(average_thumbnail, pixels):>7.2f} ms "
            f"{_milliseconds(maximum_thumbnail, pixels):>7.2f} ms  "
            f"{'equal' if right else 'DIFFERENT'}",
            flush=True,
        )
    return wrong == 0


def _rows(photographs: Sequence[Photograph]) -> list[Row]:
    return [
        Row(
            name.replace("_", " "),
            pixels,
            [average_thumbnail(pixels, size) for size in _DRAWN],
            [maximum_thumbnail(pixels, size) for size in _DRAWN],
        )
        for name, pixels in photographs
    ]


def run(arguments: argparse.Namespace) -> int:
    """Pool, check, draw."""
    check_target(arguments.output)
    photographs = load_photographs()
    averages, maxima = pool_averages(photographs), pool_maxima(photographs)
    right = _print_table(photographs, averages, maxima)
    print(f"features {averages.features.shape}, thumbnails {averages.thumbnails.shape}")
    print(f"they {'equal' if right else 'DIFFER FROM'} the definition")
    sheet = draw_sheet(_rows(photographs))
    try:
        with replacing(arguments.output) as stream:
            sheet.save(stream, "PNG")
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot write {arguments.output}: {error}") from error
    print(f"contact sheet: {arguments.output}")
    return 0 if right else 1
