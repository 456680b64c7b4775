"""Arrays on the command line: mapped, and never pooled over their channels by mistake."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from processes import python

import adaptive_pool as ap
from adaptive_pool._cli import main

RNG = np.random.default_rng(0)


@pytest.fixture
def pool(tmp_path):
    """Return a function that saves arrays, pools each, and returns the results in an archive."""

    def pooled(*arrays, options=(), status=0):
        inputs = [tmp_path / f"{k}.npy" for k in range(len(arrays))]
        for path, array in zip(inputs, arrays, strict=True):
            if not path.exists():
                np.save(path, array)
        output = tmp_path / "y.npz"
        given = ["pool", *map(str, inputs), "-o", str(output), "--size", "3,2", *options]
        assert main(given) == status
        if not output.exists():
            return []
        with np.load(output) as archive:
            return [archive[key] for key in archive.files]

    return pooled


# -------------------------------------------------------------------------------------- mapped


@pytest.mark.parametrize(
    "array",
    [
        RNG.standard_normal((7, 8, 5)),
        np.asfortranarray(RNG.standard_normal((7, 8, 5))),
        RNG.standard_normal((7, 8, 5)).astype(">f4"),
        RNG.integers(0, 9, (2, 3, 7, 8, 5), np.uint8),
        RNG.integers(0, 2, (7, 8, 5)).astype(bool),
    ],
    ids=["C order", "Fortran order", "other bytes", "five axes", "bool"],
)
def test_arrays_are_pooled_from_their_files(pool, array):
    (result,) = pool(array)
    expected = ap.adaptive_avg_pool2d(array, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(result, expected)
    assert type(result) is np.ndarray


def test_arrays_without_elements(pool):
    (result,) = pool(np.zeros((0, 7, 8, 5), np.float32))
    assert result.shape == (0, 3, 2, 5)


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_arrays_at_odd_places_of_their_files(pool, tmp_path, offset):
    """Other writers align headers to 16 bytes, or not at all."""
    array = RNG.standard_normal((7, 8, 5))
    text = repr({"descr": "<f8", "fortran_order": False, "shape": array.shape})
    header = text.encode().ljust(100 + offset - 1) + b"\n"
    prefix = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "0.npy").write_bytes(prefix + header + array.tobytes())
    (result,) = pool(array)
    expected = ap.adaptive_avg_pool2d(array, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(result, expected)


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
@pytest.mark.parametrize(
    ("limit", "used", "size"),
    [("RLIMIT_DATA", "VmData", 1), ("RLIMIT_AS", "VmSize", 8)],
    ids=["allocated", "addressed"],
)
def test_arrays_may_be_larger_than_the_memory(tmp_path, limit, used, size):
    """256 MiB are pooled where 64 MiB more may be allocated, or mapped too."""
    array = np.lib.format.open_memmap(
        tmp_path / "x.npy", mode="w+", dtype=np.uint8, shape=(2**13, 2**13, 4)
    )
    array[-1, -1] = 4
    array.flush()
    code = f"""
