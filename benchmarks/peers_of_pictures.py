"""Libraries that know pictures: OpenCV, Pillow, fast_image_resize."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from cases import INTEGERS, Case
from data import input_of
from library import Call, Library


class OpenCV(Library):
    """`INTER_AREA`: every pixel counts by the area of it that a window covers."""

    module = "cv2"
    distribution = "opencv-python-headless"
    windows = "area"
    weights = 2.0**-24  # 1 / 9 is float32, for float64 too
    # Half a level of rounding, and up to half for what it leaves out: of two axes each the weights
    # of two edge pixels if below 1e-3, which move a mean over two pixels by 255 * 4e-3 / 2.
    levels = 1.02

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.cv2 = importlib.import_module("cv2")
        self.cv2.setNumThreads(threads)

    def prepare(self, case: Case) -> Call | None:
        pictures = case.ndim == 2 and case.data_format == "channels_last" and case.shape[0] == 1
        if not pictures or case.operation != "avg" or case.shape[1] > 4:
            return None
        integers = case.dtype in INTEGERS and case.result == case.dtype
        if not integers and not (case.dtype in ("float32", "float64") and case.divides):
            return None
        (height, width), picture = (o for _, o in case.pooled), input_of(case)[0]
        picture = picture.astype(case.dtype, copy=False)
        area, resize = self.cv2.INTER_AREA, self.cv2.resize
        return lambda: resize(picture, (width, height), interpolation=area)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [result.reshape(case.output_shape)]


class Pillow(Library):
    """`reduce` where factors are whole, else `resize` with `BOX`. It has one thread."""

    module = "PIL"
    distribution = "pillow"
    windows = "centre"
    # It rounds after each axis; the rest is for its fixed-point weights of 22 bits.
    levels = 1.01
    MODES = ((1, "L"), (3, "RGB"), (4, "RGBX"))  # four channels of one kind, no alpha

    def prepare(self, case: Case) -> Call | None:
        mode = dict(self.MODES).get(case.shape[1])
        if case.dtype != "uint8" or mode is None:
            return None
        image = importlib.import_module("PIL.Image")
        pixels = input_of(case)[0]
        size = tuple(reversed(case.input_shape[1:3]))
        picture = image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)
        (ih, oh), (iw, ow) = case.pooled
        if case.divides:
            return lambda: picture.reduce((iw // ow, ih // oh))
        return lambda: picture.resize((ow, oh), image.Resampling.BOX)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [np.asarray(result).reshape(case.output_shape)]


class FastImageResize(Library):
    """fast_image_resize, a crate of Rust, with its box filter; each result is a new image."""

    module = "cykooz_resizer"
    distribution = "cykooz-resizer"
    windows = "box"
    # It rounds after each axis, too. Its weights have 16 bits: n of them, 1 / n each, are off by at
    # most 2**-15 / n, which moves a mean by 255 * 2**-14 on two axes.
    levels = 1.02

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.fir = importlib.import_module("cykooz_resizer")

    def kinds(self) -> dict[int, Any]:
        """Return the kinds of pixels by their numbers of channels."""
        kinds = self.fir.PixelType
        return {1: kinds.U8, 3: kinds.U8x3, 4: kinds.U8x4}

    def resizer(self) -> Callable[[Any, int, int, Any], Any]:
        """Return what resizes a picture to a width and a height."""
        fir, resizer = self.fir, self.fir.Resizer()
        box = fir.ResizeAlg.convolution(fir.FilterType.box)
        pool = fir.ResizerThreadPool(self.threads) if self.threads > 1 else None
        options = fir.ResizeOptions(resize_alg=box, use_alpha=False, thread_pool=pool)

        def resize(picture: Any, width: int, height: int, kind: Any) -> Any:
            result = fir.ImageData(width, height, kind)
            resizer.resize(picture, result, options)
            return result

        return resize

    def prepare(self, case: Case) -> Call | None:
        if case.dtype != "uint8" or case.shape[1] not in self.kinds():
            return None
        kind = self.kinds()[case.shape[1]]
        (ih, oh), (iw, ow) = case.pooled
        picture = self.fir.ImageData(iw, ih, kind, input_of(case).tobytes())
        resize = self.resizer()
        return lambda: resize(picture, ow, oh, kind)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [np.frombuffer(result.get_buffer(), np.uint8).reshape(case.output_shape)]
