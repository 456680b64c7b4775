"""Pyramids on the command line: the levels, their files, and what is refused."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool._cli import main
from adaptive_pool._cli.replacing import Replacement

RNG = np.random.default_rng(0)


@pytest.fixture
def image():
    """Return Pillow's module."""
    return pytest.importorskip("PIL.Image", reason="pictures are read with Pillow")


@pytest.fixture
def pyramid(tmp_path):
    """Return a function that saves an array, and writes its levels."""

    def make(array, *options, levels="2", output="y.npy", status=0):
        source = tmp_path / "x.npy"
        if array is not None:
            np.save(source, array)
        elif not source.exists():
            source = next(tmp_path.glob("x.*"))
        given = ["pyramid", str(source), "-o", str(tmp_path / output), "--levels", levels]
        assert main([*given, *options]) == status
        stem, _, suffix = output.rpartition(".")
        return [tmp_path / f"{stem}_{k}.{suffix}" for k in range(1, int(levels) + 1)]

    return make


# ---------------------------------------------------------------------------------------- arrays


def test_levels_of_an_array(pyramid, capsys):
    first, second = pyramid(np.arange(20, dtype=np.uint8).reshape(4, 5))
    np.testing.assert_array_equal(np.load(first), [[3, 5, 6], [13, 15, 16]])
    np.testing.assert_array_equal(np.load(second), [[9, 12]])
    assert capsys.readouterr().out.splitlines() == [
        f"level 1: {first}, shape (2, 3), dtype uint8",
        f"level 2: {second}, shape (1, 2), dtype uint8",
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {}),
        (["--reduce", "max"], {"reduce": "max"}),
        (["--factor", "3"], {"factor": 3}),
        (["--factor", "1,3"], {"factor": (1, 3)}),
        (["--axes", "0,1"], {"axes": (0, 1)}),
        (["--axes=-3,-2,-1", "--factor", "1,2,2"], {"axes": (-3, -2, -1), "factor": (1, 2, 2)}),
        (["--axes", "1", "--threads", "1"], {"axes": 1}),
        (["--nodata", "0.5"], {"nodata": 0.5}),
        (["--nan-policy", "omit"], {"nan_policy": "omit"}),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_all_options_reach_the_function(pyramid, options, expected):
    x = RNG.standard_normal((9, 8, 7)).astype(np.float32)
    x[0, 0, 0], x[-1, -1, -1] = 0.5, np.nan
    paths = pyramid(x, *options, levels="3")
    for path, level in zip(paths, ap.pyramid(x, 4, **expected)[1:], strict=True):
        result = np.load(path)
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, level)


def test_the_output_may_stand_behind_the_input(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 0, 2], [3, 4, 5]], np.int16))
    given = ["pyramid", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--levels", "1"]
    assert main([*given, "--nodata", "0"]) == 0
    np.testing.assert_array_equal(
        np.load(tmp_path / "y_1.npy"), [[3, 4]]
    )  # 8/3 is 2.67, 7/2 is 3.5


@pytest.mark.parametrize("outputs", [[], ["y.npy", "-o", "z.npy"]], ids=["none", "two"])
def test_one_output_is_given(capsys, outputs):
    assert main(["pyramid", "x.npy", *outputs, "--levels", "1"]) == 2
    assert "give one output, OUT or --output OUT" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(5, 6, 3), (2, 5, 6, 1), (5, 6, 4)], ids=str)
