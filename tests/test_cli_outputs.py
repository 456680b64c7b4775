"""The command line and its output: what was there stays what it was; nothing is half written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool._cli import main, replacing

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes, links and signals")


@pytest.fixture
def unprivileged(tmp_path):
    """Skip a test that needs modes to be obeyed: root writes everywhere."""
    (tmp_path / "probe").touch(0o444)
    if os.access(tmp_path / "probe", os.W_OK):
        pytest.skip("this user may write everywhere")


def pool(*inputs, output, size="1"):
    return main(["pool", *map(str, inputs), "-o", str(output), "--size", size])


def command(*arguments, **options):
    """Run a real process: what depends on its streams, limits and signals."""
    return subprocess.run(
        [sys.executable, "-m", "adaptive_pool", *map(str, arguments)],
        capture_output="stdout" not in options,
        check=False,
        **options,
    )


@pytest.fixture
def source(tmp_path):
    """Return an input, filled with 3, in a folder of its own."""
    path = tmp_path / "in" / "x.npy"
    path.parent.mkdir()
    np.save(path, np.full((4, 4, 1), 3.0))
    return path


@pytest.fixture
def out(tmp_path):
    """Return a folder for outputs, and see that nothing hidden is left in it."""
    folder = tmp_path / "out"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def is_new(path):
    return np.load(path).ravel().tolist() == [3.0]


# -------------------------------------------------------------------------------- links and modes


@posix
def test_link_stays_and_its_target_is_written(source, out, tmp_path):
    target = tmp_path / "target.npy"
    target.write_bytes(b"old")
    (out / "y.npy").symlink_to(Path("..", "target.npy"))
    assert pool(source, output=out / "y.npy") == 0
    assert (out / "y.npy").readlink() == Path("..", "target.npy")
    assert is_new(target)


@posix
def test_chain_of_links_to_what_is_not_there_yet(source, out, tmp_path):
    (out / "y.npy").symlink_to("second")
    (out / "second").symlink_to(tmp_path / "target.npy")
    assert pool(source, output=out / "y.npy") == 0
    assert (out / "y.npy").is_symlink()
    assert (out / "second").is_symlink()
    assert is_new(tmp_path / "target.npy")


@posix
@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("y.npy", os.strerror(errno.ELOOP)),
        ("absent/y.npy", "must be a file in an existing folder"),
        (".", "must be a file in an existing folder"),
    ],
)
def test_link_that_leads_to_no_place_for_a_file(source, out, capsys, to, message):
    (out / "y.npy").symlink_to(to)
    assert pool(source, output=out / "y.npy") == 2
    assert message in capsys.readouterr().err
    assert (out / "y.npy").is_symlink()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755, 0o200])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_mode_stays(source, out, mode, suffix):
    output = out / f"y{suffix}"
    output.write_bytes(b"old")
    output.chmod(mode)
    assert pool(source, output=output) == 0
    assert stat.S_IMODE(output.stat().st_mode) == mode


@posix
def test_new_file_has_the_mode_of_any_new_file(source, out):
    (out / "other").touch()
    assert pool(source, output=out / "y.npy") == 0
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert len(modes) == 1


@posix
def test_private_file_is_private_while_it_is_written(out):
    (out / "y.npy").write_bytes(b"old")
    (out / "y.npy").chmod(0o600)
    with replacing.Replacement(out / "y.npy"):
        (part,) = out.glob(".*")
        assert stat.S_IMODE(part.stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("given", [True, False], ids=["can be given", "cannot be given"])
def test_owner_and_group_stay(source, out, monkeypatch, given):
    output = out / "y.npy"
    output.write_bytes(b"old")
    try:
        os.chown(output, 12345, 23456)
    except PermissionError:
        pytest.skip("only root gives files away")
    if not given:

        def refuse(*_):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "chown", refuse)
    assert pool(source, output=output) == 0
    assert (output.stat().st_uid, output.stat().st_gid) == (12345, 23456)
    assert is_new(output)


@pytest.mark.skipif(sys.platform != "linux", reason="extended attributes are read on Linux")
def test_extended_attributes_stay(source, out):
    output = out / "y.npy"
    output.write_bytes(b"old")
    try:
        os.setxattr(output, "user.origin", b"camera 7")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    assert pool(source, output=output) == 0
    assert os.getxattr(output, "user.origin") == b"camera 7"
    assert is_new(output)


@posix
@pytest.mark.parametrize("before", [b"old", b"old" * 1000], ids=["shorter", "longer"])
def test_hard_links_all_show_the_new_content(source, out, tmp_path, before):
    (out / "y.npy").write_bytes(before)
    (tmp_path / "other.npy").hardlink_to(out / "y.npy")
    assert pool(source, output=out / "y.npy") == 0
    assert (out / "y.npy").samefile(tmp_path / "other.npy")
    assert is_new(tmp_path / "other.npy")


@posix
def test_file_that_cannot_be_replaced_is_rewritten(source, out, monkeypatch):
    """As a file that is mounted into a container, or one of others in a folder like /tmp."""
    output = out / "y.npz"
    output.write_bytes(b"old" * 1000)
    before = output.stat().st_ino

    def refuse(self, target):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "replace", refuse)
    assert pool(source, output=output) == 0
    assert output.stat().st_ino == before
    with np.load(output) as archive:
        assert archive["x.npy"].ravel().tolist() == [3.0]


@posix
def test_reader_of_the_old_file_keeps_it_whole(source, out):
    (out / "y.npy").write_bytes(b"old" * 1000)
    with (out / "y.npy").open("rb") as reader:
        assert pool(source, output=out / "y.npy") == 0
        assert reader.read() == b"old" * 1000
    assert is_new(out / "y.npy")


def test_output_that_is_the_input(source):
    assert pool(source, output=source) == 0
    assert is_new(source)


# ------------------------------------------------------------------------------ names and folders


@pytest.mark.parametrize("length", [250, 255])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_names_as_long_as_they_can_be(source, out, capsys, length, suffix):
    output = out / f"{'y' * (length - 4)}{suffix}"
    assert pool(source, output=output) == 0
    assert np.load(output) is not None
    assert [path.name for path in out.iterdir()] == [output.name]
    said = "names of the rows: not written" in capsys.readouterr().err
    assert said == (suffix == ".npy")


@posix
def test_name_too_long(source, out, capsys):
    assert pool(source, output=out / f"{'y' * 252}.npy") == 2
    assert os.strerror(errno.ENAMETOOLONG) in capsys.readouterr().err


def test_file_in_the_place_of_a_folder(source, out, capsys):
    (out / "file").touch()
    assert pool(source, output=out / "file" / "y.npy") == 2
    assert "must be a file in an existing folder" in capsys.readouterr().err


def test_hidden_file_is_no_input(out):
    np.save(out / "x.npy", np.ones((4, 4, 1)))
    with replacing.replacing(out / "y.npy") as stream:
        stream.write((out / "x.npy").read_bytes())
        stream.flush()
        assert pool(out, output=out.parent / "z.npy") == 0
        assert pool(out / "*", output=out.parent / "z.npy") == 0
    assert len(np.load(out.parent / "z.npy")) == 1


@posix
@pytest.mark.usefixtures("unprivileged")
def test_file_that_may_not_be_written(source, out, capsys):
    (out / "y.npy").write_bytes(b"old")
    (out / "y.npy").chmod(0o444)
    assert pool(source, output=out / "y.npy") == 2
    assert "y.npy: it is write-protected" in capsys.readouterr().err
    assert (out / "y.npy").read_bytes() == b"old"


@posix
@pytest.mark.usefixtures("unprivileged")
def test_folder_that_takes_no_new_file(source, out, capsys):
    out.chmod(0o555)
    assert pool(source, output=out / "y.npy") == 2
    assert "y.npy: its folder is write-protected" in capsys.readouterr().err


@posix
@pytest.mark.usefixtures("unprivileged")
def test_file_that_may_be_written_in_a_folder_that_takes_no_new_one(source, out, capsys):
    (out / "y.npy").write_bytes(b"old" * 1000)
    out.chmod(0o555)
    assert pool(source, output=out / "y.npy") == 0
    assert is_new(out / "y.npy")
    assert "names of the rows: not written" in capsys.readouterr().err


def test_folder_that_vanishes(source, out, capsys, monkeypatch):
    (out / "deep").mkdir()
    find = sys.modules["adaptive_pool._cli.pool"].find

    def vanish(*arguments):
        (out / "deep").rmdir()
        return find(*arguments)

    monkeypatch.setattr("adaptive_pool._cli.pool.find", vanish)
    assert pool(source, output=out / "deep" / "y.npy") == 2
    assert os.strerror(errno.ENOENT) in capsys.readouterr().err


# -------------------------------------------------------------------------- what is no regular file


@posix
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_pipe_is_written_to(source, out, suffix):
    pipe, received = out / f"y{suffix}", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    assert pool(source, output=pipe) == 0
    reader.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [path.name for path in out.iterdir()] == [pipe.name]
    (out.parent / pipe.name).write_bytes(received[0])
    assert np.load(out.parent / pipe.name) is not None


@posix
@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no name for stdout")  # noqa: PTH110
@pytest.mark.parametrize("through", ["pipe", "file"])
def test_stdout_gets_the_array_and_nothing_else(source, out, tmp_path, through):
    (out / "y.npy").symlink_to("/dev/stdout")
    arguments = ["pool", source, "-o", out / "y.npy", "--size", "1"]
    if through == "pipe":
        done = command(*arguments)
        (tmp_path / "got.npy").write_bytes(done.stdout)
        assert b"pooled 1, skipped 0" in done.stderr
    else:
        with (tmp_path / "got.npy").open("wb") as stream:
            done = command(*arguments, stdout=stream, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert is_new(tmp_path / "got.npy")


@posix
def test_device(source, out):
    (out / "y.npy").symlink_to(os.devnull)
    assert pool(source, output=out / "y.npy") == 0
    assert stat.S_ISCHR((out / "y.npy").stat().st_mode)
    assert [path.name for path in out.iterdir()] == ["y.npy"]


# --------------------------------------------------------------------------- what is cut short


class FullError(OSError):
    def __init__(self):
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


@posix
@pytest.mark.parametrize("linked", [False, True], ids=["alone", "hard link"])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_limit_of_file_size_leaves_the_old_file(source, out, tmp_path, linked, suffix):
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    output = out / f"y{suffix}"
    output.write_bytes(b"old")
    if linked:
        (tmp_path / "other").hardlink_to(output)
    done = command(
        *("pool", source, "-o", output, "--size", "100"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.returncode == 2
    message = f"adaptive-pool pool: error: cannot write {output}: [Errno {errno.EFBIG}] "
    assert done.stderr.decode().startswith(message)
    assert output.read_bytes() == b"old"
    assert sorted(path.name for path in out.iterdir()) == [output.name]


@posix
@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room cannot be asked for")
def test_no_room_to_rewrite_leaves_the_old_file(source, out, tmp_path, capsys, monkeypatch):
    def full_there(file, *_):
        if os.path.samestat(os.fstat(file), (tmp_path / "other").stat()):
            raise FullError

    (out / "y.npy").write_bytes(b"old")
    (tmp_path / "other").hardlink_to(out / "y.npy")
    monkeypatch.setattr(os, "posix_fallocate", full_there)
    assert pool(source, output=out / "y.npy") == 2
    assert os.strerror(errno.ENOSPC) in capsys.readouterr().err
    assert (out / "y.npy").read_bytes() == b"old"


@posix
@pytest.mark.parametrize("error", [FullError, KeyboardInterrupt])
def test_rewriting_cut_short_keeps_the_whole_beside_it(
    source, tmp_path, capsys, monkeypatch, error
):
    def cut_short(source, target):
        target.write(source.read(10))
        raise error

    (tmp_path / "y.npy").write_bytes(b"old" * 1000)
    (tmp_path / "other").hardlink_to(tmp_path / "y.npy")
    monkeypatch.setattr("shutil.copyfileobj", cut_short)
    assert pool(source, output=tmp_path / "y.npy") == (2 if error is FullError else 130)
    (part,) = tmp_path.glob(".*.part")
    assert str(part) in capsys.readouterr().err
    assert part.read_bytes()[:6] == b"\x93NUMPY"
    part.rename(tmp_path / "saved.npy")
    assert is_new(tmp_path / "saved.npy")


@posix
@pytest.mark.parametrize("late", ["late.npy", "late.png"])
def test_ctrl_c_leaves_the_old_file(source, out, late):
    """At its most inconvenient: while the input, a pipe, has not come."""
    pytest.importorskip("PIL", reason="pictures are read with Pillow")
    (out / "y.npy").write_bytes(b"old")
    os.mkfifo(source.parent / late)
    code = """if True:
        import pathlib, signal, sys
        from adaptive_pool._cli import files, main

        def found(given, *_):
            print("ready", flush=True)
            return [pathlib.Path(given)]

        files._files = found
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.exit(main(sys.argv[1:]))
    """
    arguments = ["pool", str(source.parent / late), "-o", str(out / "y.npy"), "--size", "1"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        # A signal just before the call that waits for the pipe does not end it; the next one does.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, b"")
    assert (out / "y.npy").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["y.npy", "y.npz", "y.png"])
def test_interrupt_while_the_output_is_written(tmp_path, out, monkeypatch, name):
    pytest.importorskip("PIL", reason="pictures are written with Pillow")
    np.save(tmp_path / "x.npy", np.zeros((4, 4, 3), np.uint8))
    (out / name).write_bytes(b"old")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    assert pool(tmp_path / "x.npy", output=out / name) == 130
    assert (out / name).read_bytes() == b"old"
    assert [path.name for path in out.iterdir()] == [name]


def test_writer_that_fails_in_its_own_way_is_no_traceback(tmp_path, capsys):
    pytest.importorskip("PIL", reason="pictures are written with Pillow")
    np.save(tmp_path / "x.npy", np.zeros((1, 70_000, 3), np.uint8))
    assert pool(tmp_path / "x.npy", output=tmp_path / "y.gif", size="none") == 2
    assert f"cannot write {tmp_path / 'y.gif'}: " in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy"]


# ---------------------------------------------------------------------------- the names of the rows


def names(folder):
    return json.loads((folder / "y.names.json").read_text("utf-8"))


def test_names_of_the_rows_without_those_skipped(source, out, capsys):
    np.savez(source.parent / "many.npz", a=np.ones((4, 4, 1)), b=np.ones((4, 4, 1, 1)))
    (source.parent / "broken.npy").write_text("broken")
    assert pool(source.parent, output=out / "y.npy") == 1
    assert names(out) == [f"{source.parent / 'many.npz'}:a", str(source)]
    assert len(np.load(out / "y.npy")) == 2
    assert capsys.readouterr().out.endswith(f"names of the rows: {out / 'y.names.json'}\n")


def test_names_are_relative_where_the_input_is(source, out, monkeypatch):
    monkeypatch.chdir(source.parent.parent)
    assert pool("in", output=out / "y.npy") == 0
    assert names(out) == [str(Path("in", "x.npy"))]


@posix
@pytest.mark.parametrize("name", [b"a\nb.npy", b'"\\.npy', "ä.npy".encode(), b"\xff.npy"])
def test_any_name_can_be_read_back(source, out, name):
    path = source.with_name(os.fsdecode(name))
    try:
        source.rename(path)
    except (OSError, UnicodeError):
        pytest.skip("this file system does not take such a name")
    assert pool(path, output=out / "y.npy") == 0
    assert names(out) == [str(path)]


@pytest.mark.parametrize("output", ["y.npz", "y.png"])
def test_outputs_that_say_it_themselves_have_no_names_beside_them(tmp_path, out, output):
    pytest.importorskip("PIL", reason="pictures are written with Pillow")
    np.save(tmp_path / "x.npy", np.zeros((4, 4, 3), np.uint8))
    assert pool(tmp_path / "x.npy", output=out / output) == 0
    assert [path.name for path in out.iterdir()] == [output]


@posix
def test_names_are_beside_the_file_that_a_link_leads_to(source, out, tmp_path):
    (out / "latest.npy").symlink_to(tmp_path / "y.npy")
    assert pool(source, output=out / "latest.npy") == 0
    assert names(tmp_path) == [str(source)]
    assert [path.name for path in out.iterdir()] == ["latest.npy"]


@posix
def test_names_file_that_exists_stays_what_it_was(source, out, tmp_path):
    (tmp_path / "names").write_text("[]")
    (tmp_path / "names").chmod(0o600)
    (out / "y.names.json").symlink_to(tmp_path / "names")
    assert pool(source, output=out / "y.npy") == 0
    assert (out / "y.names.json").is_symlink()
    assert names(out) == [str(source)]
    assert stat.S_IMODE((tmp_path / "names").stat().st_mode) == 0o600


def test_names_that_would_stay_wrong_are_an_error_before_any_work(source, out, capsys):
    (out / "y.npy").write_bytes(b"old")
    (out / "y.names.json").mkdir()
    assert pool(source, output=out / "y.npy") == 2
    assert "y.names.json" in capsys.readouterr().err
    assert (out / "y.npy").read_bytes() == b"old"


@pytest.mark.parametrize("content", ["notes of mine", "{}", "[1]", '"x"'])
def test_file_that_is_no_list_of_names_is_not_overwritten(source, out, capsys, content):
    (out / "y.names.json").write_text(content)
    assert pool(source, output=out / "y.npy") == 2
    assert "y.names.json, but that is no list of names" in capsys.readouterr().err
    assert (out / "y.names.json").read_text() == content
    assert not (out / "y.npy").exists()


@pytest.fixture
def earlier(source, out):
    """Write an earlier output with its names: one array and its list, which go together."""
    np.save(source.parent / "earlier.npy", np.full((4, 4, 1), 5.0))
    assert pool(source.parent / "earlier.npy", output=out / "y.npy") == 0
    return out


def test_array_that_cannot_be_put_in_place_leaves_its_names(source, earlier, capsys, monkeypatch):
    def fail(self):
        raise FullError

    monkeypatch.setattr(replacing.Replacement, "commit", fail)
    assert pool(source, output=earlier / "y.npy") == 2
    assert names(earlier) == [str(source.parent / "earlier.npy")]
    assert np.load(earlier / "y.npy").ravel().tolist() == [5.0]


def test_names_that_cannot_be_put_in_place_are_not_those_of_another_array(
    source, earlier, monkeypatch
):
    commit, calls = replacing.Replacement.commit, []

    def fail_the_second_time(self):
        calls.append(self)
        if len(calls) == 2:
            raise FullError
        commit(self)

    monkeypatch.setattr(replacing.Replacement, "commit", fail_the_second_time)
    assert pool(source, output=earlier / "y.npy") == 2
    assert is_new(earlier / "y.npy")
    assert (earlier / "y.names.json").read_text() == ""


def test_interrupt_right_after_the_array_is_in_place(source, earlier, monkeypatch):
    commit = replacing.Replacement.commit

    def interrupted(self):
        commit(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(replacing.Replacement, "commit", interrupted)
    assert pool(source, output=earlier / "y.npy") == 130
    assert is_new(earlier / "y.npy")
    assert (earlier / "y.names.json").read_text() == ""


# -------------------------------------------------------------------------------------- the command


def test_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"adaptive-pool {ap.config()['version']}\n"


@posix
def test_file_found_on_several_ways_is_pooled_once_and_its_links_by_themselves(
    source, out, monkeypatch
):
    folder = source.parent
    monkeypatch.chdir(folder)
    (folder.parent / "way").symlink_to(folder)
    (folder / "other.npy").symlink_to("x.npy")
    ways = ["x.npy", source, Path("..", "in", "x.npy"), folder.parent / "way" / "x.npy", "."]
    assert pool(*ways, output=out / "y.npy") == 0
    assert names(out) == ["x.npy", "other.npy"]


def test_empty_input_is_not_the_folder_we_are_in(source, out, capsys, monkeypatch):
    monkeypatch.chdir(source.parent)
    assert pool("", output=out / "y.npy") == 2
    assert "skipped '': an empty name" in capsys.readouterr().err


@posix
def test_name_that_would_steer_a_terminal_is_printed_on_one_line(source, out, capsys):
    (source.parent / "a\n\x1b[2J.npy").write_text("broken")
    assert pool(source.parent, output=out / "y.npy") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skipped {source.parent}{os.sep}a\\n\\x1b[2J.npy: ")


@posix
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device")  # noqa: PTH110
@pytest.mark.parametrize("arguments", [["--version"], ["info"], ["windows", "10", "7"]])
def test_full_stdout_is_said(arguments):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = command(*arguments, stdout=full, stderr=subprocess.PIPE)
    message = f"adaptive-pool: error: cannot print: {os.strerror(errno.ENOSPC)}\n"
    assert (done.returncode, done.stderr.decode()) == (2, message)


@posix
@pytest.mark.parametrize("closed", [1, 2])
@pytest.mark.parametrize("arguments", [["--version"], ["info"], ["windows", "10", "7"]])
def test_closed_streams(arguments, closed):
    done = command(*arguments, preexec_fn=lambda: os.close(closed))
    assert (done.returncode, done.stderr) == (0, b"")


@posix
def test_nobody_reads_the_errors(source, out):
    (source.parent / "broken.npy").write_text("broken")
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ("pool", source.parent, "-o", out / "y.npy", "--size", "1")
    done = command(*arguments, stdout=subprocess.PIPE, stderr=writer)
    os.close(writer)
    assert done.returncode == 1
    assert done.stdout.startswith(b"pooled 1, skipped 1: ")
    assert is_new(out / "y.npy")
