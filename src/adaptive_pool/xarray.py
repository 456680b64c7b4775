"""Pooling of labelled arrays: importing this module gives them the accessor ``pool``.

Dimensions are named, in any order, and coordinates are pooled along with the data. What is computed
is what the functions of the package compute; of Dask arrays, those of `adaptive_pool.dask`.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _average, _maximum
from ._extras import needs
from ._objects import shown
from ._options import NanPolicy
from ._windows import (
    Rule,
    Table,
    as_size,
    check_rule,
    check_unweighted,
    cut_by_rule,
    explicit_table,
)

with needs("xarray"):
    import xarray as xr

_MOST_DIMS = 3
_MOST_BYTES = 8  # of numbers: longdouble has more


class _Plan:
    """Which dimensions are pooled, to which sizes, by which windows."""

    def __init__(
        self,
        function: str,
        lengths: Mapping[Hashable, int],
        given: Mapping[Any, Any] | None,
        by_name: Mapping[str, Any],
        windows: Any,
    ) -> None:
        self.function = function
        if given is not None and by_name:
            raise ValueError(f"{function}: pass sizes as a mapping or by name, not both")
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(
                f"{function}: sizes must be a mapping of dimensions, got {type(given).__name__}"
            )
        sizes = dict(by_name if given is None else given)
        tables = windows if isinstance(windows, Mapping) else {}
        dims = [*sizes, *(dim for dim in tables if dim not in sizes)]
        for dim in dims:
            if dim not in lengths:
                value = sizes[dim] if dim in sizes else tables[dim]
                raise ValueError(
                    f"{function}: there is no dimension {shown(dim)}, which was given "
                    f"{shown(value)}, among {tuple(lengths)}"
                )
        dims = [dim for dim in dims if sizes.get(dim) is not None or dim in tables]
        if not 0 < len(dims) <= _MOST_DIMS:
            raise ValueError(
                f"{function}: pass sizes for one to three dimensions of {tuple(lengths)}, "
                f"got {len(dims)}"
            )
        self.rule = "" if tables else check_rule(function, windows)
        self.sizes: dict[Hashable, int] = {}
        self.tables: dict[Hashable, Table] = {}
        for axis, dim in enumerate(dims):
            length, size = lengths[dim], sizes.get(dim)
            if self.rule:
                count = as_size(function, f"size of {dim!r}", size)
                table = cut_by_rule(function, length, count, self.rule)
            elif dim not in tables:
                raise ValueError(f"{function}: there are no windows for dimension {shown(dim)}")
            else:
                table = explicit_table(function, axis, length, tables[dim])
                if size is not None and size != len(table[0]):
                    raise ValueError(
                        f"{function}: size {shown(size)} of dimension {shown(dim)} does not agree "
                        f"with its {len(table[0])} windows"
                    )
            self.sizes[dim], self.tables[dim] = len(table[0]), table

    def dims_of(self, variable: xr.Variable) -> list[Hashable]:
        """Return the dimensions of a variable that are pooled, in its own order."""
        return [dim for dim in variable.dims if dim in self.sizes]

    def pool(self, variable: xr.Variable, operation: str, options: Mapping[str, Any]) -> Any:
        """Pool a variable over the dimensions that it has; return it and what else there is."""
        dims = self.dims_of(variable)
        others = [dim for dim in variable.dims if dim not in dims]
        options = dict(options)
        if options.get("where") is not None:
            where = _mask_like(self.function, variable, options["where"])
            options["where"] = where.transpose(*others, *dims).data
        data = variable.transpose(*others, *dims).data
        name = f"adaptive_{operation}_pool{len(dims)}d"
        windows = self.rule or [self.tables[dim] for dim in dims]
        sizes = tuple(self.sizes[dim] for dim in dims)
        results = _function(name, data)(data, sizes, windows=windows, **options)
        made = [
            xr.Variable((*others, *dims), y, variable.attrs).transpose(*variable.dims)
            for y in (results if isinstance(results, tuple) else (results,))
        ]
        return tuple(made) if isinstance(results, tuple) else made[0]

    def coordinate(self, variable: xr.Variable) -> xr.Variable | None:
        """Return the means of a coordinate in each window, or None if it has none."""
        dtype = variable.dtype
        if dtype.kind in "mM":
            return self._time(variable)
        if dtype.kind not in "iuf" or dtype.itemsize > _MOST_BYTES:
            return None
        options = {} if dtype.kind == "f" else {"dtype": np.float64}
        return self.pool(variable, "avg", options)

    def _time(self, variable: xr.Variable) -> xr.Variable:
        """Return means of times, exact and rounded to their unit; NaT where one is NaT."""
        values = np.asarray(variable.values)
        ticks = xr.Variable(variable.dims, values.astype(np.int64), variable.attrs)
        means = self.pool(ticks, "avg", {"dtype": np.int64})
        missing = self.pool(xr.Variable(variable.dims, np.isnat(values)), "avg", {})
        times = means.values.astype(values.dtype)
        times[missing.values > 0] = np.array("NaT", values.dtype)
        return xr.Variable(variable.dims, times, variable.attrs)

    def bounds(self, variable: xr.Variable) -> xr.Variable:
        """Merge the bounds of cells: from where the first begins to where the last ends."""
        (dim,) = self.dims_of(variable)
        edges = variable.transpose(dim, ...).values
        backwards = len(edges) > 0 and (edges[-1, 0] < edges[0, 0]) != (edges[0, 1] < edges[0, 0])
        merged = self._merged(dim, edges[:, ::-1] if backwards else edges)
        merged = merged[:, ::-1] if backwards else merged
        other = next(d for d in variable.dims if d != dim)
        return xr.Variable((dim, other), merged, variable.attrs).transpose(*variable.dims)

    def _merged(self, dim: Hashable, edges: Any) -> Any:
        starts, ends = self.tables[dim]
        lower, upper = edges[starts], edges[ends - 1]
        if self.rule != "area":
            return np.stack([lower[:, 0], upper[:, 1]], axis=1)
        # Borders lie within cells, at multiples of length / size.
        size, steps = len(starts), np.arange(len(starts) + 1) * len(edges)
        into_lower, into_upper = steps[:-1] - starts * size, steps[1:] - (ends - 1) * size
        return np.stack([_between(lower, into_lower, size), _between(upper, into_upper, size)], 1)

    def coordinates(self, coords: Any) -> Any:
        """Return coordinates of the result; those that have no means are left out."""
        dataset = coords.to_dataset()
        names = _names_of_bounds(dataset)
        pooled = [name for name, v in dataset.variables.items() if self.dims_of(v)]
        made = {}
        for name in pooled:
            variable = _plain(dataset.variables[name])
            if name in names and self.are_bounds(variable):
                made[name] = self.bounds(variable)
            elif (mean := self.coordinate(variable)) is not None:
                made[name] = mean
        return dataset.drop_vars(pooled).assign_coords(made).coords

    def are_bounds(self, variable: xr.Variable) -> bool:
        """Whether a variable holds two bounds of each cell of one dimension."""
        shape = [n for dim, n in variable.sizes.items() if dim not in self.sizes]
        return len(self.dims_of(variable)) == 1 and shape == [2]


def _between(edges: Any, parts: Any, whole: int) -> Any:
    """Return what lies so many parts of a whole between two edges each."""
    begin, end = edges[:, 0], edges[:, 1]
    if edges.dtype.kind in "mM":
        length = end - begin
        part = length // whole  # `length * parts` can overflow
        return begin + part * parts + (length - part * whole) * parts // whole
    return np.where(parts == whole, end, begin + (end - begin) * (parts / whole))


def _plain(variable: Any) -> xr.Variable:
    """Return a variable, of an index as an array."""
    if isinstance(variable, xr.IndexVariable):
        return xr.Variable(variable.dims, variable.values, variable.attrs)
    return variable


def _names_of_bounds(dataset: xr.Dataset) -> set[Hashable]:
    """Return the names that bounds have, by the CF conventions or by what is usual."""
    names: set[Hashable] = {f"{dim}{end}" for dim in dataset.dims for end in ("_bnds", "_bounds")}
    # With decode_coords="all" xarray moves the attribute to the encoding.
    given = [{**v.encoding, **v.attrs}.get("bounds") for v in dataset.variables.values()]
    return names | {name for name in given if name is not None}


def _mask_like(function: str, variable: xr.Variable, where: Any) -> xr.Variable:
    """Return a mask with the dimensions of a variable, in their order; nothing is copied."""
    if not isinstance(where, (xr.DataArray, xr.Variable)):
        try:
            return xr.Variable(variable.dims, np.broadcast_to(where, variable.shape))
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"{function}: where must be bools that broadcast to the shape {variable.shape} of "
                f"{variable.dims}: {error}"
            ) from error
    mask = where.variable if isinstance(where, xr.DataArray) else where
    for dim in mask.dims:
        if dim not in variable.dims:
            raise ValueError(
                f"{function}: where has the dimension {shown(dim)} of length {mask.sizes[dim]}, "
                f"which is not among {variable.dims}"
            )
    return mask.set_dims(variable.sizes).transpose(*variable.dims)


def _function(name: str, data: Any) -> Any:
    """Return the function of that name for an array; Dask is imported by those who have one."""
    dask_array = sys.modules.get("dask.array")
    if dask_array is not None and isinstance(data, dask_array.Array):
        from . import dask as lazy

        return getattr(lazy, name)
    return getattr(_average if "avg" in name else _maximum, name)


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that a caller gave."""
    return {name: value for name, value in options.items() if value is not None}


