"""The reference in docs/api has every public name, once."""

import re
from pathlib import Path

import adaptive_pool as ap

DOCS = Path(__file__).parent.parent / "docs"


def test_reference_has_every_public_name():
    pages = "\n".join(page.read_text("utf-8") for page in DOCS.glob("api/*.md"))
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", pages, re.MULTILINE)) == sorted(ap.__all__)
