"""Models of one pool, in standard operators. Their metadata say what they compute."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx

from .._config import __version__
from .._objects import is_a, shown
from .._windows import Windows, as_size
from ._geometry import geometry_of
from ._nodes import nodes_of

Kind = Literal["avg", "max"]
_OLDEST_OPSET = 18
KEY = "adaptive_pool"


def described_pool(function: str, made: onnx.ModelProto) -> dict[str, Any]:
    """Return what a model of `model` says of itself: kind, output_size and windows."""
    for entry in made.metadata_props if isinstance(made, onnx.ModelProto) else ():
        if entry.key == KEY:
            described: dict[str, Any] = json.loads(entry.value)
            return described
    raise ValueError(f"{function}: model must be one of adaptive_pool.onnx.model")


def model(
    kind: Kind,
    output_size: Sequence[int | None],
    *,
    shape: Sequence[int | None],
    windows: Windows = "torch",
    dtype: npt.DTypeLike = np.float32,
    return_indices: bool = False,
    opset: int = 18,
) -> onnx.ModelProto:
    """Write adaptive pooling as a model of standard ONNX operators.

    The result is right for every size of the axes that `shape` leaves open. Windows are tables of
    integers: constants where the size is known, and else made by the model itself from the shape of
    its input. Elements are gathered by them, and reduced along one axis after the other.

    Parameters
    ----------
    kind : {"avg", "max"}
        Averages or maxima.
    output_size : sequence of int or None
        One size for each pooled axis, up to three; None keeps an axis as it is.
    shape : sequence of int or None
        Shape of the input, of which the last axes are pooled; None where it is not known until the
        model runs. How many axes there are is fixed.
    windows : {"torch", "split", "uniform", "ceil", "area"}, or sequence of (starts, ends)
        How axes are cut, see `pool_windows`, or windows for each pooled axis; "area" is for
        averages. A rule that cannot cut an axis of a size that is not known yet makes the run fail
        in ONNX Runtime, as nothing can be gathered there.
    dtype : dtype
        float16, bfloat16 (of ``ml_dtypes``), float32 or float64: the type of input and result.
    return_indices : bool
        Whether the model has a second result, for maxima: where they are in the pooled axes, as a
        flat index, int64.
    opset : int
        Version of the operators, 18 or later.

    Returns
    -------
    onnx.ModelProto
        Its input is called ``x``, its results ``y`` and ``indices``.

    Raises
    ------
    TypeError
        If a size is not an integer, `output_size` not a sequence, or `dtype` not such a float.
    ValueError
        If `kind` or `windows` are unknown, do not go together or with `return_indices`, a rule
        cannot cut an axis whose size is known, the opset is older or not known to ``onnx``, or
        indices would be of planes of ``2**31 - 1`` elements or more.

    See Also
    --------
    compare : run a model beside this library.
    translation_table : for models that PyTorch exports.

    Notes
    -----
    Averages of float32 are off by ``1e-6`` of the mean of the absolute values at most: up to 16
    elements along the first pooled axis are added in float32, and all else in float64. Halves are
    added in float32. Sums of so few float32 overflow from ``2e37`` on, which float64 sums do near
    its largest numbers; by "area", none do.

    A NaN in a window makes its mean and its maximum NaN, and the index that of the last NaN. Of
    equal maxima the index is that of the first. Where 0.0 and -0.0 are both the maximum, either may
    be returned. Infinities stay in their windows. A pooled axis of size 0 is an error, like windows
    that are empty, unless its output size is 0 or it is kept.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> import adaptive_pool.onnx
    >>> model = adaptive_pool.onnx.model("avg", (2, 2), shape=(None, 3, None, None))
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> x = np.arange(75, dtype=np.float32).reshape(1, 3, 5, 5)
    >>> session.run(None, {"x": x})[0][0, 0]
    array([[ 6.,  8.],
           [16., 18.]], dtype=float32)
    """
    function = "model"
    if is_a(output_size, (str, bytes)) or not is_a(output_size, (Sequence, np.ndarray)):
        raise TypeError(
            f"{function}: output_size must be a sequence of a size for each pooled axis, got "
            f"{shown(output_size)}"
        )
    sizes = tuple(output_size)
    if not 1 <= len(sizes) <= 3:
        raise ValueError(f"{function}: output_size must have 1 to 3 elements, got {shown(sizes)}")
    geometry = geometry_of(
        function, kind, sizes, len(sizes), shape, windows, dtype, with_indices=return_indices
    )
    version = as_size(function, "opset", opset)
    if not _OLDEST_OPSET <= version <= onnx.defs.onnx_opset_version():
        raise ValueError(
            f"{function}: opset must be {_OLDEST_OPSET} to {onnx.defs.onnx_opset_version()}, got "
            f"{version}"
        )
    results = ["y", "indices"] if return_indices else ["y"]
    nodes, initializers = nodes_of(function, geometry, "x", results, KEY)
    named = [f"axis_{k}" if size is None else size for k, size in enumerate(geometry.shape)]
    first = len(named) - geometry.ndim
    pooled = [
        name if size is None else size
        for size, name in zip(geometry.sizes, named[first:], strict=True)
    ]
    types = [geometry.element, onnx.TensorProto.INT64]
    graph = onnx.helper.make_graph(
        nodes,
        f"adaptive_{kind}_pool{len(sizes)}d",
        [onnx.helper.make_tensor_value_info("x", geometry.element, named)],
        [
            onnx.helper.make_tensor_value_info(name, type_of_it, [*named[:first], *pooled])
            for name, type_of_it in zip(results, types, strict=False)
        ],
        initializers,
    )
    opsets = [onnx.helper.make_opsetid("", version)]
    made = onnx.helper.make_model(
        graph,
        producer_name=KEY,
        producer_version=__version__,
        opset_imports=opsets,
        ir_version=onnx.helper.find_min_ir_version_for(opsets),
    )
    rule = geometry.windows[0]
    pool = {
        "kind": geometry.kind,
        "output_size": geometry.sizes,
        "windows": (
            rule
            if isinstance(rule, str)
            else [[border.tolist() for border in pair] for pair in geometry.windows]  # type: ignore[union-attr]
        ),
    }
    onnx.helper.set_model_props(made, {KEY: json.dumps(pool)})
    return made
