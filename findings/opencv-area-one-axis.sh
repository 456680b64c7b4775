#!/bin/sh
# Guess: resize with INTER_AREA averages along the axis that shrinks, whatever the other axis does.
# True (opencv-python-headless 5.0.0.93): if the other axis grows, only the first two elements of
# each block count, so that 0, 10, 20, 90 gives 7.5 and not 30.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np

x = np.array([[0, 10, 20, 90, 0, 0, 100, 100]] * 2, np.float32)
both = cv2.resize(x, (2, 2), interpolation=cv2.INTER_AREA)[0].tolist()
one = cv2.resize(x, (2, 4), interpolation=cv2.INTER_AREA)[0].tolist()
print(both, one)
assert both == [30, 50]
assert one == [7.5, 0]
PROGRAM
