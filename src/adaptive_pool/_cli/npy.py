"""The head of a ``.npy`` file, in a folder or an archive: what array it says that it holds."""

from __future__ import annotations

import math
from typing import IO, NamedTuple

import numpy as np


class Header(NamedTuple):
    """What stands in front of the elements."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype


def read_header(stream: IO[bytes]) -> Header:
    """Read up to the first element; raise ValueError for what is no such file."""
    prefix = np.lib.format.MAGIC_PREFIX
    head = stream.read(len(prefix))
    if head != prefix:
        raise ValueError(f"not the content of a .npy file, it starts with {head!r}")
    stream.seek(0)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return Header(*np.lib.format.read_array_header_1_0(stream))
    if version in ((2, 0), (3, 0)):  # they differ in the names of fields alone
        return Header(*np.lib.format.read_array_header_2_0(stream))
    raise ValueError(f"a .npy file has format version 1.0, 2.0 or 3.0, got {version}")


def check_length(stream: IO[bytes], size: int) -> None:
    """Raise for an array that has more bytes than a file of this size, before memory is taken."""
    shape, _, dtype = read_header(stream)
    claimed, held = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if claimed > held and not dtype.hasobject:
        raise ValueError(
            f"an array of shape {shape}, dtype {dtype} has {claimed} bytes, got {held}"
        )
