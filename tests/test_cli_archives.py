"""The command line and archives: every array is read once, and written under a name of its own."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile

import numpy as np
import pytest

from adaptive_pool._cli import main


def pool(*inputs, output, size="1"):
    return main(["pool", *map(str, inputs), "-o", str(output), "--size", size])


def filled(value, shape=(4, 4, 1)):
    return np.full(shape, value, np.float32)


def content(array, **options):
    """Return the bytes of a .npy file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def write(path, *entries, compression=zipfile.ZIP_STORED):
    """Write a zip file with these names and contents, names that repeat included."""
    with zipfile.ZipFile(path, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that repeat
        for name, data in entries:
            archive.writestr(name, data)
    return path


def pooled(path):
    """Return what each array of an archive is filled with, by the name NumPy knows it by."""
    with np.load(path) as archive:
        return {key: archive[key].flat[0] for key in archive.files}


# -------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (["a.npy", "b.npy"], {"x.npz:a": 1, "x.npz:b": 2}),
        (["a.npy", "a.npy.npy"], {"x.npz:a": 1, "x.npz:a.npy~2": 2}),
        (["a.npy.npy", "a.npy"], {"x.npz:a.npy": 1, "x.npz:a~2": 2}),
        (["a", "a.npy"], {"x.npz:a": 1, "x.npz:a~2": 2}),
        (["sub/a.npy", "other/a.npy"], {"x.npz:sub/a": 1, "x.npz:other/a": 2}),
        (["A.npy", "a.npy"], {"x.npz:A": 1, "x.npz:a": 2}),
        (["file.npy", ".npy"], {"x.npz:file": 1, "x.npz:": 2}),
        (["../../a.npy", "/b.npy"], {"x.npz:../a": 1, "x.npz:/b": 2}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_array_is_read_once_under_its_name(tmp_path, capsys, entries, expected):
    source = write(
        tmp_path / "x.npz", *((n, content(filled(k + 1))) for k, n in enumerate(entries))
    )
    assert pool(source, output=tmp_path / "y.npz") == 0
    assert capsys.readouterr().out.startswith("pooled 2, skipped 0: ")
    assert pooled(tmp_path / "y.npz") == expected


def test_archive_of_numpy_itself_with_two_keys_that_it_takes_for_each_other(tmp_path):
    np.savez(tmp_path / "x.npz", **{"a": filled(1), "a.npy": filled(2)})
    assert pool(tmp_path / "x.npz", output=tmp_path / "y.npy") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy").ravel(), [1, 2])


def test_name_that_repeats_is_the_last_one_and_the_others_are_said(tmp_path, capsys):
    entries = [("a.npy", content(filled(k))) for k in (1, 2, 3)]
    source = write(tmp_path / "x.npz", *entries, ("b.npy", content(filled(4))))
    assert pool(source, output=tmp_path / "y.npz") == 1
    printed = capsys.readouterr()
    line = f"skipped {source}:a: replaced by a later entry with the same name, a.npy"
    assert printed.err.splitlines() == [line, line]
    assert printed.out.startswith("pooled 2, skipped 2: ")
    assert pooled(tmp_path / "y.npz") == {"x.npz:a": 3, "x.npz:b": 4}


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_versions_orders_and_compressions(tmp_path, version, order, compression):
    values = np.asarray(np.arange(24.0).reshape(4, 6, 1), order=order)
    data = content(values, version=version)
    source = write(tmp_path / "x.npz", ("a.npy", data), compression=compression)
    assert pool(source, output=tmp_path / "y.npy", size="none") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy")[0], values)


def test_entries_in_the_form_for_huge_files(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "x.npz", "w") as archive,
        archive.open("a.npy", "w", force_zip64=True) as entry,
    ):
        entry.write(content(filled(5)))
    assert pool(tmp_path / "x.npz", output=tmp_path / "y.npz") == 0
    assert pooled(tmp_path / "y.npz") == {"x.npz:a": 5}


def test_folders_in_an_archive_are_no_arrays(tmp_path, capsys):
    source = write(tmp_path / "x.npz", ("sub/", b""), ("sub/a.npy", content(filled(1))))
    assert pool(source, output=tmp_path / "y.npz") == 0
    assert capsys.readouterr().out.startswith("pooled 1, skipped 0: ")


@pytest.mark.parametrize("names", [[], ["sub/"]], ids=["nothing", "folder"])
def test_archive_without_arrays(tmp_path, capsys, names):
    source = write(tmp_path / "x.npz", *((name, b"") for name in names))
    np.save(tmp_path / "good.npy", filled(1))
    assert pool(source, tmp_path / "good.npy", output=tmp_path / "y.npy") == 1
    assert capsys.readouterr().err == f"skipped {source}: no arrays in this archive\n"


@pytest.mark.parametrize(("name", "save"), [("x.npz", np.save), ("x.npy", np.savez)])
def test_content_decides_and_not_the_suffix(tmp_path, name, save):
    with (tmp_path / name).open("wb") as stream:
        save(stream, filled(3))
    assert pool(tmp_path / name, output=tmp_path / "y.npy") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy").ravel(), [3])


def encrypted(data):
    """Mark the entry `bad` as encrypted, in both of the places where an archive says so."""
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        (flags,) = struct.unpack_from("<H", data, at)
        struct.pack_into("<H", data, at, flags | 1)


def unknown_compression(data):
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", data, data.index(signature) + offset, 97)


def changed_number(data):
    data[data.index(b"\x93NUMPY") + 128] ^= 1


SPOILT = [
    (encrypted, "is encrypted"),
    (unknown_compression, "compression"),
    (changed_number, "CRC"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILT, ids=[f.__name__ for f, _ in SPOILT])
def test_entry_that_cannot_be_read_is_said_and_the_next_one_pooled(tmp_path, capsys, spoil, reason):
    entries = [("bad.npy", content(filled(1))), ("good.npy", content(filled(2)))]
    source = write(tmp_path / "x.npz", *entries)
    data = bytearray(source.read_bytes())
    spoil(data)
    source.write_bytes(data)
    assert pool(source, output=tmp_path / "y.npz") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skipped {source}:bad: ")
    assert reason in line
    assert pooled(tmp_path / "y.npz") == {"x.npz:good": 2}


def header(shape):
    stream = io.BytesIO()
    fields = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not the content of a .npy file, it starts with b''"),
        (b"no array", "not the content of a .npy file, it starts with b'no arr'"),
        (b"\x93NUMPY\x09\x00", "format version"),
        (b"\x93NUMPY\x01\x00\x10", "EOF"),
        (content(filled(1))[:-1], "of shape (4, 4, 1), dtype float32 has 64 bytes, got 63"),
        (header((10**6, 10**6, 3)), "has 12000000000000 bytes, got 0"),
        (header((2**33, 2**31, 1)), "has 73786976294838206464 bytes, got 0"),
        (content(np.array([None])), "Object arrays cannot be loaded"),
    ],
    ids=["empty", "text", "version", "header", "short", "bomb", "overflow", "objects"],
)
def test_entry_that_is_no_array_is_said_without_taking_memory(tmp_path, capsys, data, reason):
    source = write(tmp_path / "x.npz", ("bad", data), ("good.npy", content(filled(2))))
    assert pool(source, output=tmp_path / "y.npz") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skipped {source}:bad: ")
    assert reason in line
    assert pooled(tmp_path / "y.npz") == {"x.npz:good": 2}


