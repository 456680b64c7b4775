"""Arrays whose numbers are not in memory: whoever wants one read whole must say so.

`numpy.asarray` would read or compute most of them without a word. They are recognised by the
modules that are loaded already; none is imported.
"""

from __future__ import annotations

from typing import Any

from ._objects import is_from

_PARTS = "pool parts of it"


def _whole(what: str, instead: str, load: str = "numpy.asarray({name})") -> str:
    return f"is {what}, which would be loaded whole: {instead}, or load it first, {load}"


def _traced(adaptor: str) -> str:
    return f"is traced, so its numbers are not there yet: {adaptor} has functions for that"


_LAZY = (
    ("dask.array", "Array", _whole("a Dask array", "pool it with adaptive_pool.dask")),
    (
        "zarr",
        "Array",
        _whole(
            "a Zarr array", f"{_PARTS}, or dask.array.from_zarr({{name}}) with adaptive_pool.dask"
        ),
    ),
    (
        "h5py",
        "Dataset",
        _whole(
            "an HDF5 dataset",
            f"{_PARTS}, or dask.array.from_array({{name}}) with adaptive_pool.dask",
        ),
    ),
    # numpy.asarray would drop its mask, which is seen, and refused, with [...].
    ("netCDF4", "Variable", _whole("a netCDF variable", _PARTS, "{name}[...]")),
    ("tensorstore", "TensorStore", _whole("a TensorStore", _PARTS)),
    ("cubed", "Array", _whole("a Cubed array", _PARTS)),
    ("blosc2", "NDArray", _whole("a Blosc2 array", _PARTS)),
    ("nibabel.arrayproxy", "ArrayProxy", _whole("an image in a file", _PARTS)),
    ("jax.core", "Tracer", _traced("adaptive_pool.jax")),
    ("autograd.tracer", "Box", _traced("adaptive_pool.autograd")),
)
_NAMES = frozenset(name for _, name, _ in _LAZY) | {"DataArray", "Variable"}
_CHUNKED = _whole("a chunked array of xarray", "pool it with adaptive_pool.xarray")
_IN_A_FILE = _whole(
    "an array of xarray in a file", f"{_PARTS}, or {{name}}.chunk() with adaptive_pool.xarray"
)


def refuse_lazy(function: str, name: str, x: object) -> None:
    """Raise for an array that would have to be read or computed."""
    if _NAMES.isdisjoint([kind.__name__ for kind in type(x).__mro__]):
        return
    said = next((row[2] for row in _LAZY if is_from(x, *row[:2])), None) or _said_of_xarray(x)
    if said:
        raise TypeError(f"{function}: {name} {said.format(name=name)}")


def _said_of_xarray(x: Any) -> str | None:
    if not any(is_from(x, "xarray", name) for name in ("DataArray", "Variable")):
        return None
    try:
        is_chunked, is_in_a_file = x.chunks is not None, _is_in_a_file(x)
    except Exception:  # noqa: BLE001 - a subclass may do anything: it is read like all others
        return None
    return _CHUNKED if is_chunked else _IN_A_FILE if is_in_a_file else None


def _is_in_a_file(x: Any) -> bool:
    variable = getattr(x, "variable", x)
    # There is no public way to ask; xarray asks so before it prints an array.
    is_indexed = is_from(variable._data, "xarray.core.indexing", "ExplicitlyIndexed")
    return is_indexed and not variable._in_memory
