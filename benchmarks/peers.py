"""The other libraries. To add one: a class with `prepare(case)`, and its name in `LIBRARIES`."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from blocks import Keras, NumPyReduceat, NumPyReshape, ScikitImage, TensorStore
from cases import INTEGERS, Case
from data import gradient_of, input_of
from library import Call, Library
from options_peers import LIBRARIES_OF_OPTIONS
from ours import AdaptivePool, Reading


class Torch(Library):
    """PyTorch's CPU kernels; backward calls its raw operators, without autograd.

    It pools no integers of up to 16 bits: they are made float32 in every call, as users do. In one
    dimension it has no backward passes: autograd takes those of two, with an axis of 1.
    """

    module = "torch"
    distribution = "torch"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.torch = importlib.import_module("torch")
        self.torch.set_num_threads(threads)
        self.torch.set_grad_enabled(False)

    def _tensor(self, array: np.ndarray, case: Case) -> Any:
        """Channels last is its own memory format: a view with strides."""
        tensor = self.torch.from_numpy(array).to(getattr(self.torch, case.dtype))
        return tensor if case.data_format == "channels_first" else tensor.movedim(-1, 1)

    def prepare(self, case: Case) -> Call | None:
        if case.result:
            return None
        size, kind = case.size, case.operation[:3]
        if case.operation == "avg_backward":  # of the input, only the shape is used
            x = self._tensor(np.empty(case.input_shape, np.float32), case)
        else:
            x = self._tensor(input_of(case), case)
        pool = getattr(self.torch.nn.functional, f"adaptive_{kind}_pool{case.ndim}d")
        if case.operation == "max":
            if case.dtype in INTEGERS:
                return lambda: pool(x.float(), size, return_indices=True)
            return lambda: pool(x, size, return_indices=True)
        if case.operation in ("avg", "max_values"):
            if case.dtype in INTEGERS:
                return lambda: pool(x.float(), size)
            return lambda: pool(x, size)
        g = self._tensor(gradient_of(case), case)
        indices = pool(x, size, return_indices=True)[1] if kind == "max" else None
        if case.ndim == 1:
            x, g, indices = (t if t is None else t.unsqueeze(2) for t in (x, g, indices))
        prefix, ndim = "_" if kind == "avg" else "", max(2, case.ndim)
        name = f"{prefix}adaptive_{kind}_pool{ndim}d_backward"
        backward = getattr(self.torch.ops.aten, name)
        if indices is None:
            return lambda: backward(g, x)
        return lambda: backward(g, x, indices)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        results = result if isinstance(result, tuple) else (result,)
        results = [r.squeeze(2) if r.dim() > 2 + case.ndim else r for r in results]
        if case.data_format == "channels_last":
            results = [r.movedim(1, -1) for r in results]
        return [(r.float() if r.dtype.itemsize == 2 else r).numpy() for r in results]


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

    def prepare(self, case: Case) -> Call | None:
        fir = importlib.import_module("cykooz_resizer")
        kinds = {1: fir.PixelType.U8, 3: fir.PixelType.U8x3, 4: fir.PixelType.U8x4}
        if case.dtype != "uint8" or case.shape[1] not in kinds:
            return None
        kind = kinds[case.shape[1]]
        (ih, oh), (iw, ow) = case.pooled
        picture = fir.ImageData(iw, ih, kind, input_of(case).tobytes())
        box = fir.ResizeAlg.convolution(fir.FilterType.box)
        pool = fir.ResizerThreadPool(self.threads) if self.threads > 1 else None
        options = fir.ResizeOptions(resize_alg=box, use_alpha=False, thread_pool=pool)
        resizer = fir.Resizer()

        def resize() -> Any:
            result = fir.ImageData(ow, oh, kind)
            resizer.resize(picture, result, options)
            return result

        return resize

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        return [np.frombuffer(result.get_buffer(), np.uint8).reshape(case.output_shape)]


class OpenVINO(Library):
    """A compiled model of the one operator; the input is shared, the output written in place."""

    module = "openvino"
    distribution = "openvino"

    def prepare(self, case: Case) -> Call | None:
        if (case.data_format, case.dtype) != ("channels_first", "float32"):
            return None
        if case.operation not in ("avg", "max"):
            return None
        ov = importlib.import_module("openvino")
        ops = importlib.import_module("openvino.opset14")
        parameter = ops.parameter(case.shape, np.float32)
        size = ops.constant([o for _, o in case.pooled], np.int64)
        if case.operation == "avg":
            node = ops.adaptive_avg_pool(parameter, size)
        else:
            node = ops.adaptive_max_pool(parameter, size, "i32")  # its CPU kernel knows no i64
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        model = ov.Core().compile_model(ov.Model(node.outputs(), [parameter]), "CPU", options)
        request = model.create_infer_request()
        x = input_of(case)
        request.set_input_tensor(ov.Tensor(x, shared_memory=True))
        outputs = [request.get_output_tensor(i) for i in range(len(model.outputs))]

        def infer(keep: np.ndarray = x) -> tuple[np.ndarray, ...]:  # noqa: ARG001
            request.infer()
            return tuple(output.data for output in outputs)

        return infer


LIBRARIES: dict[str, type[Library]] = {
    "adaptive_pool": AdaptivePool,
    "reading": Reading,
    "torch": Torch,
    "opencv": OpenCV,
    "pillow": Pillow,
    "fast_image_resize": FastImageResize,
    "openvino": OpenVINO,
    "scikit-image": ScikitImage,
    "numpy": NumPyReshape,
    "reduceat": NumPyReduceat,
    "tensorstore": TensorStore,
    "keras": Keras,
    **LIBRARIES_OF_OPTIONS,
}
