"""The sdist holds what git tracks, but for what builds and tests nothing.

    python tools/check_sdist.py dist/adaptive_pool-0.1.0.tar.gz

Names that are missing or too many are printed, and the exit status is 1.
"""

import re
import subprocess
import sys
import tarfile
from pathlib import Path

# In git alone: what serves those who work in a clone.
LEFT_OUT = re.compile(r"(\.ci|\.github|benchmarks|findings|tools)/|\.\w+|noxfile\.py")
# In the sdist alone: what setuptools writes.
WRITTEN = re.compile(r"PKG-INFO|setup\.cfg|src/adaptive_pool\.egg-info/.*")


def in_git(clone: Path) -> set[str]:
    """Names of the files of a clone that are tracked, or would be by `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=clone, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {name for name in listed.stdout.split("\0") if (clone / name).is_file()}


def in_sdist(path: Path) -> set[str]:
    """Names of the files of an sdist, without the folder that holds them all."""
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def main(sdist: str) -> int:
    """Compare; return the exit status."""
    wanted = {n for n in in_git(Path(__file__).parents[1]) if not re.match(LEFT_OUT, n)}
    found = {n for n in in_sdist(Path(sdist)) if not re.fullmatch(WRITTEN, n)}
    for name in sorted(wanted - found):
        print(f"not in the sdist: {name}")
    for name in sorted(found - wanted):
        print(f"in the sdist, and not in git: {name}")
    return int(wanted != found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
