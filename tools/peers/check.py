"""Runs in the environment of one library: prints each statement, and whether it holds.

    PYTHONPATH=tools python -m peers.check pillow

The exit status is 1 if a statement is wrong, or is not on the page.
"""

import importlib
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "coming-from.md"


def main(name: str) -> int:
    """Check one library; return the exit status."""
    page = " ".join(PAGE.read_text("utf-8").split())
    failed = 0
    for text, holds, seen in importlib.import_module(f"peers.{name}").claims():
        verdict = "holds" if holds else "WRONG"
        if " ".join(text.split()) not in page:
            verdict += ", NOT ON THE PAGE"
        failed += verdict != "holds"
        print(f"{verdict}: {text}\n    seen: {seen}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
