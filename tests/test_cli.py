"""The command line: what is written, what is skipped and why, and with which exit status."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from cases import ALL_RULES

import adaptive_pool as ap
from adaptive_pool._cli import main

RNG = np.random.default_rng(0)


def pool(*arguments, output, size="3,2"):
    return main(["pool", *map(str, arguments), "-o", str(output), "--size", size])


def pixels(height, width, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return RNG.integers(0, 256, shape, np.uint8)


@pytest.fixture
def image():
    """Return Pillow's module, for tests on pictures."""
    return pytest.importorskip("PIL.Image", reason="pictures are read with Pillow")


@pytest.fixture
def picture(image, tmp_path):
    """Return a function that saves an array as a picture and returns the path."""

    def save(name, array, **options):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        image.fromarray(array).save(path, **options)
        return path

    return save


@pytest.fixture
def array(tmp_path):
    """Return a function that saves an array as .npy and returns the path."""

    def save(name, values):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        np.save(path, values)
        return path

    return save


# ------------------------------------------------------------------------------- pool: results


def test_array_to_array(array, tmp_path, capsys):
    source = array("a.npy", np.arange(8, dtype=np.float32).reshape(2, 4, 1))
    assert pool(source, output=tmp_path / "y.npy", size="1,2") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), [[[[2.5], [4.5]]]])
    printed = capsys.readouterr()
    assert printed.out.startswith("pooled 1, skipped 0: shape (1, 1, 2, 1), dtype float32, ")
    assert printed.err == ""


def test_inputs_of_any_size_are_stacked_in_their_order(picture, array, tmp_path):
    first, second, third = pixels(9, 5), pixels(4, 14), pixels(30, 31)
    inputs = [picture("z.png", first), array("b.npy", second), picture("a.png", third)]
    assert pool(*inputs, output=tmp_path / "y.npy") == 0
    expected = [
        ap.adaptive_avg_pool2d(x, (3, 2), data_format="channels_last")
        for x in (first, second, third)
    ]
    result = np.load(tmp_path / "y.npy")
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)


def test_channels_first_is_the_layout_of_arrays_and_output(picture, array, tmp_path):
    x, planes = pixels(9, 5), np.moveaxis(pixels(6, 7), -1, 0)
    inputs = [picture("x.png", x), array("planes.npy", planes)]
    status = pool(*inputs, "--data-format", "channels_first", output=tmp_path / "y.npy")
    assert status == 0
    expected = [ap.adaptive_avg_pool2d(v, (3, 2)) for v in (np.moveaxis(x, -1, 0), planes)]
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)


@pytest.mark.parametrize(
    ("data_format", "shape"),
    [("channels_last", (2, 3, 2, 1)), ("channels_first", (2, 1, 3, 2))],
)
def test_gray_pictures_and_arrays_of_two_axes_are_one_channel(
    picture, array, tmp_path, data_format, shape
):
    inputs = [picture("x.png", pixels(9, 5)), array("x.npy", pixels(6, 6, 1))]
    options = ["--gray", "--data-format", data_format]
    assert pool(*inputs, *options, output=tmp_path / "y.npy") == 0
    assert np.load(tmp_path / "y.npy").shape == shape


def test_all_options_reach_the_function(array, tmp_path):
    x = RNG.standard_normal((7, 8, 2))
    options = ["--windows", "split", "--dtype", "float16", "--threads", "1"]
    assert pool(array("x.npy", x), *options, output=tmp_path / "y.npy") == 0
    expected = ap.adaptive_avg_pool2d(
        x, (3, 2), data_format="channels_last", windows="split", dtype=np.float16
    )
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected[None])


def test_maxima_keep_the_dtype(array, tmp_path):
    x = RNG.integers(-100, 100, (7, 8, 2), np.int16)
    assert pool(array("x.npy", x), "--mode", "max", output=tmp_path / "y.npy") == 0
    expected = ap.adaptive_max_pool2d(x, (3, 2), data_format="channels_last")
    result = np.load(tmp_path / "y.npy")
    assert result.dtype == np.int16
    np.testing.assert_array_equal(result, expected[None])


