"""Numbers on the command line, or what is wrong with them."""

from __future__ import annotations

import argparse
import math


def at_least_1(text: str) -> int:
    """Return a number from 1 on."""
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"a number from 1 on, got {text!r}")
    return int(text)


def several(what: str, text: str) -> tuple[int, ...]:
    """Return one to three numbers with commas between."""
    entries = text.split(",")
    try:
        numbers = tuple(int(entry) for entry in entries)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{what} is a number, got {text!r}") from None
    if len(numbers) > 3:
        raise argparse.ArgumentTypeError(f"one to three numbers, got {text!r}")
    return numbers


def lengths(text: str) -> tuple[int, ...]:
    """Return numbers from 1 on, with commas between."""
    return tuple(at_least_1(entry) for entry in text.split(","))


def names(text: str) -> tuple[str, ...]:
    """Return names with commas between."""
    entries = tuple(entry.strip() for entry in text.split(","))
    if not all(entries):
        raise argparse.ArgumentTypeError(f"names with commas between, got {text!r}")
    return entries


def number(text: str) -> int | float:
    """Return an integer as one, and any other number as a float: nan and inf are some."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number, got {text!r}") from None


def of_channels(text: str) -> tuple[float, ...]:
    """Return finite numbers with commas between, one for all channels or one for each."""
    try:
        numbers = tuple(float(entry) for entry in text.split(","))
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"one number, or one for each channel, got {text!r}")
    return numbers


def divisors(text: str) -> tuple[float, ...]:
    """Return the same, none of them 0."""
    numbers = of_channels(text)
    if 0 in numbers:
        raise argparse.ArgumentTypeError(f"a number other than 0, got {text!r}")
    return numbers
