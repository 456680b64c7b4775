"""The examples of the README and of the pages run, and the README begins with two commands."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [
    README,
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            "quickstart",
            "semantics",
            "coming-from",
            "threads",
            "api/layers",
            "api/windows",
        )
    ),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples(page):
    if page.stem == "coming-from":
        pytest.importorskip("skimage", reason="compared with, of the extra `demo`")
    failed, attempted = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (failed, attempted > 5) == (0, True)


def test_all_pages_with_examples_are_run():
    pages = [page for page in ROOT.glob("docs/**/*.md") if ">>> " in page.read_text("utf-8")]
    how_to = ROOT / "docs" / "how-to"  # test_how_to.py runs those
    assert sorted(page for page in pages if page.parent != how_to) == sorted(PAGES[1:])


def test_first_block_is_two_commands():
    block = re.search(
        r"^```\w*\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(block[1].splitlines()) == 2
