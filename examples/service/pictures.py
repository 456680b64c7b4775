"""Bytes of a picture to pixels, or the reason why not."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")

# Encoders write about 10. A scan can be 40 bytes long and take as much time as a whole picture.
MOST_SCANS = 64
_START_OF_SCAN = b"\xff\xda"

Pixels = npt.NDArray[np.uint8]


class PictureError(Exception):
    """Says why a picture is refused."""


class NotAPictureError(PictureError):
    """The bytes are of no format that is taken."""


class TooLargeError(PictureError):
    """To decode the picture would take too much memory or time."""


class BrokenError(PictureError):
    """The bytes begin as a picture but do not go on as one."""


def _open(body: bytes, max_pixels: int) -> Image.Image:
    """Read the header alone, and refuse what it announces if that is too much."""
    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAPictureError(f"the body is no picture of {', '.join(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLargeError(f"a picture may have {max_pixels} pixels") from None
    if image.width * image.height > max_pixels:
        raise TooLargeError(
            f"a picture may have {max_pixels} pixels, got {image.width} x {image.height}"
        )
    scans = body.count(_START_OF_SCAN)
    if image.format in ("JPEG", "MPO") and scans > MOST_SCANS:
        raise TooLargeError(f"a JPEG may have {MOST_SCANS} scans, got {scans}")
    return image


def _rgb(image: Image.Image) -> Pixels:
    """Decode to 8 bits a channel, upright, without transparency."""
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):
        # Grey of 16 bits, which Pillow would clip; of colours of 16 bits it too takes the upper 8.
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.has_transparency_data:  # palettes are converted by way of RGBA only
        image = image.convert("RGBA")
    # To convert what is RGB would copy it.
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def decode(body: bytes, max_pixels: int) -> Pixels:
    """Return the pixels of a picture, (height, width, 3)."""
    try:
        with _open(body, max_pixels) as image:
            return _rgb(image)
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # a broken file makes a reader raise anything
        raise BrokenError(f"the picture cannot be decoded: {error}") from error
