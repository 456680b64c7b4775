"""Pictures on the command line: upright, all of their bits, transparency, and limits."""

from __future__ import annotations

import re
import warnings
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("PIL", reason="pictures are read with Pillow")

import picture_files as files
from PIL import Image

import adaptive_pool as ap
from adaptive_pool._cli import main
from adaptive_pool._cli.alpha import Pooling, Transparent, weighted_mean

Image.init()  # only then does it know its formats

RNG = np.random.default_rng(0)
SCENE = RNG.integers(0, 256, (8, 16, 3), np.uint8)
LOSSLESS = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}

# What brings a stored picture upright, for each value of the tag.
TURNS = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


@pytest.fixture
def save(tmp_path):
    """Return a function that saves a picture, an array or the bytes of a file."""

    def save_as(name, content, **options):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            picture = Image.fromarray(content) if isinstance(content, np.ndarray) else content
            picture.save(path, **options)
        return path

    return save_as


@pytest.fixture
def read(tmp_path):
    """Return a function that pools inputs without making them smaller, and what was written."""

    def read_as(*inputs, size="none", status=0, name="y.npy"):
        output = tmp_path / name
        output.unlink(missing_ok=True)
        given = ["pool", *map(str, inputs), "-o", str(output), "--size", size]
        assert main(given) == status
        if not output.exists():
            return None
        if name == "y.npy":
            return np.load(output)
        with Image.open(output) as picture:
            return np.asarray(picture)

    return read_as


# ------------------------------------------------------------------------------------- upright


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", LOSSLESS)
def test_pictures_come_upright_exactly_once(save, read, kind, orientation):
    exif = Image.Exif()
    exif[files.ORIENTATION] = orientation
    path = save(f"x.{kind.lower()}", SCENE, exif=exif, **LOSSLESS[kind])
    np.testing.assert_array_equal(read(path)[0], TURNS[orientation](SCENE))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("orientation", TURNS)
def test_tiff_is_turned_however_it_is_packed(save, read, orientation, compression):
    path = save("x.tif", SCENE, tiffinfo={files.ORIENTATION: orientation}, compression=compression)
    np.testing.assert_array_equal(read(path)[0], TURNS[orientation](SCENE))


def test_first_of_several_pages_is_turned(save, read):
    pages = {"save_all": True, "append_images": [Image.fromarray(255 - SCENE)]}
    path = save("x.tif", SCENE, tiffinfo={files.ORIENTATION: 6}, **pages)
    np.testing.assert_array_equal(read(path)[0], np.rot90(SCENE, -1))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_tiff_of_every_mode_is_turned(save, read, orientation, mode):
    picture = Image.fromarray(SCENE).convert(mode)
    upright = TURNS[orientation](np.asarray(picture.convert("RGB")))
    path = save("x.tif", picture, tiffinfo={files.ORIENTATION: orientation})
    np.testing.assert_array_equal(read(path)[0], upright)


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "AVIF"])
@pytest.mark.parametrize("orientation", [6, 3])
def test_pictures_with_losses_come_upright(save, read, kind, orientation):
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow has no {kind}")
    quarters = np.zeros((16, 32, 3), np.uint8)
    quarters[:8, :16], quarters[8:, 16:] = 250, 90
    exif = Image.Exif()
    exif[files.ORIENTATION] = orientation
    suffix = {"JPEG": "jpg"}.get(kind, kind.lower())
    path = save(f"x.{suffix}", quarters, exif=exif, quality=95)
    expected = TURNS[orientation](quarters).astype(int)
    assert abs(read(path)[0] - expected).max() < 25


def test_orientation_in_xmp(save, read):
    xmp = b'<x:xmpmeta xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="8"/>'
    path = save("x.webp", SCENE, lossless=True, xmp=xmp)
    np.testing.assert_array_equal(read(path)[0], np.rot90(SCENE))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("odd", files.ODD)
