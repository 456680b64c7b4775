"""Pictures in, tensors out: against the steps one by one."""

import numpy as np
import pytest
from cases import random_array, strided

import adaptive_pool as ap
from adaptive_pool.pictures import to_tensor

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SIZES = [(40, 30), (9, 77), (64, 64), (5, 4), (300, 200)]


def photographs(rng, dtype="uint8", channels=(3,)):
    items = [random_array(rng, (*size, *channels), dtype) for size in SIZES]
    items[1] = strided(items[1])
    items[2] = np.asfortranarray(items[2])
    return items


def resized(x, size, windows="area"):
    x = x if x.ndim == 3 else x[..., np.newaxis]
    return ap.adaptive_avg_pool2d(
        x, size, windows=windows, data_format="channels_last", dtype=np.float64
    )


def laid_out(y, layout):
    return np.moveaxis(y, -1, 1) if layout == "NCHW" else y


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("threads", [1, 3])
def test_stretched(rng, layout, dtype, threads):
    for element in ("uint8", "uint16", "float32"):
        items = photographs(rng, element)
        y = np.stack([resized(x, (20, 30)) for x in items])
        y = y * ((1 / 255) / STD) + -MEAN / STD
        with np.errstate(over="ignore"):
            expected = laid_out(y, layout).astype(dtype)
        options = {"mean": MEAN, "std": STD, "layout": layout, "dtype": dtype}
        options["num_threads"] = threads
        tensor = to_tensor(items, (20, 30), **options)
        assert (tensor.dtype, tensor.shape) == (expected.dtype, expected.shape)
        assert (tensor == expected).all()
        assert tensor.flags.c_contiguous
        out = strided(np.zeros_like(expected))
        assert to_tensor(items, (20, 30), out=out, **options) is out
        assert (out == expected).all()


@pytest.mark.parametrize("windows", ["torch", "area"])
def test_channels_reversed(rng, windows):
    items = photographs(rng)
    options = {"mean": MEAN, "std": STD, "windows": windows}
    expected = to_tensor([x[..., ::-1] for x in items], 6, **options)
    for layout in ("NCHW", "NHWC"):
        y = to_tensor(items, 6, bgr=True, layout=layout, **options)
        assert (y == (expected if layout == "NCHW" else np.moveaxis(expected, 1, -1))).all()


def test_requantised(rng):
    """What a quantised model takes: q = clip(round(pixel / 255 / step) + zero)."""
    items = photographs(rng)
    step, zero = 1 / 127, 0
    y = np.stack([resized(x, 8) for x in items]) * ((1 / 255) / step)
    expected = np.clip(np.rint(y + -0.0 / step), -128, 127).astype(np.int8)
    q = to_tensor(items, 8, std=step, mean=-zero * step, layout="NHWC", dtype=np.int8)
    assert (q == expected).all()


def test_grey(rng):
    items = photographs(rng, channels=())
    y = to_tensor(items, 12)
    assert y.shape == (5, 1, 12, 12)
    assert (y == to_tensor([x[..., np.newaxis] for x in items], 12)).all()
    assert y.tobytes() == to_tensor([np.repeat(x[..., None], 1, 2) for x in items], 12).tobytes()


def test_one_array_of_pictures(rng):
    x = random_array(rng, (4, 20, 30, 3), "uint8")
    assert (to_tensor(x, 7) == to_tensor(list(x), 7)).all()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_letterbox(rng, layout):
    items = photographs(rng)
    options = {"fit": "letterbox", "mean": MEAN, "std": STD, "layout": layout}
    tensor, boxes = to_tensor(
        items, (32, 48), pad_value=114, return_boxes=True, bgr=True, **options
    )
    y = tensor if layout == "NHWC" else np.moveaxis(tensor, 1, -1)
    pad = np.full(3, 114.0) * ((1 / 255) / STD) + -MEAN / STD
    assert boxes.dtype == np.int64
    for k, (height, width) in enumerate(SIZES):
        top, left, bottom, right = boxes[k]
        inside = resized(items[k][..., ::-1], (bottom - top, right - left))
        expected = np.broadcast_to(pad, (32, 48, 3)).copy()
        expected[top:bottom, left:right] = inside * ((1 / 255) / STD) + -MEAN / STD
        assert (y[k] == expected.astype(np.float32)).all()
        assert (bottom - top, right - left)[height * 48 < width * 32] == (32, 48)[
            height * 48 < width * 32
        ]
        ratio = min(32 / height, 48 / width)
        assert abs((bottom - top) - ratio * height) <= 0.5 or bottom - top == 1
        assert abs((right - left) - ratio * width) <= 0.5 or right - left == 1
        assert abs(top - (32 - bottom)) <= 1
        assert abs(left - (48 - right)) <= 1
    assert (to_tensor(items, (32, 48), pad_value=114, bgr=True, **options) == tensor).all()


