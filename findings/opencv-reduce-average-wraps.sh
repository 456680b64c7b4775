#!/bin/sh
# Guess: cv2.reduce with REDUCE_AVG and a float result adds in floats, or in integers that are wide
# enough.
# True (opencv-python-headless 5.0.0.93): uint16 is added in int32 for float32 results, which wraps
# from 32,769 rows of 65535 on; the mean of 40,000 of them is -41839.18. For float64 results it is
# right. uint8 wraps for both, from 8.4 million rows on.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np

words = np.full((40_000, 1), 65535, np.uint16)
narrow = cv2.reduce(words, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).item()
wide = cv2.reduce(words, 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F).item()
bytes_ = cv2.reduce(np.full((9_000_000, 1), 255, np.uint8), 0, cv2.REDUCE_AVG, dtype=cv2.CV_64F)
print(narrow, wide, bytes_.item())
assert round(narrow, 2) == -41839.18
assert wide == 65535
assert bytes_.item() < 0
PROGRAM
