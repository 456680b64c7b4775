"""The cases of the sweep, drawn by a seed: nobody has picked them.

The same seed draws the same cases, whatever is installed and however many are asked for.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from cases import (
    AREA_PICTURES,
    BLOCKS,
    CELLS,
    CELLS_OF_INTEGERS,
    CELLS_WITH_OPTIONS,
    FIRST,
    INTEGERS,
    LAST,
    PICTURES_DRAWN,
    Case,
)

FLOATS = ("float32", "float16", "bfloat16", "float64")
OPERATIONS = ("avg", "max", "max_values", "avg_backward", "max_backward")
DTYPES = (*FLOATS, *INTEGERS)
SHARE = 0.46  # of float32; the others share the rest
RANKS = (2, 2, 2, 2, 1, 3)  # most calls are of pictures and feature maps
LENGTHS = {1: (16, 4000), 2: (4, 300), 3: (4, 60)}  # of pooled axes
CHANNELS = (1, 3, 4, 8, 16, 24, 48, 64, 96, 128, 192, 256, 320, 512, 768, 1024, 2048)
BATCHES = (1, 1, 2, 4, 8, 16, 32)
COMMON = (1, 2, 3, 4, 5, 6, 7, 7, 8, 10, 14, 16, 20, 32)  # sizes that models ask for
ELEMENTS = (2_000, 8_000_000)  # of an input
MOST_OUTPUTS = 3_000_000
ENLARGED = 4  # at most so many outputs for each input

PIXELS = (60, 4000)  # lengths of the sides of a picture
DRAWN_SIZES = (30, 1000)  # and of a smaller one
PICTURE_CHANNELS = (1, 3, 4)
FACTORS = (2, 3, 4)
OPTIONS = ("lengths", "mask", "gaps", "where", "holes", "nodata", "regions", "area")
NUMBERS_OF_REGIONS = (2, 10, 100)
MOST_WINDOWS = 5_000  # of all parts together: the definition looks at one after the other
# What NumPy knows, and for exact factors OpenCV too.
BLOCK_DTYPES = (*INTEGERS, "float32", "float64")


class Dice:
    """Random numbers of a seed, one stream for each family."""

    def __init__(self, seed: int, family: int) -> None:
        self.generator = np.random.default_rng([seed, family])

    def of(self, choices: tuple) -> Any:
        return choices[self.generator.integers(len(choices))]

    def length(self, low: int, high: int) -> int:
        """Return an integer whose logarithm is evenly spread."""
        return round(math.exp(self.generator.uniform(math.log(low), math.log(high))))

    def chance(self, share: float) -> bool:
        return bool(self.generator.random() < share)


def sizes_of(dice: Dice, lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Half of the outputs have a size that models ask for, half have any."""
    if dice.chance(0.5):
        return (dice.of(COMMON),) * len(lengths)
    return tuple(min(dice.length(1, 40), 2 * length) for length in lengths)


def _cell(dice: Dice, name: str, *, cold: bool) -> Case:
    while True:
        ndim = dice.of(RANKS)
        dtype = "float32" if dice.chance(SHARE) else dice.of(DTYPES[1:])
        operation = dice.of(OPERATIONS[:3] if dtype in INTEGERS else OPERATIONS)
        lengths = tuple(dice.length(*LENGTHS[ndim]) for _ in range(ndim))
        size, layout = sizes_of(dice, lengths), dice.of((FIRST, LAST))
        shape = (dice.of(BATCHES), dice.of(CHANNELS), *lengths)
        elements, outputs = math.prod(shape), math.prod(shape[:2]) * math.prod(size)
        few, many = ELEMENTS
        if few <= elements <= many and outputs <= min(MOST_OUTPUTS, ENLARGED * elements):
            family = CELLS_OF_INTEGERS if dtype in INTEGERS else CELLS
            return Case(family, operation, name, shape, size, layout, dtype, cold=cold)


