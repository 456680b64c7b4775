"""PNG and TIFF with 16 bits a channel, which Pillow does not write in colour."""

from __future__ import annotations

import struct
import zlib
from typing import IO

import numpy as np

from .._problem import Array

# The colour type of PNG for so many channels.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}

# Types of TIFF: two and four bytes.
_SHORT, _LONG = 3, 4


def write_png(stream: IO[bytes], pixels: Array) -> None:
    """Write channels (H, W, C), uint16: 2 are grey and alpha, 4 colours and alpha."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").reshape(height, width * channels).view(np.uint8)
    # Each row as the difference to the one before, but for the first, which has none.
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 2
    filtered[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    stream.write(b"\x89PNG\r\n\x1a\n")
    for kind, content in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(filtered.tobytes())),
        (b"IEND", b""),
    ):
        check = struct.pack(">I", zlib.crc32(kind + content))
        stream.write(struct.pack(">I", len(content)) + kind + content + check)


def write_tiff(stream: IO[bytes], pixels: Array) -> None:
    """Write the same, little-endian and not compressed, in one strip.

    Grey with alpha is written as colours: many programs do not read it, Pillow among them.
    """
    if pixels.shape[-1] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    height, width, channels = pixels.shape
    content = pixels.astype("<u2").tobytes()
    tags: list[tuple[int, int, tuple[int, ...]]] = [
        (256, _LONG, (width,)),
        (257, _LONG, (height,)),
        (258, _SHORT, (16,) * channels),  # bits of each
        (259, _SHORT, (1,)),  # not compressed
        (262, _SHORT, (2,)),  # red, green and blue
        (273, _LONG, (8,)),  # where the strip begins
        (277, _SHORT, (channels,)),
        (278, _LONG, (height,)),  # rows in the strip
        (279, _LONG, (len(content),)),
        (284, _SHORT, (1,)),  # pixel after pixel
        *(
            [(338, _SHORT, (2,))] if channels == 4 else []
        ),  # alpha that the colours are not multiplied by
        (339, _SHORT, (1,) * channels),  # without a sign
    ]
    start = 8 + len(content)
    after = start + 2 + 12 * len(tags) + 4
    directory, tail = struct.pack("<H", len(tags)), b""
    for tag, kind, values in tags:
        value = struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(value) > 4:
            value, tail = struct.pack("<I", after + len(tail)), tail + value
        directory += struct.pack("<HHI", tag, kind, len(values)) + value.ljust(4, b"\0")
    stream.write(b"II*\0" + struct.pack("<I", start))
    stream.write(content)
    stream.write(directory + bytes(4) + tail)