@pytest.mark.parametrize(
    ("size", "shape"),
    [("3", (3, 3)), ("3,2", (3, 2)), ("3x2", (3, 2)), ("none,2", (7, 2)), ("None", (7, 8))],
)
def test_sizes(array, tmp_path, size, shape):
    pool(array("x.npy", np.ones((7, 8, 1))), output=tmp_path / "y.npy", size=size)
    assert np.load(tmp_path / "y.npy").shape == (1, *shape, 1)


def test_archive_has_one_array_for_each_input_of_any_shape(array, tmp_path):
    np.savez(tmp_path / "many.npz", one=np.ones((5, 5, 1)), two=np.ones((2, 5, 5, 1)))
    inputs = [array("a/x.npy", np.zeros((4, 4, 1))), array("b/x.npy", np.ones((4, 4, 1)))]
    assert pool(*inputs, tmp_path / "many.npz", output=tmp_path / "y.npz") == 0
    with np.load(tmp_path / "y.npz") as archive:
        shapes = {key: value.shape for key, value in archive.items()}
        assert archive["x.npy~2"].all()
    assert shapes == {
        "x.npy": (3, 2, 1),
        "x.npy~2": (3, 2, 1),
        "many.npz:one": (3, 2, 1),
        "many.npz:two": (2, 3, 2, 1),
    }


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_picture_to_picture(image, picture, tmp_path, mode, data_format):
    x = pixels(9, 5)
    options = ["--mode", mode, "--data-format", data_format]
    assert pool(picture("x.png", x), *options, output=tmp_path / "y.png") == 0
    expected = (
        ap.adaptive_max_pool2d(x, (3, 2), data_format="channels_last")
        if mode == "max"
        else ap.adaptive_avg_pool2d(x, (3, 2), data_format="channels_last", dtype=np.uint8)
    )
    with image.open(tmp_path / "y.png") as written:
        np.testing.assert_array_equal(np.asarray(written), expected)


def test_gray_picture_to_picture(image, picture, tmp_path):
    assert pool(picture("x.png", pixels(9, 5, 1)), "--gray", output=tmp_path / "y.png") == 0
    with image.open(tmp_path / "y.png") as written:
        assert (written.mode, written.size) == ("L", (2, 3))


# ------------------------------------------------------------------------ pool: reading pictures


def test_pictures_are_turned_upright(image, picture, tmp_path):
    x = pixels(9, 5)
    exif = image.Exif()
    exif[0x0112] = 6  # the top of the scene is at the right
    turned = picture("x.png", x, exif=exif)
    assert pool(turned, output=tmp_path / "y.npy", size="none") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy")[0], np.rot90(x, -1))


def test_palette_with_transparency_is_read_without_a_warning(image, tmp_path):
    palette = image.fromarray(pixels(9, 5)).convert("P", colors=4)
    palette.save(tmp_path / "x.png", transparency=b"\x00\x80\xff\xff")
    assert pool(tmp_path / "x.png", output=tmp_path / "y.npy") == 0
    assert np.load(tmp_path / "y.npy").shape == (1, 3, 2, 3)


# ---------------------------------------------------------------------------- pool: finding files


def test_folder_is_read_sorted_with_subfolders_but_not_hidden_or_foreign_files(
    picture, array, tmp_path
):
    array("in/b.npy", np.full((4, 4, 3), 2.0, np.float32))
    picture("in/a.png", np.full((4, 4, 3), 1, np.uint8))
    (tmp_path / "in" / "deep").mkdir()
    array("in/deep/c.npy", np.full((4, 4, 3), 3.0, np.float32))
    array("in/.hidden.npy", np.full((4, 4, 3), 9.0, np.float32))
    (tmp_path / "in" / "README.txt").write_text("no picture")
    assert pool(tmp_path / "in", output=tmp_path / "y.npy") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy")[:, 0, 0, 0], [1, 2, 3])


def test_second_run_over_a_folder_leaves_out_the_output_of_the_first(array, tmp_path):
    array("x.npy", np.ones((4, 4, 3)))
    assert [pool(tmp_path, output=tmp_path / "y.npy") for _ in range(2)] == [0, 0]
    assert np.load(tmp_path / "y.npy").shape == (1, 3, 2, 3)