def test_pictures_are_never_pooled_over_their_channels(pyramid, capsys, shape):
    (path, _) = pyramid(np.ones(shape), status=2)
    assert f"shape {shape} is that of a picture with its channels last" in capsys.readouterr().err
    assert not path.exists()
    (path, _) = pyramid(None, "--axes=-2,-1")
    assert np.load(path).shape == (*shape[:-2], 3, -(-shape[-1] // 2))


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 4), (5, 6, 7)], ids=str)
def test_other_arrays_are_pooled_over_their_last_two_axes(pyramid, shape):
    x = RNG.standard_normal(shape)
    np.testing.assert_array_equal(np.load(pyramid(x)[0]), ap.pyramid(x, 2)[1])


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 3)], ids=str)
def test_arrays_to_pictures(image, pyramid, shape):
    x = RNG.integers(0, 256, shape, np.uint8)
    for path, level in zip(
        pyramid(x, "--axes", "0,1", output="y.png"),
        ap.pyramid(x, 3, axes=(0, 1))[1:],
        strict=True,
    ):
        with image.open(path) as written:
            np.testing.assert_array_equal(np.asarray(written), np.squeeze(level))


# -------------------------------------------------------------------------------------- pictures


def test_picture_to_pictures(image, pyramid, tmp_path):
    x = RNG.integers(0, 256, (9, 7, 3), np.uint8)
    image.fromarray(x).save(tmp_path / "x.png")
    paths = pyramid(None, levels="3", output="y.png")
    for path, level in zip(paths, ap.pyramid(x, 4, axes=(0, 1))[1:], strict=True):
        with image.open(path) as written:
            np.testing.assert_array_equal(np.asarray(written), level)


def test_grey_of_16_bits(image, pyramid, tmp_path, capsys):
    x = RNG.integers(0, 2**16, (9, 7), np.uint16)
    image.fromarray(x).save(tmp_path / "x.tif")
    expected = ap.pyramid(x, 2)[1]
    with image.open(pyramid(None, output="y.png")[0]) as written:
        np.testing.assert_array_equal(np.asarray(written), expected)
    assert "_1.png, shape (5, 4), dtype uint16" in capsys.readouterr().out
    (path, _) = pyramid(None, "--gray")
    np.testing.assert_array_equal(np.load(path)[..., 0], expected)


@pytest.mark.parametrize("factor", ["2", "3", "1,2"])
@pytest.mark.parametrize("reduce", ["avg", "max"])
def test_transparent_pixels_count_as_they_show(image, pyramid, tmp_path, reduce, factor):
    x = RNG.integers(0, 256, (9, 7, 4), np.uint8)
    x[:4, :4, 3] = 0
    image.fromarray(x).save(tmp_path / "x.png")
    paths = pyramid(None, "--reduce", reduce, "--factor", factor, output="y.png")
    down, right = [*map(int, factor.split(",")), int(factor[-1])][:2]
    for number, path in enumerate(paths, 1):
        with image.open(path) as written:
            result = np.asarray(written)
        for i, j in np.ndindex(result.shape[:2]):
            block = x[i * down**number :, j * right**number :].astype(int)
            block = block[: down**number, : right**number].reshape(-1, 4)
            colours, alpha = block[:, :3], block[:, 3:]
            if reduce == "max":
                expected = [*(colours * (alpha > 0)).max(0), alpha.max()]
            else:
                sums = (colours * alpha).sum(0) / max(alpha.sum(), 1)
                expected = np.rint([*sums, alpha.mean()])
            np.testing.assert_array_equal(result[i, j], expected)


def test_transparent_pixels_are_no_missing_ones(image, pyramid, tmp_path, capsys):
    x = RNG.integers(0, 256, (9, 7, 4), np.uint8)
    image.fromarray(x).save(tmp_path / "x.png")
    pyramid(None, "--nodata", "0", status=2)
    assert "--nodata goes with --alpha keep or drop" in capsys.readouterr().err
    kept = np.load(pyramid(None, "--alpha", "keep", "--nodata", "0")[0])
    np.testing.assert_array_equal(kept, ap.pyramid(x, 2, axes=(0, 1), nodata=0)[1])


def test_alpha_may_be_one_more_channel_or_none(image, pyramid, tmp_path):
    x = RNG.integers(0, 256, (9, 7, 4), np.uint8)
    image.fromarray(x).save(tmp_path / "x.png")
    kept = np.load(pyramid(None, "--alpha", "keep")[0])
    np.testing.assert_array_equal(kept, ap.pyramid(x, 2, axes=(0, 1))[1])
    dropped = np.load(pyramid(None, "--alpha", "drop")[0])
    np.testing.assert_array_equal(dropped, kept[..., :3])


