"""What is missing where a module needs an extra that is not installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


def missing(error: ImportError, extra: str) -> str:
    """Say which package could not be imported, and which extra installs it."""
    package = (error.name or "a package").partition(".")[0]
    return f'{package} is not installed: pip install "adaptive-pool[{extra}]"'


@contextlib.contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a failed import in the block, of a module that needs `extra`, into one that says so."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"adaptive_pool.{extra}: {missing(error, extra)}", name=error.name, path=error.path
        ) from error
