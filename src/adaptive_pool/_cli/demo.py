"""``adaptive-pool demo``: real photographs pooled, checked against the definition, and drawn."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import _reference
from .._average import adaptive_avg_pool2d
from .._maximum import adaptive_max_pool2d
from .._problem import Array
from .._windows import pool_windows
from .errors import CommandError, extra
from .output import replacing

HELP = "pool bundled photographs, check the results, draw a contact sheet"

DESCRIPTION = """\
Pool photographs of different sizes that scikit-image brings along (nothing is downloaded) into one
batch of 7x7 features, and into thumbnails of 128x128 in uint8. Compare every number with the
definition in plain NumPy, print times, and write a contact sheet.

Exit status: 0 if every number is right, 1 if not, 2 if the demo cannot run."""

# Loaders in skimage.data whose pictures are in its wheels: photographs, free to use, in colour.
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "retina")

_FEATURES = 7
_THUMBNAIL = 128
_DRAWN = (128, 32, 8)
_REPEATS = 5


class _Photograph(NamedTuple):
    name: str
    pixels: Array  # (H, W, 3), uint8


class _Batch(NamedTuple):
    """Results of one operation: equal shapes from photographs of any size."""

    features: Array  # (N, 3, 7, 7), channels first
    thumbnails: Array  # (N, 128, 128, 3), channels last, uint8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("contact_sheet.png"),
        help="PNG file to write; default: contact_sheet.png",
    )


def load_photographs() -> list[_Photograph]:
    """Return the photographs, read from the installed package."""
    with extra("demo"):
        import skimage.data
    try:
        return [_Photograph(name, getattr(skimage.data, name)()) for name in PHOTOGRAPHS]
    except (ImportError, OSError) as error:  # not in this build, and it asks for a download
        raise CommandError(f"this scikit-image lacks a photograph: {error}") from error


def _channels_first(pixels: Array) -> Array:
    return np.moveaxis(pixels, -1, 0)  # a view: pooling reads it in place


def pool_averages(photographs: list[_Photograph]) -> _Batch:
    """Average every photograph."""
    batch = _empty_batch(len(photographs), np.dtype(np.float32))
    for k, (_, pixels) in enumerate(photographs):
        adaptive_avg_pool2d(_channels_first(pixels), _FEATURES, out=batch.features[k])
        adaptive_avg_pool2d(
            pixels,
            _THUMBNAIL,
            data_format="channels_last",
            dtype=np.uint8,
            out=batch.thumbnails[k],
        )
    return batch


def pool_maxima(photographs: list[_Photograph]) -> _Batch:
    """Take the maxima of every photograph."""
    batch = _empty_batch(len(photographs), np.dtype(np.uint8))
    for k, (_, pixels) in enumerate(photographs):
        adaptive_max_pool2d(_channels_first(pixels), _FEATURES, out=batch.features[k])
        adaptive_max_pool2d(
            pixels, _THUMBNAIL, data_format="channels_last", out=batch.thumbnails[k]
        )
    return batch


def _empty_batch(count: int, features: np.dtype[np.generic]) -> _Batch:
    return _Batch(
        np.empty((count, 3, _FEATURES, _FEATURES), features),
        np.empty((count, _THUMBNAIL, _THUMBNAIL, 3), np.uint8),
    )


def is_right(pixels: Array, k: int, averages: _Batch, maxima: _Batch) -> bool:
    """Whether all results of photograph `k` are those of the definition, to the bit."""
    planes = _channels_first(pixels)
    for size, average, maximum in (
        (_FEATURES, averages.features[k], maxima.features[k]),
        (
            _THUMBNAIL,
            _channels_first(averages.thumbnails[k]),
            _channels_first(maxima.thumbnails[k]),
        ),
    ):
        windows = [pool_windows(length, size) for length in planes.shape[1:]]
        if not np.array_equal(average, _reference.average(planes, windows, average.dtype)):
            return False
        if not np.array_equal(maximum, _reference.maximum(planes, windows)[0]):
            return False
    return True


def _milliseconds(call: Callable[[], object]) -> float:
    """Return the time of the fastest of a few calls."""
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1e3 * min(times)


def _print_table(photographs: list[_Photograph], averages: _Batch, maxima: _Batch) -> bool:
    """Print times and the outcome of the check, a line for each photograph."""
    print(f"{'photograph':<18} {'shape':<15} {'average':>10} {'maximum':>10}  check")
    right = True
    for k, (name, pixels) in enumerate(photographs):
        average = _milliseconds(lambda x=pixels: _thumbnail_average(x, _THUMBNAIL))
        maximum = _milliseconds(lambda x=pixels: _thumbnail_maximum(x, _THUMBNAIL))
        same = is_right(pixels, k, averages, maxima)
        right &= same
        print(
            f"{name:<18} {pixels.shape!s:<15} {average:>7.2f} ms {maximum:>7.2f} ms  "
            f"{'equal' if same else 'DIFFERENT'}"
        )
    return right
