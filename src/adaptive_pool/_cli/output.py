"""Outputs of ``adaptive-pool pool``: an array, an archive of arrays, or a picture."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Protocol

import numpy as np

from .._problem import Array, DataFormat
from . import archives
from .errors import CommandError, extra
from .replacing import Replacement, check_target, replacing

# Those whose writers keep all bits; others clip them without a word.
_GREY_OF_16_BITS = ("PNG", "TIFF", "PPM")


class Output(Protocol):
    """Takes pooled arrays one by one, then writes them all."""

    names: list[str]
    """Which input each row is from; empty if the output itself says so."""

    def add(self, name: str, short: str, array: Array) -> None:
        """Take the result of one input, or raise ValueError if it does not go with the others.

        `short` is its name without the folders.
        """

    def write(self, stream: IO[bytes]) -> None:
        """Write all results."""

    def __str__(self) -> str:
        """Describe the content."""


def _described(array: Array) -> str:
    return f"shape {array.shape}, dtype {array.dtype}"


class Stack:
    """A ``.npy`` file: all results along a new first axis."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self.names: list[str] = []

    def add(self, name: str, short: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take a result like the first one."""
        first = self._arrays[0] if self._arrays else array
        if (array.shape, array.dtype) != (first.shape, first.dtype):
            raise ValueError(
                f"all results in a .npy file must be alike: the first has {_described(first)}, "
                f"this one {_described(array)}"
            )
        self._arrays.append(array)
        self.names.append(name)

    def write(self, stream: IO[bytes]) -> None:
        """Write one array."""
        # Of a file, NumPy would write the array by itself, and not say why it could not.
        plain = SimpleNamespace(write=stream.write)
        np.lib.format.write_array(plain, np.stack(self._arrays), allow_pickle=False)

    def __str__(self) -> str:
        first = self._arrays[0]
        return f"shape {(len(self._arrays), *first.shape)}, dtype {first.dtype}"


class Archive:
    """A ``.npz`` file: one array for each input, under the name of its file."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}
        self._unused = archives.Names().unused
        self.names: list[str] = []

    def add(self, name: str, short: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take a result of any shape."""
        # No folders: they would be those of the machine it is unpacked on.
        self._arrays[self._unused(short)] = array

    def write(self, stream: IO[bytes]) -> None:
        """Write one entry for each array."""
        archives.write(stream, self._arrays)

    def __str__(self) -> str:
        kinds = {_described(array) for array in self._arrays.values()}
        return f"each {kinds.pop()}" if len(kinds) == 1 else f"{len(kinds)} shapes and dtypes"


class Picture:
    """A picture: the result of exactly one input."""

    def __init__(self, suffix: str, data_format: DataFormat) -> None:
        with extra("cli"):
            from PIL import Image
        self._format = Image.registered_extensions().get(suffix, "")
        if self._format not in Image.SAVE:
            raise CommandError(
                "the output must end in .npy, .npz or the suffix of a picture that Pillow writes, "
                f"got {suffix!r}"
            )
        self._data_format = data_format
        self.names: list[str] = []
        self._name = ""
        self._pixels: Array = np.empty(0, np.uint8)

    def add(self, name: str, short: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take the only result: grey or colours, with alpha or without, or grey of 16 bits."""
        if self._name:
            raise CommandError(
                f"a picture is pooled from one input, got {self._name} and {name}; "
                "write .npy or .npz for several"
            )
        pixels = array
        if self._data_format == "channels_first" and array.ndim == 3:
            pixels = np.moveaxis(array, 0, -1)
        if pixels.ndim == 3 and pixels.dtype == np.uint16:
            pixels = self._grey_of_16_bits(pixels)
        elif pixels.ndim != 3 or not 1 <= pixels.shape[-1] <= 4 or pixels.dtype != np.uint8:
            raise ValueError(
                "a picture must have three axes, 1 to 4 channels and dtype uint8, or uint16 if it "
                f"is grey, got {_described(array)} ({self._data_format})"
            )
        self._name = name
        self._pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels

    def _grey_of_16_bits(self, pixels: Array) -> Array:
        """Return one channel of uint16; Pillow has no colours of 16 bits."""
        if self._format not in _GREY_OF_16_BITS:
            raise ValueError(f"a picture of 16 bits must be PNG, TIFF or PGM, got {self._format}")
        if pixels.shape[-1] not in (1, 3) or (pixels != pixels[..., :1]).any():
            raise ValueError(
                f"a picture of 16 bits must be grey, got {_described(pixels)} in colour; write .npy"
            )
        return pixels[..., :1]

    def takes_alpha(self) -> bool:
        """Whether the format has pixels that do not show in full."""
        from PIL import Image

        try:
            Image.new("RGBA", (1, 1)).save(io.BytesIO(), self._format)
        except Exception:  # noqa: BLE001 - each writer has its own way to refuse
            return False
        return True

    def write(self, stream: IO[bytes]) -> None:
        """Write in the format of the suffix."""
        from PIL import Image

        Image.fromarray(np.ascontiguousarray(self._pixels)).save(stream, self._format)

    def __str__(self) -> str:
        return _described(self._pixels)


def make_output(path: Path, data_format: DataFormat) -> Output:
    """Return the output that the suffix of `path` asks for."""
    check_target(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        names_file(path)  # raises, if names of other rows would stay beside it
        return Stack()
    return Archive() if suffix == ".npz" else Picture(suffix, data_format)


def save(output: Output, path: Path) -> Path | None:
    """Write the output and, beside it, the names of its rows; return where those are."""
    listing = names_file(path) if output.names else None
    if listing is None:
        with replacing(path) as stream:
            output.write(stream)
        return None
    with Replacement(path) as array, Replacement(listing) as names:
        output.write(array.stream)
        names.stream.write(_as_json(output.names))
        names.commit_after(array)
    return listing


def names_file(path: Path) -> Path | None:
    """Return where the names of the rows of `path` go, or None if there is no place for them.

    It is beside the file itself: a link to it may come to lead to another one.
    """
    if path.exists() and not path.is_file():  # a pipe, a device
        return None
    while path.is_symlink():
        path = path.parent / path.readlink()
    listing = path.with_suffix(".names.json")
    try:
        check_target(listing)
    except CommandError:
        if os.path.lexists(listing):  # there are names of earlier rows, and they would stay
            raise
        return None
    if listing.exists() and not _is_list(listing):
        raise CommandError(
            f"the names of the rows go to {listing}, but that is no list of names: move it away"
        )
    return listing


def _is_list(path: Path) -> bool:
    """Whether a file is what an earlier run has written, or left empty."""
    if not path.is_file():
        return False
    try:
        text = path.read_bytes()
        names = json.loads(text) if text else []
    except (OSError, ValueError):
        return False
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _as_json(names: list[str]) -> bytes:
    # Bytes in a file's name that are no text stand in it as lone surrogates, which JSON can escape.
    text = json.dumps(names, ensure_ascii=False, indent=0)
    return f"{text}\n".encode("utf-8", "backslashreplace")
