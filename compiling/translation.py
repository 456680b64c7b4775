"""From Cython to C: each source once, side by side, and only if it or what it uses has changed.

The key of a translation is the contents of its sources and the version of Cython, not times:
isolated builds install Cython anew, and everything would look newer than what was made of it.
"""

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from Cython import __version__ as cython
from Cython.Build.Dependencies import create_dependency_tree
from flags import HEADER, INCLUDE, KERNELS

FOLDER = Path("build/translated")


def digest(*parts: object) -> str:
    """Return a key: the same parts, the same key."""
    found = hashlib.sha256()
    for part in parts:
        found.update(
            hashlib.sha256(part if isinstance(part, bytes) else repr(part).encode()).digest()
        )
    return found.hexdigest()[:20]


def translate(name: str, source: str, options: list[str]) -> Path:
    """Return the C file of one source, which is a module of this name for all builds of it."""
    used = sorted(
        path
        for path in map(Path, create_dependency_tree(quiet=True).all_dependencies(source))
        if path.resolve().is_relative_to(Path("src").resolve())
    )
    key = digest(cython, name, options, *((path.name, path.read_bytes()) for path in used))
    made = FOLDER / key / f"{Path(source).stem}.c"
    if not made.exists():
        print(f"translating {source}", flush=True)
        part = made.with_suffix(".part")
        made.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "cython", *options, "--module-name", name]
        subprocess.run([*command, "-o", str(part), source], check=True)
        part.replace(made)
    return made


def translate_all(sources: dict[str, str], directives: dict[str, object]) -> dict[str, Path]:
    """Return the C file of each source, by the name of its module."""
    options = [word for item in directives.items() for word in ("-X", "{}={}".format(*item))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = pool.map(lambda item: translate(*item, options), sources.items())
        return dict(zip(sources, made, strict=True))


def with_headers(source: Path) -> list[Path]:
    """Return a C file and the package's own headers that it includes, or that these include."""
    found = [source, Path(HEADER)]
    for path in found:
        for name in re.findall(rb'^#include "([\w/]+\.h)"', path.read_bytes(), re.MULTILINE):
            for folder in (KERNELS, INCLUDE):
                header = Path(folder, name.decode())
                if header.exists() and header not in found:
                    found.append(header)
    return found
