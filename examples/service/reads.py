"""How much pooling reads: a narrow picture and a long answer may take hours, each small alone."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import HTTPException
from pictures import Pixels


def reads(picture: tuple[int, int], size: tuple[int, int]) -> int:
    """Return how many pixels all windows hold, at most: neighbours share one row, one column."""
    (height, width), (rows, columns) = picture, size
    return (height + rows) * (width + columns)


def check_reads(pictures: Iterable[Pixels], size: tuple[int, int], max_reads: int) -> None:
    """Refuse pictures of which pooling to a size would read too much."""
    total = sum(reads(pixels.shape[:2], size) for pixels in pictures)
    if total > max_reads:
        raise HTTPException(
            422,
            f"pooling may read {max_reads} pixels, got {total}: the sum of "
            f"(height + {size[0]}) * (width + {size[1]}) of each picture",
        )