@pytest.mark.parametrize(
    ("pattern", "count"), [("*.npy", 1), ("**/*.npy", 3), ("**", 3), ("in/[bc].npy", 2)]
)
def test_patterns(array, tmp_path, monkeypatch, pattern, count):
    (tmp_path / "base").mkdir()
    for name in ("base/a.npy", "base/in/b.npy", "base/in/c.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        array(name, np.ones((4, 4, 1)))
    assert pool(tmp_path / "base" / pattern, output=tmp_path / "y.npy") == 0
    assert len(np.load(tmp_path / "y.npy")) == count


def test_file_with_the_characters_of_a_pattern_and_file_given_twice(array, tmp_path):
    source = array("x[1].npy", np.ones((4, 4, 1)))
    assert pool(source, source, output=tmp_path / "y.npy") == 0
    assert len(np.load(tmp_path / "y.npy")) == 1


# ----------------------------------------------------------------------------- pool: what fails


def empty_folder(path):
    path.mkdir()


def missing(path):
    pass


def zero_bytes(path):
    path.touch()


def text(path):
    path.write_text("not what the suffix says")


def no_picture(path):
    pytest.importorskip("PIL", reason="pictures are read with Pillow")
    text(path)


def empty_picture(path):
    pytest.importorskip("PIL", reason="pictures are read with Pillow")
    zero_bytes(path)


def truncated_array(path):
    np.save(path, np.ones((50, 50, 3)))
    path.write_bytes(path.read_bytes()[:-100])


def truncated_archive(path):
    np.savez(path, x=np.ones((50, 50, 3)))
    path.write_bytes(path.read_bytes()[:-100])


def truncated_picture(path):
    image = pytest.importorskip("PIL.Image", reason="pictures are read with Pillow")
    image.fromarray(pixels(64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:-2000])


def objects(path):
    np.save(path, np.array([[1, "two"]], dtype=object), allow_pickle=True)


def one_axis(path):
    np.save(path, np.ones(5))


def complex_numbers(path):
    np.save(path, np.ones((4, 4, 1), complex))


def other_shape(path):
    np.save(path, np.ones((4, 4, 2)))


def other_dtype(path):
    np.save(path, np.ones((4, 4, 1), np.float32))


UNREADABLE = [
    (missing, "x.npy", "no such file or folder"),
    (missing, "*.jpg", "no file matches this pattern"),
    (empty_folder, "x", "no pictures or arrays in this folder"),
    (zero_bytes, "x.npy", "not the content of a .npy or .npz file, it starts with b''"),
    (text, "x.npy", "not the content of a .npy or .npz file, it starts with b'not wh'"),
    (text, "x.npz", "not the content of a .npy or .npz file, it starts with b'not wh'"),
    (truncated_array, "x.npy", "array"),
    (truncated_archive, "x.npz", "not a zip file"),
    (objects, "x.npy", "Object arrays cannot be loaded"),
    (one_axis, "x.npy", "x must have shape (..., H, W, C)"),
    (complex_numbers, "x.npy", "x must have one of the dtypes"),
    (no_picture, "x.jpg", "cannot identify image file"),
    (empty_picture, "x.jpg", "cannot identify image file"),
    (truncated_picture, "x.png", "truncated"),
    (truncated_picture, "x.bmp", "truncated"),
]
IDS = [f"{make.__name__}-{name}" for make, name, _ in UNREADABLE]


@pytest.mark.parametrize(("make", "name", "reason"), UNREADABLE, ids=IDS)
class TestUnusable:
    """What cannot be pooled is named; the rest is written, or nothing."""

    def test_with_others(self, array, tmp_path, capsys, make, name, reason):
        make(tmp_path / name)
        good = array("good.npy", np.ones((4, 4, 1)))
        assert pool(tmp_path / name, good, output=tmp_path / "y.npy") == 1
        printed = capsys.readouterr()
        (line,) = printed.err.splitlines()
        assert line.startswith(f"skipped {tmp_path / name}: ")
        assert reason in line
        assert printed.out.startswith("pooled 1, skipped 1: shape (1, 3, 2, 1)")
        assert len(np.load(tmp_path / "y.npy")) == 1

    def test_alone_leaves_the_old_output(self, tmp_path, capsys, make, name, reason):
        make(tmp_path / name)
        (tmp_path / "y.npy").write_bytes(b"old")
        before = sorted(tmp_path.iterdir())
        assert pool(tmp_path / name, output=tmp_path / "y.npy") == 2
        assert "nothing to write" in capsys.readouterr().err
        assert (tmp_path / "y.npy").read_bytes() == b"old"
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (other_shape, "shape (3, 2, 1), dtype float64, this one shape (3, 2, 2), dtype float64"),
        (other_dtype, "shape (3, 2, 1), dtype float64, this one shape (3, 2, 1), dtype float32"),
    ],
)
def test_result_unlike_the_first_is_skipped(array, tmp_path, capsys, make, reason):
    good = array("good.npy", np.ones((4, 4, 1)))
    make(tmp_path / "x.npy")
    assert pool(good, tmp_path / "x.npy", output=tmp_path / "y.npy") == 1
    assert f"the first has {reason}" in capsys.readouterr().err
    assert len(np.load(tmp_path / "y.npy")) == 1