def test_odd_metadata_refuse_no_picture(save, read, odd, kind, orientation):
    exif = files.odd_exif(odd, orientation)
    path = save(f"x.{kind.lower()}", SCENE, exif=exif, **LOSSLESS[kind])
    np.testing.assert_array_equal(read(path)[0], TURNS[orientation](SCENE))


@pytest.mark.parametrize("odd", files.ODD)
def test_odd_metadata_refuse_no_jpeg(save, read, odd):
    plain, lying = (save(f"{k}.jpg", SCENE, exif=files.odd_exif(odd, k)) for k in (1, 6))
    np.testing.assert_array_equal(read(lying)[0], np.rot90(read(plain)[0], -1))


@pytest.mark.parametrize("odd", [name for name, entry in files.ODD.items() if "gps" not in entry])
def test_odd_tags_refuse_no_tiff(save, read, odd):
    content = files.tiff(SCENE, files.short(files.ORIENTATION, 6), *files.ODD[odd]["entries"])
    np.testing.assert_array_equal(read(save("x.tif", content))[0], np.rot90(SCENE, -1))


@pytest.mark.parametrize(
    "entry",
    [
        files.short(files.ORIENTATION, 0),
        files.short(files.ORIENTATION, 9),
        files.short(files.ORIENTATION, 65535),
        (files.ORIENTATION, files.ASCII, b"6\0", None),
        (files.ORIENTATION, files.ASCII, b"Rotated 90 CW\0", None),
        (files.ORIENTATION, files.SSHORT, b"\xfa\xff", None),
        (files.ORIENTATION, files.UNDEFINED, b"\x06\x00\x06\x00", None),
        (files.ORIENTATION, files.SHORT, b"", 0),
    ],
    ids=["0", "9", "65535", "6 as text", "text", "-6", "bytes", "none"],
)
def test_orientation_without_a_meaning_is_upright(save, read, entry):
    for name, content in (
        ("x.png", files.encoded(Image.fromarray(SCENE), "PNG", exif=files.exif(entry))),
        ("x.tif", files.tiff(SCENE, entry)),
    ):
        np.testing.assert_array_equal(read(save(name, content))[0], SCENE)


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0no header at all"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_exif_that_is_none(save, read, kind, exif):
    path = save(f"x.{kind.lower()}", SCENE, exif=exif, **LOSSLESS[kind])
    np.testing.assert_array_equal(read(path)[0], SCENE)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "GIF", "MPO"])
def test_what_follows_the_picture_is_not_read(save, read, kind):
    options = LOSSLESS.get(kind, {})
    if kind == "MPO":
        options = {"save_all": True, "append_images": [Image.fromarray(255 - SCENE)]}
    plain = files.encoded(Image.fromarray(SCENE), kind, **options)
    suffix = kind.lower()
    alone, followed = save(f"a.{suffix}", plain), save(f"b.{suffix}", plain + files.film())
    np.testing.assert_array_equal(read(alone), read(followed))


# ------------------------------------------------------------------------------ bits a channel

GREY = np.array([[0, 1, 257], [60000, 65534, 65535]], np.uint16)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.png", files.png(GREY, 0, 16)),
        ("little.tif", files.tiff(GREY)),
        ("white is zero.tif", files.tiff(~GREY, photometric=0)),
        ("x.pgm", b"P5 3 2 65535\n" + GREY.astype(">u2").tobytes()),
        ("plain.pgm", b"P2 3 2 65535\n" + " ".join(map(str, GREY.flat)).encode()),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_grey_of_16_bits_is_pooled_as_it_is(save, read, name, content):
    path = save(name, content)
    maxima = read(path, "--gray", "--mode", "max")
    assert maxima.dtype == np.uint16
    np.testing.assert_array_equal(maxima[0, ..., 0], GREY)
    means = read(path, size="1")
    assert (means.shape, means.dtype) == ((1, 1, 1, 3), np.float32)
    np.testing.assert_array_equal(means.ravel(), [np.float32(int(GREY.sum()) / 6)] * 3)


