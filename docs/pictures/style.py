"""What the pictures have in common.

Each is drawn once, on nothing, and written twice: with colours that are read on a light page, and
with those that are read on a dark one.
"""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

BLUE, ORANGE, GREEN, INK, PALE, EDGE = (
    "#3b6fb6", "#c26d12", "#3f8a56", "#333333", "#f0f0ec", "#fefefe",
)  # fmt: skip
# What changes on a dark page. Each colour stands in a drawing for one meaning, and nowhere else.
DARK = {INK: "#cfd0d0", PALE: "#2b2d31", EDGE: "#131416"}

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
    axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor=EDGE, lw=1.5))
    axes.text(
        x + width / 2, y + height / 2, str(text), ha="center", va="center", color=ink, fontsize=9
    )


def window(
    axes: mpl.axes.Axes, columns: tuple[float, float], lines: tuple[float, float],
    colour: str, gap: float,
) -> None:  # fmt: skip
    """Draw a window over the cells that it holds, `gap` inside their borders."""
    (w0, w1), (h0, h1) = columns, lines
    axes.add_patch(
        FancyBboxPatch(
            (w0 + gap, h0 + gap),
            w1 - w0 - 2 * gap,
            h1 - h0 - 2 * gap,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor=mpl.colors.to_rgba(colour, 0.2),
            edgecolor=colour,
            lw=2,
        )
    )


def arrow(axes: mpl.axes.Axes, x: float, y: float, text: str = "") -> None:
    """Draw an arrow to the right that starts at (x, y), with a word over it."""
    style = {"arrowstyle": "-|>", "color": INK, "lw": 1.5}
    axes.annotate("", (x + 1.3, y), (x, y), arrowprops=style)
    axes.text(x + 0.65, y - 0.35, text, ha="center", color=INK)


def frame(axes: mpl.axes.Axes, width: float, height: float) -> None:
    """Show 0 to `width` and, downwards, 0 to `height`, in squares and without axes."""
    axes.set(xlim=(-0.1, width + 0.1), ylim=(height + 0.1, -0.1), aspect="equal")
    axes.axis("off")


def save(figure: Figure, script: str) -> None:
    """Write the picture of draw_NAME.py to ../made/NAME-light.svg and ../made/NAME-dark.svg."""
    path = Path(script).resolve()
    name = path.stem.removeprefix("draw_")
    made = path.parent.parent / "made"
    made.mkdir(exist_ok=True)
    light = made / f"{name}-light.svg"
    figure.savefig(light, bbox_inches="tight", transparent=True, metadata={"Date": None})
    drawing = light.read_text("utf-8")
    for colour, instead in DARK.items():
        drawing = drawing.replace(colour, instead)
    (made / f"{name}-dark.svg").write_text(drawing, "utf-8", newline="\n")
