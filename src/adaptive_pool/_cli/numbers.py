"""Numbers on the command line, or what is wrong with them."""

from __future__ import annotations

import argparse


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
