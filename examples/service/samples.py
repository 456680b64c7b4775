"""Pictures of every kind with their pixels, and bad requests with the refusal each must get."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from pictures import MOST_SCANS, Pixels
from PIL import Image, PngImagePlugin
from settings import Settings

ORIENTATION = 0x0112
TURN_RIGHT = 6  # stored lying on its left side: upright after a quarter turn clockwise


@dataclass
class Picture:
    """A file, and what it must be decoded to."""

    name: str
    body: bytes
    pixels: Pixels


@dataclass
class Bad:
    """A request, as httpx takes it, and its refusal."""

    name: str
    status: int
    reason: str
    body: bytes = b""
    method: str = "POST"
    path: str = "/features"
    params: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False

    def content(self) -> bytes | AsyncIterator[bytes]:
        """Return the body; in chunks, its length is not announced."""
        return _chunks(self.body) if self.chunked else self.body

    def is_refused_by(self, response: httpx.Response) -> bool:
        """Whether status and reason are right."""
        return response.status_code == self.status and self.reason in response.json()["error"]


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


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


def png_of(width: int, height: int) -> bytes:
    """Return a PNG that announces a size, and has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header) - 4) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\4IDAT"


def many_scans(jpeg: bytes, count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes `count` times more."""
    last, end = jpeg.rfind(b"\xff\xda"), jpeg.rfind(b"\xff\xd9")
    return jpeg[:end] + jpeg[last:end] * count + jpeg[end:]


def bad_requests(settings: Settings) -> list[Bad]:
    """Return them; `settings` are those of the service."""
    photo = Image.fromarray(scene(120, 160))
    jpeg, png = encoded(photo, "JPEG"), encoded(photo, "PNG")
    side = int(settings.max_pixels**0.5) + 1
    note = PngImagePlugin.PngInfo()
    note.add_text("note", " " * (PngImagePlugin.MAX_TEXT_CHUNK + 1), zip=True)
    damaged = bytearray(png)
    damaged[len(png) // 2] ^= 255
    blank = encoded(Image.new("RGB", (side, side)), "WEBP", lossless=True)
    scans = many_scans(encoded(photo, "JPEG", progressive=True), MOST_SCANS)
    large = bytes(settings.max_bytes + 1)
    tall = settings.max_values // 3 + 1
    no_picture = "no picture of JPEG, PNG, WEBP"
    broken = "cannot be decoded"
    bytes_allowed = f"the body may have {settings.max_bytes} bytes"
    pixels_allowed = f"a picture may have {settings.max_pixels} pixels"
    return [
        Bad("empty body", 400, "empty"),
        Bad("text", 415, no_picture, b"not a picture"),
        Bad("another format", 415, no_picture, encoded(photo, "GIF")),
        Bad(
            "form",
            415,
            no_picture,
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + png,
        ),
        Bad("truncated JPEG", 422, broken, jpeg[: len(jpeg) // 2]),
        Bad("truncated PNG", 422, broken, png[: len(png) // 2]),
        Bad("damaged PNG", 422, broken, bytes(damaged)),
        Bad("long text in a PNG", 422, broken, encoded(photo, "PNG", pnginfo=note)),
        Bad("too many bytes", 413, bytes_allowed, large),
        Bad("too many bytes, in chunks", 413, bytes_allowed, large, chunked=True),
        Bad("too many pixels", 413, pixels_allowed, png_of(side, side)),
        Bad("more pixels than Pillow takes", 413, pixels_allowed, png_of(2**31 - 1, 2**31 - 1)),
        Bad("blank WEBP", 413, pixels_allowed, blank),
        Bad("too many scans", 413, f"a JPEG may have {MOST_SCANS} scans", scans),
        Bad("height that is no number", 422, "height: ", png, params={"height": "seven"}),
        Bad("height below zero", 422, "height: ", png, params={"height": -1}),
        Bad("height of zero", 422, "height: ", png, params={"height": 0}),
        Bad(
            "too large an answer",
            422,
            "an answer may have",
            png,
            params={"height": tall, "width": 1},
        ),
        Bad("unknown pooling", 422, "pool.0: ", png, params={"pool": "median"}),
        Bad("unknown parameter", 422, "heigth: ", png, params={"heigth": 7}),
        Bad("unknown format", 422, "format: ", png, params={"format": "pickle"}),
        Bad(
            "unknown type accepted", 406, "the answer can be", png, headers={"Accept": "text/html"}
        ),
        Bad(
            "Accept that cannot be read", 406, "the answer can be", png, headers={"Accept": "json"}
        ),
        Bad("wrong method", 405, "Method Not Allowed", png, method="PUT"),
        Bad("wrong path", 404, "Not Found", png, path="/feature"),
    ]
