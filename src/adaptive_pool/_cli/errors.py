"""What ends a command, what it only skips, and what it asks to be installed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from .._extras import missing


class CommandError(Exception):
    """Ends the command with exit status 2; its text is all that the user sees."""


def warn(line: str) -> None:
    """Print on stderr; if nobody reads that any more, work goes on."""
    try:
        print(on_one_line(line), file=sys.stderr)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def on_one_line(text: str) -> str:
    """Return a text in which nothing steers a terminal: names of files hold any character."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@contextlib.contextmanager
def extra(name: str) -> Iterator[None]:
    """Turn a failed import in the block into the advice to install the extra `name`."""
    try:
        yield
    except ImportError as error:
        raise CommandError(missing(error, name)) from error


class Skipped:
    """Names what could not be used, with the reason, and counts it."""

    def __init__(self) -> None:
        self.count = 0
        self.write: Callable[[str], object] = warn

    def add(self, name: object, reason: object) -> None:
        """Name and count one input."""
        self.count += 1
        self.write(f"skipped {name}: {reason}")

    @contextlib.contextmanager
    def attempt(self, name: object) -> Iterator[None]:
        """Skip `name` if the block fails."""
        try:
            yield
        except CommandError:
            raise
        except Exception as error:  # noqa: BLE001 - a broken file makes a reader raise anything
            self.add(name, str(error) or type(error).__name__)
