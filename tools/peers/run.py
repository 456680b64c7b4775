"""Run the libraries of `docs/coming-from.md`, and say whether the page is right.

    python tools/peers/run.py              # all: about 2 GB to install
    python tools/peers/run.py pillow dask  # some

Each library has a file here, with the versions it needs and the statements of the page. It gets a
new environment in a temporary folder, with this Python, and beside it the `adaptive_pool` that this
Python imports. The exit status is the number of libraries for which the page is wrong or
nothing could be run.
"""

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import adaptive_pool

HERE = Path(__file__).parent
NO_LIBRARY = {"run", "check", "figures"}
NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NO_LIBRARY)


def requires(name: str) -> list[str]:
    """Return what a library's file wants installed, without importing it."""
    for line in ast.parse((HERE / f"{name}.py").read_text("utf-8")).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "REQUIRES":
            return list(ast.literal_eval(line.value))
    raise ValueError(f"{name}.py: REQUIRES is missing")


def run(name: str) -> int:
    """Install a library and check its statements; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        python = Path(folder, "venv", "Scripts" if os.name == "nt" else "bin", "python")
        install = [python, "-m", "pip", "install", "-q", *requires(name)]
        if subprocess.run(install, check=False).returncode:
            return 1
        # This package alone, and not what else stands beside it.
        Path(folder, "adaptive_pool").symlink_to(Path(adaptive_pool.__file__).parent)
        paths = os.pathsep.join([folder, str(HERE.parent)])
        return subprocess.run(
            [python, "-m", "peers.check", name],
            check=False,
            env={**os.environ, "PYTHONPATH": paths},
        ).returncode


def main(names: list[str]) -> int:
    """Run all, or those named; return how many failed."""
    failed = []
    for name in names or NAMES:
        print(f"== {name}", flush=True)
        if run(name):
            failed.append(name)
    print("the page is wrong, or the run failed:" if failed else "the page is right", *failed)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
