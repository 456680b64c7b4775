"""One task of a pyramid of Zarr: a region read once, all its levels made, and each written."""

from __future__ import annotations

import functools
import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .._problem import Array
from .._pyramid import pyramid
from .errors import extra
from .regions import Box, Cutting, extent, grid, shared, within
from .sources import Source, open_source
from .unfinished import Unfinished

_WAITING = 16  # threads


def open_input(asked: dict[str, Any]) -> Source:
    """Return the input of a plan, its axes in the order of the output."""
    return open_source(Path(asked["input"]), asked["names"]).in_order(asked["order"])


class Work:
    """What is to be done by a plan; any process with the same files can do a part of it."""

    def __init__(self, target: Path, plan: str) -> None:
        with extra("zarr"):
            import zarr
        given = json.loads(plan)
        self._asked = asked = given["asked"]
        self._source = open_input(asked)
        self._unfinished = Unfinished(target)
        self._levels = range(asked["levels"] + 1)
        group = zarr.open_group(self._unfinished.image, mode="r+")
        self._arrays = [group[str(level)] for level in self._levels]
        self.cutting = Cutting(
            self._source.shape,
            tuple(asked["factors"]),
            asked["levels"],
            tuple(given["unit"]),
            max(asked["pooled"]),
        )
        self.boxes = self.cutting.boxes()
        self._at_once = [
            self.cutting.writes_whole(level, _written(array))
            for level, array in enumerate(self._arrays)
        ]

    def make_region(self, region: int, threads: int) -> None:
        """Make all levels of a region."""
        box = self.boxes[region]
        levels = make_levels(self._source.read(box), self._asked, threads)
        coarse, written = {}, []
        for level, pooled in enumerate(levels):
            if self._at_once[level]:
                written += self._write(level, self.cutting.of_level(box, level), pooled)
            else:
                coarse[level] = pooled
        _have_on_disk(written)
        self._unfinished.set_done(region, coarse)

    def write_coarse_levels(self) -> None:
        """Write those levels whose chunks hold several regions: one chunk, or shard, at a time."""
        for level in self._levels:
            if not self._at_once[level]:
                array = self._arrays[level]
                for part in grid(array.shape, _written(array)):
                    pooled = self._collected(level, part, array.dtype)
                    _have_on_disk(self._write(level, part, pooled))

    def _collected(self, level: int, part: Box, dtype: np.dtype) -> Array:
        whole = np.empty(extent(part), dtype)
        for region in self._touching(level, part):
            box = self.cutting.of_level(self.boxes[region], level)
            common = shared(part, box)
            pooled = self._unfinished.coarse(region, level)
            whole[within(common, part)] = pooled[within(common, box)]
        return whole

    def _touching(self, level: int, part: Box) -> list[int]:
        """Return the regions that a part of a level comes from."""
        cuts = self.cutting.cuts()
        near = [
            [
                k
                for k, cut in enumerate(along)
                if cut.start // f**level < p.stop and p.start < -(-cut.stop // f**level)
            ]
            for along, p, f in zip(cuts, part, self.cutting.factors, strict=True)
        ]
        counts = tuple(map(len, cuts))
        return [int(np.ravel_multi_index(at, counts)) for at in itertools.product(*near)]

    def _write(self, level: int, part: Box, pooled: Array) -> list[Path]:
        """Write a part of a level, in whole chunks, and return their files."""
        array, folder = self._arrays[level], self._unfinished.image / str(level)
        array[part] = pooled
        places = (
            range(p.start // w, -(-p.stop // w)) for p, w in zip(part, _written(array), strict=True)
        )
        keys = map(array.metadata.encode_chunk_key, itertools.product(*places))
        return [folder / key for key in keys]


def _have_on_disk(files: list[Path]) -> None:
    """Wait until files are on the disk, many at a time: one by one takes four times as long."""
    with ThreadPoolExecutor(_WAITING) as pool:
        list(pool.map(_wait_for, files))


def _wait_for(file: Path) -> None:
    if file.exists():  # nothing is stored for a chunk of zeros
        with file.open("r+b") as stream:
            os.fsync(stream.fileno())


def make_levels(x: Array, asked: dict[str, Any], threads: int) -> list[Array]:
    """Return the levels of a region, or of the whole."""
    return pyramid(
        x,
        asked["levels"] + 1,
        axes=asked["pooled"],
        factor=[asked["factors"][axis] for axis in asked["pooled"]],
        reduce=asked["reduce"],
        num_threads=threads,
        **asked["counting"],
    )


def _written(array: Any) -> tuple[int, ...]:
    """Return the shape of what is written of an array at a time."""
    shape: tuple[int, ...] = array.shards or array.chunks
    return shape


@functools.lru_cache(maxsize=1)
def _opened(target: Path, plan: str) -> Work:
    return Work(target, plan)


def make_region(target: Path, plan: str, region: int, threads: int) -> None:
    """Do one task, in whatever process it is asked for."""
    _opened(target, plan).make_region(region, threads)
