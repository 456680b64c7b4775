"""Pictures to one tensor, written once: into the answer itself."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import HTTPException
from pictures import Pixels
from pydantic import AfterValidator, BaseModel, BeforeValidator, FiniteFloat, PositiveInt

from adaptive_pool.pictures import to_tensor

CHANNELS = 3


def _split(values: Any) -> Any:
    """Take `1,2,3` as well as 1, 2 and 3: a parameter that comes several times is a list."""
    return [x for text in values for x in text.split(",")] if isinstance(values, list) else values


def _one_or(count: int) -> Any:
    def check(numbers: list[Any]) -> list[Any]:
        if len(numbers) not in (1, count):
            raise ValueError(f"must be 1 number or {count}, got {len(numbers)}")
        return numbers

    return AfterValidator(check)


def _not_zero(numbers: list[float]) -> list[float]:
    if 0 in numbers:
        raise ValueError("must not be 0")
    return numbers


Size = Annotated[list[PositiveInt], BeforeValidator(_split), _one_or(2)]
Channels = Annotated[list[FiniteFloat], BeforeValidator(_split), _one_or(CHANNELS)]
Dtype = Literal["float16", "float32", "float64", "int8", "uint8", "int16", "uint16"]


class TensorOptions(BaseModel, extra="forbid"):
    """The query parameters: arguments of `to_tensor`."""

    size: Size
    mean: Channels = [0.0]
    std: Annotated[Channels, AfterValidator(_not_zero)] = [1.0]
    scale: FiniteFloat = 1 / 255
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Dtype = "float32"
    fit: Literal["stretch", "letterbox", "crop"] = "stretch"
    bgr: bool = False
    pad_value: FiniteFloat = 0

    @property
    def height_and_width(self) -> tuple[int, int]:
        """The size, of which one number is for both."""
        return self.size[0], self.size[-1]

    def shape(self, count: int) -> tuple[int, ...]:
        """Return the shape of the tensor of so many pictures."""
        size = self.height_and_width
        return (count, *size, CHANNELS) if self.layout == "NHWC" else (count, CHANNELS, *size)

    def nbytes(self, count: int) -> int:
        """Return how many bytes that tensor has."""
        return math.prod(self.shape(count)) * np.dtype(self.dtype).itemsize

    def check(self, count: int, max_bytes: int) -> None:
        """Refuse a tensor that would be too large."""
        if self.nbytes(count) > max_bytes:
            raise HTTPException(
                422,
                f"a tensor may have {max_bytes} bytes, got {self.nbytes(count)}: {self.dtype} of "
                f"shape {self.shape(count)}",
            )


def npy_of(pictures: Sequence[Pixels], options: TensorOptions, num_threads: int) -> memoryview:
    """Return what numpy.load reads: the tensor is computed where it is sent from."""
    dtype, shape = np.dtype(options.dtype), options.shape(len(pictures))
    about = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, about)
    start = header.tell()  # a multiple of 64: what follows is aligned
    answer = np.empty(start + options.nbytes(len(pictures)), np.uint8)
    answer[:start] = np.frombuffer(header.getvalue(), np.uint8)
    to_tensor(
        [pixels[..., :CHANNELS] for pixels in pictures],
        options.height_and_width,
        mean=_number_or_channels(options.mean),
        std=_number_or_channels(options.std),
        scale=options.scale,
        layout=options.layout,
        dtype=dtype,
        fit=options.fit,
        bgr=options.bgr,
        pad_value=options.pad_value,
        out=answer[start:].view(dtype).reshape(shape),
        num_threads=num_threads,
    )
    return memoryview(answer)


def _number_or_channels(numbers: list[float]) -> float | list[float]:
    return numbers[0] if len(numbers) == 1 else numbers