def test_crop(rng):
    items = photographs(rng)
    for size in (16, (8, 24), (50, 3)):
        tensor, boxes = to_tensor(items, size, fit="crop", return_boxes=True)
        height, width = (size, size) if isinstance(size, int) else size
        for k, (rows, columns) in enumerate(SIZES):
            top, left, bottom, right = boxes[k]
            part = items[k][top:bottom, left:right]
            assert (tensor[k] == to_tensor([part], size)[0]).all()
            assert part.shape[0] == rows or part.shape[1] == columns
            ratio = min(rows / height, columns / width)
            assert abs(part.shape[0] - ratio * height) <= 0.5 or part.shape[0] == 1
            assert abs(part.shape[1] - ratio * width) <= 0.5 or part.shape[1] == 1
            assert abs(top - (rows - bottom)) <= 1
            assert abs(left - (columns - right)) <= 1


def test_boxes_of_what_is_stretched(rng):
    _, boxes = to_tensor(photographs(rng), (3, 4), return_boxes=True)
    assert boxes.tolist() == [[0, 0, 3, 4]] * 5


def test_more_pictures_than_are_planned_at_a_time(rng):
    items = [random_array(rng, (h, w, 3), "uint8") for h, w in rng.integers(1, 40, (150, 2))]
    y = to_tensor(items, 8, num_threads=2)
    assert all((y[k] == to_tensor([x], 8)[0]).all() for k, x in enumerate(items))
    for fit in ("stretch", "letterbox"):
        y = to_tensor(items, 8, fit=fit, pad_value=9)
        out = np.zeros_like(y)
        assert to_tensor(items, 8, fit=fit, pad_value=9, out=out) is out
        assert (out == y).all()


def test_pictures_of_pillow(rng):
    images = pytest.importorskip("PIL.Image")
    arrays = [random_array(rng, (h, w, 3), "uint8") for h, w in SIZES]
    given = [images.fromarray(x) for x in arrays]
    assert (to_tensor(given, 9) == to_tensor(arrays, 9)).all()
    with pytest.raises(TypeError, match=r"to_tensor: pictures\[1\] is a picture of mode P"):
        to_tensor([given[0], given[1].convert("P")], 9)


def test_out_that_overlaps_a_picture(rng):
    memory = np.zeros(3 * 16 * 16 * 4, np.uint8)
    memory[:] = rng.integers(0, 256, memory.size)
    picture = memory[: 16 * 16 * 3].reshape(16, 16, 3)
    expected = to_tensor([picture.copy()], 16)
    out = memory.view(np.float32).reshape(1, 3, 16, 16)
    assert to_tensor([picture], 16, out=out) is out
    assert (out == expected).all()


