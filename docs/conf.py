"""How the pages are built: ``python -m sphinx -W --keep-going -b html docs build/docs``."""

import inspect
import os
import re
import subprocess
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

import adaptive_pool

DOCS = Path(__file__).parent.resolve()
ROOT = DOCS.parent
MADE = DOCS / "made"  # at every build, so that nothing in it can be out of date

project = "adaptive_pool"
author = "The adaptive_pool maintainers"
copyright = author
version = release = installed_version("adaptive-pool")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
]
nitpicky = True
# `x` in a docstring is an argument, `pool_windows` is a link.
default_role = "autolink"
smartquotes = False  # "torch" is to be typed with these quotes
highlight_language = "text"
# Other projects' pages: no build may depend on their being reachable.
nitpick_ignore_regex = [("py:obj", r"(numpy|contextvars|threadpoolctl)\b.*")]

myst_heading_anchors = 3
# Docstrings name the types; those of the signatures repeat each function for its overloads.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autosummary_generate = False
# What adaptors are for; their text needs none of it.
autodoc_mock_imports = ["autograd", "dask", "jax", "onnx", "onnxruntime", "xarray", "zarr"]
numpydoc_show_class_members = False

exclude_patterns = ["made"]

html_theme = "furo"
html_title = f"adaptive_pool {release}"
html_static_path = ["static"]
html_css_files = ["width.css"]
html_copy_source = False
pygments_style = "default"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def make_pictures(_: Sphinx) -> None:
    """Run the scripts in pictures/, which write to made/."""
    for script in sorted(DOCS.glob("pictures/draw_*.py")):
        subprocess.run([sys.executable, str(script)], check=True)


def make_help(_: Sphinx) -> None:
    """Write to made/ what the commands say of themselves."""
    MADE.mkdir(exist_ok=True)
    environment = {**os.environ, "COLUMNS": "90", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    for command in ("pool", "pyramid", "windows", "demo"):
        asked = [sys.executable, "-m", "adaptive_pool", command, "--help"]
        text = subprocess.run(asked, check=True, capture_output=True, env=environment).stdout
        (MADE / f"{command}.txt").write_bytes(text)


def tell_what_differs(
    _: Sphinx, _what: str, name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Leave of a 1d or 3d docstring its example, and of its introduction what 2d does not say.

    `help()` shows them whole. On a page three copies of one text would hide what differs.
    """
    public = name.rpartition(".")[2]
    in_2d = re.sub(r"[13]d(?=$|_backward$)", "2d", public)
    if in_2d == public or not hasattr(adaptive_pool, in_2d):
        return
    sections = re.split(r"\n(?=[A-Z][A-Za-z ]+\n-{3,}\n)", "\n".join(lines))
    said = inspect.getdoc(getattr(adaptive_pool, in_2d)).split("\n\n")
    introduction = [text for text in sections[0].split("\n\n") if text.strip() not in said]
    examples = [text for text in sections[1:] if text.startswith("Examples\n")]
    lines[:] = "\n\n".join([*introduction, *examples]).split("\n")


def name_types(
    _: Sphinx,
    _what: str,
    _name: str,
    _object: object,
    _options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Write numpy.int64 for <class 'numpy.int64'>; the source alone does not have all options."""
    return signature and re.sub(r"<class '([\w.]+)'>", r"\1", signature), returns


class LinksOutOfTheSite(SphinxTransform):
    """Links to files of the repository become their text: on a code host they are links."""

    default_priority = 5  # before anything looks for what they point to

    def apply(self) -> None:
        """Replace the links."""
        links = [*self.document.findall(pending_xref), *self.document.findall(download_reference)]
        for link in links:
            if link.get("reftype") == "myst" and self.leaves_the_site(link):
                text = link.astext()
                link.replace_self(nodes.literal(text, text))

    def leaves_the_site(self, link: nodes.Element) -> bool:
        """Whether a link leads to what exists, in the repository but not under docs/."""
        target = link["reftarget"].partition("#")[0]
        if link.get("refdomain") == "doc":  # MyST knows the file, and has made a page's name of it
            return not (DOCS / target).resolve().is_relative_to(DOCS)
        page = Path(self.env.doc2path(self.env.docname)).parent
        # What is included from the README is written as seen from there.
        for path in ((page / target).resolve(), (ROOT / target).resolve()):
            if path.exists() and path.is_relative_to(ROOT):
                return not path.is_relative_to(DOCS)
        return False


class NoEmptyLastLine(SphinxTransform):
    """Code ends with its last line: doctest wants an empty one before the closing fence."""

    default_priority = 5

    def apply(self) -> None:
        """Take the empty lines away."""
        for block in self.document.findall(nodes.literal_block):
            if block.astext().endswith("\n"):
                text = block.astext().rstrip("\n")
                block.rawsource = text  # Sphinx colours a block that is as it was written
                block[:] = [nodes.Text(text)]


def setup(app: Sphinx) -> None:
    """Add what is ours to Sphinx."""
    app.connect("builder-inited", make_pictures)
    app.connect("builder-inited", make_help)
    app.connect("autodoc-process-signature", name_types)
    app.connect("autodoc-process-docstring", tell_what_differs, priority=100)  # before numpydoc
    app.add_transform(LinksOutOfTheSite)
    app.add_transform(NoEmptyLastLine)
