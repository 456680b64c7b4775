"""Two wheels hold the same files, byte for byte.

    python tools/same_wheels.py one.whl other.whl

What differs is printed, and the exit status is 1.
"""

import sys
import zipfile


def contents(path: str) -> dict[str, int]:
    """Names of the files of a wheel and their checksums."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info.CRC for info in archive.infolist()}


def main(one: str, other: str) -> int:
    """Compare; return the exit status."""
    first, second = contents(one), contents(other)
    differing = sorted(n for n in first | second if first.get(n) != second.get(n))
    print(*(f"differs: {name}" for name in differing), sep="\n", end="\n" if differing else "")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