@pytest.mark.parametrize("orientation", TURNS)
def test_grey_of_16_bits_is_turned(save, read, orientation):
    exif = Image.Exif()
    exif[files.ORIENTATION] = orientation
    for name in ("x.png", "x.tif"):
        path = save(name, GREY, exif=exif)
        turned = read(path, "--gray", "--mode", "max")[0, ..., 0]
        np.testing.assert_array_equal(turned, TURNS[orientation](GREY))


@pytest.mark.parametrize(
    ("array", "sample_format"),
    [
        (np.array([[-(2**31), 5], [2**31 - 1, 7]], np.int32), 2),
        (np.array([[2**32 - 1, 5], [2**31, 7]], np.uint32), 1),
        (np.array([[-1.5, np.inf], [1e-40, 7]], np.float32), 3),
    ],
    ids=lambda v: getattr(v, "dtype", ""),
)
def test_grey_of_32_bits_is_pooled_as_it_is(save, read, array, sample_format):
    path = save("x.tif", files.tiff(array, sample_format=sample_format))
    maxima = read(path, "--gray", "--mode", "max")
    assert maxima.dtype == array.dtype
    np.testing.assert_array_equal(maxima[0, ..., 0], array)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("order", "<>", ids=["little", "big"])
@pytest.mark.parametrize(
    ("array", "sample_format"),
    [
        (np.array([[0, 1, 257], [60000, 65534, 65535]], np.uint16), 1),
        (np.array([[-1, 1, 257], [-(2**15), 5, 2**15 - 1]], np.int16), 2),
        (np.array([[-(2**31), 5, 1], [2**31 - 1, 7, -1]], np.int32), 2),
        (np.array([[-1.5, np.inf, 0.1], [1e-40, 7, -0.0]], np.float32), 3),
    ],
    ids=lambda v: getattr(v, "dtype", ""),
)
def test_tiff_in_either_byte_order(save, read, array, sample_format, order, packed):
    content = files.tiff(array, sample_format=sample_format, order=order, packed=packed)
    maxima = read(save("x.tif", content), "--gray", "--mode", "max")
    np.testing.assert_array_equal(maxima[0, ..., 0], array)


def fits(bits):
    cards = ["SIMPLE  = T", f"BITPIX  = {bits}", "NAXIS   = 2", "NAXIS1  = 3", "NAXIS2  = 2", "END"]
    return "".join(card.ljust(80) for card in cards).ljust(2880).encode() + bytes(2880)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.tif", files.tiff(np.array([[-1, 1]], np.int8), sample_format=2), "TIFF of 8 bits"),
        ("x.fits", fits(16), "FITS of 16 bits"),
    ],
    ids=["TIFF", "FITS"],
)
def test_signs_that_would_be_lost_are_refused(save, read, capsys, name, content, message):
    assert read(save(name, content), status=2) is None
    assert f"{message} with a sign, which Pillow drops" in capsys.readouterr().err


def ppm(largest):
    return b"P6 2 1 %d\n" % largest + np.arange(6, dtype=">u2").tobytes()