# ---------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--axes", "0,0"], "x.npy: pyramid: axes"),
        (["--axes", "5"], "x.npy: pyramid: x has 2 axes, got axes (5,)"),
        (["--factor", "2,2,2"], "x.npy: pyramid: factor"),
        (["--levels", "64"], "x.npy: pyramid: levels"),
        (["--nodata", "nan", "--axes", "x,y"], "axes have names in a Zarr only"),
        (["--resume"], "--resume is for an output that ends in .zarr"),
        (["--chunks", "8"], "--chunks is for an output that ends in .zarr"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_arguments_that_do_not_fit_the_array(pyramid, tmp_path, capsys, options, message):
    pyramid(np.ones((5, 6)), *options, status=2)
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.npy", b"text", "not the content of a .npy or .npz file"),
        ("x.png", b"text", "cannot identify image file"),
        ("x.npy", None, os.strerror(errno.ENOENT)),
        ("x.npz", "archive", "an archive may hold several arrays"),
    ],
)
@pytest.mark.usefixtures("image")
def test_inputs_that_cannot_be_read(tmp_path, capsys, name, content, message):
    source = tmp_path / name
    if content == "archive":
        np.savez(source, x=np.ones((5, 6)))
    elif content:
        source.write_bytes(content)
    given = ["pyramid", str(source), "-o", str(tmp_path / "y.npy"), "--levels", "2"]
    assert main(given) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"adaptive-pool pyramid: error: cannot read {source}: ")
    assert message in error
    assert not (tmp_path / "y_1.npy").exists()


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--axes", "0,1"], "--axes is for arrays"),
        (["--factor", "2,2,2"], "2 axes"),
        (["--max-pixels", "62"], "--max-pixels allows more"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
@pytest.mark.parametrize("channels", [3, 4])
def test_arguments_that_do_not_fit_a_picture(
    image, pyramid, tmp_path, capsys, channels, options, message
):
    x = RNG.integers(0, 255, (9, 7, channels), np.uint8)
    image.fromarray(x).save(tmp_path / "x.png")
    pyramid(None, *options, status=2)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("dtype", "output", "message"),
    [("float32", "y.png", "dtype uint8 or uint16"), ("uint8", "y.xyz", "must end in .npy")],
)
@pytest.mark.usefixtures("image")
def test_outputs_that_do_not_fit(pyramid, tmp_path, capsys, dtype, output, message):
    pyramid(np.ones((5, 6), dtype), output=output, status=2)
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_no_folder(pyramid, capsys):
    pyramid(np.ones((5, 6)), output="absent/y.npy", status=2)
    assert "must be a file in an existing folder" in capsys.readouterr().err


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_all_levels_are_written_or_none(pyramid, tmp_path, monkeypatch, error):
    finish, calls = Replacement.finish, []

    def fail_the_second_time(self):
        calls.append(self)
        if len(calls) == 2:
            raise error
        finish(self)

    (tmp_path / "y_1.npy").write_bytes(b"old")
    monkeypatch.setattr(Replacement, "finish", fail_the_second_time)
    pyramid(np.ones((5, 6)), status=130 if isinstance(error, KeyboardInterrupt) else 2)
    assert (tmp_path / "y_1.npy").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y_1.npy"]


@pytest.mark.parametrize(
    "options",
    [
        ["--levels", "0"],
        ["--levels", "x"],
        ["--factor", "0"],
        ["--factor", "2,2,2,2"],
        ["--axes", "a,"],
        ["--nodata", "a"],
        ["--chunks", "0"],
        ["--reduce", "min"],
    ],
    ids=" ".join,
)
def test_usage_errors(options, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["pyramid", "x.npy", "-o", "y.npy", "--levels", "2", *options])
    assert exit_.value.code == 2
    assert options[0] in capsys.readouterr().err