def test_bad_arguments(rng):
    x = random_array(rng, (6, 5, 3), "uint8")
    for size in (0, (3, 0), None, (None, 4)):
        with pytest.raises(ValueError, match=r"to_tensor: size must be a height and a width from"):
            to_tensor([x], size)
    for name, value, names in (
        ("fit", "pad", "'stretch', 'letterbox' or 'crop'"),
        ("layout", "CHW", "'NCHW' or 'NHWC'"),
    ):
        with pytest.raises(ValueError, match=f"to_tensor: {name} must be {names}, got '{value}'"):
            to_tensor([x], 4, **{name: value})
    with pytest.raises(ValueError, match=r"to_tensor: pictures must have an item at least"):
        to_tensor([], 4)
    with pytest.raises(TypeError, match=r"to_tensor: pictures must be a list or tuple of pictures"):
        to_tensor(x, 4)
    with pytest.raises(ValueError, match=r"pictures\[1\] must have shape \(H, W, C\) or \(H, W\)"):
        to_tensor([x, x[np.newaxis]], 4)
    with pytest.raises(ValueError, match=r"pictures\[0\] must have .* got shape \(0, 5, 3\)"):
        to_tensor([x[:0]], 4)
    with pytest.raises(ValueError, match=r"got 1 of uint8 in pictures\[1\] and 3 of uint8 in"):
        to_tensor([x, x[..., 0]], 4)
    with pytest.raises(ValueError, match=r"got 3 of float32 in pictures\[1\] and 3 of uint8 in"):
        to_tensor([x, x.astype("f4")], 4)
    with pytest.raises(ValueError, match=r"to_tensor: std must not be 0"):
        to_tensor([x], 4, std=[1, 0, 1])
    with pytest.raises(ValueError, match=r"to_tensor: mean must be a number, or one for each of 3"):
        to_tensor([x], 4, mean=[1, 0])
    with pytest.raises(ValueError, match=r"to_tensor: scale must be finite, got inf"):
        to_tensor([x], 4, scale=float("inf"))
    for name in ("scale", "pad_value"):
        with pytest.raises(ValueError, match=rf"to_tensor: {name} is too large, got 1000"):
            to_tensor([x], 4, **{name: 10**400})
    with pytest.raises(ValueError, match=r"to_tensor: mean must be finite, got \[0.0, nan, 1.0\]"):
        to_tensor([x], 4, mean=[0, np.nan, 1])
    for size in (-1, True, "2", (1, 2, 3)):
        with pytest.raises((TypeError, ValueError), match=r"to_tensor: size must "):
            to_tensor([x], size)
    many = np.broadcast_to(np.uint64(1), (2**31, 1))
    for windows in ("torch", "area"):
        with pytest.raises(
            ValueError, match=r"pictures\[0\]: windows of uint64 must not have more"
        ):
            to_tensor([many], 1, windows=windows)
    with pytest.raises(TypeError, match=r"to_tensor: scale must be a real number"):
        to_tensor([x], 4, scale="1")
    with pytest.raises(TypeError, match=r"dtype must be one of float16"):
        to_tensor([x], 4, dtype=np.int32)
    with pytest.raises(ValueError, match=r"to_tensor: pictures\[1\]: window rule 'split' leaves"):
        to_tensor([x, x[:2]], 4, windows="split")
    with pytest.raises(ValueError, match=r"to_tensor: std .* is too small to divide scale and"):
        to_tensor([x], 4, std=5e-324)
    with pytest.raises(TypeError, match=r"to_tensor: windows must be the name of a rule"):
        to_tensor([x], 4, windows=[([0], [1])] * 2)
    for masked in (np.ma.masked_array(x, mask=True)[np.newaxis], [np.ma.masked_array(x)]):
        with pytest.raises(TypeError, match=r"to_tensor: pictures.*mask"):
            to_tensor(masked, 4)
    out = np.zeros((1, 3, 4, 4), np.float32)
    with pytest.raises(ValueError, match=r"to_tensor: out must have shape \(1, 4, 4, 3\)"):
        to_tensor([x], 4, layout="NHWC", out=out)
    with pytest.raises(TypeError, match=r"to_tensor: pad_value must be a real number"):
        to_tensor([x], 4, pad_value=None, out=out)
    assert not out.any()


class Freeing:
    """A number of threads that is asked for, and frees an array meanwhile."""

    def __init__(self, x):
        self.x = x
        self.others = []

    def __index__(self):
        shape, dtype = self.x.shape, self.x.dtype
        self.x.resize(1, refcheck=False)
        self.others = [np.full(shape, 99, dtype) for _ in range(4)]
        return 1


def test_what_is_freed_meanwhile_is_not_read():
    """Code of the caller's runs before there are views."""
    x = np.zeros((64, 64, 3))
    with pytest.raises(ValueError, match=r"pictures\[0\] must have shape"):
        to_tensor([x], 4, num_threads=Freeing(x))
    x = np.zeros((64, 64, 3))
    with pytest.raises(ValueError, match=r"pyramid: x has 1 axes"):
        ap.pyramid(x, 2, axes=(0, 1), num_threads=Freeing(x))
    x = np.zeros((64, 64))

    class Other:
        def __array__(self, dtype=None, copy=None):
            Freeing(x).__index__()
            return np.ones((4, 4))

    with pytest.raises(ValueError, match=r"pictures\[0\] must have shape"):
        to_tensor([x, Other()], 4)
    g = np.zeros(3 * 5 * 1000)
    with pytest.raises(ValueError, match=r"grad_outputs must have shape \(15000,\)"):
        ap.spatial_pyramid_pool2d_backward(
            g, (3000, 6, 6), (1, 2), flatten=True, num_threads=Freeing(g)
        )