import json, re, resource, sys
from pathlib import Path
from adaptive_pool._cli import main
used = int(re.search(r"{used}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
resource.setrlimit(resource.{limit}, (used + 2**26, resource.RLIM_INFINITY))
try:
    bytearray(2**28)
except MemoryError:
    out, sys.stdout = sys.stdout, sys.stderr
    status = main(["pool", {str(tmp_path / "x.npy")!r}, "-o", {str(tmp_path / "y.npy")!r},
                   "--size", "{size}", "--threads", "1"])
    print(json.dumps(status), file=out)
else:
    print("null")
"""
    status = python(code)
    if status is None:
        pytest.skip("this system does not limit what is allocated")
    assert status == 0
    expected = np.zeros((1, size, size, 4), np.float32)
    expected[0, -1, -1] = np.float32(4 * size**2 / 2**26)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)


def test_what_cannot_be_mapped_is_read(pool, monkeypatch):
    load = np.load

    def without_maps(path, mmap_mode=None, **options):
        if mmap_mode is not None:
            raise OSError(19, "No such device")
        return load(path, **options)

    monkeypatch.setattr(np, "load", without_maps)
    array = RNG.standard_normal((7, 8, 5))
    (result,) = pool(array)
    expected = ap.adaptive_avg_pool2d(array, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(result, expected)


@pytest.fixture
def without_room(monkeypatch):
    """Return a function that pools as ever, and then where no array is mapped or read whole."""
    read = np.load

    def load(path, mmap_mode=None, **options):
        if path.suffix == ".npz":  # what was written
            return read(path, **options)
        raise OSError(12, "Cannot allocate memory") if mmap_mode else MemoryError("no room")

    def use(pool, *arrays, **options):
        before = pool(*arrays, **options)
        with monkeypatch.context() as patch:
            patch.setattr(np, "load", load)
            inside = pool(*arrays, **options)
        return before, inside

    return use


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("windows", ["torch", "split", "uniform"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "array",
    [
        RNG.standard_normal((7, 8, 9)),
        RNG.standard_normal((2, 3, 7, 8, 6)).astype(np.float32),
        RNG.standard_normal((37, 41)).astype(np.float16),
        RNG.integers(0, 256, (2, 9, 11, 5), np.uint8),
        RNG.standard_normal((7, 8, 9)).astype(">f8"),
    ],
    ids=lambda a: f"{a.dtype}-{a.shape}",
)
def test_arrays_without_room_are_pooled_in_strips(
    pool, without_room, array, data_format, windows, mode
):
    options = ["--data-format", data_format, "--windows", windows, "--mode", mode]
    whole, in_strips = without_room(pool, array, options=options)
    assert whole[0].dtype == in_strips[0].dtype
    np.testing.assert_array_equal(whole, in_strips)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("size", ["3,2", "6,4", "9,7", "12,5", "1,3"])
def test_strips_by_area(pool, without_room, data_format, size):
    """Strips end where an output ends together with a row: of 9 rows to 7 all are one strip."""
    array = RNG.standard_normal((2, 9, 7, 5))
    options = ["--data-format", data_format, "--windows", "area", "--size", size]
    if data_format == "channels_first":
        array = np.moveaxis(array, -1, 1)
    whole, in_strips = without_room(pool, array, options=options)
    expected = ap.adaptive_avg_pool2d(
        array, tuple(map(int, size.split(","))), data_format=data_format, windows="area"
    )
    np.testing.assert_array_equal(whole[0], expected)
    np.testing.assert_array_equal(whole, in_strips)


def test_strips_refuse_a_mistaken_layout_too(pool, without_room, capsys):
    options = ["--data-format", "channels_first"]
    assert without_room(pool, np.ones((5, 6, 3)), options=options, status=2) == ([], [])
    first, second = (line for line in capsys.readouterr().err.splitlines() if "skipped" in line)
    assert first == second


def test_arrays_in_fortran_order_need_room(pool, without_room, capsys):
    array = np.asfortranarray(RNG.standard_normal((7, 8, 5)))
    with pytest.raises(AssertionError, match="assert 2 == 0"):
        without_room(pool, array)
    assert "an array in Fortran order must fit the memory as a whole" in capsys.readouterr().err


# ------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("source", ["npy", "npz"])
def test_pictures_are_never_pooled_over_their_channels(tmp_path, capsys, channels, source):
    array = np.ones((5, 6, channels))
    path = tmp_path / f"x.{source}"
    np.save(path, array) if source == "npy" else np.savez(path, x=array)
    given = ["pool", str(path), "-o", str(tmp_path / "y.npy"), "--size", "2"]
    assert main(given) == 0
    assert np.load(tmp_path / "y.npy").shape == (1, 2, 2, channels)
    assert main([*given, "--data-format", "channels_last"]) == 0
    capsys.readouterr()
    assert main([*given, "--data-format", "channels_first"]) == 2
    error = capsys.readouterr().err
    assert f"shape (5, 6, {channels}) is that of a picture with its channels last" in error
    assert "x[None]" in error


@pytest.mark.parametrize(
    "shape",
    [(3, 5, 6), (1, 5, 6), (4, 5, 3), (3, 5, 4), (64, 7, 5), (1, 64, 4, 4), (5, 6)],
    ids=str,
)
def test_arrays_that_may_have_their_channels_first_are_taken_so(pool, shape):
    array = RNG.standard_normal(shape)
    (result,) = pool(array, options=["--data-format", "channels_first"])
    expected = ap.adaptive_avg_pool2d(array, (3, 2))
    np.testing.assert_array_equal(result, expected.reshape(result.shape))


def test_arrays_that_may_have_their_channels_first_are_named(pool, capsys):
    array = RNG.standard_normal((3, 5, 6))
    (result,) = pool(array)
    note = "shape (3, 5, 6) is taken as (H, W, C); if its channels are first, give --data-format"
    assert note in capsys.readouterr().err
    expected = ap.adaptive_avg_pool2d(array, (3, 2), data_format="channels_last")
    np.testing.assert_array_equal(result, expected)
    (again,) = pool(array, options=["--data-format", "channels_last"])
    np.testing.assert_array_equal(again, expected)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shape", [(5, 6, 7), (3, 5, 4), (1, 5, 1), (1, 3, 5, 6), (3, 6)], ids=str)
def test_other_arrays_are_not(pool, capsys, shape):
    pool(RNG.standard_normal(shape))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shape", [(10**9, 10**9, 3), (2**62, 2**62, 3), (100, 100, 3)])
def test_a_file_too_short_for_its_shape_is_named(tmp_path, capsys, shape):
    path = tmp_path / "short.npy"
    with path.open("wb") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(b"123")
    assert main(["pool", str(path), "-o", str(tmp_path / "y.npy"), "--size", "2"]) == 2
    said = (
        f"skipped {path}: an array of shape {shape}, dtype float64 has {8 * math.prod(shape)} bytes"
    )
    assert said in capsys.readouterr().err