def test_only_the_bad_member_of_an_archive_is_skipped(tmp_path, capsys):
    members = {"bad": np.array([None]), "good": np.ones((4, 4, 1))}
    np.savez(tmp_path / "x.npz", **members)
    assert pool(tmp_path / "x.npz", output=tmp_path / "y.npz") == 1
    assert f"skipped {tmp_path / 'x.npz'}:bad: " in capsys.readouterr().err
    with np.load(tmp_path / "y.npz") as archive:
        assert archive.files == ["x.npz:good"]


@pytest.mark.usefixtures("image")
def test_several_inputs_to_a_picture(picture, tmp_path, capsys):
    inputs = [picture("a.png", pixels(5, 5)), picture("b.png", pixels(5, 5))]
    assert pool(*inputs, output=tmp_path / "y.png") == 2
    assert "a picture is pooled from one input, got " in capsys.readouterr().err
    assert not (tmp_path / "y.png").exists()


@pytest.mark.usefixtures("image")
def test_format_that_does_not_take_the_pixels_leaves_no_file(array, tmp_path, capsys):
    source = array("x.npy", pixels(5, 5, 4))
    (tmp_path / "y.jpg").write_bytes(b"old")
    assert pool(source, output=tmp_path / "y.jpg") == 2
    assert "cannot write mode RGBA as JPEG" in capsys.readouterr().err
    assert (tmp_path / "y.jpg").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.jpg"]


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        ([], "y.txt", "must end in .npy, .npz or the suffix of a picture"),
        ([], "absent/y.npy", "must be a file in an existing folder"),
        (["--mode", "max", "--dtype", "float32"], "y.npy", "--dtype is for --mode avg"),
        (["--dtype", "float32"], "y.png", "a picture holds uint8"),
    ],
)
@pytest.mark.usefixtures("image")
def test_arguments_that_do_not_fit(array, tmp_path, capsys, options, name, message):
    assert pool(array("x.npy", pixels(5, 5)), *options, output=tmp_path / name) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["pool", "x", "-o", "y.npy"],
        ["pool", "x", "-o", "y.npy", "--size", "0"],
        ["pool", "x", "-o", "y.npy", "--size", "2,"],
        ["pool", "x", "-o", "y.npy", "--size", "1,2,3"],
        ["pool", "x", "-o", "y.npy", "--size", "2", "--threads", "0"],
        ["windows", "10", "-3"],
        ["windows", "10", "1000001"],
        ["windows", "10", "7", "--rule", "other"],
    ],
    ids=" ".join,
)
def test_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: adaptive-pool" in capsys.readouterr().err


