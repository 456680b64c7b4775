"""Archives of arrays, ``.npz`` files: each entry is one array, and no two share a name.

NumPy's own reader finds an array by a name that may stand for two entries, the key ``a.npy`` for
the entries ``a.npy`` and ``a.npy.npy``. Here arrays are read entry by entry, and what is written
has names that NumPy's reader cannot take for each other.
"""

from __future__ import annotations

import contextlib
import functools
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

import numpy as np

from .._problem import Array
from .npy import check_length

_SUFFIX = ".npy"
# Bytes. A zip file has two for the length of a name; what is left is for ~2 and the suffix.
_LONGEST_NAME = 65_500


def arrays(stream: IO[bytes]) -> Iterator[tuple[str, Callable[[], Array]]]:
    """Yield name and reader of each entry, in their order, while the stream stays open."""
    with zipfile.ZipFile(stream) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if not entries:
            raise ValueError("no arrays in this archive")
        last = {entry.filename: entry for entry in entries}
        for entry in entries:
            read = _replaced if last[entry.filename] is not entry else _read
            yield entry.filename.removesuffix(_SUFFIX), functools.partial(read, archive, entry)


def _replaced(_: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    # Zip files are appended to: whoever unpacks one keeps the last entry of each name.
    raise ValueError(f"replaced by a later entry with the same name, {entry.filename}")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    """Return the array in an entry."""
    with archive.open(entry) as stream:
        check_length(stream, entry.file_size)
        stream.seek(0)
        array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # at its end the checksum is compared, also of an array without elements
    return array


class Names:
    """Gives each array of a new archive a name of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._repeated: dict[str, int] = {}

    def unused(self, wanted: str) -> str:
        """Return `wanted`, with ``~2``, ``~3`` and so on if an earlier name is too like it.

        ``x`` and ``x.npy`` do not go together: NumPy's reader takes the second for the first.
        """
        name = plain = _plain(wanted)
        while name in self._taken or name + _SUFFIX in self._taken:
            self._repeated[plain] = self._repeated.get(plain, 1) + 1
            name = f"{plain}~{self._repeated[plain]}"
        self._taken |= {name, name + _SUFFIX}
        return name


def _plain(name: str) -> str:
    """Return a name that stays in the folder that its archive is unpacked in, on any system."""
    text = name.encode("utf-8", "backslashreplace").decode().replace("\\", "_")
    plain = "/".join(part for part in text.split("/") if part not in ("", ".", ".."))
    if len(plain.encode()) > _LONGEST_NAME:
        raise ValueError(f"a name in an archive has at most {_LONGEST_NAME} bytes")
    return plain


@contextlib.contextmanager
def new(stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Begin an archive that `numpy.load` reads; it is whole once it is closed."""
    archive = zipfile.ZipFile(stream, "w")
    try:
        yield archive
    finally:
        # Or else it would try again, when nobody has the file any more.
        with contextlib.suppress(OSError, ValueError):
            archive.close()


def write(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    """Write one array as an entry."""
    # numpy.savez takes arrays as keyword arguments: no key could be "file".
    with archive.open(name + _SUFFIX, "w", force_zip64=True) as entry:
        np.lib.format.write_array(entry, array, allow_pickle=False)
