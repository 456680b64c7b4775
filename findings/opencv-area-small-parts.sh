#!/bin/sh
# Guess: resize with INTER_AREA keeps a picture of one colour as it is, and float32 ones are 1 within
# an ulp or two.
# True (opencv-python-headless 5.0.0.93): parts of pixels smaller than 0.001 are left out, and the
# other weights stay as they are. Of a row of ones, 1080 to 1079, the first and the last become
# 0.99907, and a white picture, 1003 x 1003 to 1001 x 1001, gets a row and a column of 254.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np

ones = cv2.resize(np.ones((1, 1080), np.float32), (1079, 1), interpolation=cv2.INTER_AREA)[0]
less = np.flatnonzero(abs(ones - 1) > 1e-4).tolist()
white = np.full((1003, 1003), 255, np.uint8)
small = cv2.resize(white, (1001, 1001), interpolation=cv2.INTER_AREA)
grey = np.argwhere(small != 255)
print(less, ones[less], np.unique(small), len(grey))
assert less == [0, 1078]
assert abs(ones[less] - 0.99907).max() < 1e-5
assert np.unique(small).tolist() == [254, 255]
assert len(grey) == 2001 and ((grey == 500).any(axis=1)).all()
PROGRAM
