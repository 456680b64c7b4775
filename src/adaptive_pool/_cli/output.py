"""Outputs of ``adaptive-pool pool``: an array, an archive of arrays, or a picture."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from .._problem import Array, DataFormat
from .errors import CommandError, extra

# Those whose writers keep all bits; others clip them without a word.
_GREY_OF_16_BITS = ("PNG", "TIFF", "PPM")


class Output(Protocol):
    """Takes pooled arrays one by one, then writes them all."""

    def add(self, name: str, array: Array) -> None:
        """Take the result of one input, or raise ValueError if it does not go with the others."""

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

    def add(self, name: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take a result like the first one."""
        first = self._arrays[0] if self._arrays else array
        if (array.shape, array.dtype) != (first.shape, first.dtype):
            raise ValueError(
                f"all results in a .npy file must be alike: the first has {_described(first)}, "
                f"this one {_described(array)}"
            )
        self._arrays.append(array)

    def write(self, stream: IO[bytes]) -> None:
        """Write one array."""
        np.save(stream, np.stack(self._arrays), allow_pickle=False)

    def __str__(self) -> str:
        first = self._arrays[0]
        return f"shape {(len(self._arrays), *first.shape)}, dtype {first.dtype}"


class Archive:
    """A ``.npz`` file: one array for each input, under the name of its file."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def add(self, name: str, array: Array) -> None:
        """Take a result of any shape."""
        # No folders: they would be those of the machine it is unpacked on.
        plain = Path(name).name.encode("utf-8", "backslashreplace").decode()
        key, repeated = plain, 1
        while key in self._arrays:
            repeated += 1
            key = f"{plain}~{repeated}"
        self._arrays[key] = array

    def write(self, stream: IO[bytes]) -> None:
        """Write one member for each array."""
        # numpy.savez takes arrays as keyword arguments: no key could be "file".
        with zipfile.ZipFile(stream, "w") as archive:
            for key, array in self._arrays.items():
                with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

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
        self._name = ""
        self._pixels: Array = np.empty(0, np.uint8)

    def add(self, name: str, array: Array) -> None:
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


def check_target(path: Path) -> None:
    """Raise, before any work is done, if `path` cannot be a file."""
    if path.is_dir() or not path.parent.is_dir():
        raise CommandError(f"the output must be a file in an existing folder, got {path}")


def make_output(path: Path, data_format: DataFormat) -> Output:
    """Return the output that the suffix of `path` asks for."""
    check_target(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return Stack()
    return Archive() if suffix == ".npz" else Picture(suffix, data_format)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` at the end of the block, or never."""
    # Hidden, so that a folder that is both input and output does not take it for an input. Opened
    # by `open`, so that it has the permissions of any new file.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
