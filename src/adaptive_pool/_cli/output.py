"""Outputs of ``adaptive-pool pool``: an array, an archive of arrays, or a picture."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol, Self

import numpy as np

from .._problem import Array, DataFormat
from . import archives
from .deep_writing import write_png, write_tiff
from .errors import CommandError, extra
from .replacing import Replacement, check_target, replacing
from .rows import Rows

# Those whose writers in Pillow keep all bits; others clip them without a word.
_GREY_OF_16_BITS = ("PNG", "TIFF", "PPM")
# Those that are written here.
_COLOURS_OF_16_BITS = {"PNG": write_png, "TIFF": write_tiff}


class Output(Protocol):
    """Takes pooled arrays one by one, and puts them in place as a whole, or not at all."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    @property
    def count(self) -> int:
        """How many results it has."""

    def expect(self, inputs: int) -> None:
        """Be told of how many inputs results may come."""

    def add(self, name: str, short: str, array: Array) -> None:
        """Take the result of one input, or raise ValueError if it does not go with the others.

        `short` is its name without the folders.
        """

    def save(self) -> Path | None:
        """Put all results in place; return where the names of the rows are, if there are any."""

    def keep(self) -> str:
        """Leave what there is in hidden files, and say where; an empty text if nothing is left."""

    def __str__(self) -> str:
        """Describe the content."""


def described(array: Array) -> str:
    """Return what a line says of an array."""
    return f"shape {array.shape}, dtype {array.dtype}"


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever fails in the block into the end of the command: it is no input's fault."""
    try:
        yield
    except Exception as error:  # a writer of pictures raises anything
        raise CommandError(f"cannot write {path}: {error}") from error


