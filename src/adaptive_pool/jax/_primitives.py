"""Pooling as primitives of JAX: what they return, how they are batched, and their derivatives.

Averages are linear, and so is what a maximum does to tangents, which picks them at the indices.
Each comes with its transpose, so that all orders of derivatives, forward and backward, follow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from .._kernels._names import as_adaptive_pool
from ._calls import Kind, Pooling, run, text_of

with as_adaptive_pool(__package__.rpartition(".")[0]):
    from .._kernels.call import xla

_TARGET = __package__
jax.ffi.register_ffi_target(_TARGET, xla.handler(run, jnp.bfloat16.dtype), platform="cpu")


def index_dtype() -> np.dtype[Any]:
    """Return the dtype of indices: int64 if JAX has it."""
    return jax.dtypes.canonicalize_dtype(np.int64)  # type: ignore[no-any-return]


def _enter(table: Any, primitive: Any, rule: Callable[..., Any]) -> None:
    """Enter a rule in a table of JAX, or of what stands in for JAX where the pages are built."""
    table.__setitem__(primitive, rule)  # the stand-in has no `table[primitive] = rule`


def _define(name: str, results: Callable[..., Any], compute: Callable[..., Any]) -> Any:
    """Return a primitive with results of certain shapes and dtypes, computed on the CPU."""
    primitive = Primitive(f"adaptive_pool_{name}")
    several = primitive.multiple_results = name == "maximum"

    def abstract(*arrays: Any, **params: Any) -> Any:
        like = functools.partial(arrays[0].update, weak_type=False)  # as sharded as what it is of
        found = [like(shape=s, dtype=d) for s, d in results(*arrays, **params)]
        return found if several else found[0]

    def lowered(*arrays: Any, **params: Any) -> Any:
        found = compute(results(*arrays, **params), *arrays, pooling=params["pooling"])
        return found if several else found[0]

    jitted = jax.jit(primitive.bind, static_argnames=("pooling", "sizes", "dtype"))

    def run_now(*arrays: Any, **params: Any) -> Any:
        with jax.disable_jit(False):  # there is no other way to run it
            return jitted(*arrays, **params)

    primitive.def_abstract_eval(abstract)
    primitive.def_impl(run_now)
    mlir.register_lowering(primitive, mlir.lower_fun(lowered, several), platform="cpu")
    _enter(batching.primitive_batchers, primitive, functools.partial(_batch, primitive))
    return primitive


def _call(kind: Kind, results: list[Any], *arrays: Any, pooling: Pooling) -> Any:
    """Let XLA call us."""
    types = [jax.ShapeDtypeStruct(*each) for each in results]
    return jax.ffi.ffi_call(_TARGET, types)(*arrays, call=text_of(kind, pooling))


def _pick(results: list[Any], x: Any, indices: Any, *, pooling: Pooling) -> Any:
    """Take the elements at indices."""
    axes = pooling.axes(x.ndim)
    lead, rest = x.shape[: axes.start], x.shape[axes.stop :]
    [(shape, _)] = results
    if 0 in shape:
        return [jnp.zeros(shape, x.dtype)]
    planes, places = (a.reshape(*lead, -1, *rest) for a in (x, indices))
    found = jnp.take_along_axis(planes, places, axes.start, mode="promise_in_bounds")
    return [found.reshape(shape)]


def _batch(
    primitive: Any, arrays: Sequence[Any], axes: Sequence[int | None], **params: Any
) -> tuple[Any, Any]:
    """Pool a batch in one call, without moving its axis wherever that can be."""
    pooling = params["pooling"]
    rank, axis = arrays[0].ndim, axes[0]
    if len(set(axes)) == 1 and axis == rank - 1 and pooling.data_format == "channels_first":
        params["pooling"] = pooling._replace(data_format="channels_last")
    elif len(set(axes)) > 1 or axis >= pooling.axes(rank).start:
        [size] = {a.shape[k] for a, k in zip(arrays, axes, strict=True) if k is not None}
        arrays = [batching.bdim_at_front(a, k, size) for a, k in zip(arrays, axes, strict=True)]
        axis = 0
    results = primitive.bind(*arrays, **params)
    return results, [axis] * len(results) if primitive.multiple_results else axis


def _average_result(x: Any, *, pooling: Pooling, sizes: Any, dtype: Any) -> Any:
    return [(pooling.resized(x.shape, sizes), dtype)]


def _gradient_result(g: Any, *_: Any, pooling: Pooling, sizes: Any) -> Any:
    return [(pooling.resized(g.shape, sizes), g.dtype)]


def _maximum_results(x: Any, *, pooling: Pooling, sizes: Any, dtype: Any) -> Any:
    shape = pooling.resized(x.shape, sizes)
    return [(shape, x.dtype)] if dtype is None else [(shape, x.dtype), (shape, dtype)]


def _picked(x: Any, indices: Any, **_: Any) -> Any:
    return [(indices.shape, x.dtype)]


# Means in `dtype`, and their gradient.
average = _define("average", _average_result, functools.partial(_call, "average"))
average_backward = _define(
    "average_backward", _gradient_result, functools.partial(_call, "average_backward")
)
# Maxima, with indices of `dtype` unless it is None; what stands at indices, and its transpose.
maximum = _define("maximum", _maximum_results, functools.partial(_call, "maximum"))
pick = _define("pick", _picked, _pick)
maximum_backward = _define(
    "maximum_backward", _gradient_result, functools.partial(_call, "maximum_backward")
)


def _average_transposed(g: Any, x: Any, *, pooling: Pooling, **_: Any) -> Any:
    gradient = average_backward.bind(g, pooling=pooling, sizes=pooling.sizes(x.aval.shape))
    return [gradient.astype(x.aval.dtype)]


def _average_backward_transposed(x: Any, g: Any, *, pooling: Pooling, **_: Any) -> Any:
    sizes = pooling.sizes(g.aval.shape)
    return [average.bind(x, pooling=pooling, sizes=sizes, dtype=g.aval.dtype)]


ad.deflinear2(average, _average_transposed)
ad.deflinear2(average_backward, _average_backward_transposed)


def _pick_transposed(g: Any, x: Any, indices: Any, *, pooling: Pooling) -> Any:
    if type(g) is ad.Zero:
        return [ad.Zero(x.aval), None]
    sizes = pooling.sizes(x.aval.shape)
    return [maximum_backward.bind(g, indices, pooling=pooling, sizes=sizes), None]


def _maximum_backward_transposed(
    x: Any, g: Any, indices: Any, *, pooling: Pooling, **_: Any
) -> Any:
    if type(x) is ad.Zero:
        return [ad.Zero(g.aval), None]
    return [pick.bind(x, indices, pooling=pooling), None]


def _linear_at(primitive: Any) -> Callable[..., Any]:
    """Return the derivative of what is linear in its first argument, at fixed indices."""
    return lambda tangent, _, indices, **params: primitive.bind(tangent, indices, **params)


ad.defjvp(pick, _linear_at(pick), None)
ad.defjvp(maximum_backward, _linear_at(maximum_backward), None)
_enter(ad.primitive_transposes, pick, _pick_transposed)
_enter(ad.primitive_transposes, maximum_backward, _maximum_backward_transposed)


def _maximum_jvp(primals: Any, tangents: Any, *, dtype: Any, **params: Any) -> Any:
    """Return maxima, and the tangents where they stand."""
    [x], [tangent] = primals, tangents
    is_zero = type(tangent) is ad.Zero
    wanted = index_dtype() if dtype is None and not is_zero else dtype
    results = maximum.bind(x, dtype=wanted, **params)
    changes = [ad.Zero(each.aval.to_tangent_aval()) for each in results]
    if not is_zero:
        changes[0] = pick.bind(tangent, results[1], pooling=params["pooling"])
    count = 1 if dtype is None else 2
    return results[:count], changes[:count]


_enter(ad.primitive_jvps, maximum, _maximum_jvp)
