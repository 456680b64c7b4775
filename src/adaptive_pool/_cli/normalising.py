"""Pictures as a model wants them: from 0 to 1, less a mean, over a deviation."""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

from .._problem import Array
from .._windows import Rule
from ..pictures import Layout, to_tensor
from .errors import CommandError


class Normalising(NamedTuple):
    """What becomes of a mean `m` of a window: ``(m / largest - mean) / std``.

    `largest` is 255 for pictures of 8 bits and 65535 for those of 16.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    dtype: str

    def tensor(
        self,
        pictures: list[Array],
        size: tuple[int, int],
        windows: Rule,
        layout: Layout,
        threads: int | None,
    ) -> Array:
        """Return pictures (H, W, C) of one dtype as one array, in one pass."""
        tensor: Array = to_tensor(
            pictures,
            size,
            mean=_one_or_each(self.mean),
            std=_one_or_each(self.std),
            scale=_scale(pictures[0].dtype),
            layout=layout,
            dtype=self.dtype,
            windows=windows,
            num_threads=threads,
        )
        return tensor

    def normalised(self, means: Array, dtype: np.dtype) -> Array:
        """Return the same of means in float64, channels last, of pictures of a dtype."""
        for name, given in (("mean", self.mean), ("std", self.std)):
            if len(given) not in (1, means.shape[-1]):
                raise ValueError(
                    f"--{name} is one number, or one for each of {means.shape[-1]} channels, got "
                    f"{len(given)}"
                )
        mean, std = np.array(self.mean), np.array(self.std)
        normalised: Array = (means * (_scale(dtype) / std) + -mean / std).astype(self.dtype)
        return normalised


def _one_or_each(given: tuple[float, ...]) -> float | tuple[float, ...]:
    return given if len(given) > 1 else given[0]


def _scale(dtype: np.dtype) -> float:
    if dtype not in (np.uint8, np.uint16):
        raise ValueError(
            "--mean and --std are for uint8 and uint16, whose largest value becomes 1, got dtype "
            f"{dtype}"
        )
    return 1 / float(np.iinfo(dtype).max)


def asked_for(arguments: argparse.Namespace, *, to_picture: bool) -> Normalising | None:
    """Return what the arguments ask for, or raise if they do not go together."""
    if arguments.layout and to_picture:
        raise CommandError("--layout is for .npy and .npz: a picture has its own")
    if arguments.mean is None and arguments.std is None:
        return None
    if to_picture:
        raise CommandError("--mean and --std are for .npy and .npz: a picture holds integers")
    if arguments.mode == "max":
        raise CommandError("--mean and --std are for --mode avg: maxima keep their values")
    if None in arguments.size:
        raise CommandError("--mean and --std need a height and a width, got --size none")
    dtype = arguments.dtype or "float32"
    if not np.dtype(dtype).kind == "f":
        raise CommandError(f"--mean and --std give floats, got --dtype {dtype}")
    return Normalising(arguments.mean or (0.0,), arguments.std or (1.0,), dtype)
