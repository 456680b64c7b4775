"""Pictures to one normalised tensor, in other libraries: resized, then normalised."""

from __future__ import annotations

from typing import Any

import numpy as np
from batches_data import normalisation_of, pictures_of
from cases import Case
from library import Call
from ours import AdaptivePool
from peers_of_pictures import FastImageResize, OpenCV
from peers_torch import Torch

NHWC = 4  # a layout of OpenCV, whose name has moved from `cv2.dnn` to `cv2` in version 5


def _is_first(case: Case) -> bool:
    return case.data_format == "channels_first"


class BytesAlone(AdaptivePool):
    """This library's resize alone: a batch of bytes, as the pictures are."""

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "pictures":
            return None
        pictures, size, pool = pictures_of(case), case.size, self.ap.adaptive_avg_pool2d_ragged
        options = {"windows": "area", "data_format": "channels_last", "dtype": np.uint8}
        return lambda: pool(pictures, size, **options)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return []  # it is another result


class OpenCVBlobs(OpenCV):
    """`resize` by area, then `blobFromImagesWithParams`, which knows a scale of each channel."""

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "pictures":
            return None
        cv2, pictures, (height, width) = self.cv2, pictures_of(case), case.size
        mean, std = normalisation_of(case)
        params = cv2.dnn.Image2BlobParams()
        params.mean, params.scalefactor = tuple(mean * 255), tuple(1 / (std * 255))
        if not _is_first(case):
            params.datalayout = NHWC

        def blobs() -> np.ndarray:
            resized = [
                cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
                for picture in pictures
            ]
            return cv2.dnn.blobFromImagesWithParams(resized, params)

        return blobs


class FastImageResizeNumPy(FastImageResize):
    """Its box filter, then NumPy: one batch of bytes times a scale, less an offset."""

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "pictures" or case.shape[1] not in self.kinds():
            return None
        kind, (height, width) = self.kinds()[case.shape[1]], case.size
        pictures = [
            self.fir.ImageData(picture.shape[1], picture.shape[0], kind, picture.tobytes())
            for picture in pictures_of(case)
        ]
        resize, channels = self.resizer(), case.shape[1]
        mean, std = normalisation_of(case)
        scale, offset = np.float32(1 / (std * 255)), np.float32(mean / std)
        axes = (0, 3, 1, 2) if _is_first(case) else (0, 1, 2, 3)
        along = (-1, 1, 1) if _is_first(case) else (-1,)

        def tensor() -> np.ndarray:
            batch = np.empty((len(pictures), height, width, channels), np.uint8)
            for own, picture in zip(batch, pictures, strict=True):
                result = resize(picture, width, height, kind)
                own.reshape(-1)[:] = np.frombuffer(result.get_buffer(), np.uint8)
            result = np.empty(case.output_shape, np.float32)
            np.multiply(batch.transpose(axes), scale.reshape(along), out=result)
            result -= offset.reshape(along)
            return result

        return tensor

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return [result]


class TorchEach(Torch):
    """`interpolate` by area of each picture alone, as float32, then normalised.

    Its planes are made contiguous, which takes less time than it saves.
    """

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "pictures":
            return None
        torch, size = self.torch, case.size
        pictures = [torch.from_numpy(picture).movedim(-1, 0)[None] for picture in pictures_of(case)]
        mean, std = normalisation_of(case)
        scale, offset = (
            torch.from_numpy(np.float32(numbers)).view(-1, 1, 1)
            for numbers in (1 / (std * 255), mean / std)
        )
        interpolate = torch.nn.functional.interpolate

        def tensor() -> Any:
            result = torch.empty(case.output_shape)
            planes = result if _is_first(case) else result.movedim(-1, 1)
            for own, picture in zip(planes, pictures, strict=True):
                resized = interpolate(picture.contiguous().float(), size, mode="area")[0]
                torch.mul(resized, scale, out=own).sub_(offset)
            return result

        return tensor

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return [result.numpy()]
