"""A model run by ONNX Runtime, beside this library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx

from .._extras import needs
from .._functions import OF_KIND
from .._problem import Array
from ._model import described_pool


class Difference(NamedTuple):
    """How a result of a model differs from this library's."""

    output: str
    elements: int  # that the result has
    differing: int  # how many are not equal; NaN equals NaN
    largest: float  # difference, of averages relative to the mean of absolute values


def compare(model: onnx.ModelProto, inputs: Mapping[str, npt.ArrayLike]) -> list[Difference]:
    """Run a model in ONNX Runtime, and compare it with this library.

    Parameters
    ----------
    model : onnx.ModelProto
        One that `model` made; it says what it computes in its metadata.
    inputs : mapping of str to array_like
        The input by its name, ``{"x": array}``, as ONNX Runtime takes it.

    Returns
    -------
    list of Difference
        One for each result, with its name as ``output``, how many ``elements`` it has, how many of
        them are ``differing``, and the ``largest`` difference. That of averages is relative to the
        mean of the absolute values; where one of two is not finite, it is infinite.

    Raises
    ------
    ValueError
        If the model is another, or the shape of the result.
    ImportError
        If ``onnxruntime`` is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import adaptive_pool.onnx
    >>> model = adaptive_pool.onnx.model("max", (3,), shape=(None, None), return_indices=True)
    >>> x = np.array([[1, 5, 2, np.nan, 4]], np.float32)
    >>> for difference in adaptive_pool.onnx.compare(model, {"x": x}):
    ...     print(difference)
    Difference(output='y', elements=3, differing=0, largest=0.0)
    Difference(output='indices', elements=3, differing=0, largest=0.0)
    """
    function = "compare"
    with needs("onnx"):
        import onnxruntime
    pool = described_pool(function, model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    results = session.run(None, dict(inputs))
    names = [output.name for output in session.get_outputs()]
    (given,) = inputs.values()
    x = np.asarray(given, results[0].dtype)  # as ONNX Runtime takes it
    kind, sizes = pool["kind"], tuple(pool["output_size"])
    windows = pool["windows"]
    windows = windows if isinstance(windows, str) else [tuple(pair) for pair in windows]
    pooled = OF_KIND[kind][len(sizes) - 1]
    if kind == "avg":
        expected = [pooled(x, sizes, windows=windows)]
        with np.errstate(all="ignore"):
            magnitude = pooled(np.abs(x), sizes, windows=windows, dtype=np.float64)
    else:
        expected = pooled(x, sizes, windows=windows, return_indices=True)
        magnitude = 1
    return [
        _difference(name, actual, y, magnitude)
        for name, actual, y in zip(names, results, expected, strict=False)
    ]


def _difference(name: str, actual: Array, expected: Array, magnitude: Any) -> Difference:
    if actual.shape != expected.shape:
        raise ValueError(f"compare: {name} has shape {actual.shape} and must have {expected.shape}")
    a, b = actual.astype(np.float64), expected.astype(np.float64)
    differs = (a != b) & ~(np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        error = np.where(differs, np.abs(a - b) / magnitude, 0)
    error[~np.isfinite(error)] = np.inf
    return Difference(name, actual.size, int(differs.sum()), float(error.max(initial=0)))
