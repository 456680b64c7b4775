"""``adaptive-pool pyramid IN OUT.zarr``: an image on disk to an OME-Zarr of all its levels.

The image need not fit the memory: it is cut into regions, and a few of them are worked at together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from .. import __version__
from .._threads import get_num_threads
from . import ome_metadata
from .axes import chosen, ome_order, typed
from .errors import CommandError, extra, on_one_line, warn
from .regions import Shape, cut
from .sources import Source, open_source
from .unfinished import Unfinished, as_text
from .zarr_work import Work, make_levels, make_region

# Bytes.
_MEMORY = 2**29
# What a region takes: itself, its levels, and what zarr copies to write them.
_TIMES_ITS_SIZE = 3
# Regions that are worked at together: more would wait for the disk.
_MOST_AT_ONCE = 8
# Fewer would be gone before a bar is read.
_FEWEST_REGIONS_FOR_A_BAR = 4


def run(arguments: argparse.Namespace, output: Path) -> int:
    """Write a Zarr, or go on with one that was begun."""
    unfinished = Unfinished(output.absolute())
    unfinished.check()
    try:
        asked, source = _asked(arguments)
    except CommandError:
        raise
    except Exception as error:  # a broken file makes a reader raise anything
        raise CommandError(f"cannot read {arguments.input}: {error}") from error
    at_once = min(arguments.threads or get_num_threads(), _MOST_AT_ONCE)
    memory = arguments.memory * 2**20 if arguments.memory else _MEMORY
    plan = unfinished.plan(asked, resume=arguments.resume)
    if plan is None:
        plan = _begin(unfinished, asked, source, memory // (at_once * _TIMES_ITS_SIZE))
    try:
        work = Work(unfinished.target, plan)
        to_do = [k for k in range(len(work.boxes)) if not unfinished.is_done(k)]
        if arguments.dask or arguments.scheduler:
            _on_dask(unfinished.target, plan, to_do, arguments.scheduler, at_once)
        else:
            _in_threads(work, to_do, at_once, arguments.threads or get_num_threads())
        work.write_coarse_levels()
        unfinished.finish()
    except KeyboardInterrupt:
        warn(
            f"interrupted: {unfinished.count_done()} regions are done, and kept in "
            f"{unfinished.folder}; to go on, give --resume"
        )
        raise
    except CommandError:
        raise
    except Exception as error:
        raise CommandError(
            f"{error}; what is done is kept in {unfinished.folder}: to go on, give --resume"
        ) from error
    for level in range(arguments.levels + 1):
        shape, dtype = work.cutting.level_shape(level), asked["dtype"]
        print(on_one_line(f"level {level}: {output}/{level}, shape {shape}, dtype {dtype}"))
    return 0


def _asked(arguments: argparse.Namespace) -> tuple[dict[str, Any], Source]:
    """Return what is asked for, checked, and the input in the order of the output."""
    source = open_source(arguments.input, arguments.axes_names)
    given = chosen(source.axes, arguments.axes)
    source = source._replace(axes=typed(source.axes, given))
    order = ome_order(source.axes)
    source = source.in_order(order)
    pooled = [order.index(axis) for axis in given]
    factor = arguments.factor * (len(pooled) if len(arguments.factor) == 1 else 1)
    if len(factor) != len(pooled):
        raise ValueError(f"{len(pooled)} axes are pooled, got {len(factor)} factors")
    factors = [1] * len(order)
    for axis, length in zip(pooled, factor, strict=True):
        factors[axis] = length
    long = {*pooled, len(order) - 2, len(order) - 1}
    default = (64,) if len(long) > 2 else (512,)
    chunks = _of_each("chunks", len(order), long, arguments.chunks or default)
    shards = arguments.shards and _of_each("shards", len(order), long, arguments.shards)
    if shards and any(shard % chunk for shard, chunk in zip(shards, chunks, strict=True)):
        raise ValueError(f"shards are made of whole chunks, got {shards} and {chunks}")
    asked = {
        "version": __version__,
        "input": str(arguments.input.resolve()),
        "names": arguments.axes_names,
        "state": source.state,
        "shape": source.shape,
        "dtype": str(source.dtype.newbyteorder("=")),
        "axes": source.axes,
        "order": order,
        "pooled": sorted(pooled),
        "factors": factors,
        "levels": arguments.levels,
        "reduce": arguments.reduce,
        "counting": {"nodata": arguments.nodata, "nan_policy": arguments.nan_policy},
        "chunks": chunks,
        "shards": shards,
    }
    one_pixel = source.read((slice(0, 1),) * len(order))
    make_levels(one_pixel, asked, 1)  # raises for what cannot be read, or cannot be done
    return asked, source


def _of_each(what: str, ndim: int, long: set[int], given: tuple[int, ...]) -> Shape:
    """Return a length for each axis; a single one is for `long` axes, 1 for the others."""
    if len(given) == 1:
        return tuple(given[0] if axis in long else 1 for axis in range(ndim))
    if len(given) != ndim:
        raise ValueError(f"--{what} are one number, or one for each of {ndim} axes, got {given}")
    return given


def _begin(unfinished: Unfinished, asked: dict[str, Any], source: Source, room: int) -> str:
    """Make the folder with empty arrays, and return the plan."""
    with extra("zarr"):
        import zarr
    chunks, shards, levels = asked["chunks"], asked["shards"], asked["levels"]
    try:
        cutting = cut(
            source.shape,
            tuple(asked["factors"]),
            max(asked["pooled"]),
            levels,
            shards or chunks,
            source.dtype.itemsize,
            room,
        )
        attributes = _attributes(asked, source)
    except (ValueError, OverflowError) as error:  # a scale beyond all floats
        raise CommandError(str(error)) from error
    plan: str = as_text({"asked": asked, "unit": cutting.unit})
    try:
        unfinished.make()
        group = zarr.create_group(unfinished.image, attributes=attributes)
        for level in range(levels + 1):
            shape = cutting.level_shape(level)
            chunk, shard = _fitting(shape, chunks, shards)
            group.create_array(
                str(level),
                shape=shape,
                chunks=chunk,
                shards=shard,
                dtype=asked["dtype"],
                dimension_names=[axis.name for axis in source.axes],
            )
        unfinished.begin(plan)
    except Exception as error:
        raise CommandError(f"cannot write {unfinished.folder}: {error}") from error
    return plan


def _fitting(shape: Shape, chunks: Shape, shards: Shape | None) -> tuple[Shape, Shape | None]:
    """Return the shapes of chunks and shards of a level, which may be smaller than either."""
    chunk = tuple(map(min, chunks, shape))
    if shards is None:
        return chunk, None
    return chunk, tuple(
        -(-min(shard, n) // c) * c for shard, n, c in zip(shards, shape, chunk, strict=True)
    )


def _attributes(asked: dict[str, Any], source: Source) -> dict[str, Any]:
    levels = [
        ome_metadata.level_axes(source.axes, asked["factors"], level)
        for level in range(asked["levels"] + 1)
    ]
    kind = "average" if asked["reduce"] == "avg" else "maximum"
    method = {
        "type": kind,
        "metadata": {
            "description": f"each element is the {kind} of a block of level 0",
            "method": "adaptive_pool.pyramid",
            "version": asked["version"],
        },
    }
    name = Path(asked["input"]).name.partition(".")[0]
    return ome_metadata.attributes(name, levels, method, source.omero)


def _in_threads(work: Work, regions: Sequence[int], at_once: int, threads: int) -> None:
    """Make regions, some together; after Ctrl-C, those that were begun are still finished."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = [
            pool.submit(work.make_region, region, max(1, threads // at_once)) for region in regions
        ]
        try:
            for future in _bar(as_completed(futures), len(futures)):
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _bar(done: Iterable[Future[None]], total: int) -> Iterable[Future[None]]:
    """Show a bar if someone watches; it is decoration, so tqdm may be absent."""
    if total < _FEWEST_REGIONS_FOR_A_BAR or not sys.stderr.isatty():
        return done
    try:
        from tqdm import tqdm
    except ImportError:
        return done
    bar: Iterable[Future[None]] = tqdm(done, total=total, unit="region")
    return bar


def _on_dask(
    target: Path, plan: str, regions: Sequence[int], scheduler: str | None, at_once: int
) -> None:
    """Make regions as tasks of Dask: in threads, or wherever a scheduler has them run."""
    with extra("dask"):
        import dask
    make = dask.delayed(make_region, pure=False)
    tasks = [make(target, plan, region, 1) for region in regions]
    if scheduler is None:
        dask.compute(*tasks, scheduler="threads", num_workers=at_once)
        return
    with extra("dask"):
        from distributed import Client
    with Client(scheduler):
        dask.compute(*tasks)
