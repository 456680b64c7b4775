"""Requests with several pictures, each with the tensor that is right."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
from pictures import Pixels
from samples import Picture, pictures
from settings import Settings

FITS = ["stretch", "letterbox", "crop"]
OPTIONS: list[dict[str, Any]] = [
    {"size": "7,5"},
    {"size": "8", "mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"},
    {"size": "9,16", "layout": "NHWC", "scale": 1, "mean": "104,117,123", "bgr": True},
    {"size": "12", "layout": "NHWC", "scale": 1, "dtype": "uint8", "pad_value": 114},
    {"size": "6,10", "mean": 0.5, "std": 0.5, "dtype": "float16", "pad_value": 255},
    {"size": "300,2", "scale": 1, "mean": 128, "dtype": "int8", "bgr": True},
    {"size": "1", "std": "1,2,3", "dtype": "float64"},
]
COUNTS = [1, 2, 6, 3]  # pictures in a request, in turn
PART_BYTES = 300  # more than the headers of a part have

Box = tuple[slice, slice]


@dataclass
class Tensor:
    """A request with its right answer."""

    pictures: list[Picture]
    params: dict[str, Any]
    tensor: np.ndarray

    @property
    def count(self) -> int:
        """How many pictures it has."""
        return len(self.pictures)

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"{', '.join(picture.name for picture in self.pictures)} {self.params}"

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        """Send it and return the answer."""
        files = [("pictures", (picture.name, picture.body)) for picture in self.pictures]
        return await client.post("/tensor", params=self.params, files=files)

    def is_answered_by(self, response: httpx.Response) -> bool:
        """Whether status, type, shape, dtype and every bit are right."""
        kind = response.headers["content-type"]
        if (response.status_code, kind) != (200, "application/x-npy"):
            return False
        tensor = np.load(io.BytesIO(response.content), allow_pickle=False)
        return (tensor.dtype, tensor.shape, tensor.tobytes()) == (
            self.tensor.dtype,
            self.tensor.shape,
            self.tensor.tobytes(),
        )


def shares(length: int, count: int) -> np.ndarray:
    """Return how much each of `count` equal parts has of each element, in units of 1/count."""
    part, k = np.arange(count)[:, None], np.arange(length)
    ends = np.minimum((k + 1) * count, (part + 1) * length)
    return np.maximum(ends - np.maximum(k * count, part * length), 0)


def area_means(pixels: Pixels, height: int, width: int) -> np.ndarray:
    """Return the means over equal areas: integer sums, each divided with one rounding."""
    rows, columns = shares(pixels.shape[0], height), shares(pixels.shape[1], width)
    sums = np.tensordot(rows, pixels.astype(np.int64), 1)
    sums = np.moveaxis(np.tensordot(sums, columns, (1, 1)), -1, 1)
    total = pixels.shape[0] * pixels.shape[1]
    return (sums.astype(object) / total).astype(np.float64)


def middle(inner: Sequence[Fraction], outer: Sequence[int]) -> Box:
    """Return the box in the middle, whose lengths are rounded half up and 1 at least."""
    lengths = [max(math.floor(length + Fraction(1, 2)), 1) for length in inner]
    starts = [(whole - length) // 2 for length, whole in zip(lengths, outer, strict=True)]
    rows, columns = (slice(i, i + n) for i, n in zip(starts, lengths, strict=True))
    return rows, columns


def boxes(fit: str, size: tuple[int, int], to: tuple[int, int]) -> tuple[Box, Box]:
    """Return what part of a picture is seen, and where in the tensor."""
    ratios = [Fraction(o, i) for i, o in zip(size, to, strict=True)]
    source = target = (slice(None), slice(None))
    if fit == "letterbox":
        target = middle([i * min(ratios) for i in size], to)
    if fit == "crop":
        source = middle([o / max(ratios) for o in to], size)
    return source, target


def expected(several: list[Picture], params: dict[str, Any]) -> np.ndarray:
    """Return the tensor, by its definition."""
    size = [int(number) for number in params["size"].split(",")]
    height, width = size[0], size[-1]
    mean, std = (
        np.array(str(params.get(name, default)).split(","), np.float64)
        for name, default in (("mean", 0), ("std", 1))
    )
    scale = params.get("scale", 1 / 255)
    tensor = np.full((len(several), height, width, 3), float(params.get("pad_value", 0)))
    for pixels, result in zip((p.pixels[..., :3] for p in several), tensor, strict=True):
        source, target = boxes(params["fit"], pixels.shape[:2], (height, width))
        part = result[target]
        part[:] = area_means(pixels[source], *part.shape[:2])
    if params.get("bgr"):
        tensor = tensor[..., ::-1]
    tensor = tensor * (scale / std) + -mean / std
    dtype = np.dtype(params.get("dtype", "float32"))
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        tensor = np.rint(tensor).clip(limits.min, limits.max)
    return (tensor if params.get("layout") == "NHWC" else np.moveaxis(tensor, -1, 1)).astype(dtype)


def groups(settings: Settings, turn: int) -> Iterator[list[Picture]]:
    """Yield all pictures, in groups of different sizes that are within the limits."""
    every = pictures()
    wanted = itertools.islice(itertools.cycle(COUNTS), turn, None)
    group: list[Picture] = []
    most = next(wanted)
    for picture in every[turn:] + every[:turn]:
        several = [*group, picture]
        too_large = (
            sum(len(p.body) + PART_BYTES for p in several) > settings.max_bytes
            or sum(p.pixels[..., 0].size for p in several) > settings.max_pixels
        )
        if group and (too_large or len(group) == most):
            yield group
            group, most = [], next(wanted)
        group.append(picture)
    yield group


def tensor_requests(settings: Settings) -> Iterator[Tensor]:
    """Yield every picture in every fit; counts and other options take turns."""
    options = itertools.cycle(OPTIONS)
    for turn, fit in enumerate(FITS):
        for group in groups(settings, turn):
            params = {**next(options), "fit": fit}
            yield Tensor(group, params, expected(group, params))
