"""The README's example runs, and its first code block is two commands."""

import doctest
import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_example():
    failed, attempted = doctest.testfile(str(README), module_relative=False)
    assert (failed, attempted > 5) == (0, True)


def test_first_block_is_two_commands():
    block = re.search(
        r"^```\w*\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(block[1].splitlines()) == 2
