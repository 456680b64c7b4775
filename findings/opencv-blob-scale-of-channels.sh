#!/bin/sh
# Guess: blobFromImages takes a scale for each channel, as it takes a mean for each channel.
# True (OpenCV 5.0.0.93): the scale must be one number; a tuple raises. Only
# blobFromImagesWithParams divides each channel by a deviation of its own.
. "$(dirname "$0")/_with.sh"
run_with opencv-python-headless==5.0.0.93 numpy==2.4.6 <<'PROGRAM'
import cv2
import numpy as np

picture = np.full((2, 2, 3), 100, np.uint8)
print("a mean for each channel:", cv2.dnn.blobFromImages([picture], 1.0, mean=(1, 2, 3))[0, :, 0, 0])
try:
    cv2.dnn.blobFromImages([picture], (0.1, 0.2, 0.3), mean=(1, 2, 3))
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[-1][:90])
else:
    raise AssertionError("it takes one now")
params = cv2.dnn.Image2BlobParams()
params.scalefactor = (0.1, 0.2, 0.3)
print("by parameters:", cv2.dnn.blobFromImagesWithParams([picture], params)[0, :, 0, 0])
assert np.allclose(cv2.dnn.blobFromImagesWithParams([picture], params)[0, :, 0, 0], [10, 20, 30])
PROGRAM
