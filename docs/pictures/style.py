"""What the pictures have in common."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

BLUE, ORANGE, GREEN, INK, PALE = "#3b6fb6", "#d9822b", "#4a9a62", "#333333", "#f1f1ee"

# Text as outlines, and nothing of the clock or of chance: the same file on every machine.
mpl.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "adaptive_pool", "font.size": 10})


def cell(
    axes: mpl.axes.Axes,
    x: float,
    y: float,
    text: object = "",
    colour: str = PALE,
    width: float = 1,
    height: float = 1,
    ink: str = INK,
) -> None:
    """Draw one element of an array, its upper left corner at (x, y)."""
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="white", lw=1.5))
    axes.text(
        x + width / 2, y + height / 2, str(text), ha="center", va="center", color=ink, fontsize=9
    )


def frame(axes: mpl.axes.Axes, width: float, height: float) -> None:
    """Show 0 to `width` and, downwards, 0 to `height`, in squares and without axes."""
    axes.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1), aspect="equal")
    axes.axis("off")


def save(figure: Figure, script: str) -> None:
    """Write the picture of draw_NAME.py to ../made/NAME.svg."""
    path = Path(script).resolve()
    made = path.parent.parent / "made"
    made.mkdir(exist_ok=True)
    figure.savefig(
        made / f"{path.stem.removeprefix('draw_')}.svg",
        bbox_inches="tight",
        facecolor="white",
        metadata={"Date": None},
    )
