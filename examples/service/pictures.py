"""Bytes of a picture to pixels, or the reason why not."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")

# Encoders write about 10. A scan can be 40 bytes long and take as much time as a whole picture.
MOST_SCANS = 64

# What begins a segment or ends the picture: no restart (D0 to D7), and no escaped byte of a scan.
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's own limit would act beside SERVICE_MAX_PIXELS, which is checked before anything is
# decoded.
Image.MAX_IMAGE_PIXELS = None

# Pillow warns of odd metadata, which are none of ours, with what the sender wrote there.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

Pixels = npt.NDArray[np.uint8]


class PictureError(Exception):
    """Says why a picture is refused."""


class NotAPictureError(PictureError):
    """The bytes are of no format that is taken."""


class TooDeepError(PictureError):
    """The picture has more bits a channel than can be read."""


class TooLargeError(PictureError):
    """To decode the picture would take too much memory or time."""


class BrokenError(PictureError):
    """The bytes begin as a picture but do not go on as one."""


class Budget:
    """How many pixels there may be: of one picture, or of all pictures of a request together."""

    def __init__(self, pixels: int) -> None:
        self._pixels, self._taken = pixels, 0

    def take(self, width: int, height: int) -> None:
        """Count a picture in, or refuse it."""
        if self._taken + width * height > self._pixels:
            size = f"{width} x {height}"
            raise TooLargeError(
                f"pictures may have {self._pixels} pixels together, got {size} after {self._taken}"
                if self._taken
                else f"a picture may have {self._pixels} pixels, got {size}"
            )
        self._taken += width * height


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Make of whatever a reader raises the reason of a refusal."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # a broken file makes a reader raise anything
        raise BrokenError(f"the picture cannot be decoded: {error}") from error


@_refusals()
def open_picture(body: bytes, budget: Budget) -> Image.Image:
    """Read the header alone, and refuse what it announces if that is too much."""
    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAPictureError(f"the body is no picture of {', '.join(FORMATS)}") from None
    budget.take(image.width, image.height)
    if image.format in ("JPEG", "MPO") and (scans := count_scans(body)) > MOST_SCANS:
        raise TooLargeError(f"a JPEG may have {MOST_SCANS} scans, got {scans}")
    if any(";16" in str(tile) for tile in image.tile):  # how pixels lie in the file
        raise TooDeepError("a picture must have 8 bits a channel, got 16")
    return image


def count_scans(jpeg: bytes) -> int:
    """Return how many scans a decoder finds, up to the end of the picture.

    What follows is none of its business: the film of a phone's photo, or another picture. Neither
    are previews, which lie inside of segments.
    """
    scans, position = 0, 0
    while found := _MARKER.search(jpeg, position):
        marker, position = found[1][0], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        if marker != _START:
            position += int.from_bytes(jpeg[position : position + 2])  # of the segment
    return scans


def _scale_transparent_grey(image: Image.Image) -> None:
    """Make 8 bits of the grey that is transparent, as Pillow does of pixels of 1, 2 and 4 bits."""
    rawmode = image.tile[0][3] if image.tile else None
    white = {"1": 255, "L;2": 85, "L;4": 17}.get(rawmode) if isinstance(rawmode, str) else None
    grey = image.info.get("transparency")
    if white and isinstance(grey, int) and grey * white <= 255:
        image.info["transparency"] = grey * white


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its orientation says, whatever else its metadata holds."""
    image.load()
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # noqa: BLE001 - metadata that cannot be read, or used as a key, say nothing
        turn = None
    if turn is None:
        return image
    turned = image.transpose(turn)
    image.close()  # there is memory for one of them
    return turned


@_refusals()
def pixels_of(image: Image.Image) -> Pixels:
    """Return 8 bits a channel: 3 colours, and alpha where a pixel does not show in full."""
    with image:
        _scale_transparent_grey(image)
        image = _upright(image)
        if image.has_transparency_data:
            pixels = np.asarray(_converted(image, "RGBA"))
            return pixels[..., :3] if (pixels[..., 3] == 255).all() else pixels
        return np.asarray(_converted(image, "RGB"))


def _converted(image: Image.Image, mode: str) -> Image.Image:
    # Pillow would copy a picture that has the mode.
    return image if image.mode == mode else image.convert(mode)


def decode(body: bytes, max_pixels: int) -> Pixels:
    """Return the pixels of a picture, (height, width, 3), or 4 with alpha."""
    return pixels_of(open_picture(body, Budget(max_pixels)))
