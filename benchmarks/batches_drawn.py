"""Many problems in one call, drawn by a seed: nobody has picked them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from cases import CELLS_OF_BATCHES, FIRST, LAST, Case
from drawn import CHANNELS, DTYPES, ELEMENTS, LENGTHS, RANKS, SHARE, Dice, sizes_of

NUMBERS = (2, 8, 32, 128, 512, 2000)  # of items
SPREADS = (1, 2, 4, 16)  # how many times as long as the shortest the longest item may be
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


KINDS: tuple[Callable[[Dice, str], Case], ...] = (_ragged, _packed)


def drawn_batches(seed: int, cells: int) -> list[Case]:
    """Draw so many cells, of each kind in turn; every other one of a kind is cold."""
    dice, cases = Dice(seed, STREAM), []
    for number in range(cells):
        case = KINDS[number % len(KINDS)](dice, f"cell {seed}.{number}")
        cold = number // len(KINDS) % 2 == 1
        cases.append(dataclasses.replace(case, cold=cold))
    return cases
