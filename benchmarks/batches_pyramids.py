"""Levels of a pyramid in other libraries, of integers that are halved again and again."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

import numpy as np
from batches_data import halvings_of
from cases import Case
from data import input_of
from library import Call, Library


class TensorStoreLevels(Library):
    """`downsample` of each level to the next, which rounds means of integers."""

    module = "tensorstore"
    distribution = "tensorstore"

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "pyramid":
            return None
        ts = importlib.import_module("tensorstore")
        context = ts.Context({"data_copy_concurrency": {"limit": self.threads}})
        x, count = input_of(case), halvings_of(case)
        factors = [1] * (x.ndim - case.ndim) + [2] * case.ndim

        def levels() -> list[np.ndarray]:
            found = [x]
            for _ in range(count):
                level = ts.array(found[-1], context=context)
                found.append(ts.downsample(level, factors, "mean").read().result())
            return found[1:]

        return levels


class TinyBrain(Library):
    """`downsample_with_averaging`: all levels in one pass, of axes in the order of Fortran.

    It has one thread, adds a whole block of integers for each level, and leaves out the fraction.
    """

    module = "tinybrain"
    distribution = "tinybrain"
    levels: ClassVar[float] = 1.0

    def prepare(self, case: Case) -> Call | None:
        if case.batch != "pyramid" or case.dtype not in ("uint8", "uint16"):
            return None
        downsample = importlib.import_module("tinybrain").downsample_with_averaging
        x, count = input_of(case).T, halvings_of(case)
        factor = (2,) * case.ndim + (1,) * (x.ndim - case.ndim)
        return lambda: downsample(x, factor, num_mips=count)

    def as_numpy(self, result: Any, case: Case) -> list[np.ndarray]:  # noqa: ARG002
        return [level.T for level in result]
