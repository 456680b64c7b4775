"""Whether a part of a graph is a given adaptive pool, found out by what it makes of impulses.

A linear function is known by what it makes of each single element, and so is a maximum over some
elements. Elements that are further apart than a window is long can be asked for at once, and each
plane of a batch asks for others.

* Maxima: in every plane one element in each block as long as the longest window, all different, on
  a ground lower than all. An element that is missed, or one too many, changes a result: at the
  latest in the second plane, where the largest have become the smallest.
* Averages: the same with zeros as the ground. Several elements may lie in a window here, so that
  long windows need fewer planes; twice, with random integers whose sums are exact. A wrong weight
  changes a result unless others make up for it by chance, twice.

A last plane is nothing but ground, which shows what does not depend on elements. In the end planes
of one number each show whether every plane is pooled by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from .. import _windows
from .._extras import needs
from .._functions import OF_KIND
from .._problem import Array
from ._exported import Dim, Exported
from ._regions import Region, region_nodes

_AT_ONCE = 2**22  # elements of a batch, where the graph lets us choose
_LARGEST = 2**28  # elements of a batch, where it does not
_MOST = 2**30  # elements in all: half a minute
_TYPES = (onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


def is_pool(
    exported: Exported,
    region: Region,
    axes: tuple[int, ...],
    input_size: Sequence[int],
    output_size: Sequence[int],
    sizes: Mapping[str, int],
) -> str:
    """Return why a region is not the pool over `axes` of the given sizes, or "" if it is.

    `sizes` are those of axes that have names.
    """
    shape, element = exported.shape(region.x) or (), exported.element(region.x)
    if element not in _TYPES:
        return f"elements of type {onnx.TensorProto.DataType.Name(element)} are not tried out"
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(element))
    planes = _Planes(region.kind, input_size, output_size, dtype)
    others = [k for k in range(len(shape)) if k not in axes]
    bound = _bind(shape, others, sizes, len(planes), math.prod(input_size))
    concrete = [size if isinstance(size, int) else bound[size] for size in shape]
    for k, size in zip(axes, input_size, strict=True):
        concrete[k] = size
    lead = [concrete[k] for k in others]
    if (
        len(planes) * math.prod(input_size) > _MOST
        or math.prod(concrete) > _LARGEST
        or not planes.are_exact()
    ):
        return f"{tuple(concrete)} is too large to be tried out"
    if 0 in lead:
        return "it has no elements"
    pool = OF_KIND[region.kind][len(axes) - 1]
    try:
        run = _runner(exported, region, concrete, bound)
    except ValueError as error:
        return str(error)
    for first in range(0, len(planes), math.prod(lead)):
        x = np.stack([planes[first + k] for k in range(math.prod(lead))])
        x = x.reshape(*lead, *input_size)
        given = np.ascontiguousarray(np.moveaxis(x, range(len(others), len(shape)), axes))
        try:
            y = run(given)
        except Exception as error:  # noqa: BLE001 - runtimes raise anything
            return f"it does not run: {str(error).strip().splitlines()[-1]}"
        expected = pool(x.astype(np.float64), output_size)
        expected = np.moveaxis(expected, range(len(others), len(shape)), axes)
        # Sums are exact, so that only a few divisions or products round, by eps / 2 each.
        tolerance = 8 * np.finfo(dtype).eps * np.abs(expected) if region.kind == "avg" else 0
        if y.shape != expected.shape or not (np.abs(y - expected) <= tolerance).all():
            return "its windows are others"
    return "" if _keeps_apart(run, concrete, axes, dtype) else "it mixes planes, or reorders them"


def _keeps_apart(run: Any, shape: Sequence[int], axes: Sequence[int], dtype: np.dtype[Any]) -> bool:
    """Return whether planes of one number each become planes of the same number."""
    ones = [1 if k in axes else size for k, size in enumerate(shape)]
    for digits in _digits(math.prod(ones), 2 ** (np.finfo(dtype).nmant // 3)):
        numbers = digits.astype(dtype).reshape(ones)
        y = run(np.ascontiguousarray(np.broadcast_to(numbers, shape)))
        if not (np.abs(y - numbers) < 0.25).all():  # whole numbers, told apart
            return False
    return True


def _digits(count: int, base: int) -> Iterator[Array]:
    """Yield the digits of numbers below `count`, and what these lack of the largest digit.

    Of any two numbers, each has a larger digit than the other at some time.
    """
    numbers = np.arange(count)
    while numbers.any():
        numbers, digits = np.divmod(numbers, base)
        yield digits
        yield base - 1 - digits


def keeps_ones(exported: Exported, region: Region) -> bool:
    """Return whether a region makes ones of ones, as averages do, whatever their windows."""
    shape = exported.shape(region.x) or ()
    bound: dict[Dim, int] = {size: 2 for size in shape if not isinstance(size, int)}
    concrete = [size if isinstance(size, int) else 2 for size in shape]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(exported.element(region.x))
    try:
        y = _runner(exported, region, concrete, bound)(np.ones(concrete, dtype))
        unit = float(np.spacing(np.ones((), dtype)))
    except Exception:  # noqa: BLE001 - runtimes raise anything
        return False
    return bool(np.allclose(y.astype(np.float64), 1, rtol=64 * unit))


class _Planes:
    """Planes of impulses, over and over."""

    def __init__(
        self,
        kind: str,
        input_size: Sequence[int],
        output_size: Sequence[int],
        dtype: np.dtype[Any],
    ) -> None:
        self._kind, self._shape, self._dtype = kind, tuple(input_size), dtype
        in_a_window = 1 if kind == "max" or dtype.itemsize == 2 else 4
        self._steps = []
        for size, count in zip(input_size, output_size, strict=True):
            starts, ends = _windows.pool_windows(size, count)
            self._steps.append(-(-int((ends - starts).max()) // in_a_window))

    def __len__(self) -> int:
        return 2 * math.prod(self._steps) + 1

    def are_exact(self) -> bool:
        """Return whether all elements that are compared have numbers of their own."""
        steps = zip(self._shape, self._steps, strict=True)
        compared = math.prod(-(-size // step) for size, step in steps)
        return self._kind == "avg" or compared <= 2 ** (np.finfo(self._dtype).nmant + 1)

    def __getitem__(self, k: int) -> Array:
        k %= len(self)
        ground = 0 if self._kind == "avg" else np.finfo(self._dtype).min
        plane = np.full(self._shape, ground, self._dtype)
        half, place = divmod(k, len(self) // 2)
        if half == 2:
            return plane
        first = np.unravel_index(place, self._steps)
        blocks = tuple(slice(r, None, step) for r, step in zip(first, self._steps, strict=True))
        if self._kind == "avg":
            # Up to 4**3 in a window, each of digits - 6 bits.
            digits = np.finfo(self._dtype).nmant - 6
            random = np.random.default_rng(k)
            plane[blocks] = random.integers(2 ** (digits - 1), 2**digits, plane[blocks].shape)
        else:
            order = np.arange(1, plane[blocks].size + 1).reshape(plane[blocks].shape)
            plane[blocks] = -order if half else order
        return plane


def _bind(
    shape: Sequence[Dim], others: Sequence[int], sizes: Mapping[str, int], planes: int, plane: int
) -> dict[Dim, int]:
    """Return a size for every axis that has none: for the first one many, to try much at once."""
    bound: dict[Dim, int] = dict(sizes.items())
    known = math.prod(size for k in others if isinstance(size := shape[k], int))
    free = [shape[k] for k in others if not isinstance(shape[k], int) and shape[k] not in bound]
    for name in free[1:]:
        bound.setdefault(name, 2)
    if free:
        rest = max(1, known * 2 ** (len(free) - 1))
        # Two at least, which are pooled each by itself.
        bound[free[0]] = max(2, min(-(-planes // rest), _AT_ONCE // (plane * rest)))
    return bound


def _runner(
    exported: Exported, region: Region, shape: Sequence[int], bound: Mapping[Dim, int]
) -> Any:
    """Return a function that runs a region."""
    inside, besides, constants = region_nodes(exported, region)
    nodes = [_sized(exported, node, bound) for node in besides] + inside
    element = exported.element(region.x)
    graph = onnx.helper.make_graph(
        nodes,
        "region",
        [onnx.helper.make_tensor_value_info(region.x, element, list(shape))],
        [onnx.helper.make_tensor_value_info(region.y, element, None)],
        list(constants.values()),
    )
    model = onnx.helper.make_model(
        graph, opset_imports=exported.model.opset_import, ir_version=exported.model.ir_version
    )
    with needs("onnx"):
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session: Any = None

    def run(x: Array) -> Array:
        nonlocal session
        if session is None:
            try:
                session = onnxruntime.InferenceSession(
                    model.SerializeToString(), options, providers=["CPUExecutionProvider"]
                )
                session.run(None, {region.x: x})
            except Exception:  # noqa: BLE001 - it may lack what the reference has
                session = ReferenceEvaluator(model)
        [y] = session.run(None, {region.x: x})
        return np.asarray(y)

    return run


def _sized(exported: Exported, node: onnx.NodeProto, bound: Mapping[Dim, int]) -> onnx.NodeProto:
    """Return a node, or a constant in place of one that asks for the shape of what is not there."""
    if node.op_type != "Shape" or exported.is_known(node.input[0]):
        return node
    attributes = {a.name: a.i for a in node.attribute}
    shape = exported.shape(node.input[0])
    if shape is None or not all(isinstance(size, int) or size in bound for size in shape):
        raise ValueError(f"the shape of {node.input[0]!r} is not known")
    sizes = [size if isinstance(size, int) else bound[size] for size in shape]
    part = np.array(sizes[attributes.get("start", 0) : attributes.get("end")], np.int64)
    value = onnx.numpy_helper.from_array(part)
    return onnx.helper.make_node("Constant", [], list(node.output), value=value)
