"""Multiscale pyramids: each level is made of the first, block by block."""

from fractions import Fraction

import numpy as np
import pytest
from cases import DTYPES, random_array, strided

import adaptive_pool as ap
from adaptive_pool import _together


@pytest.fixture(autouse=True, params=[False, True], ids=["calls", "one-read"])
def one_read(request, monkeypatch):
    """Small arrays are pooled by a call for each result, unless they are read once, too."""
    if request.param:
        monkeypatch.setattr(_together, "_SMALL", -1)


def blocks_of(x, axes, factors, level):
    """The elements of each block, with the place of that block."""
    steps = [1] * x.ndim
    for axis, factor in zip(axes, factors, strict=True):
        steps[axis] = factor**level
    shape = [-(-size // step) for size, step in zip(x.shape, steps, strict=True)]
    for place in np.ndindex(*shape):
        cut = [slice(k * step, (k + 1) * step) for k, step in zip(place, steps, strict=True)]
        yield place, x[tuple(cut)]


def rounded_mean(block):
    return round(Fraction(int(sum(map(int, block.ravel()))), block.size))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "int64", "uint64"])
@pytest.mark.parametrize(
    ("axes", "factor"), [((1, 2), 2), ((0, 2), (3, 2)), ((2,), 5), ((0, 1, 2), (1, 2, 3))]
)
def test_levels_of_integers_are_rounded_once(rng, dtype, axes, factor):
    x = random_array(rng, (5, 13, 11), dtype)
    factors = (factor,) * len(axes) if isinstance(factor, int) else factor
    levels = ap.pyramid(x, 4, axes=axes, factor=factor)
    assert levels[0] is x
    for level, y in enumerate(levels[1:], 1):
        assert y.dtype == x.dtype
        assert y.flags.c_contiguous
        for place, block in blocks_of(x, axes, factors, level):
            assert y[place] == rounded_mean(block)