COLOUR = RNG.integers(0, 2**16, (2, 3, 4), np.uint16)
SGI = b"\x01\xda\x00\x02" + np.array([3, 3, 2, 3], ">u2").tobytes() + bytes(500) + bytes(36)
DEEP_PNG = files.png(np.tile(COLOUR[:1, :1], (16, 16, 1)), 6, 16)
ICO = np.array([0, 1, 1, 16 + 256 * 16, 0, 1, 32, len(DEEP_PNG), 0, 22, 0], "<u2").tobytes()
ICNS = np.array([len(DEEP_PNG) + 16, int.from_bytes(b"icp4"), len(DEEP_PNG) + 8], ">u4").tobytes()
# A block of BC6 is 16 bytes.
DDS = b"DDS " + np.array([124, 0x1007, 4, 4, *[0] * 14, 32, 4], "<u4").tobytes() + b"DX10"
DDS += np.array([*[0] * 5, 0x1000, *[0] * 4, 95, 3, 0, 1, 0], "<u4").tobytes() + bytes(16)
DEEP = [
    ("premultiplied.tif", files.tiff(COLOUR, files.short(338, 1)), "TIFF of 16"),
    ("planes.tif", files.tiff(COLOUR[..., :3], planes=True), "TIFF of 16"),
    ("packed planes.tif", files.tiff(COLOUR, planes=True, packed=True), "TIFF of 16"),
    ("x.ico", ICO + DEEP_PNG, "ICO of 16"),
    ("x.icns", b"icns" + ICNS + DEEP_PNG, "ICNS of 16"),
    ("x.dds", DDS, "DDS of 16"),
    ("cmyk.tif", files.tiff(COLOUR, photometric=5), "TIFF of 16"),
    ("x.ppm", ppm(65535), "PPM of 16"),
    ("some.ppm", ppm(1023), "PPM of 10"),
    ("plain.ppm", b"P3 2 1 256\n" + b"1 " * 6, "PPM of 9"),
    ("x.sgi", SGI, "SGI of 16"),
    ("grey.sgi", SGI.replace(b"\0\2\0\3", b"\0\2\0\1"), "SGI of 16"),
]


@pytest.mark.parametrize(("name", "content", "message"), DEEP, ids=[name for name, *_ in DEEP])
def test_bits_that_would_be_lost_are_refused(save, read, capsys, name, content, message):
    assert read(save(name, content), status=2) is None
    error = capsys.readouterr().err
    assert "pictures must have 8 bits a channel" in error
    assert message in error


@pytest.mark.parametrize("bits", [16, 12, 9])
def test_deep_jpeg_2000_is_refused(save, read, capsys, bits):
    """The depth in the header is all that is looked at."""
    if "JPEG2000" not in Image.SAVE:
        pytest.skip("this Pillow has no JPEG 2000")
    content = bytearray(files.encoded(Image.fromarray(SCENE), "JPEG2000"))
    size = content.index(b"\xff\x4f\xff\x51")
    assert content[size + 42] == 7
    content[size + 42] = bits - 1
    assert read(save("x.jp2", bytes(content)), status=2) is None
    assert f"got JPEG2000 of {bits}" in capsys.readouterr().err


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_is_refused(save, read, capsys, bits):
    """The depth in the header is all that is looked at."""
    if "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow has no AVIF")
    content = bytearray(files.encoded(Image.fromarray(SCENE), "AVIF"))
    depths, settings = content.index(b"pixi") + 9, content.index(b"av1C") + 6
    content[depths : depths + 3] = [bits] * 3
    content[settings] |= 0x60 if bits == 12 else 0x40
    assert read(save("x.avif", bytes(content)), status=2) is None
    assert f"got AVIF of {bits}" in capsys.readouterr().err


def test_colours_of_8_bits_in_the_same_formats_are_read(save, read):
    names = ["x.png", "x.tif", "x.ppm", "x.sgi"]
    names += ["x.jp2"] if "JPEG2000" in Image.SAVE else []
    names += ["x.avif"] if "AVIF" in Image.SAVE else []
    inputs = [save(name, SCENE) for name in names]
    result = read(*inputs)
    assert len(result) == len(names)
    for pixels in result[:4]:
        np.testing.assert_array_equal(pixels, SCENE)


def test_16_bits_a_pixel_are_no_16_bits_a_channel(save, read):
    """A BMP with 5, 6 and 5 bits."""
    pixels = np.array([[0xF800, 0x07E0], [0x001F, 0xFFFF]], "<u2")
    head = np.array([54, 40, 2, 2], "<u4").tobytes() + b"\x01\x00\x10\x00" + bytes(24)
    path = save("x.bmp", b"BM" + bytes(8) + head + pixels[::-1].tobytes())
    expected = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]]
    # 15 bits are what the header without masks means.
    assert read(path).shape == (1, *np.shape(expected))