class Stack:
    """A ``.npy`` file: all results along a new first axis, and a list of their names beside it.

    Both are written as results come, into the hidden files that take their places in the end.
    """

    def __init__(self, path: Path) -> None:
        names_file(path)  # raises, if names of other rows would stay beside it
        self._path = path
        self._expected = 1
        self._opened = contextlib.ExitStack()
        # With how many bytes of the list: both change together, whenever Ctrl-C is pressed.
        self._done = 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self._done[0]

    def expect(self, inputs: int) -> None:
        """Ask the disk for room for a row each, once it is known how long one is."""
        self._expected = inputs

    def add(self, name: str, short: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take a result like the first one."""
        if self.count and (array.shape, array.dtype) != (self._rows.shape, self._rows.dtype):
            raise ValueError(
                "all results in a .npy file must be alike: the first has shape "
                f"{self._rows.shape}, dtype {self._rows.dtype}, this one {described(array)}"
            )
        with writing(self._path):
            if not self.count:
                self._open(array)
            self._rows.put(self.count, array)
            self._done = self.count + 1, self._write_name(name)

    def _open(self, first: Array) -> None:
        self._opened.close()
        self._listing = names_file(self._path)
        self._array = self._opened.enter_context(Replacement(self._path))
        self._names: Replacement | None = None
        if self._listing is not None:
            self._names = self._opened.enter_context(Replacement(self._listing))
        self._rows = Rows(self._array.stream, first, self._expected)
        self._opened.callback(self._rows.release)

    def _write_name(self, name: str) -> int:
        if self._names is None:
            return 0
        # Bytes in a file's name that are no text stand in it as lone surrogates, which JSON can
        # escape.
        text = json.dumps(name, ensure_ascii=False).encode("utf-8", "backslashreplace")
        self._names.stream.write((b",\n" if self.count else b"[\n") + text)
        return self._names.stream.tell()

    def _finish(self) -> None:
        count, end = self._done
        self._rows.finish(count)
        if self._names is not None:
            self._names.stream.seek(end)
            self._names.stream.truncate()
            self._names.stream.write(b"\n]\n")

    def save(self) -> Path | None:
        """Put the array and the list in place, so that they never disagree."""
        with writing(self._path):
            self._finish()
            if self._names is None:
                self._array.commit()
            else:
                self._names.commit_after(self._array)
        return self._listing

    def keep(self) -> str:
        """Leave array and list in their hidden files."""
        if not self.count or self._array.stream.closed:  # or being put in place
            return ""
        self._finish()
        text = f"the rows of {self.count} inputs are kept in {self._array.keep()}"
        return text if self._names is None else f"{text}, their names in {self._names.keep()}"

    def __str__(self) -> str:
        return f"shape {(self.count, *self._rows.shape)}, dtype {self._rows.dtype}"


class Archive:
    """A ``.npz`` file: one array for each input, under the name of its file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = contextlib.ExitStack()
        self._unused = archives.Names().unused
        self._kinds: set[str] = set()
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def expect(self, inputs: int) -> None:
        """Need not know."""

    def add(self, name: str, short: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take a result of any shape."""
        # No folders: they would be those of the machine it is unpacked on.
        unused = self._unused(short)
        with writing(self._path):
            if not self.count:
                self._opened.close()
                self._new = self._opened.enter_context(Replacement(self._path))
                self._archive = self._opened.enter_context(archives.new(self._new.stream))
            archives.write(self._archive, unused, array)
        self._kinds.add(described(array))
        self.count += 1

    def save(self) -> Path | None:
        """Put the archive in place."""
        with writing(self._path):
            self._archive.close()
            self._new.commit()
        return None

    def keep(self) -> str:
        """Leave the archive in its hidden file, without an array that is there in part."""
        if not self.count or self._new.stream.closed:
            return ""
        del self._archive.filelist[self.count :]
        self._archive.close()
        return f"the arrays of {self.count} inputs are kept in {self._new.keep()}"

    def __str__(self) -> str:
        if len(self._kinds) == 1:
            return f"each {next(iter(self._kinds))}"
        return f"{len(self._kinds)} shapes and dtypes"


class Picture:
    """A picture: the result of exactly one input."""

    def __init__(self, path: Path, data_format: DataFormat) -> None:
        with extra("cli"):
            from PIL import Image
        self._path, suffix = path, path.suffix.lower()
        self._format = Image.registered_extensions().get(suffix, "")
        if self._format not in Image.SAVE:
            raise CommandError(
                "the output must end in .npy, .npz or the suffix of a picture that Pillow writes, "
                f"got {suffix!r}"
            )
        self._data_format = data_format
        self.count = 0
        self._name = ""
        self.pixels: Array = np.empty(0, np.uint8)  # as they are written

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def expect(self, inputs: int) -> None:
        """Need not know: inputs that cannot be pooled do not count."""

    def add(self, name: str, short: str, array: Array) -> None:  # noqa: ARG002 - as the others
        """Take the only result: grey or colours, with alpha or without, of 8 or 16 bits."""
        if self._name:
            raise CommandError(
                f"a picture is pooled from one input, got {self._name} and {name}; "
                "write .npy or .npz for several"
            )
        pixels = array
        if self._data_format == "channels_first" and array.ndim == 3:
            pixels = np.moveaxis(array, 0, -1)
        if (
            pixels.ndim != 3
            or not 1 <= pixels.shape[-1] <= 4
            or pixels.dtype not in (np.uint8, np.uint16)
        ):
            raise ValueError(
                "a picture must have three axes, 1 to 4 channels and dtype uint8 or uint16, got "
                f"{described(array)} ({self._data_format})"
            )
        if pixels.dtype == np.uint16:
            pixels = self._of_16_bits(pixels)
        self._name, self.count = name, 1
        self.pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels

    def _of_16_bits(self, pixels: Array) -> Array:
        """Return the channels to write, or raise if the format has not so many bits.

        Grey pictures are pooled in three channels, and written in one.
        """
        if self._format not in _GREY_OF_16_BITS:
            raise ValueError(f"a picture of 16 bits must be PNG, TIFF or PGM, got {self._format}")
        colours, alpha = pixels[..., :3], pixels[..., 3:]
        if pixels.shape[-1] >= 3 and (colours == colours[..., :1]).all():
            pixels = np.concatenate([colours[..., :1], alpha], axis=-1)
        if pixels.shape[-1] == 1:
            return pixels
        if self._format not in _COLOURS_OF_16_BITS:
            raise ValueError(
                "a picture of 16 bits in colour, or transparent, must be PNG or TIFF, got "
                f"{self._format} for {described(pixels)}"
            )
        return pixels

    def takes_alpha(self, dtype: np.dtype) -> bool:
        """Whether the format has pixels of a dtype that do not show in full."""
        if dtype != np.uint8:
            return dtype == np.uint16 and self._format in _COLOURS_OF_16_BITS
        from PIL import Image

        try:
            Image.new("RGBA", (1, 1)).save(io.BytesIO(), self._format)
        except Exception:  # noqa: BLE001 - each writer has its own way to refuse
            return False
        return True

    def save(self) -> Path | None:
        """Write in the format of the suffix."""
        with writing(self._path), replacing(self._path) as stream:
            self.write(stream)
        return None

    def write(self, stream: IO[bytes]) -> None:
        """Write the content of the file."""
        from PIL import Image

        pixels = np.ascontiguousarray(self.pixels)
        if pixels.ndim == 3 and pixels.dtype == np.uint16:
            _COLOURS_OF_16_BITS[self._format](stream, pixels)
        else:
            Image.fromarray(pixels).save(stream, self._format)

    def keep(self) -> str:
        """Keep nothing: there is one result, or none."""
        return ""

    def __str__(self) -> str:
        return described(self.pixels)


def make_output(path: Path, data_format: DataFormat) -> Output:
    """Return the output that the suffix of `path` asks for."""
    check_target(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return Stack(path)
    return Archive(path) if suffix == ".npz" else Picture(path, data_format)


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
