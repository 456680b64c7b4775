"""Pyramids of Zarr: the levels, what is said of them, and runs that were cut short."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool._cli import main, zarr_pyramid
from adaptive_pool._cli.regions import cut, extent
from adaptive_pool._cli.unfinished import Unfinished
from adaptive_pool._cli.zarr_work import Work

zarr = pytest.importorskip("zarr", minversion="3", reason="pyramids of Zarr are written with zarr")
tifffile = pytest.importorskip("tifffile", reason="TIFF is read with tifffile")

RNG = np.random.default_rng(0)


def same_bits(a, b):
    """Whether two arrays are alike in dtype, shape and every bit."""
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def random(shape, dtype):
    """Return numbers whose sums depend on the order in which they are added."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        large = np.sqrt(np.finfo(dtype).max)  # others are lost beside it, unless two cancel first
        return RNG.choice([large, -large, *RNG.standard_normal(4)], shape).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Do not wait for the disk, which may take most of the time: no test here cuts the power."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def small_regions(monkeypatch):
    """Have even small arrays cut into many regions: of 2 KiB, where two are worked at."""
    monkeypatch.setattr(zarr_pyramid, "_MEMORY", 3 * 2**12)


@pytest.fixture
def run(tmp_path):
    """Return a function that writes a Zarr of an array or a file, and opens it."""

    def make(given, *options, levels=3, output="y.zarr", status=0):
        source = given
        if isinstance(given, np.ndarray):
            source = tmp_path / "x.npy"
            np.save(source, given)
        command = ["pyramid", source, tmp_path / output, "--levels", levels, "--threads", 2]
        assert main(list(map(str, [*command, *options]))) == status
        return zarr.open_group(tmp_path / output, mode="r") if status == 0 else None

    return make


def levels_of(group):
    return [group[str(level)][...] for level in range(len(list(group.array_keys())))]


def check(group, x, **options):
    """The levels are those that the library makes of the whole array, to the bit."""
    levels = levels_of(group)
    expected = ap.pyramid(x, len(levels), **options)
    assert [level.shape for level in levels] == [level.shape for level in expected]
    assert all(map(same_bits, levels, expected))


# ---------------------------------------------------------------------------------------- levels