@pytest.mark.parametrize("name", ["y.png", "y.tif", "y.pgm"])
@pytest.mark.parametrize("options", [[], ["--gray"], ["--mode", "max"]], ids=" ".join)
def test_grey_of_16_bits_is_written_with_16_bits(save, read, name, options):
    grey = RNG.integers(0, 2**16, (9, 7), np.uint16)
    pool = ap.adaptive_max_pool2d if "max" in options else ap.adaptive_avg_pool2d
    dtype = {} if "max" in options else {"dtype": np.uint16}
    expected = pool(grey, (3, 2), **dtype)
    written = read(save("x.png", grey), *options, size="3,2", name=name)
    np.testing.assert_array_equal(written, expected)


def test_pictures_of_8_and_of_16_bits_are_named(save, read, capsys):
    shallow, deep, again = save("a.png", SCENE), save("b.png", GREY), save("c.png", SCENE)
    assert len(read(shallow, again, size="2")) == 2
    assert capsys.readouterr().err == ""
    assert len(read(shallow, deep, again, size="2")) == 3
    assert f"of several ranges, pooled as they are: uint8 in {shallow}, uint16 in {deep}\n" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("name", ["y.jpg", "y.webp", "y.gif", "y.bmp"])
def test_formats_that_would_clip_16_bits_are_refused(save, read, capsys, name):
    assert read(save("x.png", GREY), name=name, status=2) is None
    assert "a picture of 16 bits must be PNG, TIFF or PGM" in capsys.readouterr().err


# -------------------------------------------------------------------------------- transparency

SHOWN = RNG.integers(0, 256, (9, 7), np.uint8)
SHOWN[:3, :4] = 0
COLOURS = RNG.integers(0, 256, (9, 7, 3), np.uint8)


def exact(colours, weights, size, round_to, rule="torch"):
    """Return the weighted means from sums of Python's integers, rounded once."""
    units = [np.ones((k, n), int) for n, k in zip(weights.shape, size, strict=True)]
    if rule == "area":
        units = [ap.area_weights(n, k) for n, k in zip(weights.shape, size, strict=True)]
    windows = [ap.pool_windows(n, k) for n, k in zip(weights.shape, size, strict=True)]
    result = np.zeros((*size, colours.shape[-1]), object)
    for i, (top, bottom) in enumerate(zip(*windows[0], strict=True)):
        for j, (left, right) in enumerate(zip(*windows[1], strict=True)):
            parts = np.outer(units[0][i, : bottom - top], units[1][j, : right - left])
            a = (weights[top:bottom, left:right] * parts).astype(object)
            for k in range(colours.shape[-1]):
                c = colours[top:bottom, left:right, k].astype(int).astype(object)
                result[i, j, k] = round_to(Fraction((c * a).sum(), a.sum())) if a.sum() else 0
    return result


@pytest.mark.parametrize(
    ("dtype", "round_to"), [("float64", float), ("float32", float), ("uint8", round)]
)
@pytest.mark.parametrize("size", [(3, 2), (1, 1), (4, 5)], ids=str)
@pytest.mark.parametrize("rule", ["torch", "area"])
def test_weighted_means_are_exact(save, read, size, dtype, round_to, rule):
    path = save("x.png", np.dstack([COLOURS, SHOWN]))
    result = read(path, "--dtype", dtype, "--windows", rule, size="{},{}".format(*size))
    assert result.dtype == dtype
    expected = exact(COLOURS, SHOWN, size, round_to, rule).astype(dtype)
    np.testing.assert_array_equal(result[0], expected)


def test_weighted_is_the_default_and_nothing_flows_in_from_what_does_not_show(save, read):
    logo = np.zeros((4, 4, 4), np.uint8)
    logo[..., :3] = 255  # white that nobody sees
    logo[:2, 0] = [10, 20, 30, 255]
    result = read(save("x.png", logo), size="2")
    np.testing.assert_array_equal(result[0, 0, 0], [10, 20, 30])
    assert not result[0, 1].any()
    dropped = read(save("x.png", logo), "--alpha", "drop", size="2")
    np.testing.assert_array_equal(dropped[0, 0, 0], [132.5, 137.5, 142.5])


