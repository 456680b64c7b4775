"""Find the paragraphs of text files that are closest in meaning to a question."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

import numpy as np
from encoder import Encoder
from texts import paragraphs


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question")
    parser.add_argument("file", nargs="+", type=Path, help="UTF-8, blank lines between paragraphs")
    parser.add_argument("--top", type=int, default=3, metavar="N", help="results; default: 3")
    parser.add_argument(
        "--alone", action="store_true", help="encode each paragraph without those around it"
    )
    options = parser.parse_args(arguments)
    if options.top < 1:
        parser.error(f"--top must be at least 1, got {options.top}")
    try:
        encoder = Encoder()
        [question] = encoder.encode([options.question])
        encode = encoder.encode if options.alone else encoder.encode_chunks
        found = []
        for path in options.file:
            texts = paragraphs(path)
            similarities = encode(texts) @ question
            found += zip(similarities, [path] * len(texts), texts, strict=True)
    except (OSError, ValueError) as error:
        print(f"search.py: {error}", file=sys.stderr)
        return 1
    for i in np.argsort([-similarity for similarity, *_ in found])[: options.top]:
        similarity, path, text = found[i]
        print(f"{similarity:.2f} {path}: {textwrap.shorten(text, 300)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
