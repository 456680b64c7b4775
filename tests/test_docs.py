"""The pages: every public name once, lines of one width, drawings for light and dark."""

import importlib.util
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adaptive_pool as ap

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
WIDTH = 100
ADAPTORS = ["autograd", "dask", "jax", "onnx", "xarray"]  # pages of their own: tests/adaptors
LOOKS = {"light": ("#333333", "#cfd0d0"), "dark": ("#cfd0d0", "#333333")}  # its ink, the other's
PROSE = [
    *ROOT.glob("*.md"),
    *(page for page in DOCS.rglob("*.md") if "made" not in page.parts),
    *ROOT.glob("examples/*/README.md"),
    *(ROOT / f"{name}/README.md" for name in ("benchmarks", "stress")),
]


def module(path):
    """Import a file that is not in a package, without leaving it among the modules."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_reference_has_every_public_name():
    files = [page for page in DOCS.glob("api/*.md") if page.stem not in ADAPTORS]
    pages = "\n".join(page.read_text("utf-8") for page in files)
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", pages, re.MULTILINE)) == sorted(
        [*ap.__all__, *ap.pictures.__all__]
    )


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_of_prose_have_one_width(page):
    if not page.exists():
        pytest.skip("not in the sdist")
    prose = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    lines = [line for line in prose.splitlines() if not line.startswith(("|", "!["))]
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize(
    "name",
    [
        "adaptive_avg_pool1d",
        "adaptive_avg_pool3d",
        "adaptive_max_pool1d_backward",
        "AdaptiveMaxPool3d",
    ],
)
def test_page_tells_once_what_2d_tells(name):
    pytest.importorskip("sphinx", reason="of the extra `docs`")
    docstring = inspect.getdoc(getattr(ap, name))
    lines = docstring.splitlines()
    module(DOCS / "conf.py").tell_what_differs(None, "", f"adaptive_pool.{name}", None, None, lines)
    assert lines[0] == docstring.splitlines()[0]
    assert ("Examples" in lines, "Parameters" in lines, "Raises" in lines) == (True, False, False)


def test_page_tells_all_of_2d():
    pytest.importorskip("sphinx", reason="of the extra `docs`")
    lines = inspect.getdoc(ap.adaptive_avg_pool2d_backward).splitlines()
    kept = list(lines)
    name = "adaptive_pool.adaptive_avg_pool2d_backward"
    module(DOCS / "conf.py").tell_what_differs(None, "", name, None, None, kept)
    assert kept == lines


def test_drawings_are_for_light_and_for_dark_pages(tmp_path):
    pytest.importorskip("matplotlib", reason="of the extra `docs`")
    shutil.copytree(DOCS / "pictures", tmp_path / "pictures")
    scripts = sorted((tmp_path / "pictures").glob("draw_*.py"))
    assert len(scripts) > 3
    # All in one process: importing matplotlib takes most of the time.
    run = "import runpy, sys; sys.path.insert(0, sys.argv[1]); [*map(runpy.run_path, sys.argv[2:])]"
    command = [sys.executable, "-c", run, str(tmp_path / "pictures"), *map(str, scripts)]
    subprocess.run(command, check=True)
    for script in scripts:
        name = script.stem.removeprefix("draw_")
        for look, (own, other) in LOOKS.items():
            drawing = (tmp_path / "made" / f"{name}-{look}.svg").read_text("utf-8")
            assert (own in drawing, other in drawing) == (True, False)
            background = drawing.partition('<g id="patch_1">')[2].partition("</g>")[0]
            assert "fill: none" in background or "opacity: 0" in background
    pages = "\n".join(page.read_text("utf-8") for page in DOCS.rglob("*.md"))
    shown = sorted(re.findall(r"made/(\S+)-light\.svg", pages))
    assert shown == sorted(re.findall(r"made/(\S+)-dark\.svg", pages))
