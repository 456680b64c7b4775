"""Pictures on the command line as models want them: scaled, normalised, laid out."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PIL", reason="pictures are read with Pillow")

import picture_files as files
from PIL import Image

import adaptive_pool as ap
from adaptive_pool._cli import main

RNG = np.random.default_rng(0)
SCENES = [RNG.integers(0, 256, (9 + k, 7 + 2 * k, 3), np.uint8) for k in range(4)]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
GIVEN = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]


def wanted(means, mean=MEAN, std=STD, scale=1 / 255):
    """Return what is asked for, of means in float64 with channels last."""
    mean, std = np.array(mean), np.array(std)
    return (means * (scale / std) + -mean / std).astype(np.float32)


def means(scene, size=(3, 2), **options):
    return ap.adaptive_avg_pool2d(
        scene, size, data_format="channels_last", dtype=np.float64, **options
    )


@pytest.fixture
def folder(tmp_path):
    """Return a folder for inputs."""
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def pool(tmp_path, folder):
    """Return a function that pools the folder and returns what was written."""

    def pooled(*options, status=0, output="y.npy", size="3,2"):
        given = ["pool", str(folder), "-o", str(tmp_path / output), "--size", size]
        assert main([*given, *options]) == status
        if status == 2:
            return None
        result = np.load(tmp_path / output)
        return result if output == "y.npy" else dict(result)

    return pooled


@pytest.fixture
def scenes(folder):
    """Save pictures of several sizes."""
    for k, scene in enumerate(SCENES):
        Image.fromarray(scene).save(folder / f"{k}.png")


@pytest.mark.usefixtures("scenes")
@pytest.mark.parametrize("windows", ["torch", "area", "split"])
def test_the_formula(pool, windows):
    result = pool(*GIVEN, "--windows", windows)
    assert result.dtype == np.float32
    expected = [wanted(means(scene, windows=windows)) for scene in SCENES]
    np.testing.assert_array_equal(result, expected)


@pytest.mark.usefixtures("scenes")
def test_it_is_that_of_to_tensor(pool):
    result = pool(*GIVEN, "--windows", "area", "--layout", "NCHW")
    expected = ap.pictures.to_tensor(SCENES, (3, 2), mean=MEAN, std=STD)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.usefixtures("scenes")
@pytest.mark.parametrize(
    ("options", "mean", "std"),
    [
        (["--mean", "0.5"], 0.5, 1),
        (["--std", "0.5"], 0, 0.5),
        (["--mean=-1", "--std", "2,3,4"], -1, [2, 3, 4]),
        (["--mean", "0"], 0, 1),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) and isinstance(v[0], str) else "",
)
def test_one_number_is_for_all_channels_and_the_other_may_be_left_out(pool, options, mean, std):
    expected = [wanted(means(scene), mean, std) for scene in SCENES]
    np.testing.assert_array_equal(pool(*options), expected)


@pytest.mark.usefixtures("scenes")
@pytest.mark.parametrize("normalised", [[], GIVEN], ids=["plain", "normalised"])
@pytest.mark.parametrize("options", [[], ["--windows", "area"]], ids=["torch", "area"])
def test_layouts(pool, normalised, options):
    last = pool(*normalised, *options)
    first = np.moveaxis(last, -1, 1)
    np.testing.assert_array_equal(pool(*normalised, *options, "--layout", "NHWC"), last)
    np.testing.assert_array_equal(pool(*normalised, *options, "--layout", "NCHW"), first)
    by_format = ["--data-format", "channels_first"]
    np.testing.assert_array_equal(pool(*normalised, *options, *by_format), first)
    np.testing.assert_array_equal(pool(*normalised, *options, *by_format, "--layout", "NHWC"), last)


@pytest.mark.usefixtures("scenes")
def test_layout_of_maxima_and_of_archives(pool):
    plain = pool("--mode", "max")
    np.testing.assert_array_equal(
        pool("--mode", "max", "--layout", "NCHW"), np.moveaxis(plain, -1, 1)
    )
    archive = pool(*GIVEN, "--layout", "NCHW", output="y.npz")
    np.testing.assert_array_equal(archive["2.png"], np.moveaxis(wanted(means(SCENES[2])), -1, 0))


@pytest.mark.usefixtures("scenes")
def test_gray_and_float16(pool):
    result = pool("--gray", "--mean", "0.5", "--std", "0.25", "--dtype", "float16")
    assert (result.shape, result.dtype) == ((4, 3, 2, 1), np.float16)
    gray = [np.asarray(Image.fromarray(scene).convert("L"))[..., None] for scene in SCENES]
    expected = [means(scene) * (1 / 255 / 0.25) + -0.5 / 0.25 for scene in gray]
    np.testing.assert_array_equal(result, np.array(expected).astype(np.float16))


def test_16_bits_have_the_same_range(pool, folder, capsys):
    deep = SCENES[0].astype(np.uint16) * 257
    (folder / "a.png").write_bytes(files.png(deep, 2, 16))
    Image.fromarray(SCENES[0]).save(folder / "b.png")
    result = pool(*GIVEN)
    np.testing.assert_array_equal(result[0], wanted(means(deep), scale=1 / 65535))
    np.testing.assert_allclose(result[0], result[1], rtol=0, atol=1e-6)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_transparent_pixels_count_as_they_show(pool, folder, data_format):
    alpha = RNG.integers(0, 256, (9, 7, 1), np.uint8)
    alpha[:4, :4] = 0
    Image.fromarray(np.dstack([SCENES[0], alpha])).save(folder / "x.png")
    plain = pool("--dtype", "float64")
    result = pool(*GIVEN, "--data-format", data_format, "--layout", "NHWC")
    np.testing.assert_array_equal(result, wanted(plain))


@pytest.mark.parametrize("shape", [(9, 7, 3), (2, 9, 7, 3), (9, 7)], ids=str)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_arrays_of_bytes(pool, folder, shape, layout):
    x = RNG.integers(0, 256, shape, np.uint8)
    np.save(folder / "x.npy", x)
    given = ["--mean", "0.5", "--std", "0.25", "--layout", layout]
    expected = wanted(means(x if x.ndim > 2 else x[..., None]), 0.5, 0.25)
    expected = expected if layout == "NHWC" else np.moveaxis(expected, -1, -3)
    np.testing.assert_array_equal(pool(*given)[0], expected)


def test_arrays_without_a_range_are_skipped(pool, folder, capsys):
    np.save(folder / "a.npy", np.ones((9, 7, 3), np.float32))
    np.save(folder / "b.npy", np.ones((2, 9, 7, 3), np.int32))
    np.save(folder / "c.npy", SCENES[0])
    assert len(pool(*GIVEN, status=1)) == 1
    error = capsys.readouterr().err
    assert "--mean and --std are for uint8 and uint16, whose largest value becomes 1" in error
    assert error.count("skipped") == 2


@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "transparent"])
def test_numbers_for_other_channels_are_refused(pool, folder, capsys, alpha):
    channels = [SCENES[0], np.full((9, 7, 1), 100, np.uint8)][: 1 + alpha]
    Image.fromarray(np.dstack(channels)).save(folder / "x.png")
    pool("--mean", "1,2", status=2)
    assert f"skipped {folder / 'x.png'}: " in capsys.readouterr().err


@pytest.mark.usefixtures("scenes")
@pytest.mark.parametrize(
    ("options", "output", "size", "message"),
    [
        ([*GIVEN, "--mode", "max"], "y.npy", "3", "are for --mode avg"),
        ([*GIVEN, "--dtype", "uint8"], "y.npy", "3", "give floats, got --dtype uint8"),
        (GIVEN, "y.npy", "none,2", "need a height and a width"),
        (GIVEN, "y.png", "3", "a picture holds integers"),
        (["--layout", "NCHW"], "y.png", "3", "a picture has its own"),
    ],
)
def test_arguments_that_do_not_go_together(pool, capsys, options, output, size, message):
    pool(*options, output=output, size=size, status=2)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["--mean=a", "--mean=nan", "--mean=1,", "--std=1,0,1", "--std=inf", "--layout=CHW"]
)
def test_usage_errors(option, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["pool", "x.png", "-o", "y.npy", "--size", "1", option])
    assert exit_.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err
