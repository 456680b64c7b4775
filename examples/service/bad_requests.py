"""Bad requests of every kind, with the refusal that each must get."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from pictures import MOST_SCANS
from PIL import Image, PngImagePlugin
from samples import encoded, scene
from settings import Settings


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


def png_of(width: int, height: int, bits: int = 8) -> bytes:
    """Return a PNG in colour that announces a size, and has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header) - 4) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\4IDAT"


def many_scans(jpeg: bytes, count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes `count` times more."""
    last, end = jpeg.rfind(b"\xff\xda"), jpeg.rfind(b"\xff\xd9")
    return jpeg[:end] + jpeg[last:end] * count + jpeg[end:]


def bad_requests(settings: Settings) -> list[Bad]:
    """Return them; `settings` are those of the service."""
    photo = Image.fromarray(scene(120, 160))
    deep = Image.fromarray(np.asarray(photo)[..., 0].astype(np.uint16) * 257)
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
    width = settings.max_reads // 1000
    narrow = encoded(Image.new("L", (width, 1)), "PNG")
    no_picture = "no picture of JPEG, PNG, WEBP"
    broken = "cannot be decoded"
    bytes_allowed = f"the body may have {settings.max_bytes} bytes"
    pixels_allowed = f"a picture may have {settings.max_pixels} pixels"
    return [
        Bad("empty body", 400, "empty"),
        Bad("text", 415, no_picture, b"not a picture"),
        Bad("another format", 415, no_picture, encoded(photo, "GIF")),
        Bad("grey of 16 bits", 415, "8 bits a channel", encoded(deep, "PNG")),
        Bad("colour of 16 bits", 415, "8 bits a channel", png_of(9, 5, bits=16)),
        Bad("form", 415, no_picture, b"--x\r\n\r\n" + png + b"\r\n--x--"),
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
        Bad(
            "too much to read",
            422,
            f"pooling may read {settings.max_reads} pixels, got {1001 * (width + 1)}",
            narrow,
            params={"height": 1000, "width": 1},
        ),
        Bad("unknown pooling", 422, "pool.0: ", png, params={"pool": "median"}),
        Bad("unknown alpha", 422, "alpha: ", png, params={"alpha": "keep"}),
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
