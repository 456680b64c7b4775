"""Files of pictures made byte by byte: metadata, films and depths that no writer here makes."""

from __future__ import annotations

import io
import math
import struct
import zlib

import numpy as np

ORIENTATION = 0x0112

# Types of TIFF and EXIF.
BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, SRATIONAL, FLOAT, DOUBLE = (
    range(1, 13)
)
_SIZES = {
    BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, SBYTE: 1, UNDEFINED: 1, SSHORT: 2,
    SLONG: 4, SRATIONAL: 8, FLOAT: 4, DOUBLE: 8,
}  # fmt: skip


def directory(entries, start, order="<"):
    """Return a directory of tags (tag, type, content, count or None) that begins at `start`."""
    entries = sorted(entries, key=lambda entry: entry[0])
    after = start + 2 + 12 * len(entries) + 4
    head, tail = struct.pack(order + "H", len(entries)), b""
    for tag, kind, content, count in entries:
        if count is None:
            count = len(content) // _SIZES[kind]
        if len(content) <= 4:
            value = content.ljust(4, b"\0")
        else:
            value = struct.pack(order + "I", after + len(tail))
            tail += content + b"\0" * (len(content) % 2)
        head += struct.pack(order + "HHI", tag, kind, count) + value
    return head + bytes(4) + tail


def short(tag, value, order="<"):
    return (tag, SHORT, struct.pack(order + "H", value), None)


def long(tag, *values, order="<"):
    return (tag, LONG, struct.pack(f"{order}{len(values)}I", *values), None)


def exif(*entries, gps=()):
    """Return the EXIF of a picture, as JPEG, PNG and WEBP hold it."""
    head = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8)
    if not gps:
        return head + directory(entries, 8)
    room = len(directory([*entries, long(0x8825, 0)], 8))
    first = directory([*entries, long(0x8825, 8 + room)], 8)
    return head + first + directory(gps, 8 + room)


# Entries that do not matter, and that Pillow cannot write again, or cannot read.
ODD = {
    "signed altitude": {"gps": [(6, SRATIONAL, struct.pack("<ii", -120, 10), None)]},
    "altitude over zero": {"gps": [(6, RATIONAL, struct.pack("<II", 1, 0), None)]},
    "altitude as text": {"gps": [(6, ASCII, b"12 m\0", None)]},
    "latitude of one number": {"gps": [(2, RATIONAL, struct.pack("<II", 48, 1), None)]},
    "latitude as double": {"gps": [(2, DOUBLE, struct.pack("<3d", 48, 8, 1e300), None)]},
    "directory at no place": {"entries": [long(0x8769, 2**31)]},
    "directory in itself": {"entries": [long(0x8769, 8)]},
    "text that is not ASCII": {"entries": [(0x010F, ASCII, "Größe\0".encode(), None)]},
    "text as shorts": {"entries": [(0x010F, SHORT, struct.pack("<3H", 1, 2, 65535), None)]},
    "number as text": {"entries": [(0x0128, ASCII, b"inch\0", None)]},
    "number below zero": {"entries": [(0x0128, SSHORT, struct.pack("<h", -1), None)]},
    "number too large": {"entries": [(0xA002, SLONG, struct.pack("<i", -(2**31)), None)]},
    "resolution over zero": {"entries": [(0x011A, RATIONAL, struct.pack("<II", 72, 0), None)]},
    "resolution below zero": {"entries": [(0x011A, SRATIONAL, struct.pack("<ii", -72, 1), None)]},
    "resolution without end": {"entries": [(0x011A, FLOAT, struct.pack("<f", np.inf), None)]},
    "type that does not exist": {"entries": [(0x9999, 77, bytes(4), 1)]},
    "content behind the end": {"entries": [(0x9C9B, BYTE, struct.pack("<I", 60000), 5000)]},
    "count of zero": {"entries": [(0x0132, ASCII, b"", 0)]},
}


def odd_exif(name, orientation):
    odd = ODD[name]
    return exif(short(ORIENTATION, orientation), *odd.get("entries", ()), gps=odd.get("gps", ()))


def tiff(
    pixels, *entries, photometric=None, sample_format=1, order="<", packed=False, planes=False,
    rows=None,
):  # fmt: skip
    """Return a TIFF of an array (H, W) or (H, W, C), with more tags.

    It is uncompressed, or `packed` with zlib, and with `planes` has one channel after the other.
    Strips have all rows, or so many `rows`.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    stored = pixels.astype(pixels.dtype.newbyteorder(order))
    rows = rows or height
    strips = [stored[..., k] for k in range(channels)] if planes else [stored]
    strips = [strip[k : k + rows] for strip in strips for k in range(0, height, rows)]
    strips = [zlib.compress(strip.tobytes()) if packed else strip.tobytes() for strip in strips]
    strips = [strip + b"\0" * (len(strip) % 2) for strip in strips]
    lengths = [len(strip) for strip in strips]
    starts = [8 + sum(lengths[:k]) for k in range(len(strips))]
    if photometric is None:
        photometric = 1 if channels == 1 else 2

    def shorts(tag, *values):
        return (tag, SHORT, struct.pack(f"{order}{len(values)}H", *values), None)

    tags = [
        long(256, width, order=order), long(257, height, order=order),
        shorts(258, *[8 * pixels.itemsize] * channels), shorts(259, 8 if packed else 1),
        shorts(262, photometric), shorts(277, channels), long(278, rows, order=order),
        long(273, *starts, order=order), long(279, *lengths, order=order),
        shorts(284, 2 if planes else 1), shorts(339, *[sample_format] * channels), *entries,
    ]  # fmt: skip
    start = 8 + sum(lengths)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return head + b"".join(strips) + directory(tags, start, order)


def png(pixels, colour_type, depth, *extra, transparency=None, packed=None, size=None):
    """Return a PNG: `colour_type`, `depth` and `size` (width, height) are those of its header.

    `extra` are chunks (kind, content) before the pixels.
    """
    width, height = size or pixels.shape[1::-1]
    rows = pixels.astype(">u2" if depth == 16 else np.uint8)
    rows = rows.reshape(len(rows), math.prod(rows.shape[1:]))
    lines = [bytes(row) for row in packed] if packed is not None else [r.tobytes() for r in rows]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra]
    if transparency is not None:
        chunks.append((b"tRNS", struct.pack(f">{len(transparency)}H", *transparency)))
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def film(scans=92):
    """Return the boxes of a film that holds the bytes of `scans` starts of a scan."""
    content = b"\xff\xda\x00\x0c" * scans
    boxes = [(b"ftyp", b"mp42" + bytes(4) + b"isommp42"), (b"moov", bytes(64)), (b"mdat", content)]
    return b"".join(struct.pack(">I", 8 + len(body)) + kind + body for kind, body in boxes)


def encoded(image, picture_format, **options):
    """Return the bytes of a file that Pillow writes."""
    stream = io.BytesIO()
    image.save(stream, picture_format, **options)
    return stream.getvalue()
