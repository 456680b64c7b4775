"""Many problems in one call, drawn by a seed: nobody has picked them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from cases import CELLS_OF_BATCHES, FIRST, LAST, Case
from drawn import (
    BATCHES,
    CHANNELS,
    COMMON,
    DRAWN_SIZES,
    DTYPES,
    ELEMENTS,
    LENGTHS,
    PICTURE_CHANNELS,
    PIXELS,
    RANKS,
    SHARE,
    Dice,
    sizes_of,
)

NUMBERS = (2, 8, 32, 128, 512, 2000)  # of items
SPREADS = (1, 2, 4, 16)  # how many times as long as the shortest the longest item may be
INPUTS = (32, 64, 96, 128, 224)  # lengths of sides that models take
STREAM = 6  # of random numbers, past those of `drawn.py`


def _items(dice: Dice, name: str, ndim: int, batch: str) -> Case:
    while True:
        dtype = "float32" if dice.chance(SHARE) else dice.of(DTYPES[1:])
        operation, layout = dice.of(("avg", "max_values")), dice.of((FIRST, LAST))
        longest, spread = tuple(dice.length(*LENGTHS[ndim]) for _ in range(ndim)), dice.of(SPREADS)
        shape, size = (dice.of(NUMBERS), dice.of(CHANNELS), *longest), sizes_of(dice, longest)
        few, many = ELEMENTS
        if few <= math.prod(shape) <= many and math.prod(size) <= math.prod(longest):
            given = (CELLS_OF_BATCHES, operation, name, shape, size, layout, dtype)
            least = tuple(max(1, length // spread) for length in longest)
            return Case(*given, batch=batch, least=least)


def _ragged(dice: Dice, name: str) -> Case:
    return _items(dice, name, dice.of(RANKS), "ragged")


def _packed(dice: Dice, name: str) -> Case:
    return _items(dice, name, 1, "packed")


def _pictures(dice: Dice, name: str) -> Case:
    while True:
        longest, spread = (dice.length(*PIXELS), dice.length(*PIXELS)), dice.of(SPREADS)
        shape = (dice.of(NUMBERS), dice.of(PICTURE_CHANNELS), *longest)
        layout, size = dice.of((FIRST, LAST)), (dice.of(INPUTS),) * 2
        least = tuple(max(1, length // spread) for length in longest)
        # Of any proportions they are reduced: OpenCV enlarges by another rule.
        if math.prod(shape) <= ELEMENTS[1] and 2 * math.prod(size) <= math.prod(least):
            given = (CELLS_OF_BATCHES, "avg", name, shape, size, layout, "uint8")
            return Case(*given, batch="pictures", least=least)


def _one(dice: Dice, name: str, batch: str, operations: tuple[str, ...], **given: Any) -> Case:
    """Return several operations or sizes of one input."""
    while True:
        dtype = "float32" if dice.chance(SHARE) else dice.of(DTYPES[1:])
        operation, layout = dice.of(operations), dice.of((FIRST, LAST))
        lengths = (dice.length(*LENGTHS[2]), dice.length(*LENGTHS[2]))
        shape, size = (dice.of(BATCHES), dice.of(CHANNELS), *lengths), sizes_of(dice, lengths)
        if "sizes" in given:
            size = (max(given["sizes"]),) * 2
        few, many = ELEMENTS
        if few <= math.prod(shape) <= many and math.prod(size) <= math.prod(lengths):
            known = (CELLS_OF_BATCHES, operation, name, shape, size, layout, dtype)
            return Case(*known, batch=batch, **given)


def _together(dice: Dice, name: str) -> Case:
    return _one(dice, name, "together", ("both", "both_indices"))


def _sizes(dice: Dice, name: str) -> Case:
    sizes = sorted({dice.of(COMMON) for _ in range(dice.of((2, 3, 4)))})
    return _one(dice, name, "sizes", ("avg", "max_values", "both"), sizes=tuple(sizes))


def _pyramid(dice: Dice, name: str) -> Case:
    while True:
        factor = 2 ** dice.of((1, 2, 3, 4))
        size = (dice.length(*DRAWN_SIZES), dice.length(*DRAWN_SIZES))
        shape = (dice.of(BATCHES), *(factor * length for length in size))
        dtype = dice.of(("uint8", "uint16"))
        if math.prod(shape) <= ELEMENTS[1]:
            given = (CELLS_OF_BATCHES, "avg", name, shape, size, FIRST, dtype)
            return Case(*given, batch="pyramid")


KINDS: tuple[Callable[[Dice, str], Case], ...] = (
    _ragged,
    _packed,
    _pictures,
    _together,
    _sizes,
    _pyramid,
)


def drawn_batches(seed: int, cells: int) -> list[Case]:
    """Draw so many cells, of each kind in turn; every other one of a kind is cold."""
    dice, cases = Dice(seed, STREAM), []
    for number in range(cells):
        case = KINDS[number % len(KINDS)](dice, f"cell {seed}.{number}")
        cold = number // len(KINDS) % 2 == 1
        cases.append(dataclasses.replace(case, cold=cold))
    return cases
