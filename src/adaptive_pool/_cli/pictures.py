"""Pictures as arrays: upright, with every bit that their files have, or refused."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._problem import Array
from .ahead import Claim
from .alpha import Alpha, Transparent, shows_in_full, transparency, with_alpha
from .deep_reading import grey_of, is_deep, read_deep
from .errors import extra

if TYPE_CHECKING:
    from PIL import Image

# Phones take 200 million pixels; Pillow itself stops at 179 million.
MAX_PIXELS = 250_000_000

# As an array, and while they are read by Pillow: RGB has 3, and 4 there.
_BYTES_OF_A_PIXEL = 8

_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}

# Big-endian grey in compressed TIFF comes in the byte order of this machine, and Pillow 13 swaps
# these once more.
_SWAPPED = {"I;16BS": np.int16, "I;32BS": np.int32, "F;32BF": np.float32}

# Tags of TIFF.
_BITS = 0x0102  # of each channel
_PHOTOMETRIC = 0x0106  # 0: white is zero
_SAMPLE_FORMAT = 0x0153  # of each channel, 2: signed


class _Stored(NamedTuple):
    """How the pixels lie in the file; a picture that has been read no longer knows."""

    format: str
    decoder: str  # as Pillow names it, and so the next, or "" where it does not say
    rawmode: str
    white_is_zero: bool


@contextlib.contextmanager
def limited(max_pixels: int) -> Iterator[None]:
    """Let pictures have at most `max_pixels`, and those embedded in them too, for all threads."""
    with extra("cli"):
        from PIL import Image
    Image.init()  # by one thread, before others look for what it finds
    limit = Image.MAX_IMAGE_PIXELS
    # Pillow warns of more pixels than its limit, and raises from twice the limit on.
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is none of ours
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def read_picture(
    path: Path, gray: bool, alpha: Alpha, claim: Claim = lambda _: None
) -> Array | Transparent:
    """Return the pixels of a picture, (H, W, C): 3 colours, or one with `gray`.

    It is called within `limited`. `claim` is told how many bytes the pixels will take before they
    are read. With ``alpha="weighted"``, a picture with pixels that do not show in full comes as
    `Transparent`; with ``"keep"`` every picture has alpha as a last channel.
    """
    with _opened(path) as image:
        deep = is_deep(image)
        claim(image.width * image.height * _BYTES_OF_A_PIXEL * (2 if deep else 1))
        stored = _stored(image)
        _refuse_lost_signs(image, stored)
        if deep:
            colours, weights = _deep_colours(path, image.info.get("transparency"), gray)
        else:
            _refuse_lost_bits(image, stored, path)
            _scale_transparent_grey(image, stored)
            colours, weights = _colours(_upright(image), stored, gray)
    if alpha == "weighted" and weights is not None and not shows_in_full(colours, weights):
        return Transparent(colours, weights)
    return with_alpha(colours, weights) if alpha == "keep" else colours


def _deep_colours(path: Path, transparent: object, gray: bool) -> tuple[Array, Array | None]:
    """Return colours of 16 bits, (H, W, C), and how much each pixel shows, (H, W), or None: all."""
    pixels, weights = read_deep(lambda: _opened(path), _upright), None
    if pixels.shape[-1] in (2, 4):
        weights = transparency(pixels[..., -1])
        pixels = pixels[..., :-1]
    elif isinstance(transparent, tuple):  # one colour that is
        weights = (pixels != np.array(transparent)).any(-1).astype(np.uint8)
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 1 if gray else 3, axis=-1), weights
    return grey_of(pixels) if gray else pixels, weights


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; one that has too many pixels says how many it may have."""
    with extra("cli"):
        from PIL import Image, UnidentifiedImageError
    try:
        # By its name, Pillow 13 maps an uncompressed TIFF, and mixes up the pixels of one that
        # lies on its side.
        with path.open("rb") as stream, Image.open(stream) as image:
            yield image
    except UnidentifiedImageError:
        raise ValueError("cannot identify image file: Pillow reads no such format") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = re.search(r"\d+", str(error))
        raise ValueError(
            f"a picture may have {Image.MAX_IMAGE_PIXELS} pixels, this one has "
            f"{found[0] if found else 'more'}; --max-pixels allows more"
        ) from error


def _stored(image: Image.Image) -> _Stored:
    decoder = rawmode = ""
    for tile in getattr(image, "tile", ()):
        decoder, arguments = tile[0], tile[3]
        name = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
        rawmode = name if isinstance(name, str) else ""
    tags: Any = getattr(image, "tag_v2", {})
    return _Stored(image.format or "", decoder, rawmode, tags.get(_PHOTOMETRIC) == 0)


def _refuse_lost_signs(image: Image.Image, stored: _Stored) -> None:
    """Raise if the file has negative values, which Pillow takes for large ones."""
    tags: Any = getattr(image, "tag_v2", {})
    bits = {"L": 8, "I;16": 16}.get(image.mode)
    if bits and ((stored.format == "FITS" and bits == 16) or 2 in tags.get(_SAMPLE_FORMAT, ())):
        raise ValueError(
            f"{stored.format} of {bits} bits with a sign, which Pillow drops; save the array as "
            ".npy to pool it as it is"
        )


