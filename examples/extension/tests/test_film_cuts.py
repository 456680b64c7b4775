import threading

import numpy as np
import pytest
from film_cuts import first_cut, grey_of

import adaptive_pool as ap


@pytest.fixture
def film():
    """Twenty frames of noise, brighter from the twelfth on."""
    film = np.random.default_rng(0).random((20, 3, 45, 61), np.float32)
    film[12:] += 0.5
    return film


def test_the_cut_is_found(film):
    assert first_cut(film, 0.3) == 12


@pytest.mark.parametrize("grid", [1, 6, 45])
@pytest.mark.parametrize("threshold", [0.01, 0.1, 0.3, 2.0])
def test_the_same_in_python(film, threshold, grid):
    grids = ap.adaptive_avg_pool2d(film, grid).astype(np.float64)
    differences = np.abs(np.diff(grids, axis=0)).max((1, 2, 3))
    cuts = np.flatnonzero(differences > threshold) + 1
    assert first_cut(film, threshold, grid) == (cuts[0] if cuts.size else len(film))


def test_no_frames(film):
    assert first_cut(film[:0], 0.3) == 0


def test_what_is_refused_says_why(film):
    with pytest.raises(ValueError, match="adaptive_avg_pool2d: no length may be negative"):
        first_cut(film, 0.3, -3)


def test_films_in_several_threads(film):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(first_cut(film, 0.3))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [12] * 8


def test_grey():
    assert grey_of(bytes([0, 1, 2, 5])) == 2
    with pytest.raises(ValueError, match="a pooled axis of x is empty"):
        grey_of(b"")
