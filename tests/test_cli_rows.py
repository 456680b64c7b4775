"""Outputs that are written as results come: whole in the end, and kept when that is too early."""

from __future__ import annotations

import errno
import json
import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from adaptive_pool._cli import archives, main, output
from adaptive_pool._cli.rows import Rows

RNG = np.random.default_rng(0)
MEGABYTE = np.zeros((2**10, 2**10), np.uint8)


@pytest.fixture(params=["mapped", "no room promised", "no maps"])
def way(request, monkeypatch):
    """Have rows written by maps, and where there are none."""

    def refuse(*_, **__):
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    if request.param == "mapped" and not hasattr(os, "posix_fallocate"):
        pytest.skip("no room on a disk can be set aside")
    if request.param == "no room promised":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    if request.param == "no maps":
        monkeypatch.setattr(np, "memmap", type("Refused", (np.memmap,), {"__new__": refuse}))
    return request.param


@pytest.fixture
def written(tmp_path):
    """Return a function that writes rows and returns the bytes of the file."""

    def write(rows, expected):
        path = tmp_path / "y.npy"
        with path.open("w+b") as stream:
            new = Rows(stream, rows[0], expected)
            for k, row in enumerate(rows):
                new.put(k, row)
            new.finish(len(rows))
        return path.read_bytes()

    return write


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("expected", [1, 7, 12], ids="expected {}".format)
@pytest.mark.parametrize("shape", [(), (3, 2), (0, 4), (5, 9)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64", "bool"])
def test_the_file_is_that_of_numpy(written, tmp_path, monkeypatch, shape, dtype, expected):
    monkeypatch.setattr("adaptive_pool._cli.rows._MAPPED_AT_ONCE", 100)
    rows = RNG.integers(0, 2, (7, *shape)).astype(dtype)
    np.save(tmp_path / "x.npy", rows)
    assert written(list(rows), expected) == (tmp_path / "x.npy").read_bytes()


@pytest.mark.usefixtures("way")
def test_rows_need_no_memory_of_their_own(tmp_path):
    with (tmp_path / "y.npy").open("w+b") as stream:
        rows = Rows(stream, MEGABYTE, 64)
        tracemalloc.start()
        try:
            for k in range(64):
                rows.put(k, MEGABYTE)
            rows.finish(64)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # 16 MiB are written at once; room for as much again while one chunk follows another.
    assert peak < 33 * 2**20
    assert (tmp_path / "y.npy").stat().st_size == 128 + 64 * 2**20


# ---------------------------------------------------------------------------------- the command


@pytest.fixture
def source(tmp_path):
    """Return a folder with nine arrays, filled with their numbers."""
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(9):
        np.save(folder / f"{k}.npy", np.full((4, 6, 1), float(k)))
    return folder


@pytest.fixture
def out(tmp_path):
    """Return a folder for outputs."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def pool(source, path, status=0):
    assert main(["pool", str(source), "-o", str(path), "--size", "1,none"]) == status


@pytest.mark.usefixtures("way")
def test_results_are_those_of_every_way(source, out):
    pool(source, out / "y.npy")
    np.testing.assert_array_equal(np.load(out / "y.npy")[:, 0, 0, 0], range(9))
    assert len(json.loads((out / "y.names.json").read_text())) == 9
    assert sorted(path.name for path in out.iterdir()) == ["y.names.json", "y.npy"]


def test_an_archive_may_hold_more_than_was_expected(source, out):
    np.savez(source / "many.npz", **{str(k): np.full((4, 6, 1), 9.0 + k) for k in range(40)})
    pool(source, out / "y.npy")
    np.testing.assert_array_equal(np.load(out / "y.npy")[:, 0, 0, 0], range(49))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no room on a disk can be set aside")
def test_a_disk_that_will_be_full_is_found_at_the_first_row(source, out, capsys, monkeypatch):
    asked = []

    def full(_, start, size):
        asked.append(size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    pool(source, out / "y.npy", status=2)
    assert asked == [128 + 9 * 6 * 8]
    message = f"cannot write {out / 'y.npy'}: [Errno {errno.ENOSPC}] "
    assert capsys.readouterr().err.startswith(f"adaptive-pool pool: error: {message}")
    assert list(out.iterdir()) == []


def kept(text):
    """Return the hidden files that a message names."""
    return [Path(name) for name in re.findall(r"in (\S+\.part)", text)]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("where", ["before the row", "before its name", "after its name"])
def test_interrupted_after_some_rows(source, out, capsys, monkeypatch, where):
    put, write_name = Rows.put, output.Stack._write_name

    def interrupted_put(self, k, row):
        if where == "before the row" and k == 5:
            raise KeyboardInterrupt
        put(self, k, row)

    def interrupted_name(self, name):
        fifth = self.count == 5
        if where == "before its name" and fifth:
            raise KeyboardInterrupt
        end = write_name(self, name)
        if fifth:
            raise KeyboardInterrupt
        return end

    (out / "y.npy").write_bytes(b"old")
    monkeypatch.setattr(Rows, "put", interrupted_put)
    monkeypatch.setattr(output.Stack, "_write_name", interrupted_name)
    pool(source, out / "y.npy", status=130)
    error = capsys.readouterr().err
    assert error.startswith("interrupted: the rows of 5 inputs are kept in ")
    array, names = kept(error)
    np.testing.assert_array_equal(np.load(array)[:, 0, 0, 0], range(5))
    assert json.loads(names.read_text()) == [str(source / f"{k}.npy") for k in range(5)]
    assert (out / "y.npy").read_bytes() == b"old"
    assert len(list(out.iterdir())) == 3


@pytest.mark.parametrize("name", ["y.npy", "y.npz"])
def test_interrupted_before_anything_is_done(source, out, capsys, monkeypatch, name):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Rows, "put", interrupt)
    monkeypatch.setattr(archives, "write", interrupt)
    pool(source, out / name, status=130)
    assert capsys.readouterr().err == ""
    assert list(out.iterdir()) == []


def test_interrupted_archive_has_whole_arrays_only(source, out, capsys, monkeypatch):
    write_array = np.lib.format.write_array

    def in_part(entry, array, **options):
        if array.ravel()[0] == 5:
            entry.write(b"in part")
            raise KeyboardInterrupt
        write_array(entry, array, **options)

    monkeypatch.setattr(np.lib.format, "write_array", in_part)
    pool(source, out / "y.npz", status=130)
    error = capsys.readouterr().err
    assert error.startswith("interrupted: the arrays of 5 inputs are kept in ")
    (path,) = kept(error)
    with np.load(path) as archive:
        assert archive.files == [f"{k}.npy" for k in range(5)]
        assert [archive[f"{k}.npy.npy"][0, 0, 0] for k in range(5)] == list(range(5))


@pytest.mark.parametrize("name", ["y.npy", "y.npz"])
def test_interrupted_while_all_goes_to_the_disk(source, out, capsys, monkeypatch, name):
    fsync, calls = os.fsync, []

    def interrupted_once(file):
        calls.append(file)
        if len(calls) == 1:
            raise KeyboardInterrupt
        fsync(file)

    monkeypatch.setattr(os, "fsync", interrupted_once)
    pool(source, out / name, status=130)
    path, *_ = kept(capsys.readouterr().err)
    content = np.load(path)
    assert len(content) == 9
    assert not (out / name).exists()
    if name == "y.npz":
        content.close()
