#!/bin/sh
# Guess: the mean of bytes is rounded one way in SimpleITK, whether the picture is smoothed (Mean)
# or shrunk (BinShrink).
# True (SimpleITK 2.5.7): Mean cuts off, so that 1, 2, 2 gives 1; BinShrink rounds halves up, so
# that 1, 2 gives 2.
. "$(dirname "$0")/_with.sh"
run_with SimpleITK==2.5.7 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import SimpleITK as sitk


def run(filter_, row, *arguments):
    image = sitk.GetImageFromArray(np.array([row], np.uint8))
    return sitk.GetArrayFromImage(filter_(image, *arguments))[0].tolist()


smooth = run(sitk.Mean, [1, 2, 2], [1, 0])
shrunk = run(sitk.BinShrink, [1, 2, 1, 2], [2, 1])
print(smooth, shrunk)
assert smooth[1] == 1
assert shrunk == [2, 2]
PROGRAM
