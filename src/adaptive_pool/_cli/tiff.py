"""TIFF as tifffile reads it: the first series of a file, and how far its pixels are apart."""

from __future__ import annotations

import math
import weakref
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .axes import named
from .errors import extra
from .sources import Source, mapped, state_of

# tifffile's letters; the samples of a pixel are its channels.
_NAMES = {"S": "c"}
_UNITS = {
    "Å": "angstrom",
    "nm": "nanometer",
    "µm": "micrometer",  # with the sign for micro
    "μm": "micrometer",  # with the Greek letter
    "um": "micrometer",
    "micron": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "in": "inch",
    "inch": "inch",
    "s": "second",
    "sec": "second",
    "ms": "millisecond",
    "µs": "microsecond",
    "min": "minute",
    "h": "hour",
}
_RESOLUTION_UNITS = {2: "inch", 3: "centimeter"}

Sizes = Mapping[str, tuple[float, str | None]]


def tiff(path: Path) -> Source:
    """Return the image of a file: of several resolutions, the first."""
    with extra("zarr"):
        import tifffile
        import zarr
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        # Unlike the order of the axes, their letters say what they are: of shape (3, H, W), S, Y
        # and X are colours in separate planes, and Z, Y and X are three slices.
        letters = series.axes
        shape, dtype, offset = series.shape, series.dtype, series.dataoffset
        order = file.byteorder
        sizes = _sizes(file, series)
    if offset is None:
        store = tifffile.imread(path, aszarr=True, series=0, level=0)
        array = zarr.open(store, mode="r")
        weakref.finalize(array, store.close)  # to open it for each part would read all its tags
        read = array.__getitem__
    else:  # not compressed, and one run of bytes: tifffile would read a whole page at a time
        read = mapped(path, np.dtype(dtype).newbyteorder(order), offset, shape, "C")
    axes = []
    for axis in named([_NAMES.get(letter, letter.lower()) for letter in letters]):
        scale, unit = sizes.get(axis.name, (1.0, None))
        is_size = 0 < scale < math.inf  # what is none says nothing, and JSON has no NaN
        axes.append(axis._replace(scale=scale, unit=unit) if is_size else axis)
    return Source(tuple(shape), np.dtype(dtype), read, tuple(axes), state_of(path))


def _sizes(file: Any, series: Any) -> Sizes:
    """Return how far pixels are from each other, along the axes where the file says it."""
    if file.is_ome:
        return _of_ome(file.ome_metadata)
    sizes: dict[str, tuple[float, str | None]] = {}
    page = series.keyframe
    unit = _RESOLUTION_UNITS.get(int(page.resolutionunit))
    if file.is_imagej:
        unit = _unit(str(file.imagej_metadata.get("unit", "")))  # which may look like a number
        if spacing := file.imagej_metadata.get("spacing"):
            sizes["z"] = float(spacing), unit
    if unit is not None:
        x, y = page.resolution
        sizes |= {name: (1 / r, unit) for name, r in (("x", x), ("y", y)) if r > 0}
    return sizes


def _of_ome(text: str) -> Sizes:
    pixels = ET.fromstring(text).find(".//{*}Pixels")
    if pixels is None:
        return {}
    sizes = {}
    for name in "xyz":
        if size := pixels.get(f"PhysicalSize{name.upper()}"):
            unit = pixels.get(f"PhysicalSize{name.upper()}Unit", "µm")
            sizes[name] = float(size), _unit(unit)
    if step := pixels.get("TimeIncrement"):
        sizes["t"] = float(step), _unit(pixels.get("TimeIncrementUnit", "s"))
    return sizes


def _unit(text: str) -> str | None:
    """Return the name that OME-Zarr has for a unit, or None for what is none: "pixel"."""
    return _UNITS.get(text.replace("\\u00B5", "µ"))
