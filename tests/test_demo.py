"""The demo: its check can fail, and what it writes is a picture of the results."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from adaptive_pool._cli import demo, main
from adaptive_pool._cli.contact_sheet import Row, draw_sheet

pytest.importorskip("PIL", reason="the demo draws with Pillow")


@pytest.fixture
def photographs(monkeypatch):
    """Put small pictures in the place of the bundled ones: the demo in a moment."""
    rng = np.random.default_rng(0)
    made = [
        demo.Photograph(name, rng.integers(0, 256, (height, width, 3), np.uint8))
        for name, height, width in (("wide", 130, 260), ("tall", 201, 140))
    ]
    monkeypatch.setattr(demo, "load_photographs", lambda: made)
    return made


@pytest.fixture
def sheet(tmp_path, photographs):
    """Return the path that the contact sheet is written to."""
    return tmp_path / "sheet.png"


def test_batches_have_one_shape_whatever_the_photographs(photographs):
    averages, maxima = demo.pool_averages(photographs), demo.pool_maxima(photographs)
    assert averages.features.shape == maxima.features.shape == (2, 3, 7, 7)
    assert averages.thumbnails.shape == maxima.thumbnails.shape == (2, 128, 128, 3)
    assert [averages.features.dtype, averages.thumbnails.dtype] == [np.float32, np.uint8]
    assert [maxima.features.dtype, maxima.thumbnails.dtype] == [np.uint8, np.uint8]


def test_demo_prints_a_line_for_each_photograph_and_the_outcome(sheet, capsys):
    assert main(["demo", "-o", str(sheet)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["wide", "(130,", "260,", "3)"]
    assert lines[2].split()[:4] == ["tall", "(201,", "140,", "3)"]
    assert [line.split()[-1] for line in lines[1:3]] == ["equal", "equal"]
    assert "they equal the definition" in lines


@pytest.mark.parametrize("field", ["features", "thumbnails"])
@pytest.mark.parametrize("operation", ["pool_averages", "pool_maxima"])
def test_one_wrong_number_is_found(sheet, capsys, monkeypatch, operation, field):
    pool = getattr(demo, operation)

    def wrong(photographs):
        batch = pool(photographs)
        results = getattr(batch, field)
        results[1, -1, -1, -1] = 255 - results[1, -1, -1, -1]
        return batch

    monkeypatch.setattr(demo, operation, wrong)
    assert main(["demo", "-o", str(sheet)]) == 1
    out = capsys.readouterr().out
    assert [line.split()[-1] for line in out.splitlines()[1:3]] == ["equal", "DIFFERENT"]
    assert "they DIFFER FROM the definition" in out


def test_sheet_shows_the_results_in_aligned_blocks(sheet, photographs):
    from PIL import Image

    main(["demo", "-o", str(sheet)])
    with Image.open(sheet) as image:
        pixels = np.asarray(image)
    coarsest = demo.average_thumbnail(photographs[0].pixels, 8)
    blocks = np.kron(coarsest, np.ones((16, 32, 1), np.uint8))  # the photograph is twice as wide
    found = np.lib.stride_tricks.sliding_window_view(pixels[:, :, 0], 256, axis=1)
    rows, columns = np.nonzero((found == blocks[0, :, 0]).all(axis=-1))
    assert len(rows) == 16  # the first row of blocks, once
    y, x = rows[0], columns[0]
    np.testing.assert_array_equal(pixels[y : y + 128, x : x + 256], blocks)


@pytest.mark.parametrize(("height", "width"), [(256, 128), (77, 256), (256, 256)])
def test_all_tiles_of_a_row_have_the_shape_of_the_photograph(height, width):
    colour = (10, 20, 30)
    results = [np.full((size, size, 3), colour, np.uint8) for size in (128, 32, 8)]
    original = np.full((3 * height, 3 * width, 3), colour, np.uint8)
    sheet = np.asarray(draw_sheet([Row("x", original, results, results)]))
    rows, columns = np.nonzero((sheet == colour).all(axis=-1))
    assert np.ptp(rows) + 1 == height
    assert len(np.unique(columns)) == 7 * width


def test_sheet_has_white_margins(sheet):
    from PIL import Image

    main(["demo", "-o", str(sheet)])
    with Image.open(sheet) as image:
        pixels = np.asarray(image)
    inked = (pixels != 255).any(axis=-1)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    left, right = columns[0], pixels.shape[1] - 1 - columns[-1]
    assert left == right
    assert min(rows[0], pixels.shape[0] - 1 - rows[-1]) >= left - 1


def test_sheet_that_cannot_be_written_is_an_error(tmp_path, photographs, capsys):
    assert main(["demo", "-o", str(tmp_path / "absent" / "sheet.png")]) == 2
    assert "must be a file in an existing folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", demo.PHOTOGRAPHS)
def test_real_photographs_come_with_scikit_image_and_are_pooled_right(name):
    pytest.importorskip("skimage", reason="the photographs are those of scikit-image")
    (photograph,) = demo.load_photographs([name])
    assert photograph.pixels.dtype == np.uint8
    averages, maxima = demo.pool_averages([photograph]), demo.pool_maxima([photograph])
    assert demo.is_right(photograph.pixels, averages.features[0], maxima.features[0])


def test_absent_scikit_image_is_named_with_the_extra(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert main(["demo", "-o", str(tmp_path / "sheet.png")]) == 2
    assert 'pip install "adaptive-pool[demo]"' in capsys.readouterr().err