@pytest.mark.parametrize("reduce", ["avg", "max"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threads", [1, 3])
def test_each_level_is_that_of_one_call(rng, dtype, reduce, threads):
    if dtype == "bool" and reduce == "avg":
        return
    x = random_array(rng, (3, 70, 90), dtype)
    pool = ap.adaptive_avg_pool2d if reduce == "avg" else ap.adaptive_max_pool2d
    options = {"dtype": x.dtype} if reduce == "avg" else {}
    for given in (x, strided(x), x[:, ::-1]):
        levels = ap.pyramid(given, 5, reduce=reduce, num_threads=threads)
        for level, y in enumerate(levels[1:], 1):
            windows = [ap.block_windows(size, 2**level) for size in (70, 90)]
            expected = pool(given, None, windows=windows, **options)
            assert (y.shape, y.dtype, y.tobytes()) == (
                expected.shape, expected.dtype, expected.tobytes(),
            )  # fmt: skip


def test_channels_last_and_other_axes(rng):
    x = random_array(rng, (4, 21, 30, 3), "uint8")
    moved = np.moveaxis(x, -1, 1)
    for reduce in ("avg", "max"):
        levels = ap.pyramid(x, 4, axes=(1, 2), reduce=reduce)
        expected = ap.pyramid(moved, 4, reduce=reduce)
        for y, z in zip(levels, expected, strict=True):
            assert (y == np.moveaxis(z, 1, -1)).all()
        swapped = ap.pyramid(x, 4, axes=(-2, -3), reduce=reduce)
        assert all((y == z).all() for y, z in zip(levels, swapped, strict=True))
    for axes, factor in (((0, 2), (2, 3)), ((2, 0), (3, 2))):
        y = ap.pyramid(x, 2, axes=axes, factor=factor)[1]
        assert y.shape == (2, 21, 10, 3)
        assert y[0, 5, 1, 2] == rounded_mean(x[:2, 5, 3:6, 2])


@pytest.mark.parametrize("reduce", ["avg", "max"])
def test_what_counts(rng, reduce):
    x = random_array(rng, (2, 17, 15), "int16")
    x[rng.random(x.shape) < 0.5] = -999
    x[0, :8] = -999
    mask = rng.random((17, 15)) < 0.9
    levels = ap.pyramid(x, 4, reduce=reduce, nodata=-999, where=mask)
    pool = ap.adaptive_avg_pool2d if reduce == "avg" else ap.adaptive_max_pool2d
    options = {"dtype": np.int16} if reduce == "avg" else {}
    for level, y in enumerate(levels[1:], 1):
        windows = [ap.block_windows(size, 2**level) for size in (17, 15)]
        expected = pool(x, None, windows=windows, nodata=-999, where=mask, empty=-999, **options)
        assert (y == expected).all()
    assert (levels[3][0, 0] == -999).all()
    z = np.where(x == -999, np.nan, x.astype(np.float32))
    for y in ap.pyramid(z, 3, reduce=reduce, nan_policy="omit")[1:]:
        assert np.isnan(y[0, 0]).all()
        assert not np.isnan(y[1]).all()
    along = ap.pyramid(x.T, 4, axes=(0, 1), reduce=reduce, nodata=-999, where=mask.T[..., None])
    assert all((y == z.T).all() for y, z in zip(levels, along, strict=True))


def test_sizes_that_run_out():
    x = np.arange(5.0)
    levels = ap.pyramid(x, 64, axes=0)
    assert [y.shape[0] for y in levels[:5]] == [5, 3, 2, 1, 1]
    assert (levels[1] == [0.5, 2.5, 4]).all()
    assert all(y == [2] for y in levels[3:])
    assert [y.shape for y in ap.pyramid(np.zeros((0, 4)), 3)] == [(0, 4), (0, 2), (0, 1)]
    assert ap.pyramid([1, 2, 3], 1, axes=0)[0].tolist() == [1, 2, 3]


def test_chained_rounding_differs(rng):
    """Why each level is made of the first."""
    x = rng.integers(0, 256, (256, 256), dtype=np.uint8)
    levels = ap.pyramid(x, 4)
    chained = x
    for _ in range(3):
        chained = ap.pyramid(chained, 2)[1]
    assert (chained != levels[3]).mean() > 0.1


def test_factors_of_any_size():
    x = np.arange(12.0).reshape(3, 4)
    for factor in (10**30, np.int64(2**62), (2**62, 2**63 - 1)):
        if factor == 10**30:
            with pytest.raises(ValueError, match=r"pyramid: factor is too large to address"):
                ap.pyramid(x, 64, factor=factor)
            continue
        levels = ap.pyramid(x, 64, factor=factor)
        assert [y.item() for y in levels[1:]] == [5.5] * 63
    assert ap.pyramid(x, 2, factor=np.array(2))[1].shape == (2, 2)
    assert ap.pyramid(x, 2, factor=np.array([1, 2]), axes=np.array([0, 1]))[1].shape == (3, 2)


def test_bad_arguments(rng):
    x = np.zeros((4, 6, 6), np.uint8)
    for levels in (0, 65):
        with pytest.raises(ValueError, match=f"pyramid: levels must be 1 to 64, got {levels}"):
            ap.pyramid(x, levels)
    with pytest.raises(TypeError, match=r"pyramid: levels must be an integer, got float"):
        ap.pyramid(x, 2.0)
    with pytest.raises(ValueError, match=r"pyramid: axes must be 1 to 3 axes, got \(\)"):
        ap.pyramid(x, 2, axes=())
    with pytest.raises(ValueError, match=r"pyramid: axes must be different, got \(1, -2\)"):
        ap.pyramid(x, 2, axes=(1, -2))
    with pytest.raises(ValueError, match=r"pyramid: x has 3 axes, got axes \(0, 3\)"):
        ap.pyramid(x, 2, axes=(0, 3))
    with pytest.raises(TypeError, match=r"pyramid: axes must be integers"):
        ap.pyramid(x, 2, axes="ab")
    for factor in (0, (2, 0), (2, 2, 2), ()):
        with pytest.raises(ValueError, match=r"pyramid: factor must be an int from 1 on, or one"):
            ap.pyramid(x, 2, factor=factor)
    with pytest.raises(ValueError, match=r"pyramid: reduce must be 'avg' or 'max', got 'mode'"):
        ap.pyramid(x, 2, reduce="mode")
    with pytest.raises(TypeError, match=r"pyramid: averages of bool are no bool"):
        ap.pyramid(x.astype(bool), 2)
    with pytest.raises(ValueError, match=r"pyramid: .* empty"):
        ap.pyramid(x, 2, where=np.zeros((6, 6), bool))
    with pytest.raises(TypeError, match=r"pyramid: axes must be integers, got the bool True"):
        ap.pyramid(x, 2, axes=True)
    with pytest.raises(ValueError, match=r"pyramid: no uint8 is nodata 300"):
        ap.pyramid(x, 2, nodata=300)
    long = np.broadcast_to(np.uint8(1), (2**62 + 1,))
    with pytest.raises(
        ValueError, match=r"pyramid: pooled axes must have at most 2\*\*62 elements"
    ):
        ap.pyramid(long, 2, axes=0)
    with pytest.raises(TypeError, match=r"pyramid: num_threads must be an integer, got str"):
        ap.pyramid(x, 1, num_threads="b")
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'lengths'"):
        ap.pyramid(x, 2, lengths=[1])
