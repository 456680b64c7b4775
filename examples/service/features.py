"""What is computed from a picture, and how it is written."""

from __future__ import annotations

import functools
import io
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import orjson
from pictures import Pixels
from pydantic import BaseModel, Field, PositiveInt

import adaptive_pool as ap

Operation = Literal["average", "max"]
Alpha = Literal["weighted", "drop"]
Features = npt.NDArray[np.float32]

CHANNELS = 3


class Options(BaseModel, extra="forbid"):
    """The query parameters."""

    height: PositiveInt = 7
    width: PositiveInt = 7
    pool: Annotated[list[Operation], Field(min_length=1, max_length=2)] = ["average"]
    alpha: Alpha = "weighted"
    format: Literal["json", "npy"] | None = None

    def count(self) -> int:
        """Return how many values the answer holds."""
        return len(self.pool) * self.height * self.width * CHANNELS


def pool(pixels: Pixels, options: Options, num_threads: int) -> Features:
    """Return the pooled pictures, (operations, height, width, 3)."""
    functions = {"average": ap.adaptive_avg_pool2d, "max": ap.adaptive_max_pool2d}
    size = (options.height, options.width)
    colours = pixels[..., :CHANNELS]
    if pixels.shape[-1] > CHANNELS and options.alpha == "weighted":
        alpha = pixels[..., CHANNELS:]
        functions["average"] = functools.partial(_weighted_mean, alpha)
        functions["max"] = functools.partial(_visible_maximum, alpha)
    return np.stack(
        [
            functions[name](colours, size, data_format="channels_last", num_threads=num_threads)
            for name in options.pool
        ],
        dtype=np.float32,
    )


def _weighted_mean(alpha: Pixels, colours: Pixels, size: tuple[int, int], **how: Any) -> Features:
    """Return the sums of colour times alpha over those of alpha; 0 where nothing shows."""
    products = np.multiply(colours, alpha, dtype=np.uint16)
    lengths = [
        np.subtract(*reversed(ap.pool_windows(*lengths)))
        for lengths in zip(colours.shape, size, strict=False)
    ]
    counts = np.multiply.outer(*lengths)[..., None]
    # Means times counts are the sums, but for less than a half.
    sums, total = (
        np.rint(ap.adaptive_avg_pool2d(x, size, dtype=np.float64, **how) * counts)
        for x in (products, alpha)
    )
    return np.divide(sums, total, out=np.zeros_like(sums), where=total > 0).astype(np.float32)


def _visible_maximum(alpha: Pixels, colours: Pixels, size: tuple[int, int], **how: Any) -> Pixels:
    """Return the maxima of what shows at all; 0 where nothing does."""
    return ap.adaptive_max_pool2d(colours * (alpha > 0), size, **how)


def as_json(features: Features) -> bytes:
    """Write the shape and the values, each the shortest number that is read back as itself."""
    document = {"shape": features.shape, "features": features}
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def as_npy(features: Features) -> bytes:
    """Write what numpy.load reads."""
    stream = io.BytesIO()
    np.save(stream, features, allow_pickle=False)
    return stream.getvalue()


WRITERS = {"application/json": as_json, "application/x-npy": as_npy}
