"""Python code in a process of its own: what may hang, end the process or change it for good."""

import json
import os
import subprocess
import sys


def python(code, *, timeout=60, **environment):
    """Run code in a fresh interpreter; return what it printed, as JSON."""
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True,
        timeout=timeout, env={**os.environ, **environment},
    )  # fmt: skip
    assert result.returncode == 0, f"exit {result.returncode}: {result.stderr}"
    return json.loads(result.stdout)
