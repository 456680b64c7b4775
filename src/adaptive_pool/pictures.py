"""Pictures in, tensors out: what stands between a decoder and a model, in one pass.

Pictures of any sizes are resized by averages, scaled, normalised and laid out as a model wants
them. Each result is written once, and threads share the work of all pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _dtypes
from ._arrays import Array, as_array, native
from ._counting import as_number
from ._items import check_exact_sums, largest_first, result_of_items
from ._kernels.call.problem import check_addressable
from ._objects import is_a, no_memory, shown
from ._problem import (
    Size,
    as_bool,
    deliver,
    make_problem,
    normalize_size,
)
from ._ragged import as_list
from ._scaled import Scaling, numbers_of, scaled_dtype, store_scaled
from ._threads import as_threads, threads_for
from ._windows import Rule, check_rule

__all__ = ["to_tensor"]

Fit: TypeAlias = Literal["stretch", "letterbox", "crop"]
Layout: TypeAlias = Literal["NCHW", "NHWC"]

_CHANNEL_AXIS = 2  # of a picture
_FITS, _LAYOUTS = ("stretch", "letterbox", "crop"), ("NCHW", "NHWC")


class _Place(NamedTuple):
    """What part of a picture goes to what part of a tensor: top, left, bottom, right of each."""

    source: tuple[int, int, int, int]
    target: tuple[int, int, int, int]


def to_tensor(
    pictures: Sequence[npt.ArrayLike] | Array,
    size: Size,
    *,
    mean: npt.ArrayLike | None = None,
    std: npt.ArrayLike | None = None,
    scale: float = 1 / 255,
    layout: Layout = "NCHW",
    dtype: npt.DTypeLike = np.float32,
    fit: Fit = "stretch",
    windows: Rule = "area",
    bgr: bool = False,
    pad_value: float = 0,
    return_boxes: bool = False,
    out: Array | None = None,
    num_threads: int | None = None,
) -> Any:
    """Resize pictures of any sizes to one array, normalised and laid out for a model.

    ``y = (resized * scale - mean) / std`` for each channel, computed as ``resized * s + o`` with
    ``s = scale / std`` and ``o = -mean / std``: all in float64, with `resized` the exact average,
    and rounded once more to `dtype`. No array holds what is in between. Threads share the work of
    all pictures, of which the largest is begun first.

    Parameters
    ----------
    pictures : sequence of array_like, shape ``(H, W, C)`` or ``(H, W)``, or ndarray of 4 axes
        Pictures of one dtype and number of channels, as Pillow, OpenCV and imageio have them; what
        Pillow opens is taken as it is. bool, integers, or floats.
    size : int or (int, int)
        Height and width of the result; one int is for both.
    mean, std : scalar or array_like of shape ``(C,)``, optional
        What is taken off after `scale`, and what that is divided by, in the order of the channels
        of the result. By default 0 and 1.
    scale : float
        What elements are multiplied by first; 1/255 brings bytes to 0 to 1.
    layout : {"NCHW", "NHWC"}
        Whether channels come before height and width in the result, or last.
    dtype : dtype
        Type of the result: float16, bfloat16, float32, float64; or int8, uint8, int16 or uint16,
        which are rounded half to even and saturate.
    fit : {"stretch", "letterbox", "crop"}
        "stretch" gives all of a picture the size, whatever its aspect ratio. "letterbox" keeps the
        ratio: the picture is as large as fits, in the middle, and `pad_value` is around it. "crop"
        keeps the ratio too: the largest part of that shape, from the middle, fills the result.
    windows : {"area", "torch", "split", "uniform", "ceil"}
        How pictures are cut, see `pool_windows`. "area" gives every pixel its share, as OpenCV's
        ``INTER_AREA`` does where it shrinks.
    bgr : bool
        Whether to reverse the channels: BGR of RGB, and RGB of BGR.
    pad_value : float
        What is around a picture of a letterbox, as if pixels had it before they are scaled.
    return_boxes : bool
        Whether to return the boxes, too.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype, with any strides.
    num_threads : int, optional
        The most threads to use, by default `get_num_threads`. The result is the same for any
        number.

    Returns
    -------
    tensor : ndarray, shape ``(N, C, OH, OW)`` or ``(N, OH, OW, C)``
        `out`, if given. Pictures without an axis for channels have one.
    boxes : ndarray of int64, shape ``(N, 4)``
        Only with `return_boxes`: top, left, bottom and right, in pixels, the last two exclusive.
        With "letterbox" where the picture is in the tensor; with "crop" which part of the picture
        the tensor shows; with "stretch" all of the tensor.

    Raises
    ------
    TypeError
        If a dtype is not supported, an array has a mask, a picture has a palette, or an argument
        is of the wrong type.
    ValueError
        If there are no pictures, they do not agree in dtype or channels, one has no pixels, a size
        is 0, `scale`, `mean` or `std` is not finite, `std` is 0, a window would be empty or has
        more than ``2**30`` integers of 32 or 64 bits, or `out` does not fit. The error names the
        picture; nothing has been written then.
    MemoryError
        If there is no memory for the result or the tables of windows.

    See Also
    --------
    adaptive_pool.adaptive_avg_pool2d_ragged : the same without pictures in mind.

    References
    ----------
    K. He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition",
    ECCV 2014, for resizing by averages of windows; the names of `fit` are those of detectors and
    of image servers.

    Examples
    --------
    >>> import numpy as np
    >>> from adaptive_pool import pictures
    >>> photos = [np.full((480, 640, 3), 255, np.uint8), np.zeros((90, 60, 3), np.uint8)]
    >>> x = pictures.to_tensor(photos, 224, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    >>> x.shape, x.dtype
    ((2, 3, 224, 224), dtype('float32'))
    >>> x[:, 0, 0, 0]
    array([ 2.2489083, -2.117904 ], dtype=float32)

    A detector that wants 640 x 640 with grey bars, and where the pictures are:

    >>> x, boxes = pictures.to_tensor(
    ...     photos, 640, fit="letterbox", pad_value=114, return_boxes=True
    ... )
    >>> boxes
    array([[ 80,   0, 560, 640],
           [  0, 106, 640, 533]])
    """
    function = "to_tensor"
    try:
        return _to_tensor(
            function, pictures, size, mean, std, scale, layout, dtype, fit, windows, bgr,
            pad_value, return_boxes, out, num_threads,
        )  # fmt: skip
    except MemoryError as error:
        raise no_memory(function, error) from error


def _to_tensor(
    function: str,
    pictures: Any,
    size: Size,
    mean: Any,
    std: Any,
    scale: Any,
    layout: Any,
    dtype: npt.DTypeLike,
    fit: Any,
    windows: Any,
    bgr: bool,
    pad_value: Any,
    return_boxes: bool,
    out: Any,
    num_threads: int | None,
) -> Any:
    layout = _one_of(function, "layout", layout, _LAYOUTS)
    fit = _one_of(function, "fit", fit, _FITS)
    rule = check_rule(function, windows)
    reverses = as_bool(function, "bgr", bgr)
    wants_boxes = as_bool(function, "return_boxes", return_boxes)
    height, width = _size_of(function, size)
    wanted = _dtypes.as_dtype(function, "dtype", dtype)
    numbers = {"scale": scale, "pad_value": pad_value}
    factor, pad = [_number(function, name, given) for name, given in numbers.items()]
    mean, std = [
        None if given is None else as_array(function, name, given)
        for name, given in (("mean", mean), ("std", std))
    ]
    num_threads = as_threads(function, num_threads)
    batch = _batch_of(function, _arrays_of(function, pictures))
    # No code of the caller's runs from here on, which might free what there are views of.
    count, channels = len(batch), batch[0].shape[2]
    y_dtype = scaled_dtype(function, batch[0].dtype, wanted)
    scaling = _scaling_of(function, mean, std, factor, channels)
    if reverses:
        scaling = Scaling(*(x[::-1] if x.ndim else x for x in scaling))
    shape = (count, height, width, channels)
    check_addressable(function, shape, y_dtype.itemsize)
    places = [_place(fit, x.shape[0], x.shape[1], height, width) for x in batch]
    sources = [_part(x, place.source) for x, place in zip(batch, places, strict=True)]
    problems = [
        make_problem(
            f"{function}: pictures[{k}]",
            x.shape,
            (place.target[2] - place.target[0], place.target[3] - place.target[1]),
            "channels_last",
            rule,  # type: ignore[arg-type]
            y_dtype.itemsize,
        )
        for k, (x, place) in enumerate(zip(sources, places, strict=True))
    ]
    check_exact_sums(function, "pictures", batch[0].dtype, problems)
    elements = [problem.elements for problem in problems]
    threads = threads_for(function, num_threads, int(sum(elements) * batch[0].dtype.itemsize))
    to_last = (0, 2, 3, 1) if layout == "NCHW" else (0, 1, 2, 3)
    shape = shape if layout == "NHWC" else (count, channels, height, width)
    pixel = _pixel(function, pad, scaling, channels, y_dtype) if fit == "letterbox" else None
    y = result_of_items(function, "out", out, shape, y_dtype, count, batch, any_strides=True)
    view = y.transpose(to_last)
    view = view[..., ::-1] if reverses else view
    store_scaled(
        largest_first(elements),
        lambda k: (sources[k], _part(view[k], places[k].target)),
        problems,
        scaling,
        _CHANNEL_AXIS,
        threads,
    )
    if pixel is not None:
        for picture, place in zip(view, places, strict=True):
            _pad(picture, place.target, pixel)
    tensor = y if out is None else deliver(y, out, out)
    if not wants_boxes:
        return tensor
    return tensor, np.array([p.source if fit == "crop" else p.target for p in places], np.int64)


def _one_of(function: str, name: str, given: object, names: tuple[str, ...]) -> str:
    text = str.__str__(given) if is_a(given, str) else ""
    if text not in names:
        raise ValueError(
            f"{function}: {name} must be {', '.join(map(repr, names[:-1]))} or {names[-1]!r}, got "
            f"{shown(given)}"
        )
    return text


def _size_of(function: str, size: Size) -> tuple[int, int]:
    height, width = normalize_size(function, 2, size, "size")
    if not height or not width:
        raise ValueError(
            f"{function}: size must be a height and a width from 1 on, got {(height, width)}"
        )
    return height, width


def _arrays_of(function: str, pictures: Any) -> list[Array]:
    if is_a(pictures, np.ndarray) and not is_a(pictures, np.ma.MaskedArray):
        array = np.asarray(pictures)  # a subclass may say anything of itself
        pictures = list(array) if array.ndim == 4 else pictures
    elif is_a(pictures, np.ndarray):
        as_array(function, "pictures", pictures)  # which says what is wrong
    given = as_list(function, "pictures", pictures, "pictures")
    return [as_array(function, f"pictures[{k}]", picture) for k, picture in enumerate(given)]


def _batch_of(function: str, arrays: list[Array]) -> list[Array]:
    """Return pictures with an axis for channels, in the byte order of the machine."""
    batch: list[Array] = []
    for k, array in enumerate(arrays):
        name = f"pictures[{k}]"
        _dtypes.check_dtype(function, name, array.dtype, _dtypes.SUPPORTED)
        x = native(array if array.ndim != 2 else array[..., np.newaxis])
        if x.ndim != 3 or 0 in x.shape:
            raise ValueError(
                f"{function}: {name} must have shape (H, W, C) or (H, W), and pixels; got shape "
                f"{x.shape}"
            )
        first = batch[0] if batch else x
        if (x.shape[2], x.dtype) != (first.shape[2], first.dtype):
            raise ValueError(
                f"{function}: pictures must agree in channels and dtype, got {x.shape[2]} of "
                f"{x.dtype} in {name} and {first.shape[2]} of {first.dtype} in pictures[0]"
            )
        batch.append(x)
    if not batch:
        raise ValueError(f"{function}: pictures must have an item at least, got none")
    return batch


def _number(function: str, name: str, given: Any) -> float:
    number = as_number(function, name, given)
    try:
        return float.__float__(number) if is_a(number, float) else float(number)
    except OverflowError:
        raise ValueError(f"{function}: {name} is too large, got {shown(given)}") from None


def _scaling_of(
    function: str, mean: Array | None, std: Array | None, scale: float, channels: int
) -> Scaling:
    """Return what averages are multiplied by, and what is added."""
    factor = np.float64(scale)
    means = numbers_of(function, "mean", mean, 0.0, channels)
    deviations = numbers_of(function, "std", std, 1.0, channels)
    for name, x in (("scale", factor), ("mean", means), ("std", deviations)):
        if not np.isfinite(x).all():
            raise ValueError(f"{function}: {name} must be finite, got {shown(x.tolist())}")
    if (deviations == 0).any():
        raise ValueError(f"{function}: std must not be 0, got {shown(deviations.tolist())}")
    with np.errstate(all="ignore"):
        scaling = Scaling(np.asarray(factor / deviations), np.asarray(-means / deviations))
    if not all(np.isfinite(x).all() for x in scaling):
        raise ValueError(
            f"{function}: std {shown(deviations.tolist())} is too small to divide scale and mean by"
        )
    return scaling


def _place(fit: str, height: int, width: int, to_height: int, to_width: int) -> _Place:
    """Return what part of a picture goes where."""
    source, target = (0, 0, height, width), (0, 0, to_height, to_width)
    if fit == "letterbox":
        rows, columns = to_height, to_width
        if width * to_height > height * to_width:  # wider than the tensor
            rows = _fraction(to_width * height, width, to_height)
        else:
            columns = _fraction(to_height * width, height, to_width)
        target = _middle(to_height, to_width, rows, columns)
    elif fit == "crop":
        rows, columns = height, width
        if width * to_height > height * to_width:
            columns = _fraction(height * to_width, to_height, width)
        else:
            rows = _fraction(width * to_height, to_width, height)
        source = _middle(height, width, rows, columns)
    return _Place(source, target)


def _fraction(numerator: int, denominator: int, most: int) -> int:
    """Return the nearest integer, half up, from 1 to `most`."""
    return min(max((2 * numerator + denominator) // (2 * denominator), 1), most)


def _middle(height: int, width: int, rows: int, columns: int) -> tuple[int, int, int, int]:
    top, left = (height - rows) // 2, (width - columns) // 2
    return top, left, top + rows, left + columns


def _part(x: Array, box: tuple[int, int, int, int]) -> Array:
    top, left, bottom, right = box
    return x[top:bottom, left:right]


def _pixel(
    function: str, value: float, scaling: Scaling, channels: int, dtype: np.dtype[Any]
) -> Array:
    """Return what a pixel of that value becomes."""
    x, y = np.full((1, 1, channels), value), np.empty((1, 1, channels), dtype)
    problem = make_problem(function, x.shape, (1, 1), "channels_last", "torch", dtype.itemsize)
    store_scaled([0], lambda _: (x, y), [problem], scaling, _CHANNEL_AXIS, 1)
    pixel: Array = y[0, 0]
    return pixel


def _pad(picture: Array, box: tuple[int, int, int, int], pad: Array) -> None:
    top, left, bottom, right = box
    picture[:top] = picture[bottom:] = pad
    picture[top:bottom, :left] = picture[top:bottom, right:] = pad