def _refuse_lost_bits(image: Image.Image, stored: _Stored, path: Path) -> None:
    """Raise if the file has more bits a channel than the 8 that Pillow gives."""
    if image.mode[0] in "IF":
        return
    bits = max(_bits(image, stored, path), default=8)
    if bits > 8:
        raise ValueError(
            f"pictures must have 8 bits a channel, or 16 that can be read, got {stored.format} of "
            f"{bits}, of which Pillow reads the upper 8; save the array as .npy to pool it as it is"
        )


def _bits(image: Image.Image, stored: _Stored, path: Path) -> Iterator[int]:
    """Yield the bits of channels, where they may be more than 8."""
    if ";16" in stored.rawmode and not stored.rawmode.startswith("BGR"):
        yield 16  # and "BGR;16" is 16 bits a pixel
    if stored.decoder == "SGI16":
        yield 16
    for tile in getattr(image, "tile", ()):
        if tile[0] == "bcn" and tile[3][0] == 6:  # BC6, halves
            yield 16
        if tile[0] in ("ppm", "ppm_plain") and isinstance(tile[3], tuple):
            yield int(tile[3][1]).bit_length()  # the largest value
    if stored.format == "TIFF":
        yield from getattr(image, "tag_v2", {}).get(_BITS, ())
    if stored.format in ("ICO", "ICNS"):
        # Pictures of PNG in them, each with its bits.
        yield from (found[1][0] for found in re.finditer(b"IHDR.{8}(.)", _head(path), re.DOTALL))
    if stored.format == "JPEG2000":
        yield from _bits_of_jpeg_2000(_head(path))
    if stored.format == "AVIF":
        yield from _bits_of_avif(_head(path))


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(2**20)


def _bits_of_jpeg_2000(head: bytes) -> Iterator[int]:
    """Yield the bits of each channel from the marker of sizes, SIZ."""
    start = head.find(b"\xff\x4f\xff\x51")
    if start >= 0:
        channels = int.from_bytes(head[start + 40 : start + 42])
        yield from ((byte & 0x7F) + 1 for byte in head[start + 42 :: 3][:channels])


def _bits_of_avif(head: bytes) -> Iterator[int]:
    """Yield the bits of each coded image, colours or alpha, from its box of settings, av1C."""
    for found in re.finditer(b"av1C..(.)", head, re.DOTALL):
        if found[1][0] & 0x40:
            yield 12 if found[1][0] & 0x20 else 10


def _scale_transparent_grey(image: Image.Image, stored: _Stored) -> None:
    """Make 8 bits of the grey that is transparent, as Pillow does of pixels of 1, 2 and 4 bits."""
    white = {"1": 255, "L;2": 85, "L;4": 17}.get(stored.rawmode)
    grey = image.info.get("transparency")
    if white and isinstance(grey, int) and grey * white <= 255:
        image.info["transparency"] = grey * white


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its orientation says, whatever else its metadata holds."""
    from PIL import Image

    image.load()  # Pillow turns TIFF files here, and forgets their orientation
    try:
        orientation: Any = image.getexif().get(_ORIENTATION)
        turn = _TURNS.get(orientation)
    except Exception:  # noqa: BLE001 - metadata that cannot be read, or used as a key, say nothing
        turn = None
    if turn is None:
        return image
    turned = image.transpose(Image.Transpose[turn])
    image.close()  # there may be memory for one of them
    return turned


def _colours(image: Image.Image, stored: _Stored, gray: bool) -> tuple[Array, Array | None]:
    """Return the colours, (H, W, C), and how much each pixel shows, (H, W), or None: all."""
    weights = None
    if image.mode[0] in "IF":
        grey = _deep(image, stored)
        if isinstance(image.info.get("transparency"), int):
            weights = (grey != image.info["transparency"]).astype(np.uint8)
        return np.repeat(grey[..., None], 1 if gray else 3, axis=-1), weights
    if image.has_transparency_data:
        if image.mode == "La":
            image = image.convert("LA")
        image = _converted(image, "RGBA")  # the only way for all of them
        pixels = np.asarray(_converted(image, "LA") if gray else image)
        return pixels[..., :-1], pixels[..., -1]
    pixels = np.asarray(_converted(image, "L" if gray else "RGB"))
    return pixels[..., None] if gray else pixels, weights


def _converted(image: Image.Image, mode: str) -> Image.Image:
    # Pillow would copy a picture that has the mode.
    return image if image.mode == mode else image.convert(mode)


def _deep(image: Image.Image, stored: _Stored) -> Array:
    """Return grey of 16 or 32 bits, (H, W), in the dtype that it has in the file."""
    grey = np.asarray(image)
    if stored.decoder == "libtiff" and stored.rawmode in _SWAPPED:
        grey = grey.astype(_SWAPPED[stored.rawmode]).byteswap().astype(grey.dtype)
    if image.mode == "F":
        return grey
    if image.mode == "I":
        if stored.rawmode == "I;32N":
            return grey.view(np.uint32)  # TIFF; Pillow knows no unsigned ones
        # Portable maps, and PNG before Pillow 11.
        return grey.astype(np.uint16) if stored.format in ("PPM", "PNG") else grey
    grey = grey.astype(np.uint16)  # in the byte order of this machine
    return ~grey if stored.white_is_zero else grey  # as Pillow does for 8 bits