class _Pool:
    """What both accessors offer: pooling by the names of dimensions."""

    def __init__(self, labelled: Any) -> None:
        self._labelled = labelled

    def _pool(self, plan: _Plan, operation: str, options: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def avg(
        self,
        sizes: Mapping[Any, int | None] | None = None,
        *,
        windows: Rule | Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]] = "torch",
        where: Any = None,
        nan_policy: NanPolicy = "propagate",
        nodata: float | None = None,
        empty: float | None = None,
        min_count: int = 1,
        return_counts: bool = False,
        dtype: npt.DTypeLike | None = None,
        num_threads: int | None = None,
        **sizes_by_name: int | None,
    ) -> Any:
        """Average over windows along named dimensions.

        Parameters
        ----------
        sizes : mapping of dimension to int or None, optional
            Lengths of one to three dimensions of the result. None keeps a dimension as it is, with
            its labels.
            Usually they are given by name, ``avg(y=300, x=400)``; a dimension that is named like an
            argument needs the mapping.
        windows : {"torch", "split", "uniform", "ceil", "area"} or mapping
            The rule that cuts dimensions, see `adaptive_pool.pool_windows`. Or for each dimension
            its windows, (starts, ends), which say how long it becomes.
        where : DataArray or array_like of bool, optional
            Which elements count. Of a DataArray dimensions are matched by name, and coordinates
            must be equal.
        nan_policy : {"propagate", "omit"}
            Whether NaN makes a mean NaN, or is left out.
        nodata, empty, min_count, dtype
            As of `adaptive_pool.adaptive_avg_pool2d`.
        return_counts : bool
            Whether to return how many elements count, too; of a DataArray only.
        num_threads : int, optional
            The most threads, by default `adaptive_pool.get_num_threads`, and of Dask arrays 1 for
            each task.
        **sizes_by_name : int or None
            The sizes, by name.

        Returns
        -------
        DataArray or Dataset
            With the dimensions in their order, names and attributes. Lazy if the data is: Dask
            arrays stay such, with the bits of the same call in memory. With `return_counts` a pair
            of DataArrays.

        Raises
        ------
        TypeError, ValueError
            If a dimension does not exist, there are none or more than three, or for what the
            function for arrays refuses.

        Notes
        -----
        Dimensions are pooled in the order that the array has them in, whatever the order in which
        they are named, and wherever they stand. In a Dataset each variable is pooled over those
        that it has, and others are kept.

        Coordinates over pooled dimensions become their means in each window, also those over
        several dimensions: with "area" weighted as the data is, and NaN where one is NaN. Times are
        averaged exactly, and rounded to their unit. What has no mean is left out: text, bools,
        objects such as those of cftime. Longitudes that jump from 360 to 0 are numbers like others.

        Bounds of cells, in a Dataset, are merged: from where the first cell begins to where the
        last one ends; with "area" in proportion, where a window ends within a cell. They have two
        columns, and are named by the attribute ``bounds`` of a coordinate, or ``<dim>_bnds`` or
        ``<dim>_bounds``.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> import adaptive_pool.xarray
        >>> x = np.arange(6.0)
        >>> da = xr.DataArray(x, {"x": 10 * x}, name="t")
        >>> da.pool.avg(x=2)
        <xarray.DataArray 't' (x: 2)> Size: 16B
        array([1., 4.])
        Coordinates:
          * x        (x) float64 16B 10.0 40.0
        """
        options = _given(
            where=where,
            nan_policy=nan_policy,
            nodata=nodata,
            empty=empty,
            min_count=min_count,
            return_counts=return_counts,
            dtype=dtype,
            num_threads=num_threads,
        )
        lengths = self._labelled.sizes
        plan = _Plan("pool.avg", lengths, sizes, sizes_by_name, windows)
        return self._pool(plan, "avg", options)

    def max(
        self,
        sizes: Mapping[Any, int | None] | None = None,
        *,
        windows: Rule | Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]] = "torch",
        where: Any = None,
        nan_policy: NanPolicy = "propagate",
        nodata: float | None = None,
        empty: float | None = None,
        min_count: int = 1,
        return_counts: bool = False,
        num_threads: int | None = None,
        **sizes_by_name: int | None,
    ) -> Any:
        """Take maxima over windows along named dimensions; coordinates are averaged.

        Parameters
        ----------
        sizes : mapping of dimension to int or None, optional
            As of `avg`.
        windows : {"torch", "split", "uniform", "ceil"} or mapping
            As of `avg`.
        where, nan_policy, nodata, empty, min_count, return_counts, num_threads
            As of `avg`. NaN wins unless it is left out.
        **sizes_by_name : int or None
            The sizes, by name.

        Returns
        -------
        DataArray or Dataset
            As of `avg`.

        Raises
        ------
        TypeError, ValueError
            As of `avg`; and if `windows` is "area".

        Examples
        --------
        >>> import xarray as xr
        >>> import adaptive_pool.xarray
        >>> xr.DataArray([[1, 7], [5, 2], [3, 4]], dims=("y", "x")).pool.max(y=1).values
        array([[5, 7]])
        """
        check_unweighted("pool.max", windows)
        options = _given(
            where=where,
            nan_policy=nan_policy,
            nodata=nodata,
            empty=empty,
            min_count=min_count,
            return_counts=return_counts,
            num_threads=num_threads,
        )
        lengths = self._labelled.sizes
        plan = _Plan("pool.max", lengths, sizes, sizes_by_name, windows)
        return self._pool(plan, "max", options)

    def coarsen_to(
        self,
        sizes: Mapping[Any, int] | None = None,
        *,
        reduce: Literal["mean", "max"] = "mean",
        skipna: bool = True,
        **sizes_by_name: int,
    ) -> Any:
        """Coarsen named dimensions to given sizes: blocks that do not overlap, NaN left out.

        What ``coarsen(y=..., x=...)`` does for factors, for sizes. Blocks differ in length by one
        at most (the rule "split"), so a size need not divide; where all do, results are those of
        ``coarsen`` by the quotients.

        Parameters
        ----------
        sizes : mapping of dimension to int, optional
            As of `avg`.
        reduce : {"mean", "max"}
            What becomes of a block.
        skipna : bool
            Whether NaN is left out; a block of nothing else becomes NaN.
        **sizes_by_name : int
            The sizes, by name.

        Returns
        -------
        DataArray or Dataset
            As of `avg`.

        Raises
        ------
        TypeError, ValueError
            As of `avg`; and if a size is larger than its dimension.

        Examples
        --------
        >>> import xarray as xr
        >>> import adaptive_pool.xarray
        >>> da = xr.DataArray([1.0, 2.0, float("nan"), 4.0, 5.0], dims="x")
        >>> da.pool.coarsen_to(x=2).values
        array([1.5, 4.5])
        """
        function = "pool.coarsen_to"
        if reduce not in ("mean", "max"):
            raise ValueError(f"{function}: reduce must be 'mean' or 'max', got {shown(reduce)}")
        plan = _Plan(function, self._labelled.sizes, sizes, sizes_by_name, "split")
        options = {"nan_policy": "omit" if skipna else "propagate"}
        return self._pool(plan, "avg" if reduce == "mean" else "max", options)


