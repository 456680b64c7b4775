"""Colours of 16 bits a channel: read whole, pooled as they are, written with all bits."""

from __future__ import annotations

import io
import json
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("PIL", reason="pictures are read with Pillow")

import picture_files as files
from PIL import Image

import adaptive_pool as ap
from adaptive_pool._cli import main
from adaptive_pool._cli.alpha import Pooling, Transparent, weighted_mean

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 2**16, (9, 7, 3), np.uint16)
ALPHA = RNG.integers(0, 2**16, (9, 7, 1), np.uint16)
ALPHA[:3, :4] = 0
RGBA = np.concatenate([COLOURS, ALPHA], axis=-1)
GREY_ALPHA = np.concatenate([COLOURS[..., :1], ALPHA], axis=-1)


def adam7(pixels):
    """Return the seven passes of an interlaced picture, one behind the other."""
    rows = pixels.astype(">u2")
    steps = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2)]
    passes = [rows[a::b, c::d] for a, b, c, d in [*steps, (1, 2, 0, 1)]]
    return b"".join(b"\0" + row.tobytes() for part in passes for row in part if row.size)


def interlaced(pixels, colour_type):
    plain = files.png(pixels, colour_type, 16)
    header = struct.pack(">IIBBBBB", *pixels.shape[1::-1], 16, colour_type, 0, 0, 1)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(adam7(pixels))),
        (b"IEND", b""),
    ):
        content += struct.pack(">I", len(body)) + kind + body
        content += struct.pack(">I", zlib.crc32(kind + body))
    assert len(content) != len(plain)
    return content


@pytest.fixture
def read(tmp_path):
    """Return a function that pools the bytes of a file, and what was written."""

    def read_as(content, *options, size="none", name="x.png", output="y.npy", status=0):
        (tmp_path / name).write_bytes(content)
        given = ["pool", str(tmp_path / name), "-o", str(tmp_path / output), "--size", size]
        assert main([*given, *options]) == status
        if status:
            return None
        return np.load(tmp_path / output)[0] if output == "y.npy" else tmp_path / output

    return read_as


# --------------------------------------------------------------------------------------- reading

WHOLE = ["--mode", "max", "--alpha", "keep"]
FULL = np.concatenate([COLOURS, np.full_like(ALPHA, 65535)], axis=-1)
SPREAD = GREY_ALPHA[..., [0, 0, 0, 1]]
KINDS = {
    "RGB.png": (files.png(COLOURS, 2, 16), FULL),
    "RGBA.png": (files.png(RGBA, 6, 16), RGBA),
    "LA.png": (files.png(GREY_ALPHA, 4, 16), SPREAD),
    "interlaced RGB.png": (interlaced(COLOURS, 2), FULL),
    "interlaced RGBA.png": (interlaced(RGBA, 6), RGBA),
    "interlaced LA.png": (interlaced(GREY_ALPHA, 4), SPREAD),
}
for order in "<>":
    for packed in (False, True):
        options = {"order": order, "packed": packed}
        tag = files.short(338, 2, order)
        name = f"{'packed' if packed else 'plain'} {'little' if order == '<' else 'big'}"
        KINDS[f"RGB {name}.tif"] = files.tiff(COLOURS, **options), FULL
        KINDS[f"RGBA {name}.tif"] = files.tiff(RGBA, tag, **options), RGBA