def test_a_small_one(run, tmp_path, capsys):
    group = run(np.arange(20, dtype=np.uint8).reshape(4, 5), levels=2)
    zero, one, two = levels_of(group)
    assert same_bits(zero, np.arange(20, dtype=np.uint8).reshape(4, 5))
    np.testing.assert_array_equal(one, [[3, 5, 6], [13, 15, 16]])
    np.testing.assert_array_equal(two, [[9, 12]])
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert group.attrs["ome"]["version"] == "0.5"
    assert multiscale["name"] == "x"
    assert multiscale["axes"] == [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    assert multiscale["datasets"][2] == {
        "path": "2",
        "coordinateTransformations": [
            {"type": "scale", "scale": [4.0, 4.0]},
            {"type": "translation", "translation": [1.5, 1.5]},
        ],
    }
    assert group["1"].metadata.dimension_names == ("y", "x")
    assert capsys.readouterr().out.splitlines() == [
        f"level {k}: {tmp_path / 'y.zarr'}/{k}, shape {shape}, dtype uint8"
        for k, shape in enumerate([(4, 5), (2, 3), (1, 2)])
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.zarr"]


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(
    ("reduce", "dtype"),
    [("avg", "float32"), ("avg", "float64"), ("max", "uint16")],
)
@pytest.mark.parametrize(
    ("shape", "options", "expected"),
    [
        ((61, 75), ["--chunks", "8"], {}),
        ((61, 75), ["--chunks", "5,6", "--levels", "2"], {}),
        ((32, 33), ["--chunks", "4"], {}),  # one column more than whole blocks
        ((2, 45, 51), ["--chunks", "8"], {}),
        ((9, 17, 19), ["--chunks", "4", "--levels", "2", "--axes", "z,y,x"], {"axes": (0, 1, 2)}),
        ((2, 3, 20, 21), ["--chunks", "1,2,8,8"], {}),
        ((61, 75), ["--chunks", "9,8", "--factor", "3,2", "--levels", "2"], {"factor": (3, 2)}),
        ((61, 75), ["--chunks", "8", "--factor", "2,1"], {"factor": (2, 1)}),
        ((61, 75), ["--chunks", "16", "--axes", "y"], {"axes": 0}),
        ((61, 75), ["--chunks", "4", "--shards", "16"], {}),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else str(v) if isinstance(v, tuple) else "",
)
def test_levels_are_those_of_the_whole(run, shape, options, expected, reduce, dtype):
    x = random(shape, dtype)
    expected = {"axes": (-2, -1), **expected}
    check(run(x, "--reduce", reduce, *options), x, reduce=reduce, **expected)


@pytest.mark.usefixtures("small_regions")
def test_regions_were_several(run, monkeypatch):
    seen = []
    make = Work.make_region
    monkeypatch.setattr(Work, "make_region", lambda self, k, n: seen.append(k) or make(self, k, n))
    x = random((61, 75), "float32")
    check(run(x, "--chunks", "8"), x)
    assert sorted(seen) == list(range(len(seen)))
    assert len(seen) > 5


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(
    ("dtype", "options", "expected"),
    [
        ("int16", ["--nodata=-1"], {"nodata": -1}),
        ("float32", ["--nodata", "0.5"], {"nodata": 0.5}),
        ("float32", ["--nodata", "nan"], {"nodata": np.nan}),
        ("float32", ["--nan-policy", "omit"], {"nan_policy": "omit"}),
        ("float32", [], {}),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_what_counts(run, dtype, options, expected):
    x = RNG.integers(-1, 2, (61, 75)).astype(dtype)
    if dtype == "float32":
        x = np.where(x == 0, np.float32(0.5), x)
        x[RNG.random(x.shape) < 0.3] = np.nan
        x[:20, :20] = np.nan
        x[40:, 40:] = -0.0
    check(run(x, "--chunks", "8", *options), x, **expected)


def test_no_file_for_a_chunk_of_zeros(run, tmp_path):
    x = np.zeros((16, 24), np.float32)
    x[:, 8:16] = -0.0
    group = run(x, "--chunks", "8", levels=1)
    check(group, x)
    assert sorted(p.name for p in (tmp_path / "y.zarr/0/c/0").iterdir()) == ["1"]


@pytest.mark.parametrize(
    ("options", "chunks", "shards"),
    [
        ([], [(1, 512, 512), (1, 300, 300), (1, 150, 150)], [None] * 3),
        (["--chunks", "256"], [(1, 256, 256), (1, 256, 256), (1, 150, 150)], [None] * 3),
        (["--chunks", "2,64,100"], [(2, 64, 100)] * 3, [None] * 3),
        (
            ["--chunks", "128", "--shards", "2,512,512"],
            [(1, 128, 128)] * 3,
            [(2, 512, 512), (2, 384, 384), (2, 256, 256)],
        ),
    ],
    ids=["default", "a number", "of each axis", "shards"],
)
def test_chunks_and_shards(run, options, chunks, shards):
    group = run(np.ones((2, 600, 600), np.uint8), *options, levels=2)
    assert [group[k].chunks for k in "012"] == chunks
    assert [group[k].shards for k in "012"] == shards


# --------------------------------------------------------------------------------------- regions


@pytest.mark.parametrize(
    ("shape", "factors", "levels", "written", "room"),
    [
        ((97, 131), (2, 2), 3, (8, 8), 1024),
        ((97, 131), (2, 2), 3, (8, 8), 10**6),
        ((97, 129), (2, 2), 5, (4, 4), 4096),
        ((97, 131), (3, 2), 2, (5, 7), 5000),
        ((97, 131), (2, 1), 3, (1, 1), 16),
        ((4, 33, 33), (1, 2, 2), 4, (1, 16, 16), 1024),
        ((4, 33, 33), (1, 2, 2), 64, (1, 16, 16), 4 * 33 * 33),
    ],
    ids=str,
)
def test_regions_are_cut_where_they_may_be(shape, factors, levels, written, room):
    cutting = cut(shape, factors, len(shape) - 1, levels, written, 1, room)
    count = np.zeros(shape, int)
    for box in cutting.boxes():
        count[box] += 1
        # One block more at most, which is not left alone.
        assert np.prod(extent(box)) <= room * (1 + 0.5 * (len(cutting.boxes()) > 1))
        for part, n, f, w in zip(box, shape, factors, written, strict=True):
            assert part.start % f**levels == 0
            assert part.start % w == 0
            assert part.stop % w == 0 or part.stop == n
        last = box[-1]
        whole = (last.start, last.stop) == (0, shape[-1])
        assert whole or last.stop - last.start > factors[-1] ** levels
    assert (count == 1).all()
    for level in range(levels + 1):
        taken = np.zeros(cutting.level_shape(level), int)
        for box in cutting.boxes():
            taken[cutting.of_level(box, level)] += 1
        assert (taken == 1).all()


def test_a_region_is_never_one_block_wide():
    assert cut((64, 64), (2, 2), 1, 3, (1, 1), 1, 128).unit == (8, 16)
    with pytest.raises(ValueError, match=r"needs a region of shape \(8, 16\), 128 bytes"):
        cut((64, 64), (2, 2), 1, 3, (1, 1), 1, 127)
    assert cut((64, 8), (2, 2), 1, 3, (1, 1), 1, 64).unit == (8, 8)  # the whole axis is one


def test_blocks_that_do_not_fit_the_memory(run, tmp_path, capsys):
    run(np.ones((2000, 3000)), "--memory", "1", levels=11, status=2)
    assert (
        "a block of level 11, in whole chunks, needs a region of shape (2000, 3000), 48000000 "
        "bytes, but one may have 174762: write fewer levels or smaller chunks, or give more "
        "--memory" in capsys.readouterr().err
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


# --------------------------------------------------------------------------------------- readers


@pytest.fixture(params=["uint8", "uint16", "float32"])
def image(run, tmp_path, request):
    """Return the folder of an image of odd sizes, and its level 0."""
    x = random((3, 4, 45, 67), request.param)
    source = tmp_path / "x.ome.tif"
    sizes = {"PhysicalSizeZ": 2.0, "PhysicalSizeY": 0.5, "PhysicalSizeX": 0.25}
    metadata = {"axes": "CZYX", **sizes, "Channel": {"Name": ["a", "b", "c"]}}
    tifffile.imwrite(source, x, ome=True, photometric="minisblack", metadata=metadata)
    run(source, "--chunks", "16")
    return tmp_path / "y.zarr", x


SCALES = [[1, 2, 0.5 * 2**k, 0.25 * 2**k] for k in range(4)]
TRANSLATIONS = [[0, 0, 0.5 * (2**k - 1) / 2, 0.25 * (2**k - 1) / 2] for k in range(4)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_ome_zarr_reads_it(image):
    io = pytest.importorskip("ome_zarr.io", reason="reads what was written")
    reader = pytest.importorskip("ome_zarr.reader", reason="reads what was written")
    folder, x = image
    (node,) = reader.Reader(io.parse_url(folder))()
    assert all(map(same_bits, map(np.asarray, node.data), ap.pyramid(x, 4)))
    assert node.metadata["axes"] == [
        {"name": "c", "type": "channel"},
        *({"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"),
    ]
    given = node.metadata["coordinateTransformations"]
    assert [scale["scale"] for scale, _ in given] == SCALES
    assert [translation["translation"] for _, translation in given] == TRANSLATIONS


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_ngff_zarr_reads_it(image):
    ngff_zarr = pytest.importorskip("ngff_zarr", reason="reads what was written")
    folder, x = image
    validate = find_spec("jsonschema") is not None  # which it validates with
    images = ngff_zarr.from_ngff_zarr(str(folder), validate=validate).images
    assert all(map(same_bits, (np.asarray(i.data) for i in images), ap.pyramid(x, 4)))
    assert {tuple(i.dims) for i in images} == {("c", "z", "y", "x")}
    assert [[i.scale[d] for d in "czyx"] for i in images] == SCALES
    assert [[i.translation[d] for d in "czyx"] for i in images] == TRANSLATIONS
    assert {i.axes_units["y"] for i in images} == {"micrometer"}


def test_it_is_valid(image):
    models = pytest.importorskip("ome_zarr_models", reason="validates what was written")
    valid = models.open_ome_zarr(zarr.open_group(image[0], mode="r"), version="0.5")
    assert valid.ome_attributes.multiscales[0].ndim == 4


def test_scale_and_translation_are_the_centres_of_blocks(image):
    folder, x = image
    (multiscale,) = zarr.open_group(folder, mode="r").attrs["ome"]["multiscales"]
    centres = 0.25 * np.arange(x.shape[-1])  # of the pixels along x
    for level, dataset in enumerate(multiscale["datasets"]):
        scale, translation = dataset["coordinateTransformations"]
        whole = len(centres) // 2**level  # the last block may be shorter
        middles = centres[: whole * 2**level].reshape(whole, -1).mean(1)
        said = translation["translation"][-1] + scale["scale"][-1] * np.arange(whole)
        np.testing.assert_array_equal(said, middles)  # all are whole numbers of 1/32


# ---------------------------------------------------------------------------------------- inputs


def tiff(path, x, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shape (3, H, W), that it is taken for colours
        tifffile.imwrite(path, x, **options)
    return path


GREY = {"photometric": "minisblack"}
IMAGEJ = {"axes": "ZYX", "spacing": 3.0, "unit": "um"}
OME = {"axes": "TYX", "TimeIncrement": 1.5, "PhysicalSizeX": 0.1, "PhysicalSizeXUnit": "nm"}
NO_SIZES = {"axes": "ZYX", "PhysicalSizeZ": "nan", "PhysicalSizeY": 0, "PhysicalSizeX": "inf"}
MICRON = {"unit": "micrometer", "type": "space"}


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(
    ("options", "axes", "order"),
    [
        ({"metadata": {"axes": "CYX"}, **GREY}, "cyx", None),
        ({"metadata": {"axes": "ZYX"}, "compression": "zlib", **GREY}, "zyx", None),
        ({"metadata": {"axes": "TYX"}, "tile": (16, 32), **GREY}, "tyx", None),
        ({"metadata": {"axes": "ZYX"}, "byteorder": ">", **GREY}, "zyx", None),
        ({"compression": "zlib", "rowsperstrip": 7, "byteorder": ">", **GREY}, "qyx", None),
        ({}, "cyx", None),  # tifffile stores three planes as colours
        ({"photometric": "rgb"}, "cyx", (2, 0, 1)),
        ({"photometric": "rgb", "compression": "zlib", "tile": (16, 16)}, "cyx", (2, 0, 1)),
    ],
    ids=["pages", "zlib", "tiles", "big endian", "strips", "planes", "colours", "colours in tiles"],
)
def test_tiff(run, tmp_path, options, axes, order):
    x = random((3, 45, 51) if order is None else (45, 51, 3), "uint16")
    group = run(tiff(tmp_path / "x.tif", x, **options), "--chunks", "8")
    check(group, x if order is None else x.transpose(order))
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert "".join(axis["name"] for axis in multiscale["axes"]) == axes


def test_the_first_resolution_of_a_tiff_that_has_several(run, tmp_path):
    x = random((64, 80), "uint8")
    with tifffile.TiffWriter(tmp_path / "x.ome.tif") as writer:
        writer.write(x, subifds=1, tile=(16, 16), metadata={"axes": "YX"})
        writer.write(x[::2, ::2], subfiletype=1, tile=(16, 16))
    check(run(tmp_path / "x.ome.tif"), x)


@pytest.mark.parametrize(
    ("options", "scales", "units"),
    [
        (
            {"imagej": True, "resolution": (4, 2), "metadata": IMAGEJ},
            [3.0, 0.5, 0.25],
            ["micrometer"] * 3,
        ),
        (
            {"metadata": {"axes": "ZYX"}, "resolution": (100, 200), "resolutionunit": "CENTIMETER"},
            [1.0, 0.005, 0.01],
            [None, "centimeter", "centimeter"],
        ),
        (
            {"ome": True, "metadata": OME},
            [1.5, 1.0, 0.1],
            ["second", None, "nanometer"],
        ),
        ({"metadata": {"axes": "ZYX"}}, [1.0, 1.0, 1.0], [None] * 3),
        ({"resolution": (3, 4), "resolutionunit": "NONE"}, [1.0, 1.0, 1.0], [None] * 3),
        ({"ome": True, "metadata": NO_SIZES}, [1.0, 1.0, 1.0], [None] * 3),
        ({"imagej": True, "metadata": {"axes": "ZYX", "unit": 5}}, [1.0, 1.0, 1.0], [None] * 3),
    ],
    ids=["ImageJ", "tags", "OME", "none", "a ratio without a unit", "no sizes", "a unit of 5"],
)  # fmt: skip
def test_sizes_of_pixels_in_a_tiff(run, tmp_path, options, scales, units):
    x = random((2, 20, 30), "uint16")
    group = run(tiff(tmp_path / "x.tif", x, **GREY, **options), levels=1)
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert [axis.get("unit") for axis in multiscale["axes"]] == units
    (scale, translation) = multiscale["datasets"][0]["coordinateTransformations"]
    assert (scale["scale"], translation["translation"]) == (scales, [0.0] * 3)


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(
    "options",
    [
        {"zarr_format": 2},
        {"zarr_format": 2, "attributes": {"_ARRAY_DIMENSIONS": ["t", "y", "x"]}},
        {"dimension_names": ("t", "y", "x")},
        {"dimension_names": ("t", "y", "x"), "shards": (1, 32, 32)},
        {"dimension_names": ("time", "lat", "lon")},
    ],
    ids=["v2", "v2 with names", "v3", "v3 with shards", "other names"],
)
def test_zarr_arrays(run, tmp_path, options):
    x = random((2, 61, 75), "float32")
    zarr.create_array(tmp_path / "x.zarr", data=x, chunks=(1, 16, 16), **options)
    group = run(tmp_path / "x.zarr", "--chunks", "8")
    check(group, x)
    (multiscale,) = group.attrs["ome"]["multiscales"]
    expected = options.get("dimension_names") or options.get("attributes", {}).get(
        "_ARRAY_DIMENSIONS", "zyx"
    )
    assert [axis["name"] for axis in multiscale["axes"]] == list(expected)
    assert [axis["type"] for axis in multiscale["axes"][1:]] == ["space", "space"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_of_others(run, tmp_path, version):
    nz = pytest.importorskip("ngff_zarr", reason="writes what is read")
    x = random((2, 61, 75), "uint16")
    scale, translation = {"c": 1.0, "y": 0.5, "x": 0.25}, {"c": 0.0, "y": 3.0, "x": -1.0}
    units = {"y": "micrometer", "x": "micrometer"}
    image = nz.to_ngff_image(x, ["c", "y", "x"], scale, translation, axes_units=units)
    levels = nz.to_multiscales(image, [], method=nz.Methods.DASK_BIN_SHRINK)
    nz.to_ngff_zarr(tmp_path / "x.zarr", levels, version=version)
    group = run(tmp_path / "x.zarr")
    check(group, x)
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert multiscale["axes"] == [
        {"name": "c", "type": "channel"}, {"name": "y", **MICRON}, {"name": "x", **MICRON}
    ]  # fmt: skip
    scale, translation = multiscale["datasets"][1]["coordinateTransformations"]
    assert scale["scale"] == [1.0, 1.0, 0.5]
    assert translation["translation"] == [0.0, 3.25, -0.875]


def test_transformations_of_all_levels_come_last(run, tmp_path):
    group = zarr.create_group(tmp_path / "x.zarr")
    group.create_array("a", data=np.ones((4, 6), np.uint8))
    level = [{"type": "scale", "scale": [2, 3]}, {"type": "translation", "translation": [1, 1]}]
    multiscale = {
        "axes": ["y", "x"],
        "datasets": [{"path": "a", "coordinateTransformations": level}],
        "coordinateTransformations": [{"type": "scale", "scale": [10, 100]}, {"type": "identity"}],
    }
    group.attrs["multiscales"] = [multiscale]
    group.attrs["omero"] = {"channels": []}
    ome = run(tmp_path / "x.zarr", levels=1).attrs["ome"]
    scale, translation = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert (scale["scale"], translation["translation"]) == ([20, 300], [10, 100])
    assert ome["omero"] == {"channels": []}


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(
    "x",
    [
        random((61, 75), ">f4"),
        np.asfortranarray(random((61, 75), "float32")),
        random((61, 75), "float16"),
        random((61, 75), "uint8").astype(bool),
    ],
    ids=["big endian", "Fortran order", "float16", "bool"],
)
def test_arrays(run, x):
    reduce = "max" if x.dtype == bool else "avg"
    group = run(x, "--chunks", "8", "--reduce", reduce)
    x = x.astype(x.dtype.newbyteorder("="))
    check(group, x, reduce=reduce)


@pytest.mark.parametrize(
    ("names", "options", "axes", "order", "pooled"),
    [
        ("y,x,c", [], "cyx", (2, 0, 1), (1, 2)),
        ("y,x,c", ["--axes", "0,1"], "cyx", (2, 0, 1), (1, 2)),
        ("z,t,x", ["--axes", "x,z"], "tzx", (1, 0, 2), (1, 2)),
        ("z,y,x", ["--axes", "z,y,x"], "zyx", (0, 1, 2), (0, 1, 2)),
        ("a,b,c", ["--axes", "a,b", "--factor", "3,2"], "cab", (2, 0, 1), (1, 2)),
    ],
)
def test_axes_are_named_and_put_in_order(run, names, options, axes, order, pooled):
    x = random((20, 21, 3), "float32")
    group = run(x, "--axes-names", names, *options, levels=2)
    check(group, x.transpose(order), axes=pooled, factor=(3, 2) if "--factor" in options else 2)
    (multiscale,) = group.attrs["ome"]["multiscales"]
    assert "".join(axis["name"] for axis in multiscale["axes"]) == axes


# ------------------------------------------------------------------------------------- cut short


@pytest.mark.usefixtures("small_regions")
def test_a_region_is_done_when_all_its_files_are_on_the_disk(run, tmp_path, monkeypatch):
    on_disk, calls = set(), []
    monkeypatch.setattr(os, "fsync", lambda number: on_disk.add(os.fstat(number).st_ino))
    set_done = Unfinished.set_done

    def checked(self, region, coarse):
        files = {p.stat().st_ino for p in self.image.rglob("c/*/*") if p.is_file()}
        assert files
        assert files <= on_disk
        calls.append(region)
        set_done(self, region, coarse)

    monkeypatch.setattr(Unfinished, "set_done", checked)
    run(random((61, 75), "float32"), "--chunks", "16", "--threads", "1")
    assert len(calls) > 3


KILLED = """
import os, signal, sys
from adaptive_pool._cli import main, zarr_pyramid
from adaptive_pool._cli.unfinished import Unfinished
from adaptive_pool._cli.zarr_work import Work

zarr_pyramid._MEMORY = 3 * 2**12
write, count = Work._write, 0


def killed(self, *arguments):
    global count
    count += 1
    if count == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    return write(self, *arguments)


Work._write = killed
main(sys.argv[2:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are other ways to be killed")
@pytest.mark.parametrize("writes", [1, 2, 8, 20])
def test_a_run_that_was_killed_is_gone_on_with(run, tmp_path, monkeypatch, writes):
    x = random((61, 75), "float32")
    np.save(tmp_path / "x.npy", x)
    command = ["pyramid", "x.npy", "y.zarr", "--levels", "3", "--chunks", "8", "--threads", "2"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(writes), *command], cwd=tmp_path, check=False
    )
    assert done.returncode == -9
    left = tmp_path / "y.zarr.partial"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", left.name]
    kept = {int(path.stem) for path in (left / "done").glob("*.npz")}
    (left / "image.zarr/0/c/0/0.0123.partial").parent.mkdir(parents=True, exist_ok=True)
    (left / "image.zarr/0/c/0/0.0123.partial").touch()  # of a chunk that was being written
    seen = []
    make = Work.make_region
    monkeypatch.setattr(Work, "make_region", lambda self, k, n: seen.append(k) or make(self, k, n))
    check(run(tmp_path / "x.npy", "--chunks", "8", "--resume"), x)
    assert kept.isdisjoint(seen)
    assert sorted({*kept, *seen}) == list(range(len(kept) + len(seen)))
    assert bool(kept) == (writes > 4)
    assert not list((tmp_path / "y.zarr").rglob("*.partial"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.zarr"]


@pytest.mark.usefixtures("small_regions")
@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, " regions are done, and kept in "),
        (OSError("no space"), 2, "error: no space; what is done is kept in "),
    ],
    ids=["Ctrl-C", "a full disk"],
)
@pytest.mark.parametrize("options", [[], ["--dask"]], ids=["threads", "dask"])
def test_a_run_that_failed_is_gone_on_with(
    run, tmp_path, monkeypatch, capsys, error, status, message, options
):
    x = random((61, 75), "float32")
    make = Work.make_region

    def fail(self, region, threads):
        if region == 3:
            raise error
        make(self, region, threads)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "make_region", fail)
        run(x, "--chunks", "8", *options, status=status)
    said = capsys.readouterr().err
    assert message in said
    assert said.endswith("to go on, give --resume\n")
    source = tmp_path / "x.npy"
    run(source, "--chunks", "8", status=2)
    assert "is what an earlier run has left: go on with it, --resume" in capsys.readouterr().err
    run(source, "--chunks", "16", "--resume", status=2)
    assert "was begun with another chunks: delete it" in capsys.readouterr().err
    check(run(source, "--chunks", "8", "--resume", "--memory", "3"), x)


@pytest.mark.usefixtures("small_regions")
def test_another_input_is_not_gone_on_with(run, tmp_path, monkeypatch, capsys):
    x = random((61, 75), "uint16")
    with monkeypatch.context() as patch:
        patch.setattr(Work, "write_coarse_levels", lambda self: 1 / 0)
        run(x, "--chunks", "8", status=2)
    run(x + 1, "--chunks", "8", "--resume", status=2)
    assert "was begun with another state: delete it" in capsys.readouterr().err


def test_a_folder_without_a_plan_is_begun_again(run, tmp_path):
    (tmp_path / "y.zarr.partial/image.zarr").mkdir(parents=True)
    x = random((9, 9), "uint8")
    check(run(x, "--resume"), x)


def test_a_folder_of_others_is_not_deleted(run, tmp_path, capsys):
    file = tmp_path / "y.zarr.partial/important"
    file.parent.mkdir()
    file.touch()
    run(random((9, 9), "uint8"), "--resume", status=2)
    assert f"no run has left {file}: nothing is deleted" in capsys.readouterr().err
    assert file.exists()


@pytest.mark.parametrize("text", [None, "", "[]"], ids=["a file", "no plan", "another plan"])
def test_what_is_no_unfinished_run(run, tmp_path, capsys, text):
    folder = tmp_path / "y.zarr.partial"
    if text is None:
        folder.touch()
    else:
        folder.mkdir()
        (folder / "plan.json").write_text(text, "utf-8")
    run(random((9, 9), "uint8"), "--resume", status=2)
    assert f"error: cannot go on with {folder}: " in capsys.readouterr().err
    assert folder.exists()


def test_a_finished_image_that_was_deleted_is_made_again(run, tmp_path, monkeypatch):
    x = random((9, 9), "uint8")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda _: 1 / 0)  # as if killed then
        run(x, status=2)
    shutil.rmtree(tmp_path / "y.zarr")
    check(run(tmp_path / "x.npy", "--resume"), x)


def test_a_scale_beyond_all_floats(run, tmp_path):
    run(random((9, 9), "uint8"), "--factor", "9999999999", levels=60, status=2)
    assert not (tmp_path / "y.zarr.partial").exists()


def test_nothing_to_go_on_with(run):
    x = random((9, 9), "uint8")
    check(run(x, "--resume"), x)


# ---------------------------------------------------------------------------------- memory, Dask


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory")
def test_memory_does_not_grow_with_the_array(tmp_path):
    pages = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint16, (20_000, 10_000))
    del pages  # 400 MB of zeros, which take no room on the disk
    program = (
        "import sys, numpy, zarr; from adaptive_pool._cli import main\n"
        "most = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
        "before = most(); assert main(sys.argv[1:]) == 0; print((most() - before) * 1024)"
    )
    command = ["pyramid", "x.npy", "y.zarr", "--levels", "4", "--memory", "128", "--threads", "2"]
    done = subprocess.run(
        [sys.executable, "-c", program, *command],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    # 134 MB, and what threads and imports take the first time.
    assert int(done.stdout.splitlines()[-1]) < 200e6
    level = zarr.open_array(tmp_path / "y.zarr/4", mode="r")
    assert level.shape == (1250, 625)


@pytest.mark.usefixtures("small_regions")
def test_by_dask_in_threads(run):
    pytest.importorskip("dask", reason="runs the regions")
    x = random((61, 75), "float32")
    check(run(x, "--chunks", "8", "--dask"), x)


@pytest.mark.usefixtures("small_regions")
def test_by_the_workers_of_a_scheduler(run):
    distributed = pytest.importorskip("distributed", reason="runs the regions")
    x = random((61, 75), "float32")
    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0")
    with cluster:
        check(run(x, "--chunks", "8", "--scheduler", cluster.scheduler_address), x)


# ------------------------------------------------------------------------------------ what fails


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones((9, 9, 3)), [], "shape (9, 9, 3) is that of a picture with its channels last"),
        (np.ones(9), [], "an image has 2 to 5 axes, got 1"),
        (np.ones((0, 9)), [], "an image of shape (0, 9) has no pixels"),
        (np.ones((9, 9), complex), [], "dtype"),
        (np.ones((9, 9), bool), [], "averages of bool are no bool"),
        (np.ones((9, 9)), ["--axes", "z"], "there is no axis 'z', they are y,x"),
        (np.ones((9, 9)), ["--axes", "2"], "there is no axis 2, they are y,x"),
        (np.ones((9, 9)), ["--axes", "y,y"], "pooled axes must be different, got y,y"),
        (np.ones((9, 9)), ["--factor", "2,2,2"], "2 axes are pooled, got 3 factors"),
        (np.ones((9, 9)), ["--axes-names", "y"], "shape (9, 9) has as many axes, got names y"),
        (np.ones((9, 9)), ["--axes-names", "t,x"], "got t (time), x (space): name them"),
        (np.ones((9, 9, 9)), ["--axes-names", "x,y,x"], "all of different names"),
        (np.ones((9, 9)), ["--chunks", "1,2,3"], "--chunks are one number, or one for each of 2"),
        (np.ones((9, 9)), ["--chunks", "4", "--shards", "6"], "shards are made of whole chunks"),
        (np.ones((9, 9), np.uint8), ["--nodata", "300"], "nodata"),
        (np.ones((9, 9)), ["--gray"], "--gray is for pictures, and the output is a Zarr"),
        (np.ones((9, 9)), ["--alpha", "keep"], "--alpha is for pictures"),
        (np.ones((9, 9)), ["--levels", "64"], "levels must be 1 to 64"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else str(getattr(v, "shape", "")),
)
def test_what_does_not_fit_is_said_before_anything_is_written(
    run, tmp_path, capsys, x, options, message
):
    run(x, *options, status=2)
    said = capsys.readouterr().err
    assert said.startswith("adaptive-pool pyramid: error: ")
    assert message in said
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.npy", "No such file or directory"),
        ("absent.zarr", "no such file or folder"),
        ("x.png", "the input for a Zarr is a .npy file, a TIFF, or the folder of a Zarr"),
        ("text.tif", "not a TIFF file"),
        ("text.npy", "not the content of a .npy file"),
        ("folder", "there is no Zarr in this folder"),
        ("group.zarr", "this group is no OME-Zarr image: give the path of an array in it"),
    ],
)
def test_inputs_that_cannot_be_read(run, tmp_path, capsys, name, message):
    for file in ("x.png", "text.tif", "text.npy"):
        (tmp_path / file).write_text("text of some length")
    (tmp_path / "folder").mkdir()
    zarr.create_group(tmp_path / "group.zarr")
    run(tmp_path / name, status=2)
    said = capsys.readouterr().err
    assert f"cannot read {tmp_path / name}: " in said
    assert message in said
    assert not list(tmp_path.glob("y*"))


def test_chunks_that_cannot_be_read(run, tmp_path, capsys):
    zarr.create_array(tmp_path / "x.zarr", data=np.ones((9, 9)), chunks=(9, 5))
    (tmp_path / "x.zarr/c/0/0").write_bytes(b"no zstd")
    run(tmp_path / "x.zarr", status=2)
    assert f"cannot read {tmp_path / 'x.zarr'}: " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.zarr"]


def test_an_output_that_exists(run, tmp_path, capsys):
    (tmp_path / "y.zarr").mkdir()
    run(np.ones((9, 9)), status=2)
    assert "y.zarr exists: delete it first" in capsys.readouterr().err
    run(np.ones((9, 9)), output="absent/y.zarr", status=2)
    assert "the output must be in an existing folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "options", "extra"), [("zarr", [], "zarr"), ("dask", ["--dask"], "dask")]
)
def test_what_is_missing_is_named(run, monkeypatch, capsys, module, options, extra):
    for name in [*sys.modules]:
        if name.partition(".")[0] == module:
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)
    run(np.ones((9, 9)), *options, status=2)
    expected = f'{module} is not installed: pip install "adaptive-pool[{extra}]"'
    assert expected in capsys.readouterr().err
