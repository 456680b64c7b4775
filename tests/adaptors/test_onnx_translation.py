"""Models that PyTorch exports with our table, run at sizes that it never saw."""

import itertools
import logging
import sys

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="PyTorch exports with it")
pytest.importorskip("torch", reason="models are PyTorch's")

import onnx
import torch
from onnx_cases import run_onnxruntime, run_openvino
from torch import nn

import adaptive_pool as ap
import adaptive_pool.onnx

pytestmark = [
    # The exporter of PyTorch 2.13 calls what it deprecates.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

DYNAMIC = torch.export.Dim.DYNAMIC

# PyTorch averages float32 in float32: off by up to 15 units in the last place for these windows,
# 15 * 2**-23, of numbers that are mostly below 4.
BOUND = 1e-5


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def export(module, x, table=True, batch=False):
    """The module as ONNX, with open height and width, or whichever axes follow the channels."""
    open_axes = range(2, x.ndim) if not batch else [0, *range(2, x.ndim)]
    model = torch.onnx.export(
        module.eval(),
        (x,),
        dynamo=True,
        dynamic_shapes=(dict.fromkeys(open_axes, DYNAMIC),),
        custom_translation_table=adaptive_pool.onnx.translation_table() if table else None,
        verbose=False,
    ).model_proto
    onnx.checker.check_model(model, full_check=True)
    return model


def assert_like_torch(module, model, x, run=run_onnxruntime):
    with torch.no_grad():
        expected = module(x)
    expected = [expected] if isinstance(expected, torch.Tensor) else list(expected)
    results = run(model, x.numpy())
    assert len(results) == len(expected)
    for actual, wanted in zip(results, expected, strict=True):
        assert actual.shape == tuple(wanted.shape)
        if not wanted.is_floating_point():
            np.testing.assert_array_equal(actual, wanted.numpy())
        else:
            scale = float(wanted.abs().max())
            np.testing.assert_allclose(actual, wanted.numpy(), rtol=0, atol=BOUND * scale)


MODULES = {
    "avg1d": (1, nn.AdaptiveAvgPool1d(7)),
    "avg2d": (2, nn.AdaptiveAvgPool2d(7)),
    "avg2d, one axis kept": (2, nn.AdaptiveAvgPool2d((None, 3))),
    "avg2d, one output": (2, nn.AdaptiveAvgPool2d(1)),
    "avg3d": (3, nn.AdaptiveAvgPool3d((2, 3, 4))),
    "max1d": (1, nn.AdaptiveMaxPool1d(7)),
    "max2d": (2, nn.AdaptiveMaxPool2d((5, 4))),
    "max3d": (3, nn.AdaptiveMaxPool3d(3)),
    "max1d, indices": (1, nn.AdaptiveMaxPool1d(7, return_indices=True)),
    "max2d, indices": (2, nn.AdaptiveMaxPool2d(7, return_indices=True)),
    "max3d, indices": (3, nn.AdaptiveMaxPool3d(3, return_indices=True)),
}
each_module = pytest.mark.parametrize(("ndim", "module"), MODULES.values(), ids=MODULES.keys())


@each_module
def test_one_pool(ndim, module):
    generator = torch.Generator().manual_seed(0)
    model = export(module, torch.ones((1, 3) + (10,) * ndim))
    for size in (10, 7, 3, 23):
        x = torch.randn((1, 3, *range(size, size + ndim)), generator=generator)
        assert_like_torch(module, model, x)


def test_what_the_exporter_alone_writes():
    """It takes the pool for an ordinary one, right for the size that it saw."""
    model = export(nn.AdaptiveAvgPool2d(7), torch.ones(1, 1, 10, 10), table=False)
    [y] = run_onnxruntime(model, np.ones((1, 1, 100, 100), np.float32))
    assert (y < 0.05).all()
    model = export(nn.AdaptiveAvgPool2d(7), torch.ones(1, 1, 10, 10))
    [y] = run_onnxruntime(model, np.ones((1, 1, 100, 100), np.float32))
    assert (y == 1).all()


def test_files_are_smaller_than_of_the_exporter_alone():
    pool, x = nn.AdaptiveAvgPool2d(7), torch.ones(1, 3, 100, 100)
    alone, ours = (
        torch.onnx.export(
            pool, (x,), dynamo=True, custom_translation_table=table, verbose=False
        ).model_proto.ByteSize()
        for table in (None, adaptive_pool.onnx.translation_table())
    )
    assert ours < alone / 10


def test_maxima_alone_are_exported_without_their_indices():
    model = export(nn.AdaptiveMaxPool2d(7), torch.ones(1, 1, 10, 10))
    assert len(model.graph.output) == 1
    assert not {"Neg", "Abs", "Equal"} & {node.op_type for node in model.graph.node}


def test_nan_like_torch():
    module = nn.AdaptiveMaxPool2d(3, return_indices=True)
    model = export(module, torch.ones(1, 1, 10, 10))
    x = torch.arange(121.0).reshape(1, 1, 11, 11).remainder(5)
    x[0, 0, 2, [1, 3]] = torch.nan
    x[0, 0, 9] = torch.inf
    y, indices = run_onnxruntime(model, x.numpy())
    expected = module(x)
    np.testing.assert_array_equal(y, expected[0].numpy())
    np.testing.assert_array_equal(indices, expected[1].numpy())


class PyramidPooling(nn.Module):
    """The module of PSPNet: a few sizes, each resized back and put beside the features."""

    def __init__(self, channels, sizes=(1, 2, 3, 6)):
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(size),
                nn.Conv2d(channels, channels // len(sizes), 1, bias=False),
                nn.BatchNorm2d(channels // len(sizes)),
                nn.ReLU(),
            )
            for size in sizes
        )
        self.bottleneck = nn.Conv2d(2 * channels, channels, 3, padding=1)

    def forward(self, x):
        resized = [
            nn.functional.interpolate(stage(x), x.shape[2:], mode="bilinear", align_corners=False)
            for stage in self.stages
        ]
        return self.bottleneck(torch.cat([x, *resized], dim=1))


class Segmentation(nn.Module):
    """Features at an eighth of the size, and classes of pixels from a pyramid of them."""

    def __init__(self):
        super().__init__()
        widths = [3, 8, 8, 16]
        self.body = nn.Sequential(
            *(
                layer
                for i, o in itertools.pairwise(widths)
                for layer in (nn.Conv2d(i, o, 3, stride=2, padding=1), nn.ReLU())
            )
        )
        self.pyramid, self.head = PyramidPooling(16), nn.Conv2d(16, 5, 1)

    def forward(self, x):
        return self.head(self.pyramid(self.body(x)))


class Detector(nn.Module):
    """A head that sees 7 by 7 features whatever the picture, and where the strongest are."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU())
        self.average = nn.AdaptiveAvgPool2d(7)
        self.maximum = nn.AdaptiveMaxPool2d(3, return_indices=True)
        self.scores, self.boxes = nn.Linear(8 * 49, 4), nn.Linear(8 * 9, 4)

    def forward(self, x):
        features = self.body(x)
        strongest, places = self.maximum(features)
        scores = self.scores(self.average(features).flatten(1))
        return scores, self.boxes(strongest.flatten(1)), places


@pytest.mark.parametrize("run", [run_onnxruntime, run_openvino], ids=["onnxruntime", "openvino"])
@pytest.mark.parametrize("network", [Segmentation, Detector])
def test_networks(network, run):
    torch.manual_seed(0)
    module = network()
    model = export(module, torch.ones(2, 3, 72, 80), batch=True)
    for height, width in [(72, 80), (100, 100), (57, 123), (160, 64), (97, 201)]:
        assert_like_torch(module, model, torch.randn(1, 3, height, width), run)


class OfAnotherAxis(nn.Module):
    def forward(self, x):
        return nn.functional.adaptive_avg_pool2d(x, (x.shape[3], 3))


class OfHalfTheSize(nn.Module):
    def forward(self, x):
        return nn.functional.adaptive_avg_pool2d(x, (x.shape[2] // 2, 3))


@pytest.mark.parametrize("module", [OfAnotherAxis(), OfHalfTheSize()])
def test_sizes_that_are_not_known(module):
    with pytest.raises(torch.onnx.errors.OnnxExporterError) as raised:
        export(module, torch.ones(1, 1, 10, 12))
    error = raised.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert isinstance(error, ValueError)
    assert str(error).startswith("adaptive_avg_pool2d: output_size must be integers, or None for")


def test_exported_programs_whose_operators_are_taken_apart():
    """Then pools come as other operators, which are in the table as well."""
    x = torch.ones(1, 3, 10, 10)
    program = torch.export.export(
        nn.AdaptiveAvgPool2d(7), (x,), dynamic_shapes=({2: DYNAMIC, 3: DYNAMIC},)
    ).run_decompositions()
    model = torch.onnx.export(
        program, dynamo=True, verbose=False,
        custom_translation_table=adaptive_pool.onnx.translation_table(),
    ).model_proto  # fmt: skip
    x = np.random.default_rng(0).random((1, 3, 23, 50), np.float32)
    np.testing.assert_allclose(
        run_onnxruntime(model, x)[0], ap.adaptive_avg_pool2d(x, 7), rtol=1e-6
    )


def test_what_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match="^translation_table: onnxscript is not installed: pip"):
        adaptive_pool.onnx.translation_table()
