"""Colours of 16 bits a channel, of which Pillow gives the upper 8: read in two halves.

Pillow has no pictures of colours with 16 bits. What unpacks such a file keeps one byte of two, the
first or the second, as the byte order says. So the file is read twice, with its own byte order and
with the other one, and the two halves together are all that there is. Grey with alpha has no two
ways to be unpacked, but four bytes for each pixel, as colours of 8 bits have that are transparent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .._problem import Array

if TYPE_CHECKING:
    from PIL import Image

# What Pillow calls the ways to unpack, and where the upper byte is.
_COLOURS = frozenset(f"{mode};16{order}" for mode in ("RGB", "RGBA") for order in "BLN")
_GREY_WITH_ALPHA = "LA;16B"
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}

# A tag of TIFF, and its value for channels one after the other.
_PLANES = 0x011C, 2


def is_deep(image: Image.Image) -> bool:
    """Whether a picture that is not read yet has 16 bits a channel which can be read."""
    tags: Any = getattr(image, "tag_v2", {})
    ways = {_way(tile) for tile in getattr(image, "tile", ())}
    return (
        image.format in ("PNG", "TIFF")
        and tags.get(_PLANES[0]) != _PLANES[1]
        and len(ways) == 1
        and (ways <= _COLOURS or (ways == {_GREY_WITH_ALPHA} and image.mode == "RGBA"))
    )


def read_deep(open_again: Callable[[], Any], upright: Callable[[Any], Any]) -> Array:
    """Return the channels of a picture, (H, W, C), uint16: 2 are grey and alpha, 4 colours and it.

    `open_again` is a context with the picture, not read yet, and `upright` reads and turns it.
    """
    with open_again() as image:
        if _way(image.tile[0]) == _GREY_WITH_ALPHA:
            image.tile = [_with_way(tile, "RGBA") for tile in image.tile]
            return np.asarray(upright(image)).view(">u2").astype(np.uint16)
        upper = np.asarray(upright(image)).astype(np.uint16)
    with open_again() as image:
        image.tile = [_with_way(tile, _other(_way(tile))) for tile in image.tile]
        lower = np.asarray(upright(image))
    upper <<= 8
    upper |= lower
    return upper


def grey_of(colours: Array) -> Array:
    """Return grey of red, green and blue, (H, W, 1), by the weights that Pillow has for 8 bits."""
    weights = np.array([19595, 38470, 7471], np.uint32)  # they add up to 2**16
    return ((colours @ weights + 0x8000) >> 16).astype(np.uint16)[..., None]


def _way(tile: Any) -> str:
    """Return how a part of a picture is unpacked, or an empty text where that is not said."""
    arguments = tile[3]
    way = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return way if isinstance(way, str) else ""


def _with_way(tile: Any, way: str) -> Any:
    decoder, extents, offset, arguments = tile
    new = (way, *arguments[1:]) if isinstance(arguments, tuple) else way
    changed = decoder, extents, offset, new
    # A plain tuple before Pillow 11.
    return tile._make(changed) if hasattr(tile, "_make") else changed


def _other(way: str) -> str:
    return way[:-1] + _OTHER_ORDER[way[-1]]
