"""Pillow: `reduce`, and `resize` with BOX."""

import numpy as np
import PIL
from PIL import Image

import adaptive_pool as ap

from .figures import Claims, about, floats, integers, ulps

REQUIRES = ("pillow==13.0.0", "numpy==2.4.6")


def box(x, factor):
    """Shrink by a whole factor with `resize`."""
    size = x.shape[1] // factor, x.shape[0] // factor
    return np.asarray(Image.fromarray(x).resize(size, Image.Resampling.BOX))


def errors(theirs, x, factor):
    """Return the part of results that differ, and the largest error."""
    windows = [ap.block_windows(length, factor) for length in x.shape]
    exact = ap.adaptive_avg_pool2d(x, None, windows=windows, dtype=np.float64)
    return round(float(np.mean(theirs != np.rint(exact))), 3), float(np.abs(theirs - exact).max())


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with Pillow 13.0.0", PIL.__version__ == "13.0.0", PIL.__version__
    x = integers(600, 602)
    seen = {
        factor: errors(np.asarray(Image.fromarray(x).reduce(factor)), x, factor)
        for factor in range(2, 11)
    }
    yield (
        "`reduce`: at most 0.56 off, in up to one of eight results",
        all(0 <= part < 0.135 and most < 0.56 for part, most in seen.values()),
        seen,
    )
    tie = np.array([[1, 0], [1, 0]], np.uint8)
    seen = int(np.asarray(Image.fromarray(tie).reduce(2))[0, 0])
    yield "ties go up (2 by 2: 1, 0, 1, 0 gives 1)", seen == 1, seen
    nine = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0]], np.uint8)
    seen = int(np.asarray(Image.fromarray(nine).reduce(3))[0, 0])
    yield "3 by 3: five ones and four zeros give 0", seen == 0, seen

    x = integers(600, 600)
    seen = {factor: errors(box(x, factor), x, factor) for factor in (2, 3, 4, 5, 10)}
    text = "`resize` with BOX: up to 1 off, in half of the results for 2 by 2"
    holds = 0.45 < seen[2][0] < 0.55 and 0.9 < max(most for _, most in seen.values()) <= 1
    yield text, holds, seen
    four = np.array([[1, 0], [2, 1]], np.uint8)
    seen = int(box(four, 2)[0, 0])
    yield "1, 0, 2, 1 gives 2, since rows are rounded before columns", seen == 2, seen

    x = floats(600, 600)
    exact = [ap.adaptive_avg_pool2d(x, 600 // factor, dtype=np.float64) for factor in (2, 3, 10)]
    seen = [ulps(box(x, factor), mean) for factor, mean in zip((2, 3, 10), exact, strict=True)]
    more = [
        ulps(np.asarray(Image.fromarray(x).reduce(factor)), mean)
        for factor, mean in zip((2, 3, 10), exact, strict=True)
    ]
    yield (
        "mode F: off by 2 ulp at most",
        max(seen + more) <= 2 and about(max(seen + more), 1.5),
        (
            seen,
            more,
        ),
    )
    x = integers(600, 600, dtype=np.uint16)
    seen = {factor: errors(box(x, factor), x, factor) for factor in (2, 3)}
    try:
        Image.fromarray(x).reduce(2)
        refused = False
    except ValueError:
        refused = True
    holds = refused and seen[2][1] == 1
    yield "mode I;16: `reduce` refuses it, `resize` is up to 1 off", holds, seen
    row = np.array([[0, 0, 0, 30, 30]], np.float32)
    seen = np.asarray(Image.fromarray(row).resize((2, 1), Image.Resampling.BOX)).tolist()
    yield "`resize` with BOX gives 0 and 30", seen == [[0, 30]], seen
    y = np.array([[1_500_000_000] * 2], np.int32)
    seen = int(np.asarray(Image.fromarray(y).reduce((2, 1)))[0, 0])
    yield (
        "mode I: `reduce` overflows (twice 1,500,000,000 gives -647,483,648)",
        seen == -647483648,
        seen,
    )
    colours = np.array([[[100, 100, 100, 1]] * 2] * 2, np.uint8)
    seen = np.asarray(Image.fromarray(colours).reduce(2))[0, 0].tolist()
    text = "RGBA: colours are weighted by alpha, in 8 bits"
    yield text, seen[0] != 100, seen
