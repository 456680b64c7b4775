"""``adaptive-pool windows``: which inputs feed which outputs, drawn as text."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple, get_args

from .._windows import Rule, Table, pool_windows

HELP = "draw which inputs feed which outputs"

DESCRIPTION = """\
Draw the windows that each rule cuts an axis of INPUT_SIZE elements into: a row for each output, a
column for each input. Where the columns do not fit the terminal, the borders start:end are listed;
of long lists, the first and the last lines are shown. A rule that does not fit says why.

Exit status: 0, or 1 if the one rule chosen with --rule does not fit."""

# More would only scroll past, and their table would fill the memory first.
_MOST_WINDOWS = 10**6
_MOST_LINES = 64


class _Marks(NamedTuple):
    used: str
    unused: str


_BLOCKS = _Marks("█", "·")
_ASCII = _Marks("#", ".")


def _input_size(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"a size is a number from 0 on, got {text!r}")
    return int(text)


def _output_size(text: str) -> int:
    if _input_size(text) > _MOST_WINDOWS:
        raise argparse.ArgumentTypeError(f"at most {_MOST_WINDOWS} windows, got {text}")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input_size", type=_input_size, metavar="INPUT_SIZE")
    parser.add_argument("output_size", type=_output_size, metavar="OUTPUT_SIZE")
    parser.add_argument("--rule", choices=get_args(Rule), help="only this one; default: all")


def _marks() -> _Marks:
    """Return what stdout can show."""
    try:
        "".join(_BLOCKS).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return _ASCII
    return _BLOCKS


def _summary(table: Table) -> str:
    """Say in one line how large the windows are and how much they overlap."""
    starts, ends = table
    if len(starts) == 0:
        return "no windows"
    lengths = ends - starts
    shortest, longest = int(lengths.min()), int(lengths.max())
    sizes = f"{longest}" if shortest == longest else f"{shortest} to {longest}"
    shared = int((ends[:-1] - starts[1:]).max(initial=0))
    neighbours = f"neighbours share up to {shared}" if shared else "neighbours share none"
    return f"input elements in a window: {sizes}; {neighbours}"


def _cropped(count: int, line: Callable[[int], str]) -> Iterator[str]:
    """Yield line 0 to `count`, or the first and the last of them if they are many."""
    if count <= _MOST_LINES:
        yield from map(line, range(count))
        return
    half = _MOST_LINES // 2
    yield from map(line, range(half))
    yield f"... {count - 2 * half} lines left out ..."
    yield from map(line, range(count - half, count))


def _drawing(table: Table, input_size: int, cell: int, marks: _Marks) -> Iterator[str]:
    """Yield a ruler, and a bar of `cell` characters an input for each window."""
    starts, ends = table
    label = len(str(len(starts) - 1))
    used, unused = marks.used * cell, marks.unused.ljust(cell)

    def bar(i: int) -> str:
        start, end = int(starts[i]), int(ends[i])
        columns = unused * start + used * (end - start) + unused * (input_size - end)
        return f"{i:>{label}}  {columns}  {start}:{end}"

    step = 10 // cell
    ruler = "".join(f"{column:<{step * cell}}" for column in range(0, input_size, step))
    yield " " * label + "  " + ruler.rstrip()
    yield from _cropped(len(starts), bar)


def _listing(table: Table, width: int) -> Iterator[str]:
    """Yield the borders of all windows, as many a line as fit."""
    starts, ends = table
    label, border = len(str(len(starts) - 1)), len(str(ends[-1]))
    entry = label + 2 + 2 * border + 1
    columns = max(1, (width + 3) // (entry + 3))

    def line(k: int) -> str:
        entries = (
            f"{i:>{label}}  {f'{starts[i]}:{ends[i]}':<{2 * border + 1}}"
            for i in range(k * columns, min((k + 1) * columns, len(starts)))
        )
        return "   ".join(entries).rstrip()

    yield from _cropped(-(-len(starts) // columns), line)


def _picture(table: Table, input_size: int, width: int, marks: _Marks) -> Iterator[str]:
    """Yield the lines that show a table: drawn if that fits the width, else listed."""
    count = len(table[0])
    if count == 0:
        return
    beside = len(str(count - 1)) + 2 + 2 + 2 * len(str(input_size)) + 1
    cell = min(2, (width - beside) // input_size)
    if cell:
        yield from _drawing(table, input_size, cell, marks)
    else:
        yield from _listing(table, width)


def run(arguments: argparse.Namespace) -> int:
    """Draw one rule or all."""
    rules: list[Rule] = [arguments.rule] if arguments.rule else list(get_args(Rule))
    width, marks = shutil.get_terminal_size().columns, _marks()
    fits = True
    for k, rule in enumerate(rules):
        if k:
            print()
        try:
            table = pool_windows(arguments.input_size, arguments.output_size, rule)
        except ValueError as error:
            print(f"{rule}: {error}")
            fits = False
            continue
        print(f"{rule}: {_summary(table)}")
        for line in _picture(table, arguments.input_size, width, marks):
            print(line)
    return 1 if arguments.rule and not fits else 0
