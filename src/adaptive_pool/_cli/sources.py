"""Images on disk that are read part by part: ``.npy`` files, TIFF, Zarr and OME-Zarr."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from .._problem import Array
from . import ome_metadata
from .axes import Axis, named, renamed, unnamed
from .errors import extra
from .files import is_channels_last
from .npy import check_length, read_header
from .regions import Box, Shape

TIFF_SUFFIXES = (".tif", ".tiff")


class Source(NamedTuple):
    """Level 0: what is known of it before any of it is read."""

    shape: Shape
    dtype: np.dtype
    read: Callable[[Box], Array]  # a part; where files can be mapped, without a copy
    axes: tuple[Axis, ...]
    state: Mapping[str, Any]  # of the file; if it is another, so may the elements be
    omero: Mapping[str, Any] | None = None

    def in_order(self, order: Sequence[int]) -> Source:
        """Return the same image with its axes in another order."""

        def read(box: Box) -> Array:
            parts = [slice(None)] * len(order)
            for part, axis in zip(box, order, strict=True):
                parts[axis] = part
            return self.read(tuple(parts)).transpose(order)

        shape, axes = tuple(self.shape[k] for k in order), tuple(self.axes[k] for k in order)
        return self._replace(shape=shape, axes=axes, read=read)


def open_source(path: Path, names: Sequence[str] | None) -> Source:
    """Return the image at `path`; `names` are those of its axes, if the file is not to say."""
    if path.is_dir():
        source = _zarr(path, names)
    elif path.suffix.lower() in TIFF_SUFFIXES:
        from .tiff import tiff

        source = tiff(path)
    elif path.suffix.lower() == ".npy":
        source = _npy(path, names)
    elif not path.exists():
        raise FileNotFoundError("no such file or folder")
    else:
        raise ValueError("the input for a Zarr is a .npy file, a TIFF, or the folder of a Zarr")
    if not all(source.shape):
        raise ValueError(f"an image of shape {source.shape} has no pixels")
    if names is None:
        return source
    if len(names) != len(source.shape):
        raise ValueError(f"shape {source.shape} has as many axes, got names {','.join(names)}")
    return source._replace(axes=renamed(source.axes, names))


def state_of(path: Path) -> dict[str, Any]:
    """Return what changes when a file is written again."""
    found = path.stat()
    return {"size": found.st_size, "modified": found.st_mtime_ns}


def mapped(
    path: Path, dtype: np.dtype, offset: int, shape: Shape, order: Literal["C", "F"]
) -> Callable[[Box], Array]:
    """Return a reader of parts; each has a map of its own, so that no memory stays taken."""

    def read(box: Box) -> Array:
        return np.memmap(path, dtype, "r", offset, shape, order)[box].view(np.ndarray)

    return read


def _npy(path: Path, names: Sequence[str] | None) -> Source:
    with path.open("rb") as stream:
        check_length(stream, path.stat().st_size)
        stream.seek(0)
        shape, fortran_order, dtype = read_header(stream)
        offset = stream.tell()
    if names is None and is_channels_last(shape):
        raise ValueError(
            f"shape {shape} is that of a picture with its channels last: name the axes, "
            "--axes-names y,x,c for example"
        )
    read = mapped(path, dtype, offset, shape, "F" if fortran_order else "C")
    return Source(shape, dtype, read, _axes_of_array(len(shape), names), state_of(path))


def _axes_of_array(ndim: int, names: Sequence[str] | None) -> tuple[Axis, ...]:
    return unnamed(ndim) if names is None else named(names)


def _zarr(path: Path, names: Sequence[str] | None) -> Source:
    with extra("zarr"):
        import zarr
    try:
        node = zarr.open(path, mode="r")
    except FileNotFoundError as error:
        raise ValueError("there is no Zarr in this folder") from error
    if isinstance(node, zarr.Group):
        return _ome_zarr(node)
    # Of Zarr v2, these are the names that xarray gives axes.
    own = getattr(node.metadata, "dimension_names", None) or node.attrs.get("_ARRAY_DIMENSIONS")
    axes = named(own) if own and None not in own else _axes_of_array(node.ndim, names)
    state = {"metadata": node.metadata.to_dict()}
    return Source(node.shape, node.dtype, node.__getitem__, axes, state)


def _ome_zarr(group: Any) -> Source:
    attributes = group.attrs.asdict()
    multiscale = ome_metadata.multiscale_of(attributes)
    if multiscale is None:
        arrays = ", ".join(sorted(group.array_keys())) or "none"
        raise ValueError(
            "this group is no OME-Zarr image: give the path of an array in it, or of a group that "
            f"is one; arrays in it: {arrays}"
        )
    array = group[multiscale["datasets"][0]["path"]]
    axes = ome_metadata.axes_of(multiscale, array.ndim)
    state = {"metadata": array.metadata.to_dict(), "multiscale": multiscale}
    omero = attributes.get("ome", attributes).get("omero")
    return Source(array.shape, array.dtype, array.__getitem__, axes, state, omero)
