"""Axes of an image: what they are called, where their pixels are, and the order OME-Zarr wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_TYPES = {
    "t": "time",
    "time": "time",
    "c": "channel",
    "channel": "channel",
    "z": "space",
    "y": "space",
    "x": "space",
}
_DEFAULT_NAMES = "tczyx"


class Axis(NamedTuple):
    """An axis; pixel `i` of it has its centre at ``translation + i * scale``, in `unit`."""

    name: str
    type: str | None
    unit: str | None = None
    scale: float = 1.0
    translation: float = 0.0


def named(names: Sequence[str]) -> tuple[Axis, ...]:
    """Return axes of these names, with the types that names stand for."""
    return tuple(Axis(name, _TYPES.get(name)) for name in names)


def unnamed(ndim: int) -> tuple[Axis, ...]:
    """Return the axes that an array has unless something names them: the last of t, c, z, y, x."""
    if not 2 <= ndim <= len(_DEFAULT_NAMES):
        raise ValueError(f"an image has 2 to 5 axes, got {ndim}")
    return named(_DEFAULT_NAMES[-ndim:])


def renamed(axes: Sequence[Axis], names: Sequence[str]) -> tuple[Axis, ...]:
    """Return the same axes under other names; what is known of their pixels stays."""
    return tuple(
        axis if axis.name == new.name else axis._replace(name=new.name, type=new.type)
        for axis, new in zip(axes, named(names), strict=True)
    )


def chosen(axes: Sequence[Axis], given: Sequence[int | str] | None) -> tuple[int, ...]:
    """Return the positions of the pooled axes, which are given by number or by name: or y and x."""
    names = [axis.name for axis in axes]
    if given is None:
        given = ("y", "x") if {"y", "x"} <= set(names) else (-2, -1)
    positions = []
    for entry in given:
        if isinstance(entry, str):
            if entry not in names:
                raise ValueError(f"there is no axis {entry!r}, they are {','.join(names)}")
            positions.append(names.index(entry))
        elif -len(axes) <= entry < len(axes):
            positions.append(entry % len(axes))
        else:
            raise ValueError(f"there is no axis {entry}, they are {','.join(names)}")
    if len(set(positions)) < len(positions):
        raise ValueError(f"pooled axes must be different, got {','.join(map(str, given))}")
    return tuple(positions)


def typed(axes: Sequence[Axis], pooled: Sequence[int]) -> tuple[Axis, ...]:
    """Return the axes with a type for those that are pooled: what becomes coarser is space."""
    return tuple(
        axis._replace(type="space") if axis.type is None and k in pooled else axis
        for k, axis in enumerate(axes)
    )


def ome_order(axes: Sequence[Axis]) -> tuple[int, ...]:
    """Return the positions of axes in the order of OME-Zarr 0.5: time, channel, then space.

    The format has two or three axes of space, one of time at most, and one other at most.
    """
    ranks = [{"time": 0, "space": 2}.get(axis.type or "", 1) for axis in axes]
    names = [axis.name for axis in axes]
    times, others, spaces = (ranks.count(rank) for rank in (0, 1, 2))
    if times > 1 or others > 1 or spaces not in (2, 3) or len(set(names)) < len(names):
        described = ", ".join(f"{axis.name} ({axis.type or 'no type'})" for axis in axes)
        raise ValueError(
            "OME-Zarr has two or three axes of space, one of time at most, one of channels at "
            f"most, all of different names, got {described}: name them with --axes-names"
        )
    return tuple(sorted(range(len(axes)), key=lambda k: ranks[k]))
