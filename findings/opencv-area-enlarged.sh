#!/bin/sh
# Guess: INTER_AREA does not apply where a picture grows, so it is INTER_LINEAR then.
# True (opencv-python-headless 5.0.0.93): it weighs by area there too, so that whole factors repeat
# pixels: 0, 100 to 4 is 0, 0, 100, 100 (INTER_LINEAR: 0, 25, 75, 100), and to 3 it is 0, 50, 100.
# But where the border of a new pixel falls on that of an old one, it may take the pixel before: 0,
# 10, 20, ... of length 14, made 18 long, has 60 twice and no 70. Of the 15,250 pairs of lengths up
# to 100, up to four times as long, 764 have such a pixel.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np


def resize(row, length, how=cv2.INTER_AREA):
    return cv2.resize(np.array([row], np.float32), (length, 1), interpolation=how)[0]


def by_area(row, length):
    old, new = np.arange(len(row)), np.arange(length)[:, np.newaxis]
    ends = np.minimum((new + 1) * len(row), (old + 1) * length)
    return np.maximum(ends - np.maximum(new * len(row), old * length), 0) @ row / len(row)


four = resize([0, 100], 4).tolist(), resize([0, 100], 4, cv2.INTER_LINEAR).tolist()
three = resize([0, 100], 3).tolist()
row = 10 * np.arange(14)
seen, exact = resize(row, 18), by_area(row, 18)
wrong = np.flatnonzero(abs(seen - exact) > 0.01)
pairs = [(old, new) for old in range(1, 101) for new in range(old, 4 * old + 1)]
off = sum(
    abs(resize(np.arange(old), new) - by_area(np.arange(old), new)).max() > 0.01
    for old, new in pairs
)
print(four, three, seen.round(2).tolist(), exact[wrong], int(off), len(pairs))
assert four == ([0, 0, 100, 100], [0, 25, 75, 100])
assert three == [0, 50, 100]
assert (seen[wrong].tolist(), exact[wrong].tolist()) == ([60], [70])
assert (off, len(pairs)) == (764, 15250)
PROGRAM
