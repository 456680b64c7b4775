"""Requests for features, each with its right answer."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from samples import Picture, pictures

from adaptive_pool import _reference, pool_windows

SIZES = [(7, 7), (1, 3)]
POOLS = [["average"], ["max"], ["average", "max"]]
ALPHAS = ["weighted", "drop"]
FORMATS = ["application/json", "application/x-npy"]


@dataclass
class Good:
    """A request with its right answer."""

    picture: Picture
    params: dict[str, Any]
    media_type: str
    features: np.ndarray
    count = 1  # pictures

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"{self.picture.name} {self.params}"

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        """Send it and return the answer."""
        return await client.post(
            "/features",
            params=self.params,
            content=self.picture.body,
            headers={"Accept": self.media_type},
        )

    def is_answered_by(self, response: httpx.Response) -> bool:
        """Whether status, type, shape and every number are right."""
        if response.status_code != 200 or response.headers["content-type"] != self.media_type:
            return False
        if self.media_type == "application/json":
            features = np.array(response.json()["features"], np.float32)
        else:
            features = np.load(io.BytesIO(response.content), allow_pickle=False)
        return features.dtype == np.float32 and np.array_equal(features, self.features)


def means(planes: np.ndarray, shown: np.ndarray | None, windows: _reference.Tables) -> np.ndarray:
    """Return the means of planes, weighted by how much each pixel shows."""
    if shown is None:
        return _reference.average(planes, windows, np.dtype(np.float32))
    counts = [len(starts) for starts, _ in windows]
    result = np.zeros((len(planes), *counts), np.float32)
    for (i, j), window in _reference.each_window(windows):
        weights = shown[window].astype(int)
        if weights.any():
            sums = (planes[:, *window] * weights).sum((1, 2))
            result[:, i, j] = [int(total) / int(weights.sum()) for total in sums]
    return result


def good_requests() -> Iterator[Good]:
    """Yield every picture to every size; pooling and type take turns."""
    turns = itertools.cycle(itertools.product(POOLS, ALPHAS, FORMATS))
    for picture, (height, width) in itertools.product(pictures(), SIZES):
        pool, alpha, media_type = next(turns)
        planes, shown = np.moveaxis(picture.pixels[..., :3], -1, 0), picture.pixels[..., 3:]
        weights = shown[..., 0] if shown.size and alpha == "weighted" else None
        if weights is not None:
            planes = planes * (weights > 0)  # what does not show counts nowhere
        sizes = zip(planes.shape[1:], (height, width), strict=True)
        windows = [pool_windows(i, o) for i, o in sizes]
        definition = {
            "average": lambda p=planes, s=weights, w=windows: means(p, s, w),
            "max": lambda p=planes, w=windows: _reference.maximum(p, w)[0],
        }
        features = np.stack([np.moveaxis(definition[name](), 0, -1) for name in pool])
        params = {"height": height, "width": width, "pool": pool, "alpha": alpha}
        yield Good(picture, params, media_type, features)
