"""Write the embedding of each line of text files to a .npy file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from encoder import Encoder
from texts import lines


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "file", nargs="*", type=Path, help="UTF-8, one text on each line; default: standard input"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="EMBEDDINGS.npy")
    parser.add_argument("--batch-size", type=int, default=8, metavar="N", help="default: 8")
    options = parser.parse_args(arguments)
    if options.batch_size < 1:
        parser.error(f"--batch-size must be at least 1, got {options.batch_size}")
    try:
        texts = []
        for path in options.file:
            with path.open(encoding="utf-8") as stream:
                texts += lines(stream, str(path))
        if not options.file:
            texts = lines(sys.stdin, "standard input")
        embeddings = Encoder().encode(texts, options.batch_size)
        with options.output.open("wb") as file:
            np.save(file, embeddings)
    except (OSError, ValueError) as error:
        print(f"embed.py: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {embeddings.shape[0]} embeddings of {embeddings.shape[1]} numbers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
