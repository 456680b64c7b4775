"""What is computed from a picture, and how it is written."""

from __future__ import annotations

import io
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import orjson
from pictures import Pixels
from pydantic import BaseModel, Field, PositiveInt

import adaptive_pool as ap

Operation = Literal["average", "max"]
Features = npt.NDArray[np.float32]

CHANNELS = 3


class Options(BaseModel, extra="forbid"):
    """The query parameters."""

    height: PositiveInt = 7
    width: PositiveInt = 7
    pool: Annotated[list[Operation], Field(min_length=1, max_length=2)] = ["average"]
    format: Literal["json", "npy"] | None = None

    def count(self) -> int:
        """Return how many values the answer holds."""
        return len(self.pool) * self.height * self.width * CHANNELS


def pool(pixels: Pixels, options: Options, num_threads: int) -> Features:
    """Return the pooled pictures, (operations, height, width, 3)."""
    functions = {"average": ap.adaptive_avg_pool2d, "max": ap.adaptive_max_pool2d}
    size = (options.height, options.width)
    return np.stack(
        [
            functions[name](pixels, size, data_format="channels_last", num_threads=num_threads)
            for name in options.pool
        ],
        dtype=np.float32,
    )


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
