"""What OME-Zarr says of an image: its axes, and where the pixels of each level are.

A transformation takes the index of a pixel to the place of its centre. Element `i` of level `L` is
made of the pixels ``i * B`` to ``i * B + B - 1`` of level 0, where ``B = F**L`` is the length of a
block. With pixel `k` of level 0 at ``t + k * s``, the middle of that block is at

    t + (i * B + (B - 1) / 2) * s  =  (t + (B - 1) / 2 * s) + i * (B * s)

so the scale of the level is ``B * s`` and its translation ``t + (B - 1) / 2 * s``. Both are those
of whole blocks: what is left for the last one at an odd size is shorter, and its own middle lies up
to ``(B - 1) / 2`` pixels before the place that a scale and a translation can say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .axes import Axis, named, unnamed

VERSION = "0.5"


def level_axes(axes: Sequence[Axis], factors: Sequence[int], level: int) -> tuple[Axis, ...]:
    """Return the axes of a level, from those of level 0 and one factor for each of them."""
    blocks = [factor**level for factor in factors]
    return tuple(
        axis._replace(
            scale=axis.scale * block, translation=axis.translation + (block - 1) / 2 * axis.scale
        )
        for axis, block in zip(axes, blocks, strict=True)
    )


def attributes(
    name: str,
    levels: Sequence[Sequence[Axis]],
    method: Mapping[str, Any],
    omero: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the attributes of a group whose arrays "0", "1" and so on are the levels."""
    multiscale = {
        "name": name,
        "axes": [_described(axis) for axis in levels[0]],
        "datasets": [
            {
                "path": str(number),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [axis.scale for axis in axes]},
                    {"type": "translation", "translation": [axis.translation for axis in axes]},
                ],
            }
            for number, axes in enumerate(levels)
        ],
        **method,
    }
    ome: dict[str, Any] = {"version": VERSION, "multiscales": [multiscale]}
    if omero is not None:
        ome["omero"] = omero
    return {"ome": ome}


def _described(axis: Axis) -> dict[str, str]:
    entries = {"name": axis.name, "type": axis.type, "unit": axis.unit}
    return {key: value for key, value in entries.items() if value is not None}


def multiscale_of(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the first image that the attributes of a group tell of, or None."""
    images = given.get("ome", given).get("multiscales")  # in 0.4 they are not under "ome"
    return images[0] if images else None


def axes_of(multiscale: Mapping[str, Any], ndim: int) -> tuple[Axis, ...]:
    """Return the axes of level 0, which has `ndim` of them."""
    dataset = multiscale["datasets"][0]
    scale, translation = [1.0] * ndim, [0.0] * ndim
    # Those of the level come first, those of all levels after them.
    for one in (
        *dataset.get("coordinateTransformations", ()),
        *multiscale.get("coordinateTransformations", ()),
    ):
        if one["type"] == "scale" and "scale" in one:
            scale = _times(scale, one["scale"])
            translation = _times(translation, one["scale"])
        elif one["type"] == "translation" and "translation" in one:
            translation = [a + b for a, b in zip(translation, one["translation"], strict=True)]
        elif one["type"] != "identity":
            raise ValueError(f"an unknown transformation of coordinates, {one}")
    return tuple(
        axis._replace(scale=s, translation=t)
        for axis, s, t in zip(_axes(multiscale, ndim), scale, translation, strict=True)
    )


def _axes(multiscale: Mapping[str, Any], ndim: int) -> tuple[Axis, ...]:
    entries = multiscale.get("axes")
    if entries is None:  # before 0.3 they had no names
        return unnamed(ndim)
    if all(isinstance(entry, str) for entry in entries):  # 0.3
        return named(entries)
    return tuple(Axis(e["name"], e.get("type"), e.get("unit")) for e in entries)


def _times(a: Sequence[float], b: Sequence[float]) -> list[float]:
    return [x * y for x, y in zip(a, b, strict=True)]
