"""What exporters made of adaptive pools, put right: as pools that are exact at every size."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping

import onnx

from .._objects import is_a, shown
from .._problem import Size
from ._exported import Dim, Exported, subgraphs
from ._find import find
from ._splice import Replacement, splice

_OPSET = 18  # from which on the operators of `pool_nodes` are what they are


@dataclasses.dataclass(frozen=True)
class ExportedPool:
    """A pool in an exported model, or what looks like one.

    Attributes
    ----------
    kind : {"avg", "max"}
        Whether it averages or compares.
    x, y : str
        The tensors that go in and come out.
    input_size : tuple of int, str or None
        Sizes of the pooled axes of `x`; the name, or None, for one that only a run knows.
    output_size : tuple of int or None
        Sizes of these axes of `y`; None where the model does not say what was meant.
    replaced : bool
        Whether it is an exact adaptive pool now.
    nodes : int
        How many nodes it was made of, of those that are gone if it was replaced.
    note : str
        Why it was replaced, or why not.
    """

    kind: str
    x: str
    y: str
    input_size: tuple[Dim, ...]
    output_size: tuple[int, ...] | None
    replaced: bool
    nodes: int
    note: str


def repair(
    model: onnx.ModelProto, output_sizes: Mapping[str, Size] | None = None
) -> tuple[onnx.ModelProto, list[ExportedPool]]:
    """Replace what exporters made of adaptive pools by pools that are right at every size.

    Exporters unroll adaptive pools into hundreds of nodes, or write ordinary pools that fit one
    input size. Three kinds of parts are replaced by the standard operators that
    `adaptive_pool.onnx.model` writes:

    * Those that are an adaptive average or maximum, windows of the rule "torch", of the one input
      size that they can have, in more nodes than need be. Each is tried out with impulses before
      it is touched.
    * Those that PyTorch's exporter made of `AdaptiveAvgPool2d` and its like for sizes that are only
      known in a run, if the output size is in the model. They are right at some input sizes, which
      is tried out, and wrong or fail at others. Afterwards they are right at all.
    * Those in `output_sizes`, whatever they were.

    All others are left and described. The branches and bodies of If, Loop and Scan are looked
    into, functions of the model are not: inline them with ``onnx.inliner``.

    Parameters
    ----------
    model : onnx.ModelProto
        An exported model, as from ``onnx.load``. It is not changed.
    output_sizes : mapping of str to int or sequence of int, optional
        For results of pools whose output size the model does not say, by their names: what it is
        along the pooled axes.

    Returns
    -------
    repaired : onnx.ModelProto
        A copy, in which other nodes, inputs and outputs are the same. If something was replaced and
        its opset is below 18, ``onnx.version_converter`` has raised it to 18, which loses the
        metadata of nodes.
    pools : list of ExportedPool
        What was replaced, and what looks like an adaptive pool and was not, in the order of the
        graph.

    Raises
    ------
    ImportError
        If ``onnxruntime`` is not installed, in which parts are tried out.
    TypeError
        If `model` is not a ModelProto, or `output_sizes` not a mapping.
    ValueError
        If no pool makes a tensor of `output_sizes`, or a size does not fit it; if nodes are not in
        the order in which they run; if the opset cannot be raised.

    Notes
    -----
    Maxima are what they were, and NaN is the maximum of windows that hold one, which runtimes lose.
    Averages differ from those of the exported model by rounding errors, mostly its own.

    Examples
    --------
    >>> import onnx
    >>> from adaptive_pool.onnx import repair
    >>> model = onnx.parser.parse_model('''
    ... <ir_version: 8, opset_import: ["": 18]>
    ... unrolled (float[n, 3, 5] x) => (float[n, 3, 4] y)
    ... <int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3},
    ...  int64[1] four = {4}, int64[1] five = {5}> {
    ...     a = Slice(x, zero, two, two)
    ...     b = Slice(x, one, three, two)
    ...     c = Slice(x, two, four, two)
    ...     d = Slice(x, three, five, two)
    ...     e = ReduceMean(a, two)
    ...     f = ReduceMean(b, two)
    ...     g = ReduceMean(c, two)
    ...     h = ReduceMean(d, two)
    ...     y = Concat <axis = 2> (e, f, g, h)
    ... }''')
    >>> repaired, [pool] = repair(model)
    >>> pool.kind, pool.x, pool.y, pool.input_size, pool.output_size, pool.replaced, pool.nodes
    ('avg', 'x', 'y', (5,), (4,), True, 9)
    """
    if not isinstance(model, onnx.ModelProto):
        raise TypeError(
            f"repair: model must be an onnx.ModelProto, as onnx.load gives it, got "
            f"{type(model).__name__}"
        )
    if output_sizes is None:
        output_sizes = {}
    elif not is_a(output_sizes, Mapping):
        raise TypeError(
            f"repair: output_sizes must be a mapping of names to sizes, got "
            f"{type(output_sizes).__name__}"
        )
    repaired = onnx.ModelProto()
    repaired.CopyFrom(model)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    wanted = dict(output_sizes)
    prefixes = _prefixes(repaired.graph)
    pools = _repair_graph(repaired.graph, Exported(inferred, inferred.graph), wanted, prefixes)
    if wanted:
        raise ValueError(
            f"repair: output_sizes must name results of pools, got {shown(next(iter(wanted)))}"
        )
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), _OPSET)
    if opset < _OPSET and any(pool.replaced for pool in pools):
        return repair(_raised(model, opset), output_sizes)
    return repaired, pools


def _repair_graph(
    graph: onnx.GraphProto, exported: Exported, wanted: dict[str, Size], prefixes: Iterator[str]
) -> list[ExportedPool]:
    """Repair a graph, whose index is `exported`, and those in its nodes; return its pools."""
    pools = []
    for node, indexed in zip(graph.node, exported.graph.node, strict=True):
        for inner, indexed_inner in zip(subgraphs(node), subgraphs(indexed), strict=True):
            inside = Exported(exported.model, indexed_inner, exported)
            pools += _repair_graph(inner, inside, wanted, prefixes)
    found = find(exported, wanted)
    replacements = [
        Replacement(pool.region, pool.axes, pool.output_size)
        for pool in found
        if pool.replaced and pool.output_size is not None
    ]
    gone = iter(splice(graph, exported, replacements, prefixes))
    for region, axes, output_size, is_replaced, note in found:
        shape = exported.shape(region.x) or ()
        nodes = next(gone) if is_replaced else len(region.nodes)
        sizes = tuple(shape[k] for k in axes)
        pools.append(
            ExportedPool(
                region.kind, region.x, region.y, sizes, output_size, is_replaced, nodes, note
            )
        )
    return pools


def _prefixes(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield what names of nodes and tensors may begin with, as no others do."""
    taken = set(_names(graph))
    prefix = "adaptive_pool"
    while any(name.startswith(prefix) for name in taken):
        prefix += "_"
    return (f"{prefix}_{number}" for number in itertools.count())


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    for entry in (*graph.input, *graph.initializer, *graph.node):
        yield entry.name
    for node in graph.node:
        yield from node.output
        for inner in subgraphs(node):
            yield from _names(inner)


def _raised(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    try:
        raised = onnx.version_converter.convert_version(model, _OPSET)
    except Exception as error:  # whatever the converter raises
        raise ValueError(f"repair: opset {opset} cannot be raised to {_OPSET}: {error}") from error
    raised.ir_version = max(raised.ir_version, 8)
    return raised