@pytest.mark.parametrize("name", KINDS)
def test_every_bit_is_read(read, name):
    content, expected = KINDS[name]
    pixels = read(content, *WHOLE, name=name)
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("first", range(5))
def test_png_with_every_filter(read, first):
    """Rows are predicted from those before, six bytes at a time."""
    lines = []
    rows = COLOURS.astype(">u2").reshape(9, 21).view(np.uint8).astype(int)
    before = np.zeros_like(rows[0])
    for k, row in enumerate(rows):
        left, corner = np.r_[[0] * 6, row[:-6]], np.r_[[0] * 6, before[:-6]]
        distance = abs(np.array([before - corner, left - corner, left + before - 2 * corner]))
        paeth = np.choose(distance.argmin(0), [left, before, corner])
        kind = (first + k) % 5
        predicted = [0 * row, left, before, (left + before) // 2, paeth][kind]
        lines.append(bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes())
        before = row
    plain = files.png(COLOURS, 2, 16)
    data = zlib.compress(b"".join(lines))
    chunk = struct.pack(">I", len(data)) + b"IDAT" + data
    chunk += struct.pack(">I", zlib.crc32(b"IDAT" + data))
    start, end = plain.index(b"IDAT") - 4, plain.index(b"IEND") - 4
    np.testing.assert_array_equal(
        read(plain[:start] + chunk + plain[end:], "--mode", "max"), COLOURS
    )


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("kind", ["png", "tif", "packed.tif", "LA.png"])
def test_they_come_upright(read, kind, orientation):
    exif = files.exif(files.short(files.ORIENTATION, orientation))
    turned = files.short(files.ORIENTATION, orientation)
    content, upright = {
        "png": (files.png(COLOURS, 2, 16, (b"eXIf", exif[6:])), COLOURS),
        "LA.png": (files.png(GREY_ALPHA, 4, 16, (b"eXIf", exif[6:])), SPREAD[..., :3]),
        "tif": (files.tiff(COLOURS, turned), COLOURS),
        "packed.tif": (files.tiff(COLOURS, turned, packed=True), COLOURS),
    }[kind]
    upright = {
        1: upright,
        3: upright[::-1, ::-1],
        6: np.rot90(upright, -1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
    }[orientation]
    pixels = read(content, "--mode", "max", "--alpha", "drop", name=f"x {kind}")
    np.testing.assert_array_equal(pixels, upright)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_tiff_of_many_strips(read, packed):
    content = files.tiff(COLOURS, rows=2, packed=packed)
    with Image.open(io.BytesIO(content)) as image:
        assert len(image.tile) == (1 if packed else 5)
    np.testing.assert_array_equal(read(content, "--mode", "max", name="x.tif"), COLOURS)


def test_means_are_those_of_all_bits(read):
    expected = ap.adaptive_avg_pool2d(COLOURS, (3, 2), data_format="channels_last")
    result = read(KINDS["RGB.png"][0], size="3,2")
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)


def test_gray_of_colours_is_that_of_8_bits(read, tmp_path):
    shallow = RNG.integers(0, 256, (9, 7, 3), np.uint8)
    Image.fromarray(shallow).save(tmp_path / "shallow.png")
    deep = read(files.png(shallow.astype(np.uint16) * 257, 2, 16), "--gray", "--mode", "max")
    expected = read((tmp_path / "shallow.png").read_bytes(), "--gray", "--mode", "max")
    assert deep.shape == (9, 7, 1)
    # Rounded at another bit.
    assert abs(deep / 257 - expected.astype(float)).max() <= 0.51
    white = read(files.png(np.full((2, 2, 3), 65535), 2, 16), "--gray", "--mode", "max")
    assert (white == 65535).all()


def test_gray_of_grey_with_alpha(read):
    pixels = read(KINDS["LA.png"][0], "--gray", *WHOLE)
    np.testing.assert_array_equal(pixels, GREY_ALPHA)


def test_a_broken_one_is_skipped(read, capsys):
    assert read(KINDS["RGB.png"][0][:200], status=2) is None
    assert "truncated" in capsys.readouterr().err


def test_16_bits_in_many_threads(tmp_path):
    """Each is read twice, and nothing of one gets into another."""
    for k in range(40):
        pixels = np.full((5, 4, 3), 1000 * k + 7, np.uint16)
        (tmp_path / f"{k:02}.png").write_bytes(files.png(pixels, 2, 16))
    given = ["pool", str(tmp_path), "-o", str(tmp_path / "y.npy"), "--size", "1"]
    assert main([*given, "--threads", "8"]) == 0
    rows = np.load(tmp_path / "y.npy")[:, 0, 0]
    np.testing.assert_array_equal(rows, np.arange(40)[:, None] * 1000 + [[7, 7, 7]])
    assert len(json.loads((tmp_path / "y.names.json").read_text())) == 40


# ------------------------------------------------------------------------------------ transparency


def exact(colours, weights, size):
    """Return the weighted means from sums of Python's integers, rounded once."""
    windows = [ap.pool_windows(n, k) for n, k in zip(colours.shape, size, strict=False)]
    result = np.zeros((*size, 3))
    for i, (top, bottom) in enumerate(zip(*windows[0], strict=True)):
        for j, (left, right) in enumerate(zip(*windows[1], strict=True)):
            a = weights[top:bottom, left:right].astype(object)
            for k in range(3):
                c = colours[top:bottom, left:right, k].astype(int).astype(object)
                result[i, j, k] = float(Fraction((c * a).sum(), a.sum())) if a.sum() else 0
    return result


@pytest.mark.parametrize("size", [(3, 2), (1, 1), (4, 5)], ids=str)
def test_weighted_means_are_exact(read, size):
    result = read(KINDS["RGBA.png"][0], "--dtype", "float64", size="{},{}".format(*size))
    np.testing.assert_array_equal(result, exact(COLOURS, ALPHA[..., 0], size))


def test_large_windows():
    """Products of 2**32 that no sum of 32 bits holds."""
    colours = np.full((700, 900, 1), 65535, np.uint16)
    colours[0, 0] = 0
    weights = np.full((700, 900), 65534, np.uint16)
    mean = weighted_mean(
        Transparent(colours, weights), Pooling((1, 1), "torch", 1), np.dtype(np.float64)
    )
    assert mean.item() == float(Fraction(65535 * (630000 - 1), 630000))


@pytest.mark.parametrize("content", ["alpha", "one colour"])
def test_what_does_not_show_at_all(read, content):
    pixels = np.array([[[7, 700, 65535], [9, 9, 9]]], np.uint16)
    alpha = np.array([[[65535], [0]]], np.uint16)
    made = {
        "alpha": files.png(np.concatenate([pixels, alpha], axis=-1), 6, 16),
        "one colour": files.png(pixels, 2, 16, transparency=(9, 9, 9)),
    }[content]
    np.testing.assert_array_equal(read(made, size="1")[0, 0], [7, 700, 65535])
    np.testing.assert_array_equal(read(made, "--mode", "max", size="1")[0, 0], [7, 700, 65535])
    dropped = read(made, "--alpha", "drop", size="1")
    np.testing.assert_array_equal(dropped[0, 0], [8, 354.5, 32772])


def test_opaque_is_what_it_is_without_alpha(read):
    opaque = files.png(FULL, 6, 16)
    expected = ap.adaptive_avg_pool2d(COLOURS, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(read(opaque, size="3,2"), expected)


# ---------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("output", ["y.png", "y.tif"])
@pytest.mark.parametrize("kind", ["RGB.png", "RGBA.png", "LA.png"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_pictures_keep_their_bits(read, kind, output, data_format):
    content, pixels = KINDS[kind]
    options = ["--data-format", data_format, "--alpha", "keep"]
    written = read(content, *options, size="3,2", output=output)
    expected = ap.adaptive_avg_pool2d(pixels, (3, 2), data_format="channels_last", dtype=np.uint16)
    again = read(written.read_bytes(), *WHOLE, name=f"again{written.suffix}")
    np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("output", ["y.png", "y.tif"])
def test_other_programs_read_what_is_written(read, output):
    """As 8 bits, Pillow takes the upper ones."""
    path = read(KINDS["RGB.png"][0], output=output)
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("RGB", (7, 9))
        np.testing.assert_array_equal(np.asarray(image), COLOURS >> 8)


def test_png_has_16_bits_and_is_small(read):
    path = read(files.png(np.full((300, 200, 3), [1, 2, 3]), 2, 16), output="y.png")
    content = path.read_bytes()
    assert content[24:26] == bytes([16, 2])
    assert len(content) < 3000


@pytest.mark.parametrize("output", ["y.png", "y.tif"])
def test_thumbnails_stay_transparent(read, output):
    written = read(KINDS["RGBA.png"][0], size="3,2", output=output)
    again = read(written.read_bytes(), *WHOLE, name=f"again{written.suffix}")
    np.testing.assert_array_equal(
        again[..., :3], np.rint(exact(COLOURS, ALPHA[..., 0], (3, 2))).astype(np.uint16)
    )
    alpha = ap.adaptive_avg_pool2d(ALPHA[..., 0], (3, 2), dtype=np.uint16)
    np.testing.assert_array_equal(again[..., 3], alpha)


def test_grey_with_a_transparent_value_is_written_with_alpha(read):
    grey = files.png(np.array([[7, 900, 900, 900]]), 0, 16, transparency=(900,))
    written = read(grey, size="1,2", output="y.png")
    assert written.read_bytes()[24:26] == bytes([16, 4])
    again = read(written.read_bytes(), *WHOLE, name="again.png")
    # Half of the first window shows: 32767.5, to even.
    np.testing.assert_array_equal(again, [[[7, 7, 7, 32768], [0, 0, 0, 0]]])
    assert read(grey, size="1,2", output="y.pgm").read_bytes()[:2] == b"P5"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("y.jpg", "a picture of 16 bits must be PNG, TIFF or PGM, got JPEG"),
        ("y.webp", "a picture of 16 bits must be PNG, TIFF or PGM, got WEBP"),
        ("y.pgm", "a picture of 16 bits in colour, or transparent, must be PNG or TIFF, got PPM"),
    ],
)
def test_formats_that_would_clip_them_are_refused(read, capsys, output, message):
    Image.init()
    if output == "y.webp" and "WEBP" not in Image.SAVE:
        pytest.skip("this Pillow has no WEBP")
    read(KINDS["RGB.png"][0], output=output, status=2)
    assert message in capsys.readouterr().err


def test_arrays_of_16_bits_are_written_as_colours(tmp_path):
    np.save(tmp_path / "x.npy", COLOURS)
    given = ["--mode", "max", "--size", "none", "-o"]
    assert main(["pool", str(tmp_path / "x.npy"), *given, str(tmp_path / "y.png")]) == 0
    assert main(["pool", str(tmp_path / "y.png"), *given, str(tmp_path / "z.npy")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "z.npy")[0], COLOURS)
