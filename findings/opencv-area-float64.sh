#!/bin/sh
# Guess: INTER_AREA of float64 is as exact as float64, 1e-15 or so.
# True (opencv-python-headless 5.0.0.93): its weights are float32. Blocks of 3 x 3 elements of 0.1
# are off by 7e-9, windows that cut elements by 6e-8, and a mean of 16777217 is 16777216.625. Blocks
# of 2 x 2 are exact.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np


def error(size, out):
    means = cv2.resize(np.full(size, 0.1), (out, out), interpolation=cv2.INTER_AREA)
    return float(abs(means - 0.1).max() / 0.1)


errors = error((4, 4), 2), error((6, 6), 2), error((9, 7), 3)
large = float(cv2.resize(np.full((10, 10), 2.0**24 + 1), (2, 2), interpolation=cv2.INTER_AREA)[0, 0])
print(errors, large)
assert errors[0] == 0
assert 5e-9 < errors[1] < 1e-8
assert 5e-8 < errors[2] < 7e-8
assert abs(large - 16777216.625) < 1e-6
PROGRAM