@pytest.mark.parametrize("mode", ["avg", "max"])
def test_what_does_not_show_at_all_is_0(save, read, mode):
    path = save("x.png", np.dstack([COLOURS, np.zeros_like(SHOWN)]))
    assert not read(path, "--mode", mode, size="3,2").any()
    thumbnail = read(path, "--mode", mode, size="3,2", name="y.png")
    assert (thumbnail.shape, thumbnail.any()) == ((3, 2, 4), np.False_)


def test_what_shows_in_part_everywhere_is_averaged_as_it_is(save, read):
    path = save("x.png", np.dstack([COLOURS, np.full_like(SHOWN, 100)]))
    expected = ap.adaptive_avg_pool2d(COLOURS, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(read(path, size="3,2")[0], expected)
    assert (read(path, size="3,2", name="y.png")[..., 3] == 100).all()


def test_ties_of_weighted_means_go_to_even(save, read):
    pixels = np.array([[[1, 2, 4, 9], [2, 3, 5, 9]]], np.uint8)
    result = read(save("x.png", pixels), "--dtype", "uint8", size="1")
    np.testing.assert_array_equal(result.ravel(), [2, 2, 4])


def test_large_windows_are_exact():
    """Sums that a running sum of float32 would lose."""
    colours = np.full((700, 900, 1), 255, np.uint8)
    colours[0, 0] = 0
    weights = np.full((700, 900), 254, np.uint8)
    mean = weighted_mean(
        Transparent(colours, weights), Pooling((1, 1), "torch", 1), np.dtype(np.float64)
    )
    assert mean.item() == float(Fraction(255 * (630000 - 1), 630000))


@pytest.mark.parametrize("alpha", ["weighted", "drop", "keep"])
def test_opaque_pictures_are_what_they_were(save, read, alpha):
    plain = save("a.png", COLOURS)
    opaque = save("b.png", np.dstack([COLOURS, np.full_like(SHOWN, 255)]))
    result = read(plain, opaque, "--alpha", alpha, size="3,2")
    np.testing.assert_array_equal(result[0], result[1])
    expected = ap.adaptive_avg_pool2d(COLOURS, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(result[0, ..., :3], expected)
    assert (result[..., 3:] == 255).all()
    assert result.shape[-1] == (4 if alpha == "keep" else 3)


def test_keep_pools_each_channel_by_itself(save, read):
    pixels = np.dstack([COLOURS, SHOWN])
    expected = ap.adaptive_avg_pool2d(pixels, (3, 2), data_format="channels_last")
    path = save("x.png", pixels)
    np.testing.assert_array_equal(read(path, "--alpha", "keep", size="3,2")[0], expected)
    first = read(path, "--alpha", "keep", "--data-format", "channels_first", size="3,2")[0]
    np.testing.assert_array_equal(first, np.moveaxis(expected, -1, 0))
    assert read(path, "--alpha", "keep", "--gray").shape == (1, 9, 7, 2)


def test_channels_first_and_transparent(save, read):
    path = save("x.png", np.dstack([COLOURS, SHOWN]))
    last = read(path, size="3,2")
    first = read(path, "--data-format", "channels_first", size="3,2")
    np.testing.assert_array_equal(first, np.moveaxis(last, -1, 1))


def test_maxima_are_those_of_what_shows(save, read):
    pixels = np.dstack([COLOURS, SHOWN])
    visible = np.where(SHOWN[..., None] > 0, COLOURS, 0).astype(np.uint8)
    expected = ap.adaptive_max_pool2d(visible, (3, 2), data_format="channels_last")
    path = save("x.png", pixels)
    np.testing.assert_array_equal(read(path, "--mode", "max", size="3,2")[0], expected)
    plain = ap.adaptive_max_pool2d(COLOURS, (3, 2), data_format="channels_last")
    dropped = read(path, "--mode", "max", "--alpha", "drop", size="3,2")
    np.testing.assert_array_equal(dropped[0], plain)


INDICES = np.array([[0, 1, 2, 3]], np.uint8)
PALETTE = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]
RED = [[[200, 0, 0, 255], [0, 200, 0, 0], [0, 0, 200, 255], [9, 9, 9, 255]]]


def paletted(transparency=None):
    picture = Image.fromarray(INDICES)
    picture.putpalette(PALETTE)
    return files.encoded(picture, "PNG", transparency=transparency)


TRANSPARENT = {
    "L and alpha": files.png(np.array([[[7, 255], [90, 0]]]), 4, 8),
    "RGB and alpha": files.png(np.array([[[7, 7, 7, 255], [90, 90, 90, 0]]]), 6, 8),
    "one RGB": files.png(np.array([[[7, 7, 7], [90, 9, 9]]]), 2, 8, transparency=(90, 9, 9)),
    "one L": files.png(np.array([[7, 90]]), 0, 8, transparency=(90,)),
    "one L of 16 bits": files.png(np.array([[7, 900]]), 0, 16, transparency=(900,)),
}


@pytest.mark.parametrize("name", TRANSPARENT)
@pytest.mark.parametrize("options", [[], ["--gray"]], ids=["colour", "gray"])
def test_every_kind_of_transparency(save, read, name, options):
    result = read(save("x.png", TRANSPARENT[name]), *options, size="1")
    np.testing.assert_array_equal(result.ravel(), [7] * result.size)


@pytest.mark.parametrize(
    ("depth", "values", "packed", "white"),
    [(1, (0, 1), 0b01000000, 255), (2, (1, 2), 0b01100000, 85), (4, (1, 5), 0x15, 17)],
)
def test_transparent_grey_of_few_bits(save, read, depth, values, packed, white):
    content = files.png(
        np.array([values]), 0, depth, transparency=(values[1],), packed=[bytes([packed])]
    )
    result = read(save("x.png", content), size="1")
    np.testing.assert_array_equal(result.ravel(), [values[0] * white] * 3)


@pytest.mark.parametrize(
    ("transparency", "expected"),
    [
        (None, [55, 65, 75]),
        (3, [40, 50, 60]),
        (b"\x00\xff\x00\x00", [40, 50, 60]),
        (b"\xff\x00\x00\x55", [(10 * 255 + 100 * 85) / 340, (20 * 255 + 110 * 85) / 340, 52.5]),
    ],
)
def test_transparent_palettes(save, read, transparency, expected):
    result = read(save("x.png", paletted(transparency)), size="1")
    np.testing.assert_array_equal(result.ravel(), np.float32(expected))


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA"])
def test_transparent_tiff(save, read, mode):
    picture = Image.fromarray(np.array(RED, np.uint8)).convert(mode)
    colours = np.asarray(picture.convert("RGBA"))[0, [0, 2, 3], :3]
    result = read(save("x.tif", files.encoded(picture, "TIFF")), size="1")
    np.testing.assert_array_equal(result.ravel(), np.float32(colours.sum(0) / 3))


def test_colours_stored_times_alpha(save, read):
    """ExtraSamples 1: what is stored are products, which Pillow divides again."""
    stored = np.array([[[100, 255], [0, 0], [50, 127]]], np.uint8)
    content = files.tiff(stored, files.short(338, 1), photometric=1)
    result = read(save("x.tif", content), "--dtype", "float64", size="1")
    np.testing.assert_array_equal(result.ravel(), [(100 * 255 + 100 * 127) / 382] * 3)


def test_transparent_16_bits_with_keep(save, read):
    result = read(
        save("x.png", TRANSPARENT["one L of 16 bits"]), "--alpha", "keep", "--mode", "max"
    )
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result[0, 0], [[7, 7, 7, 65535], [900, 900, 900, 0]])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_thumbnails_stay_transparent_where_the_format_can(save, read, data_format):
    path = save("x.png", np.dstack([COLOURS, SHOWN]))
    options = ["--data-format", data_format]
    written = read(path, *options, size="3,2", name="y.png")
    np.testing.assert_array_equal(
        written[..., :3], exact(COLOURS, SHOWN, (3, 2), round).astype(np.uint8)
    )
    np.testing.assert_array_equal(
        written[..., 3], ap.adaptive_avg_pool2d(SHOWN, (3, 2), dtype=np.uint8)
    )
    assert read(path, *options, "--mode", "max", size="3,2", name="y.png").shape == (3, 2, 4)
    assert read(path, *options, "--gray", size="3,2", name="y.png").shape == (3, 2, 2)
    assert read(path, *options, size="3,2", name="y.jpg").shape == (3, 2, 3)
    assert read(path, *options, "--alpha", "drop", size="3,2", name="y.png").shape == (3, 2, 3)


