"""The commands in docs/command-line.md print what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"


@pytest.mark.skipif(os.name == "nt" or not shutil.which("bash"), reason="the page is for a shell")
def test_examples_print_what_the_page_says(tmp_path):
    for folder in ("maps", "more", "store"):
        (tmp_path / folder).mkdir()
    np.save(tmp_path / "maps" / "a.npy", np.ones((5, 6, 1)))
    np.save(tmp_path / "maps" / "b.npy", np.ones((9, 4, 1)))
    (tmp_path / "maps" / "notes.npy").write_text("not an array")
    for name in ("a.npy", "a.npy.npy"):
        with (tmp_path / "more" / name).open("wb") as stream:
            np.save(stream, np.ones((3, 3, 1)))
    blocks = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
    said = "".join(blocks.findall(PAGE.read_text("utf-8")))
    commands = re.findall(r"^\$ (.*)", said, re.MULTILINE)
    assert len(commands) >= 8
    # Each command is printed before it runs, so that all that comes reads as the page does.
    script = [
        'adaptive-pool() { "$PYTHON" -m adaptive_pool "$@"; }',
        'python() { "$PYTHON" "$@"; }',
        *(f"last=$?; printf '%s\\n' {quoted(f'$ {c}')}; (exit $last); {c}" for c in commands),
    ]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHON": sys.executable, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert lines(done.stdout.decode()) == lines(said)
    assert (tmp_path / "latest.npy").is_symlink()


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def lines(text):
    return re.sub(r"\d+\.\d\d s$", "TIME s", text, flags=re.MULTILINE).splitlines()
