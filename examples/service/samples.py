"""Pictures of every kind, with their pixels."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pictures import Pixels
from PIL import Image

ORIENTATION = 0x0112
TURN_RIGHT = 6  # stored lying on its left side: upright after a quarter turn clockwise


@dataclass
class Picture:
    """A file, and what it must be decoded to."""

    name: str
    body: bytes
    pixels: Pixels


def scene(height: int, width: int) -> Pixels:
    """Return coloured patches with some noise: it compresses as photographs do."""
    rng = np.random.default_rng(height * width)
    patches = rng.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3), np.uint8)
    smooth = Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)
    noise = rng.integers(-8, 9, (height, width, 3))
    return (np.asarray(smooth) + noise).clip(0, 255).astype(np.uint8)


def encoded(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    """Return the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, picture_format, **options)
    return stream.getvalue()


def decoded(body: bytes) -> Pixels:
    """Return what Pillow makes of a file that has no original, as its coding loses something."""
    with Image.open(io.BytesIO(body)) as image:
        return np.asarray(image.convert("RGB"))


def exif_of(orientation: int) -> bytes:
    """Return EXIF with an entry that Pillow can read and not write: an altitude below zero."""
    first = struct.pack("<HHHII", 2, ORIENTATION, 3, 1, orientation)
    first += struct.pack("<HHII", 0x8825, 4, 1, 38)  # where the altitude's directory is
    altitude = struct.pack("<HHHIIIii", 1, 6, 10, 1, 56, 0, -120, 10)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + bytes(4) + altitude


def film() -> bytes:
    """Return the boxes of a film which happens to hold what starts a scan in a JPEG, 92 times."""
    boxes = ((b"ftyp", b"mp42" + bytes(4)), (b"mdat", b"\xff\xda\x00\x0c" * 92))
    return b"".join(struct.pack(">I", 8 + len(body)) + kind + body for kind, body in boxes)


def jpegs() -> Iterator[Picture]:
    """Yield grey, colour and print, in one scan and in several, lying and upright."""
    photo = Image.fromarray(scene(480, 640))
    lying = Image.Exif()
    lying[ORIENTATION] = TURN_RIGHT
    for name, image, options in (
        ("colour", photo, {"quality": 90}),
        ("progressive", photo, {"progressive": True}),
        ("grey", photo.convert("L"), {}),
        ("CMYK", photo.convert("CMYK"), {}),
        ("large", Image.fromarray(scene(1200, 1600)), {}),
    ):
        body = encoded(image, "JPEG", **options)
        yield Picture(f"JPEG {name}", body, decoded(body))
    views = encoded(photo, "MPO", save_all=True, append_images=[photo.convert("L")])
    yield Picture("JPEG of two views", views, decoded(views))
    body = encoded(photo, "JPEG", exif=lying)
    yield Picture("JPEG lying", body, np.rot90(decoded(body), -1))
    odd = exif_of(TURN_RIGHT)
    body = encoded(photo, "JPEG", exif=odd)
    yield Picture("JPEG lying, with odd metadata", body, np.rot90(decoded(body), -1))
    body = encoded(photo, "JPEG")
    yield Picture("JPEG with a film behind it", body + film(), decoded(body))
    preview = encoded(photo.resize((64, 48)), "JPEG", progressive=True)
    body = encoded(photo, "JPEG", exif=odd + 12 * preview)
    yield Picture("JPEG with previews", body, np.rot90(decoded(body), -1))


def pngs() -> Iterator[Picture]:
    """Yield every type that PNG has."""
    colour = scene(301, 203)
    grey = colour[..., 0]
    alpha = colour[..., 1]
    indices = grey % 16
    palette = scene(4, 4).reshape(16, 3)
    for name, array, pixels in (
        ("colour", colour, colour),
        ("colour and alpha", np.dstack([colour, alpha]), np.dstack([colour, alpha])),
        ("colour, opaque", np.dstack([colour, alpha | 255]), colour),
        ("grey", grey, _thrice(grey)),
        ("grey and alpha", np.dstack([grey, alpha]), np.dstack([_thrice(grey), alpha])),
        ("one bit", grey > 127, _thrice((grey > 127) * np.uint8(255))),
        ("one pixel", colour[:1, :1], colour[:1, :1]),
    ):
        yield Picture(f"PNG {name}", encoded(Image.fromarray(array), "PNG"), pixels)
    paletted = Image.fromarray(indices)
    paletted.putpalette(palette.tobytes())
    yield Picture("PNG palette", encoded(paletted, "PNG"), palette[indices])
    shows = bytes(range(0, 256, 16))
    body = encoded(paletted, "PNG", transparency=shows)
    alpha = np.frombuffer(shows, np.uint8)[indices]
    yield Picture("PNG palette and alpha", body, np.dstack([palette[indices], alpha]))
    body = encoded(Image.fromarray(grey), "PNG", transparency=100)
    alpha = np.where(grey == 100, 0, 255).astype(np.uint8)
    yield Picture("PNG one grey transparent", body, np.dstack([_thrice(grey), alpha]))


def webps() -> Iterator[Picture]:
    """Yield one that loses nothing, and one that moves."""
    colour = scene(120, 90)
    first, second = Image.fromarray(colour), Image.fromarray(255 - colour)
    yield Picture("WEBP", encoded(first, "WEBP", lossless=True), colour)
    faint = np.dstack([colour, colour[::-1, :, 0]])
    body = encoded(Image.fromarray(faint), "WEBP", lossless=True, exact=True)
    yield Picture("WEBP and alpha", body, faint)
    moving = encoded(first, "WEBP", lossless=True, save_all=True, append_images=[second])
    yield Picture("WEBP moving", moving, colour)


def pictures() -> list[Picture]:
    """Return all of them."""
    return [*jpegs(), *pngs(), *webps()]


def _thrice(grey: Pixels) -> Pixels:
    return np.repeat(grey[..., None], 3, axis=-1)
