"""The other libraries. To add one: a class with `prepare(case)`, and its name in `LIBRARIES`."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np
from cases import Case
from data import gradient_of, input_of
from library import Call, Library
from ours import AdaptivePool, Reading

FLOAT_FORWARD = ("avg", "max", "max_values")


class Torch(Library):
    """PyTorch's CPU kernels; backward calls its raw operators, without autograd."""

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
        if case.dtype == "uint8":
            return None
        size, kind = case.size, case.operation[:3]
        if case.operation == "avg_backward":  # of the input, only the shape is used
            x = self._tensor(np.empty(case.input_shape, np.float32), case)
        else:
            x = self._tensor(input_of(case), case)
        pool = getattr(self.torch.nn.functional, f"adaptive_{kind}_pool{case.ndim}d")
        if case.operation in ("avg", "max_values"):
            return lambda: pool(x, size)
        if case.operation == "max":
            return lambda: pool(x, size, return_indices=True)
        g = self._tensor(gradient_of(case), case)
        if kind == "avg":
            backward = getattr(self.torch.ops.aten, f"_adaptive_avg_pool{case.ndim}d_backward")
            return lambda: backward(g, x)
        _, indices = pool(x, size, return_indices=True)
        backward = getattr(self.torch.ops.aten, f"adaptive_max_pool{case.ndim}d_backward")
        return lambda: backward(g, x, indices)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:
        results = result if isinstance(result, tuple) else (result,)
        if case.data_format == "channels_last":
            results = tuple(r.movedim(1, -1) for r in results)
        return [(r.float() if r.is_floating_point() else r).numpy() for r in results]


class OpenCV(Library):
    """`INTER_AREA`: every pixel counts by the area of it that a window covers."""

    module = "cv2"
    distribution = "opencv-python-headless"
    windows = "area"
    # Half a level of rounding, and up to half for what it leaves out: of two axes each the weights
    # of two edge pixels if below 1e-3, which move a mean over two pixels by 255 * 4e-3 / 2.
    levels = 1.02

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.cv2 = importlib.import_module("cv2")
        self.cv2.setNumThreads(threads)

    def prepare(self, case: Case) -> Call | None:
        if case.dtype != "uint8":
            return None
        (height, width), picture = (o for _, o in case.pooled), input_of(case)[0]
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


def _blocks(case: Case) -> list[int]:
    return [i // o for i, o in case.pooled]


class ScikitImage(Library):
    """`block_reduce`, where sizes divide."""

    module = "skimage"
    distribution = "scikit-image"

    def prepare(self, case: Case) -> Call | None:
        if not case.divides or case.operation not in FLOAT_FORWARD:
            return None
        block_reduce = importlib.import_module("skimage.measure").block_reduce
        x, function = input_of(case), np.mean if case.operation == "avg" else np.max
        block = (*[1] * (x.ndim - case.ndim), *_blocks(case))
        return lambda: block_reduce(x, block, function)


class NumPyReshape(Library):
    """`x.reshape(..., OH, kh, OW, kw).mean((-3, -1))`, where sizes divide."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if not case.divides or case.operation not in FLOAT_FORWARD:
            return None
        x = input_of(case)
        split = [n for (_, o), k in zip(case.pooled, _blocks(case), strict=True) for n in (o, k)]
        shape = (*x.shape[: -case.ndim], *split)
        axes = tuple(range(-2 * case.ndim + 1, 0, 2))
        if case.operation == "avg":
            return lambda: x.reshape(shape).mean(axes)
        return lambda: x.reshape(shape).max(axes)


class NumPyReduceat(Library):
    """`reduceat` along one axis after the other, where sizes divide."""

    module = "numpy"
    distribution = "numpy"

    def prepare(self, case: Case) -> Call | None:
        if not case.divides or case.operation not in FLOAT_FORWARD:
            return None
        x, blocks = input_of(case), _blocks(case)
        starts = [
            (axis, np.arange(0, i, i // o))
            for axis, (i, o) in zip(range(-1, -case.ndim - 1, -1), case.pooled[::-1], strict=True)
        ]
        ufunc = np.add if case.operation == "avg" else np.maximum
        count = np.float32(np.prod(blocks) if case.operation == "avg" else 1)
        return lambda: (
            functools.reduce(lambda y, s: ufunc.reduceat(y, s[1], s[0]), starts, x) / count
        )


LIBRARIES: dict[str, type[Library]] = {
    "adaptive_pool": AdaptivePool,
    "reading": Reading,
    "torch": Torch,
    "opencv": OpenCV,
    "pillow": Pillow,
    "openvino": OpenVINO,
    "scikit-image": ScikitImage,
    "numpy": NumPyReshape,
    "reduceat": NumPyReduceat,
}
