"""Pictures of every kind, with their pixels."""

from __future__ import annotations

import io
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


def pngs() -> Iterator[Picture]:
    """Yield every type that PNG has."""
    colour = scene(301, 203)
    grey = colour[..., 0]
    alpha = colour[..., 1]
    deep = grey.astype(np.uint16) * 256 + alpha
    indices = grey % 16
    palette = scene(4, 4).reshape(16, 3)
    for name, array, pixels in (
        ("colour", colour, colour),
        ("colour and alpha", np.dstack([colour, alpha]), colour),
        ("grey", grey, _thrice(grey)),
        ("grey and alpha", np.dstack([grey, alpha]), _thrice(grey)),
        ("grey of 16 bits", deep, _thrice(grey)),
        ("one bit", grey > 127, _thrice((grey > 127) * np.uint8(255))),
        ("one pixel", colour[:1, :1], colour[:1, :1]),
    ):
        yield Picture(f"PNG {name}", encoded(Image.fromarray(array), "PNG"), pixels)
    paletted = Image.fromarray(indices)
    paletted.putpalette(palette.tobytes())
    for name, options in (("palette", {}), ("palette and alpha", {"transparency": bytes(16)})):
        yield Picture(f"PNG {name}", encoded(paletted, "PNG", **options), palette[indices])


def webps() -> Iterator[Picture]:
    """Yield one that loses nothing, and one that moves."""
    colour = scene(120, 90)
    first, second = Image.fromarray(colour), Image.fromarray(255 - colour)
    yield Picture("WEBP", encoded(first, "WEBP", lossless=True), colour)
    moving = encoded(first, "WEBP", lossless=True, save_all=True, append_images=[second])
    yield Picture("WEBP moving", moving, colour)


def pictures() -> list[Picture]:
    """Return all of them."""
    return [*jpegs(), *pngs(), *webps()]


def _thrice(grey: Pixels) -> Pixels:
    return np.repeat(grey[..., None], 3, axis=-1)
