"""How the service in examples/ reads pictures: upright, to their end, and up to its own limit."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
import picture_files as files
import pytest

pytest.importorskip("fastapi", reason="the service needs what the extra `service` brings")

import bad_requests
import pictures
from fastapi import HTTPException
from features import Options, pool
from pictures import BrokenError, TooDeepError, TooLargeError, count_scans, decode
from PIL import Image
from reads import check_reads, reads

import adaptive_pool as ap

RNG = np.random.default_rng(0)
SCENE = RNG.integers(0, 256, (8, 16, 3), np.uint8)
PHOTO = Image.fromarray(SCENE)
MANY = 10**6


# ------------------------------------------------------------------------------------- upright


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, SCENE),
        (2, SCENE[:, ::-1]),
        (3, SCENE[::-1, ::-1]),
        (4, SCENE[::-1]),
        (5, SCENE.swapaxes(0, 1)),
        (6, np.rot90(SCENE, -1)),
        (7, SCENE[::-1, ::-1].swapaxes(0, 1)),
        (8, np.rot90(SCENE)),
        (0, SCENE),
        (9, SCENE),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_pictures_come_upright_exactly_once(kind, orientation, turned):
    exif = files.exif(files.short(files.ORIENTATION, orientation))
    body = files.encoded(PHOTO, kind, exif=exif, lossless=True)
    np.testing.assert_array_equal(decode(body, MANY), turned)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of the entries
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "MPO"])
@pytest.mark.parametrize("odd", files.ODD)
def test_odd_metadata_refuse_no_picture(odd, kind):
    options = {"save_all": True, "append_images": [PHOTO]} if kind == "MPO" else {"lossless": True}
    upright, lying = (
        decode(files.encoded(PHOTO, kind, exif=files.odd_exif(odd, k), **options), MANY)
        for k in (1, 6)
    )
    np.testing.assert_array_equal(lying, np.rot90(upright, -1))


# --------------------------------------------------------------------------------------- scans


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kind", ["JPEG", "MPO"])
@pytest.mark.parametrize("film", [files.film(), b"\xff\xda" * 92, b"\xff" * 999 + b"\xda" * 99])
def test_what_follows_a_photo_is_not_counted(progressive, kind, film):
    options = {"save_all": True, "append_images": [PHOTO] * 70} if kind == "MPO" else {}
    alone = files.encoded(PHOTO, "JPEG", progressive=progressive)
    body = files.encoded(PHOTO, kind, progressive=progressive, **options)
    assert count_scans(body + film) == count_scans(alone) == (10 if progressive else 1)
    np.testing.assert_array_equal(decode(body + film, MANY), decode(alone, MANY))


def test_previews_are_not_counted():
    preview = files.encoded(PHOTO, "JPEG", progressive=True)
    exif = files.exif(files.short(files.ORIENTATION, 1)) + 20 * preview
    body = files.encoded(PHOTO, "JPEG", exif=exif, comment=20 * preview)
    assert count_scans(body) == 1
    assert decode(body, MANY).shape == SCENE.shape


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_follows_other_pictures_is_not_read(kind):
    body = files.encoded(PHOTO, kind, lossless=True)
    np.testing.assert_array_equal(decode(body + files.film(), MANY), SCENE)


def test_restarts_and_filled_markers():
    """Markers inside of a scan, and bytes that may stand before any marker."""
    body = files.encoded(PHOTO, "JPEG", restart_marker_blocks=1, subsampling=0)
    assert body.count(b"\xff\xd0") == 1
    assert count_scans(body) == 1
    filled = body.replace(b"\xff\xda", b"\xff\xff\xff\xda").replace(b"\xff\xd9", b"\xff\xff\xd9")
    assert count_scans(filled + files.film()) == 1
    np.testing.assert_array_equal(decode(filled, MANY), decode(body, MANY))


@pytest.mark.parametrize(
    "hidden",
    [b"", b"\xff\x01", b"\xff\xd3", b"\xff\x00", b"junk", b"\xff\xff", b"\xff\x02\xff\xff"],
    ids=bytes.hex,
)
def test_scans_cannot_be_hidden(hidden):
    """Between scans a decoder skips what is no segment, whatever length it might announce."""
    body = files.encoded(PHOTO, "JPEG", progressive=True)
    last, end = body.rfind(b"\xff\xda"), body.rfind(b"\xff\xd9")
    many = body[:end] + (hidden + body[last:end]) * pictures.MOST_SCANS + body[end:]
    assert count_scans(many) == 10 + pictures.MOST_SCANS
    with pytest.raises(TooLargeError, match="a JPEG may have 64 scans, got 74"):
        decode(many, MANY)


@pytest.mark.parametrize("end", [b"", b"\xff", b"\xff\xda", b"\xff\xe1\x00", b"\xff\xfe\x00\x00"])
def test_counting_ends_where_the_file_does(end):
    assert count_scans(b"\xff\xd8" + end) == end.count(b"\xda")


# -------------------------------------------------------------------------------------- limits


def test_the_limit_of_pixels_is_that_of_the_settings():
    """Far above Pillow's own, which is 89 or 179 million."""
    for side in (10_000, 14_000, 19_999):
        with pytest.raises(BrokenError):  # it has no pixels, but may have so many
            decode(bad_requests.png_of(side, side), 400_000_000)
    message = "a picture may have 400000000 pixels, got 20001 x 20000"
    with pytest.raises(TooLargeError, match=message):
        decode(bad_requests.png_of(20_001, 20_000), 400_000_000)


