"""Inputs of ``adaptive-pool pool``: which files they are, and the arrays in them."""

from __future__ import annotations

import functools
import glob
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from .._problem import Array, DataFormat
from . import archives
from .errors import Skipped, extra

ARRAY_SUFFIXES = (".npy", ".npz")

_MAGIC = (np.lib.format.MAGIC_PREFIX, b"PK")

Load = Callable[[], Array]


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
    paths: dict[Path, None] = {}
    output = output.resolve()
    for given in inputs:
        with skipped.attempt(given or "''"):
            paths.update(dict.fromkeys(_files(given, output)))
    return list(paths)


def items(path: Path, data_format: DataFormat, gray: bool) -> Iterator[tuple[str, Load]]:
    """Yield name and loader of each array in a file, with channels where `data_format` says."""
    if path.suffix.lower() not in ARRAY_SUFFIXES:
        yield str(path), functools.partial(_picture, path, data_format, gray)
        return
    # Opened here, as NumPy would leave a broken archive open.
    with path.open("rb") as stream:
        _check_magic(stream)
        if stream.peek(2).startswith(b"PK"):
            for key, read in archives.arrays(stream):
                yield f"{path}:{key}", functools.partial(_member, read, data_format)
            return
        loaded = np.load(stream, allow_pickle=False)
        yield str(path), functools.partial(_with_channels, loaded, data_format)


def _check_magic(stream: IO[bytes]) -> None:
    """Raise for what is no array: NumPy would take it for a pickle and advise to trust it."""
    head = stream.read(len(np.lib.format.MAGIC_PREFIX))
    if not head.startswith(_MAGIC):
        raise ValueError(f"not the content of a .npy or .npz file, it starts with {head!r}")
    stream.seek(0)


def _with_channels(array: Array, data_format: DataFormat) -> Array:
    """Give an array of two axes the axis of channels that it lacks."""
    if array.ndim != 2:
        return array
    return array[None] if data_format == "channels_first" else array[..., None]


def _member(read: Load, data_format: DataFormat) -> Array:
    """Return one array of an archive."""
    return _with_channels(read(), data_format)


def _picture(path: Path, data_format: DataFormat, gray: bool) -> Array:
    """Return the pixels of a picture, upright, 8 bits a channel."""
    with extra("cli"):
        from PIL import Image, ImageOps
    with warnings.catch_warnings():
        # Odd metadata is none of ours, and a picture just below Pillow's limit is welcome.
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            if image.mode[0] in "IF":  # Pillow would clip or scale them to 8 bits
                raise ValueError(
                    f"pictures must have 8 bits a channel, got mode {image.mode!r}; "
                    "save it as .npy to pool it as it is"
                )
            upright = ImageOps.exif_transpose(image)
            pixels = np.asarray(upright.convert("L" if gray else "RGB"))
    if gray:
        pixels = pixels[..., None]
    return np.moveaxis(pixels, -1, 0) if data_format == "channels_first" else pixels