def test_absent_pillow_is_named_with_the_extra(tmp_path, monkeypatch, capsys):
    (tmp_path / "x.jpg").touch()
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert pool(tmp_path / "x.jpg", output=tmp_path / "y.npy") == 2
    message = 'PIL is not installed: pip install "adaptive-pool[cli]"'
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "watched", "bar"), [(5, True, True), (2, True, False), (5, False, False)]
)
def test_bar_for_many_files_and_a_terminal(
    array, tmp_path, monkeypatch, capsys, count, watched, bar
):
    pytest.importorskip("tqdm", reason="the bar is that of tqdm")
    inputs = [array(f"{k}.npy", np.ones((4, 4, 1))) for k in range(count)]
    inputs[1].write_text("broken")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    assert pool(*inputs, output=tmp_path / "y.npy") == 1
    printed = capsys.readouterr().err
    assert ("file/s" in printed) == bar
    assert f"skipped {inputs[1]}: " in printed


def test_no_bar_without_tqdm(array, tmp_path, monkeypatch):
    inputs = [array(f"{k}.npy", np.ones((4, 4, 1))) for k in range(5)]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert pool(*inputs, output=tmp_path / "y.npy") == 0


# -------------------------------------------------------------------------------------- windows


def windows(*arguments):
    return main(["windows", *arguments])


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def command(*arguments, **environment):
    """Run a real process: what depends on its streams and on what is imported."""
    return subprocess.run(
        [sys.executable, "-m", "adaptive_pool", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_drawing(capsys):
    assert windows("5", "3", "--rule", "torch") == 0
    assert capsys.readouterr().out.splitlines() == [
        "torch: input elements in a window: 2 to 3; neighbours share up to 1",
        "   0",
        "0  ████· · ·   0:2",
        "1  · ██████·   1:4",
        "2  · · · ████  3:5",
    ]


def test_drawing_in_ascii_and_narrow():
    done = command("windows", "12", "3", "--rule", "split", PYTHONIOENCODING="ascii", COLUMNS="24")
    assert done.stdout.decode("ascii").splitlines() == [
        "split: input elements in a window: 4; neighbours share none",
        "   0         10",
        "0  ####........  0:4",
        "1  ....####....  4:8",
        "2  ........####  8:12",
    ]


def test_borders_are_listed_where_columns_do_not_fit(capsys):
    assert windows("1000", "6", "--rule", "ceil") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "0  0:167       1  167:334     2  334:501     3  501:668     4  668:835",
        "5  835:1000",
    ]


def test_every_line_fits_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    windows("59", "11", "--rule", "torch")
    drawn = capsys.readouterr().out.splitlines()[1:]
    windows("60", "11", "--rule", "torch")
    listed = capsys.readouterr().out.splitlines()[1:]
    assert max(map(len, drawn + listed)) <= 70
    assert len(listed) < len(drawn)


def test_long_lists_are_cropped(capsys):
    assert windows("1000000", "1000000", "--rule", "split") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 64 + 1
    assert lines[33] == "... 333270 lines left out ..."
    assert lines[-1].endswith("999999  999999:1000000")


def test_all_rules_and_the_text_of_one_that_does_not_fit(capsys):
    assert windows("10", "7") == 0
    titles = [line for line in capsys.readouterr().out.splitlines() if ": " in line]
    assert [title.split(":")[0] for title in titles] == ALL_RULES
    assert titles[-2].startswith("ceil: pool_windows: window rule 'ceil' leaves window 5 empty")


def test_chosen_rule_that_does_not_fit_is_a_failure(capsys):
    assert windows("10", "7", "--rule", "ceil") == 1
    assert "leaves window 5 empty" in capsys.readouterr().out


def test_no_windows(capsys):
    assert windows("10", "0", "--rule", "torch") == 0
    assert capsys.readouterr().out == "torch: no windows\n"


# ---------------------------------------------------------------------------------- the process


def test_info_is_show_config(capsys):
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    ap.show_config()
    assert printed == capsys.readouterr().out


def test_status_of_the_module_is_that_of_the_command():
    done = command("windows", "10", "7", "--rule", "ceil")
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows reports a closed pipe in other ways")
def test_reader_that_leaves_early_gets_no_traceback():
    arguments = [sys.executable, "-m", "adaptive_pool", "windows", "10", "7"]
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(arguments, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (1, b"")


@pytest.mark.parametrize("module", ["adaptive_pool", "adaptive_pool._cli"])
def test_import_loads_no_optional_package(module):
    code = f"import sys, {module}; print({{'PIL', 'tqdm', 'skimage'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
