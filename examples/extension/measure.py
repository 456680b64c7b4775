"""What a frame of (16, 6, 6) takes: in the loop of the extension, and by the Python function."""

import statistics
import time

import numpy as np
from film_cuts import first_cut

import adaptive_pool as ap


def in_python(film, _, grid):
    for frame in film:
        ap.adaptive_avg_pool2d(frame, grid)


def microseconds(function, film, grid):
    begin = time.perf_counter()
    function(film, 2.0, grid)
    return (time.perf_counter() - begin) * 1e6 / len(film)


def main(rounds=31):
    film = np.random.default_rng(0).random((2000, 16, 6, 6), np.float32)
    print("us for a frame of (16, 6, 6)   extension   Python function   ratio")
    for grid in (1, 2, 3):
        pairs = [
            (microseconds(first_cut, film, grid), microseconds(in_python, film, grid))
            for _ in range(rounds)
        ]
        ours, python = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(p / c for c, p in pairs)
        print(f"to ({grid}, {grid}){ours:31.2f}{python:18.2f}{ratio:8.1f}")


if __name__ == "__main__":
    main()