@pytest.mark.parametrize("kept", [1, 30, 200, -1], ids=lambda n: f"{n} bytes")
def test_truncated_archive(tmp_path, capsys, kept):
    source = write(tmp_path / "x.npz", ("a.npy", content(filled(1))))
    source.write_bytes(source.read_bytes()[:kept])
    assert pool(source, output=tmp_path / "y.npz") == 2
    assert f"skipped {source}: " in capsys.readouterr().err
    assert not (tmp_path / "y.npz").exists()


# -------------------------------------------------------------------------------------- writing


def save_all(folder, *names):
    """Save arrays under any names, filled with 1, 2, ... in their order."""
    paths = []
    for k, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as stream:  # np.save would add a suffix
            np.save(stream, filled(k + 1))
        paths.append(path)
    return paths


def is_unmistakable(path):
    """Whether every name that NumPy takes leads to one entry, be it the key or the entry's own."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.namelist()
    keys = [name.removesuffix(".npy") for name in entries]
    return len({*entries, *keys}) == 2 * len(entries)


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["a/x.npy", "b/x.npy", "c/x.npy"], ["x.npy", "x.npy~2", "x.npy~3"]),
        (["x.npz", "x.npz.npy"], ["x.npz", "x.npz.npy~2"]),
        (["x.npz.npy", "x.npz"], ["x.npz.npy", "x.npz~2"]),
        (["x.npz", "x.npz.npy", "x.npz.npy.npy"], ["x.npz", "x.npz.npy~2", "x.npz.npy.npy"]),
        (["a/x.npy", "x.npy~2.npy", "b/x.npy"], ["x.npy", "x.npy~2.npy", "x.npy~3"]),
        (["X.npy", "x.npy"], ["X.npy", "x.npy"]),
        ([f"{'x' * 251}.npy"], [f"{'x' * 251}.npy"]),
    ],
    ids=lambda value: "",
)
def test_names_of_results(tmp_path, names, keys):
    sources = save_all(tmp_path, *names)
    if len({path.stat().st_ino for path in sources}) < len(sources):
        pytest.skip("this file system takes X for x")
    assert pool(*sources, output=tmp_path / "y.npz") == 0
    assert pooled(tmp_path / "y.npz") == {key: k + 1 for k, key in enumerate(keys)}
    assert is_unmistakable(tmp_path / "y.npz")


def test_picture_and_array_of_its_name_in_one_folder(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="pictures are read with Pillow")
    (tmp_path / "in").mkdir()
    image.fromarray(np.full((4, 4, 3), 7, np.uint8)).save(tmp_path / "in" / "cat.png")
    np.save(tmp_path / "in" / "cat.png.npy", filled(9))
    assert pool(tmp_path / "in", output=tmp_path / "y.npz") == 0
    assert pooled(tmp_path / "y.npz") == {"cat.png": 7, "cat.png.npy~2": 9}


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ("a/../../b.npy", "x.npz:a/b"),
        ("a//./b.npy", "x.npz:a/b"),
        ("a\\..\\b.npy", "x.npz:a_.._b"),
        ("ä\n b.npy", "x.npz:ä\n b"),
    ],
)
def test_results_unpack_into_the_folder_they_are_unpacked_in(tmp_path, entry, key):
    source = write(tmp_path / "x.npz", (entry, content(filled(1))))
    assert pool(source, output=tmp_path / "y.npz") == 0
    assert pooled(tmp_path / "y.npz") == {key: 1}


def test_name_too_long_for_an_archive(tmp_path, capsys):
    source = write(
        tmp_path / "x.npz", ("x" * 65_500, content(filled(1))), ("b", content(filled(2)))
    )
    assert pool(source, output=tmp_path / "y.npz") == 1
    assert "a name in an archive has at most 65500 bytes" in capsys.readouterr().err
    assert pooled(tmp_path / "y.npz") == {"x.npz:b": 2}


def test_result_can_be_pooled_again(tmp_path):
    sources = save_all(tmp_path, "a/x.npz", "x.npz.npy", "b/x.npz")
    assert pool(*sources, output=tmp_path / "y.npz") == 0
    assert pool(tmp_path / "y.npz", output=tmp_path / "z.npy") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "z.npy").ravel(), [1, 2, 3])
