"""The other libraries. To add one: a class with `prepare(case)`, and its name in `LIBRARIES`."""

from __future__ import annotations

import importlib

import numpy as np
from batches_peers import LIBRARIES_OF_BATCHES
from blocks import Keras, NumPyReduceat, NumPyReshape, ScikitImage, TensorStore
from cases import Case
from data import input_of
from library import Call, Library
from options_peers import LIBRARIES_OF_OPTIONS
from ours import AdaptivePool, Reading
from peers_of_pictures import FastImageResize, OpenCV, Pillow
from peers_torch import Torch


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
    **LIBRARIES_OF_BATCHES,
}
