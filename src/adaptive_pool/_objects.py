"""What can be asked of objects whose own code may lie, raise, or answer at any length."""

from __future__ import annotations

import reprlib
import sys

_LONGEST = 500


def is_a(value: object, kind: type | tuple[type, ...]) -> bool:
    """Return whether `value` is of a class, whatever its ``__class__`` says."""
    return issubclass(type(value), kind)


def is_from(value: object, module: str, name: str) -> bool:
    """Return whether `value` is of a class of a module, which is not imported for this."""
    kind = getattr(sys.modules.get(module), name, None)
    return is_a(kind, type) and is_a(value, kind)  # type: ignore[arg-type]


def shown(value: object) -> str:
    """Return a short text for `value`."""
    try:
        return reprlib.repr(value)
    except Exception:  # noqa: BLE001 - its own code, or more digits than Python writes
        return f"a value of type {type(value).__name__}"


def no_memory(function: str, error: MemoryError) -> MemoryError:
    """Return the error of a function that had no memory for something."""
    text = said(error)
    return MemoryError(text if text.startswith(function) else f"{function}: {text}")


def said(error: Exception) -> str:
    """Return what an error that came from elsewhere says, or at least what it is."""
    try:
        text = str(error)[:_LONGEST]
    except Exception:  # noqa: BLE001 - its own code
        text = ""
    return text or type(error).__name__