def test_dtype_that_there_is_not_is_refused_as_for_other_pictures(save, read, capsys):
    for name, pixels in (("a.png", COLOURS), ("b.png", np.dstack([COLOURS, SHOWN]))):
        read(save(name, pixels), "--dtype", "int32", status=2)
    first, second = re.findall(r"skipped \S+: (.*)", capsys.readouterr().err)
    assert first == second


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "1", "P", "L"])
def test_other_modes_are_converted(save, read, mode):
    picture = Image.fromarray(SCENE).convert("RGB").convert(mode)
    path = save("x.tif" if mode in ("CMYK", "YCbCr") else "x.png", picture.convert("RGB"))
    if mode not in ("HSV", "YCbCr"):
        path = save("x.tif", picture)
    np.testing.assert_array_equal(read(path)[0], np.asarray(picture.convert("RGB")))


# -------------------------------------------------------------------------------------- limits


def test_pictures_of_too_many_pixels_are_skipped(save, read, capsys):
    large, small = save("large.png", SCENE), save("small.png", SCENE[:, :15])
    assert len(read(large, small, "--max-pixels", "127", size="2", status=1)) == 1
    reason = "a picture may have 127 pixels, this one has 128; --max-pixels allows more"
    assert f"skipped {large}: {reason}" in capsys.readouterr().err
    assert len(read(large, small, "--max-pixels", "128", size="2")) == 2


