"""`docs/coming-from.md` says what the scripts of `tools/peers` check, of the versions they pin."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = [
    path
    for path in sorted(ROOT.glob("tools/peers/*.py"))
    if "REQUIRES = (" in path.read_text("utf-8")
]
PAGE = " ".join((ROOT / "docs" / "coming-from.md").read_text("utf-8").split())

pytestmark = pytest.mark.skipif(not SCRIPTS, reason="tools/ is in a clone alone")


def strings(tree):
    """Return the statements that a script yields: whole, or the pieces they are made of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Yield):
            said = node.value.elts[0]
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if not any(
                isinstance(name, ast.Name) and name.id in ("row", "text") for name in targets
            ):
                continue
            said = node.value
        else:
            continue
        for piece in ast.walk(said):
            if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
                yield " ".join(piece.value.split())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_page_has_every_statement(script):
    said = list(strings(ast.parse(script.read_text("utf-8"))))
    assert len(said) > 3
    assert [text for text in said if text not in PAGE] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_page_names_the_pinned_version(script):
    said = " ".join(strings(ast.parse(script.read_text("utf-8"))))
    version = re.search(r'REQUIRES = \(\s*"[\w\[\]-]+==([\d.]+)"', script.read_text("utf-8"))[1]
    assert re.search(rf"Run with [\w .-]*{re.escape(version)}", said)


def test_every_section_that_was_run_has_a_script():
    scripts = " ".join(" ".join(strings(ast.parse(path.read_text("utf-8")))) for path in SCRIPTS)
    run = re.findall(r"Run with \w[\w -]* [\d.]+\d", PAGE)
    assert len(run) == 16
    assert [text for text in run if text not in scripts] == []
