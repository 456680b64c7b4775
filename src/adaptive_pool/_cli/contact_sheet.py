"""The contact sheet of ``adaptive-pool demo``: a row for each photograph, original and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._problem import Array
from .errors import extra

if TYPE_CHECKING:
    from PIL import Image

# Pixels. All tiles of a row have the shape of its photograph, the longer side of this length.
_TILE = 256
_GAP = 12
_GROUP_GAP = 40
_MARGIN = 48
_HEADER = 84
_ROW_GAP = 48
_CAPTION = 24

_WHITE = (255, 255, 255)
_INK = (32, 32, 32)
_PALE = (110, 110, 110)
_FRAME = (208, 208, 208)


class Row(NamedTuple):
    """What stands in a row: pictures of shape (H, W, 3), uint8; the results are square."""

    name: str
    original: Array
    averages: list[Array]
    maxima: list[Array]


class _Column(NamedTuple):
    x: int
    caption: str


def _groups(row: Row) -> list[tuple[str, list[_Column]]]:
    """Return headings with their columns, from left to right."""
    captions = {
        "original": ["height x width"],
        "average": [f"{len(tile)} x {len(tile)}" for tile in row.averages],
        "maximum": [f"{len(tile)} x {len(tile)}" for tile in row.maxima],
    }
    groups, x = [], _MARGIN
    for heading, texts in captions.items():
        columns = [_Column(x + k * (_TILE + _GAP), text) for k, text in enumerate(texts)]
        groups.append((heading, columns))
        x = columns[-1].x + _TILE + _GROUP_GAP
    return groups


def _fitted(pixels: Array) -> Image.Image:
    """Return a picture scaled to fit a tile."""
    from PIL import Image, ImageOps

    return ImageOps.contain(Image.fromarray(pixels), (_TILE, _TILE), Image.Resampling.LANCZOS)


def _enlarged(pixels: Array, size: tuple[int, int]) -> Image.Image:
    """Return a picture of that size, every pixel a block in the shape of its window."""
    from PIL import Image

    # Where the edge of a block cuts through a pixel, the pixel is a mixture of both sides.
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BOX)


class _Sheet:
    """A white picture that takes captions and tiles."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw, ImageFont

        self.image = Image.new("RGB", (width, height), _WHITE)
        self._draw = ImageDraw.Draw(self.image)
        self._fonts = {size: ImageFont.load_default(size=size) for size in (18, 26)}

    def write(self, x: int, y: int, text: str, size: int, ink: tuple[int, int, int]) -> None:
        """Write with the left end of the baseline at (x, y)."""
        self._draw.text((x, y), text, fill=ink, font=self._fonts[size], anchor="ls")

    def paste(self, x: int, y: int, tile: Image.Image) -> None:
        """Put a tile at (x, y), in a frame that sets white tiles off from the paper."""
        self._draw.rectangle((x - 1, y - 1, x + tile.width, y + tile.height), outline=_FRAME)
        self.image.paste(tile, (x, y))


def _draw_header(sheet: _Sheet, groups: list[tuple[str, list[_Column]]]) -> None:
    for heading, columns in groups:
        sheet.write(columns[0].x, _MARGIN + 26, heading, 26, _INK)
        for column in columns:
            sheet.write(column.x, _MARGIN + 62, column.caption, 18, _PALE)


def _draw_row(sheet: _Sheet, row: Row, original: Image.Image, xs: list[int], y: int) -> None:
    sheet.paste(xs[0], y, original)
    height, width = row.original.shape[:2]
    caption = f"{row.name}, {height} x {width}"
    sheet.write(xs[0], y + original.height + _CAPTION, caption, 18, _INK)
    for x, tile in zip(xs[1:], row.averages + row.maxima, strict=True):
        sheet.paste(x, y, _enlarged(tile, original.size))


def draw_sheet(rows: list[Row]) -> Image.Image:
    """Draw all rows, which have the same sizes, under one header."""
    groups = _groups(rows[0])
    xs = [column.x for _, group in groups for column in group]
    with extra("demo"):
        originals = [_fitted(row.original) for row in rows]
        heights = [original.height + _ROW_GAP for original in originals]
        sheet = _Sheet(
            xs[-1] + _TILE + _MARGIN, 2 * _MARGIN + _HEADER + sum(heights) - _ROW_GAP + _CAPTION
        )
    _draw_header(sheet, groups)
    y = _MARGIN + _HEADER
    for row, original, height in zip(rows, originals, heights, strict=True):
        _draw_row(sheet, row, original, xs, y)
        y += height
    return sheet.image
