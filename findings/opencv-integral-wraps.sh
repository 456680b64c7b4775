#!/bin/sh
# Guess: cv2.integral of a large picture of bytes is right, for sums are made in a type that is wide
# enough.
# True (opencv-python-headless 5.0.0.93): sums are int32, so that 5000 by 5000 pixels of 255 have
# the sum 2080032704 instead of 6375000000.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np

seen = cv2.integral(np.full((5000, 5000), 255, np.uint8))[-1, -1]
print(seen, "instead of", 5000 * 5000 * 255)
assert seen == 2080032704
PROGRAM