def _picture(dice: Dice, name: str, *, cold: bool) -> Case:
    shape = (1, dice.of(PICTURE_CHANNELS), dice.length(*PIXELS), dice.length(*PIXELS))
    low, high = DRAWN_SIZES
    size = tuple(dice.length(min(low, length), min(high, length)) for length in shape[2:])
    return Case(PICTURES_DRAWN, "avg", name, shape, size, LAST, "uint8", "uint8", cold)


def _whole(dice: Dice, name: str, *, cold: bool) -> Case:
    """Feature maps, tokens or volumes to one number each."""
    while True:
        ndim, dtype = dice.of(RANKS), dice.of(BLOCK_DTYPES)
        lengths = tuple(dice.length(*LENGTHS[ndim]) for _ in range(ndim))
        shape = (dice.of(BATCHES), dice.of(CHANNELS), *lengths)
        if ELEMENTS[0] <= math.prod(shape) <= ELEMENTS[1]:
            layout, operation = dice.of((FIRST, LAST)), dice.of(("avg", "max_values"))
            return Case(BLOCKS, operation, name, shape, (1,) * ndim, layout, dtype, cold=cold)


def _exact(dice: Dice, name: str, *, cold: bool) -> Case:
    """Pictures to a half, a third, a quarter."""
    while True:
        factor, dtype = dice.of(FACTORS), dice.of(BLOCK_DTYPES)
        size = (dice.length(*DRAWN_SIZES), dice.length(*DRAWN_SIZES))
        shape = (1, dice.of(PICTURE_CHANNELS), *(factor * length for length in size))
        operation = dice.of(("avg", "avg", "max_values"))
        result = dtype if dtype in INTEGERS and operation == "avg" else None
        if math.prod(shape) <= ELEMENTS[1]:
            return Case(BLOCKS, operation, name, shape, size, LAST, dtype, result, cold)


def drawn(seed: int, cells: int) -> list[Case]:
    """Draw so many cells, and an eighth as many of pictures, size 1 and exact factors each.

    Every other one is cold.
    """
    few = -(-cells // 8)
    kinds = ((_cell, cells), (_picture, few), (_whole, few), (_exact, few))
    cases = []
    for family, (draw, count) in enumerate(kinds):
        dice = Dice(seed, family)
        for number in range(count):
            name = f"{draw.__name__.strip('_')} {seed}.{number}"
            cases.append(draw(dice, name, cold=number % 2 == 1))
    return cases


def drawn_with_options(seed: int, cells: int) -> list[Case]:
    """Draw so many cells with options; every other one is cold."""
    dice, cases = Dice(seed, 4), []
    while len(cases) < cells:
        number = len(cases)
        case = _cell(dice, f"cell {seed}.{number}", cold=number % 2 == 1)
        options = dice.of(OPTIONS)
        regions = dice.of(NUMBERS_OF_REGIONS) if options == "regions" else 0
        if options == "holes" and case.dtype in INTEGERS:  # there is no NaN
            options = "nodata"
        if options == "area":  # of which there are no maxima
            mean = "avg_backward" if case.operation.endswith("backward") else "avg"
            case = dataclasses.replace(case, operation=mean)
        parts = regions or (case.shape[0] if options == "lengths" else 1)
        if parts * math.prod(o for _, o in case.pooled) <= MOST_WINDOWS:
            cases.append(
                dataclasses.replace(
                    case, family=CELLS_WITH_OPTIONS, options=options, regions=regions
                )
            )
    return cases


def drawn_by_area(seed: int, pictures: int) -> list[Case]:
    """Draw so many pictures, pooled by area; every other one is cold."""
    dice = Dice(seed, 5)
    drawn = [_picture(dice, f"picture {seed}.{k}", cold=k % 2 == 1) for k in range(pictures)]
    return [dataclasses.replace(case, family=AREA_PICTURES, options="area") for case in drawn]
