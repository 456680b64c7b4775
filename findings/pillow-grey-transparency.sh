#!/bin/sh
# Guess: a grey PNG that names one level as transparent has that level transparent in Pillow,
# however many bits a pixel has.
# True (Pillow 13.0.0): with 8 bits it has; with 2 and 4 bits the level of the file is compared with
# pixels that were widened to 8 bits, so that no pixel of level 3 of 3 is transparent.
. "$(dirname "$0")/_with.sh"
run_with pillow==13.0.0 numpy==2.4.6 <<'PROGRAM'
import io
import struct
import zlib

import numpy as np
from PIL import Image


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def transparent_pixels(bits, level, row):
    """Of a PNG of one grey row, how many pixels Pillow takes for transparent."""
    header = struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"tRNS", struct.pack(">H", level))
    body += chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    with Image.open(io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)) as picture:
        return int((np.asarray(picture.convert("RGBA"))[..., 3] == 0).sum())


seen = {
    8: transparent_pixels(8, 255, bytes([0, 85, 255, 255])),
    4: transparent_pixels(4, 15, bytes([0x05, 0xFF])),
    2: transparent_pixels(2, 3, bytes([0b00011111])),
}
print("transparent pixels of 2, by bits:", seen)
assert seen == {8: 2, 4: 0, 2: 0}
PROGRAM
