"""Inputs of ``adaptive-pool pool``: which files they are, and the arrays in them."""

from __future__ import annotations

import functools
import glob
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from .._problem import Array, DataFormat
from . import archives
from .ahead import Claim
from .alpha import Alpha, Transparent
from .errors import Skipped, extra
from .npy import check_length
from .pictures import read_picture
from .strips import Large, large

ARRAY_SUFFIXES = (".npy", ".npz")

_MAGIC = (np.lib.format.MAGIC_PREFIX, b"PK")

# More channels are not those of a picture.
_MOST_COLOURS = 4

Pixels = Array | Transparent
Input = Pixels | Large
Load = Callable[[], Array | Large]


class Reading(NamedTuple):
    """How pictures are read."""

    data_format: DataFormat
    gray: bool
    alpha: Alpha


@functools.cache
def _picture_suffixes() -> frozenset[str]:
    with extra("cli"):
        from PIL import Image
    formats = Image.registered_extensions()
    return frozenset(suffix for suffix, name in formats.items() if name in Image.OPEN)


def _in_folder(folder: Path) -> list[Path]:
    """Return the pictures and arrays in a folder and below, but no hidden ones."""
    return sorted(
        path
        for path in folder.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
        and (path.suffix.lower() in ARRAY_SUFFIXES or path.suffix.lower() in _picture_suffixes())
    )


def _matching(pattern: str) -> list[Path]:
    # Path.glob refuses absolute patterns and, before Python 3.13, finds no files for a last "**".
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207
    return sorted(path for path in map(Path, found) if path.is_file())


def _files(given: str, output: Path) -> list[Path]:
    """Return the files that one input stands for, or raise if there are none."""
    if not given:  # Path would take it for the folder we are in
        raise FileNotFoundError("an empty name")
    path = Path(given)
    if path.is_file():
        return [path]
    if path.is_dir():
        found, reason = _in_folder(path), "no pictures or arrays in this folder"
    elif glob.has_magic(given):
        found, reason = _matching(given), "no file matches this pattern"
    else:
        found, reason = [], "no such file or folder"
    # A second run over a folder would pool the result of the first.
    found = [file for file in found if file.resolve() != output]
    if not found:
        raise FileNotFoundError(reason)
    return found


def find(inputs: Iterable[str], output: Path, skipped: Skipped) -> list[Path]:
    """Return the files that the inputs stand for: in their order, every file once."""
    paths: dict[tuple[Path, str], Path] = {}
    output = output.resolve()
    for given in inputs:
        with skipped.attempt(given or "''"):
            for path in _files(given, output):
                # The same file by another way to its folder. Links in it are files of their own.
                paths.setdefault((path.parent.resolve(), path.name), path)
    return list(paths.values())


def is_picture(path: Path) -> bool:
    """Whether a file is read as one; others are arrays."""
    return path.suffix.lower() not in ARRAY_SUFFIXES


def dtype_of(pixels: Pixels) -> np.dtype:
    """Return the dtype of a picture."""
    return pixels.colours.dtype if isinstance(pixels, Transparent) else pixels.dtype


def arrays(path: Path, data_format: DataFormat) -> Iterator[tuple[str, Load]]:
    """Yield name and loader of each array in a file, with channels where `data_format` says."""
    # Opened here, as NumPy would leave a broken archive open.
    with path.open("rb") as stream:
        _check_magic(stream)
        if not stream.peek(2).startswith(b"PK"):
            check_length(stream, path.stat().st_size)
            yield str(path), functools.partial(_array, path, data_format)
            return
        for key, read in archives.arrays(stream):
            yield f"{path}:{key}", functools.partial(_member, read, data_format)


def _check_magic(stream: IO[bytes]) -> None:
    """Raise for what is no array: NumPy would take it for a pickle and advise to trust it."""
    head = stream.read(len(np.lib.format.MAGIC_PREFIX))
    if not head.startswith(_MAGIC):
        raise ValueError(f"not the content of a .npy or .npz file, it starts with {head!r}")
    stream.seek(0)


def _array(path: Path, data_format: DataFormat) -> Array | Large:
    """Return the array in a ``.npy`` file, mapped, or if there is no room, a way to its parts."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):  # it cannot be mapped; reading it may do, or says why not
        try:
            array = np.load(path, allow_pickle=False)
        except MemoryError:
            parts = large(path)
            whole = np.broadcast_to(np.zeros((), parts.dtype), parts.shape)
            return parts._replace(shape=_with_channels(whole, data_format).shape)
    return _with_channels(np.asarray(array), data_format)


def array_in(path: Path) -> Array:
    """Return the array in a ``.npy`` file, mapped, or read where that cannot be."""
    with path.open("rb") as stream:
        _check_magic(stream)
        if stream.peek(2).startswith(b"PK"):
            raise ValueError("an archive may hold several arrays: save one of them as .npy")
        check_length(stream, path.stat().st_size)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        array = np.load(path, allow_pickle=False)
    return np.asarray(array)


def is_channels_last(shape: tuple[int, ...]) -> bool:
    """Whether there are as many elements on the last axis alone as there are colours."""
    return len(shape) > 2 and 0 < shape[-1] <= _MOST_COLOURS < shape[-2]


def has_channels_first(array: Array | Large) -> bool:
    """Whether an array of three axes has as many elements as there are colours in its first."""
    return len(array.shape) == 3 and 0 < array.shape[0] <= _MOST_COLOURS < array.shape[-1]


def _with_channels(array: Array, data_format: DataFormat) -> Array:
    """Give an array of two axes the axis of channels that it lacks; refuse a mistaken layout."""
    channels_first = data_format == "channels_first"
    if array.ndim == 2:
        return array[None] if channels_first else array[..., None]
    if channels_first and array.ndim == 3 and 0 < array.shape[-1] <= _MOST_COLOURS < len(array):
        raise ValueError(
            f"shape {array.shape} is that of a picture with its channels last, and --data-format "
            "channels_first would pool over them: leave it out, or save the array with a first "
            "axis of one, x[None], if its channels are first"
        )
    return array


def _member(read: Callable[[], Array], data_format: DataFormat) -> Array:
    """Return one array of an archive."""
    return _with_channels(read(), data_format)


def read(path: Path, reading: Reading, claim: Claim) -> Pixels:
    """Return the pixels of a picture, with channels where `reading` says."""
    pixels = read_picture(path, reading.gray, reading.alpha, claim)
    if isinstance(pixels, Transparent) or reading.data_format == "channels_last":
        return pixels
    return np.moveaxis(pixels, -1, 0)
