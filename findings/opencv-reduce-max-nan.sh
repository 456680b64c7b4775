#!/bin/sh
# Guess: cv2.reduce with REDUCE_MAX treats NaN one way: it is kept, or it is passed by.
# True (opencv-python-headless 5.0.0.93): NaN, 1, 2 gives NaN and 1, NaN, 2 gives 2.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np

rows = np.array([[np.nan, 1, 2], [1, np.nan, 2]], np.float32)
seen = cv2.reduce(rows, 1, cv2.REDUCE_MAX).ravel()
print(seen)
assert np.isnan(seen[0])
assert seen[1] == 2
PROGRAM
