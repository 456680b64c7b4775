"""The pictures of a request to their pixels: all headers are read before one is decoded."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence

from forms import Part
from pictures import Budget, PictureError, Pixels, open_picture, pixels_of
from PIL import Image


@contextlib.contextmanager
def _named(title: str) -> Iterator[None]:
    """Say of what picture a refusal speaks."""
    try:
        yield
    except PictureError as error:
        raise type(error)(f"{title}: {error}") from error


def decode_all(parts: Sequence[Part], max_pixels: int) -> list[Pixels]:
    """Return the pixels of all pictures, which together have no more than `max_pixels`."""
    budget = Budget(max_pixels)
    titles = [part.title(number, len(parts)) for number, part in enumerate(parts, 1)]
    opened: deque[Image.Image] = deque()
    for part, title in zip(parts, titles, strict=True):
        with _named(title):
            opened.append(open_picture(bytes(part.body), budget))
    decoded = []
    for title in titles:
        with _named(title):
            decoded.append(pixels_of(opened.popleft()))
    return decoded
