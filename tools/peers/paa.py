"""Piecewise aggregate approximation: tslearn, pyts, aeon, sktime and saxpy."""

from importlib.metadata import version

import numpy as np
from aeon.transformations.collection.dictionary_based import PAA as AeonPAA
from pyts.approximation import PiecewiseAggregateApproximation as PytsPAA
from saxpy.paa import paa
from sktime.transformations.paa import PAA as SktimePAA
from tslearn.piecewise import PiecewiseAggregateApproximation as TslearnPAA

import adaptive_pool as ap

from .figures import Claims, by_area

REQUIRES = (
    "tslearn==0.10.0",
    "pyts==0.14.1",
    "aeon==1.6.0",
    "sktime==1.2.0",
    "saxpy==2.0.1",
    "numpy==2.3.5",
)


def tslearn(x, count):
    """Return the means of segments, by tslearn."""
    return TslearnPAA(count).fit_transform(x[..., np.newaxis])[..., 0]


def pyts(x, count, *, overlapping=True):
    """Return the means of segments, by pyts."""
    how = {"window_size": None, "output_size": count, "overlapping": overlapping}
    return PytsPAA(**how).transform(x)


def aeon(x, count):
    """Return the means of segments, by aeon."""
    return AeonPAA(count).fit_transform(x[:, np.newaxis])[:, 0]


def sktime(x, count):
    """Return the means of segments, by sktime."""
    return np.stack([SktimePAA(frames=count).fit_transform(row).ravel() for row in x])


def saxpy(x, count):
    """Return the means of segments, by saxpy."""
    return np.stack([paa(row, count) for row in x])


def claims() -> Claims:
    """Yield the statements of the page."""
    seen = [version(name.partition("==")[0]) for name in REQUIRES[:-1]]
    text = "Run with tslearn 0.10.0, pyts 0.14.1, aeon 1.6.0, sktime 1.2.0 and saxpy 2.0.1"
    yield text, seen == [name.partition("==")[2] for name in REQUIRES[:-1]], seen

    x = np.random.default_rng(0).standard_normal((50, 150)).cumsum(axis=1)
    dropped = x[:, :120].reshape(50, 40, 3).mean(2)
    seen = float(np.abs(tslearn(x, 40) - dropped).max())
    text = "`ap.adaptive_avg_pool1d(x[:, : n // k * k], k)` | what is left over is dropped |"
    yield text, seen < 1e-12, seen
    seen = float(np.abs(aeon(x, 40) - ap.adaptive_avg_pool1d(x, 40, windows="split")).max())
    yield '`ap.adaptive_avg_pool1d(x, k, windows="split")` | off by rounding |', seen < 1e-12, seen
    ours = ap.adaptive_avg_pool1d(x, 40, windows="area")
    exact = by_area(x, (50, 40)) / 7500
    seen = [float(np.abs(each(x, 40) - exact).max()) for each in (sktime, saxpy)]
    seen.append(float(np.abs(ours - exact).max()))
    yield (
        '`ap.adaptive_avg_pool1d(x, k, windows="area")` | off by rounding |',
        max(seen) < 1e-12,
        seen,
    )
    ten = np.arange(10.0)[np.newaxis] ** 2
    seen = pyts(ten, 4).round(2).tolist(), pyts(ten, 4, overlapping=False).round(2).tolist()
    windows = [(np.array([0, 3, 5, 7]), np.array([3, 6, 8, 10]))]
    same = np.allclose(pyts(ten, 4), ap.adaptive_avg_pool1d(ten, None, windows=windows))
    windows = [(np.array([0, 2, 5, 7]), np.array([2, 5, 7, 10]))]
    other = pyts(ten, 4, overlapping=False)
    same &= np.allclose(other, ap.adaptive_avg_pool1d(ten, None, windows=windows))
    text = "10 points in 4 are 0:3, 3:6, 5:8, 7:10 there, or 0:2, 2:5, 5:7, 7:10"
    yield text, same, seen
    seen = aeon(np.array([[5.0, 6, 7]]), 7).tolist()
    text = "More segments than points give the points and then zeros in aeon"
    yield text, seen == [[5, 6, 7, 0, 0, 0, 0]], seen