@pytest.mark.parametrize("colour_type", [0, 2, 4, 6])
def test_16_bits_are_refused(colour_type):
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    deep = np.full((2, 3, channels), 300)
    with pytest.raises(TooDeepError, match="8 bits a channel, got 16"):
        decode(files.png(deep, colour_type, 16), MANY)
    assert decode(files.png(deep, colour_type, 8), MANY).shape[:2] == (2, 3)


@pytest.mark.parametrize("rule", ["torch", "area"])
def test_reads_are_what_all_windows_hold_at_most(rule):
    for length in range(1, 30):
        for count in range(1, 30):
            starts, ends = ap.pool_windows(length, count, rule)
            assert np.sum(ends - starts) <= reads((length, 1), (count, 0))
    assert reads((2, 3), (4, 5)) == 6 * 8


def test_reads_may_be_as_many_as_are_allowed():
    check_reads([SCENE, SCENE], (2, 4), 2 * 10 * 20)
    with pytest.raises(HTTPException) as caught:
        check_reads([SCENE, SCENE], (2, 4), 2 * 10 * 20 - 1)
    assert caught.value.detail == (
        "pooling may read 399 pixels, got 400: the sum of (height + 2) * (width + 4) of each "
        "picture"
    )


# -------------------------------------------------------------------------------- transparency


def pooled(pixels, **options):
    body = files.encoded(Image.fromarray(pixels), "PNG")
    return pool(decode(body, MANY), Options(**options), 1)


def test_colours_count_as_much_as_they_show():
    pixels = np.array([[[10, 20, 30, 100], [255, 255, 255, 0], [40, 50, 60, 50]]], np.uint8)
    average, maximum = pooled(pixels, height=1, width=1, pool=["average", "max"])
    np.testing.assert_array_equal(average, [[[20, 30, 40]]])
    np.testing.assert_array_equal(maximum, [[[40, 50, 60]]])
    dropped = pooled(pixels, height=1, width=1, pool=["average", "max"], alpha="drop")
    plain = pooled(pixels[..., :3], height=1, width=1, pool=["average", "max"])
    np.testing.assert_array_equal(dropped, plain)


def test_weighted_means_are_exact():
    pixels = RNG.integers(0, 256, (23, 31, 4), np.uint8)
    pixels[:4, :5, 3] = 0
    (result,) = pooled(pixels, height=7, width=6)
    rows, columns = ap.pool_windows(23, 7), ap.pool_windows(31, 6)
    for i, (top, bottom) in enumerate(zip(*rows, strict=True)):
        for j, (left, right) in enumerate(zip(*columns, strict=True)):
            window = pixels[top:bottom, left:right].reshape(-1, 4).astype(int).tolist()
            total = sum(a for *_, a in window)
            for k in range(3):
                weighted = sum(pixel[k] * pixel[3] for pixel in window)
                expected = float(Fraction(weighted, total)) if total else 0
                assert result[i, j, k] == np.float32(expected)


def test_what_does_not_show_at_all_is_0():
    pixels = np.dstack([SCENE, np.zeros_like(SCENE[..., 0])])
    assert not pooled(pixels, pool=["average", "max"]).any()


def test_opaque_pictures_are_what_they_were():
    opaque = np.dstack([SCENE, np.full_like(SCENE[..., 0], 255)])
    np.testing.assert_array_equal(pooled(opaque), pooled(SCENE))


@pytest.mark.parametrize(("depth", "packed", "white"), [(2, 0b01100000, 85), (4, 0x12, 17)])
def test_transparent_grey_of_few_bits(depth, packed, white):
    body = files.png(
        np.array([[1, 2]]), 0, depth, transparency=(2,), packed=[struct.pack("B", packed)]
    )
    (mean,) = pool(decode(body, MANY), Options(height=1, width=1), 1)
    np.testing.assert_array_equal(mean, [[[white] * 3]])
