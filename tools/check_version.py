"""pyproject.toml, the newest entry of CHANGELOG.md and a release's tag name one version.

    python tools/check_version.py            # before a release
    python tools/check_version.py v0.1.0     # the tag of one: its entry has a date, too

The entry's heading is `## 0.1.0 (unreleased)` or `## 0.1.0 (2026-12-24)`.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"^## (\S+) \((unreleased|\d{4}-\d\d-\d\d)\)$", re.MULTILINE)


def main(tag: str | None = None) -> int:
    """Compare; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    heading = HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if heading is None:
        print("CHANGELOG.md has no heading '## version (date)'")
        return 1
    wrong = []
    if heading[1] != version:
        wrong.append(f"pyproject.toml says {version}, CHANGELOG.md {heading[1]}")
    if tag is not None and tag != f"v{version}":
        wrong.append(f"the tag is {tag}, and not v{version}")
    if tag is not None and heading[2] == "unreleased":
        wrong.append(f"CHANGELOG.md has no date for {heading[1]}")
    print(*wrong or [f"version {version}, {heading[2]}"], sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