def test_far_too_many_pixels_are_skipped_before_they_are_decoded(save, read, capsys):
    huge = files.png(np.zeros((0, 0, 3)), 2, 8, size=(2**31 - 1, 2**31 - 1))
    assert read(save("x.png", huge), status=2) is None
    reason = f"a picture may have 250000000 pixels, this one has {(2**31 - 1) ** 2}"
    assert reason in capsys.readouterr().err


def test_the_option_is_the_one_limit_and_leaves_pillow_as_it_was(save, read, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(save("x.png", SCENE)).shape == (1, 8, 16, 3)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_pictures_in_pictures_have_the_same_limit(save, read, capsys):
    """An icon whose directory says less than the PNG in it."""
    icon = bytearray(files.encoded(Image.new("RGBA", (64, 64)), "ICO", sizes=[(64, 64)]))
    assert icon[6:8] == b"\x40\x40"
    icon[6:8] = b"\x10\x10"
    path = save("x.ico", bytes(icon))
    assert read(path, "--max-pixels", "4095", status=2) is None
    assert "--max-pixels allows more" in capsys.readouterr().err
    assert read(path, "--max-pixels", "4096").shape[0] == 1


@pytest.mark.parametrize("value", ["0", "-1", "many", "1e6"])
def test_a_number_of_pixels(value, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["pool", "x.png", "-o", "y.npy", "--size", "1", "--max-pixels", value])
    assert exit_.value.code == 2
    assert "--max-pixels" in capsys.readouterr().err
