"""What many problems in one call are held against.

To add one: a class with `prepare(case)`, and its name in `LIBRARIES_OF_BATCHES` and its families.
"""

from __future__ import annotations

from batches_alone import SingleCalls, SlowestAlone
from batches_numpy import ReduceatOfItems, Sum
from batches_pictures import BytesAlone, FastImageResizeNumPy, OpenCVBlobs, TorchEach
from batches_pyramids import TensorStoreLevels, TinyBrain
from batches_torch import TorchCalls, TorchLoop, TorchSegments
from library import Library

LIBRARIES_OF_BATCHES: dict[str, type[Library]] = {
    "single calls": SingleCalls,
    "slowest alone": SlowestAlone,
    "torch calls": TorchCalls,
    "torch loop": TorchLoop,
    "torch segments": TorchSegments,
    "bytes alone": BytesAlone,
    "torch, each": TorchEach,
    "opencv blobs": OpenCVBlobs,
    "fast_image_resize + numpy": FastImageResizeNumPy,
    "tensorstore levels": TensorStoreLevels,
    "tinybrain": TinyBrain,
    "reduceat of items": ReduceatOfItems,
    "sum": Sum,
}