class DataArrayPool(_Pool):
    """Pooling of a DataArray, as ``da.pool``."""

    def _pool(self, plan: _Plan, operation: str, options: Mapping[str, Any]) -> Any:
        array = self._labelled
        if isinstance(options.get("where"), xr.DataArray):
            xr.align(array, options["where"], join="exact")
        results = plan.pool(_plain(array.variable), operation, options)
        coords = plan.coordinates(array.coords)
        if isinstance(results, tuple):
            return tuple(xr.DataArray(y, coords, name=array.name) for y in results)
        return xr.DataArray(results, coords, name=array.name)


class DatasetPool(_Pool):
    """Pooling of a Dataset, as ``ds.pool``."""

    def _pool(self, plan: _Plan, operation: str, options: Mapping[str, Any]) -> Any:
        dataset = self._labelled
        if options.get("return_counts"):
            raise TypeError(f"{plan.function}: return_counts is for a DataArray, got a Dataset")
        if isinstance(options.get("where"), xr.DataArray):
            xr.align(dataset, options["where"], join="exact")
        names = _names_of_bounds(dataset)
        made = {}
        for name, array in dataset.data_vars.items():
            variable = array.variable
            if name in names and plan.are_bounds(variable):
                made[name] = plan.bounds(variable)
            elif plan.dims_of(variable):
                try:
                    made[name] = plan.pool(variable, operation, options)
                except (TypeError, ValueError) as error:
                    error.add_note(f"{plan.function}: this is about the variable {shown(name)}")
                    raise
            else:
                made[name] = variable
        return xr.Dataset(made, plan.coordinates(dataset.coords), dataset.attrs)


# Not as decorators, which hide the classes from documentation made without xarray.
xr.register_dataarray_accessor("pool")(DataArrayPool)
xr.register_dataset_accessor("pool")(DatasetPool)
