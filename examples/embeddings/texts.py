"""Texts from files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TextIO


def lines(stream: TextIO, name: str) -> list[str]:
    """Return the lines of a file, a text each.

    Raises
    ------
    ValueError
        If there is no line, or one is blank.
    """
    texts = [line.strip() for line in stream]
    if not texts:
        raise ValueError(f"{name} is empty")
    if "" in texts:
        raise ValueError(f"{name}: line {texts.index('') + 1} is blank")
    return texts


def paragraphs(path: Path) -> list[str]:
    """Return the paragraphs of a file: what blank lines separate, each on one line.

    Those without a letter or digit, such as rules and lonely fences, are left out.

    Raises
    ------
    ValueError
        If there is no paragraph.
    """
    blocks = re.split(r"\n\s*\n", path.read_text("utf-8"))
    texts = [" ".join(block.split()) for block in blocks if re.search(r"\w", block)]
    if not texts:
        raise ValueError(f"{path} has no paragraph")
    return texts
