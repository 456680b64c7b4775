#!/bin/sh
# Guess: saving the means 1, NaN, 3, 300 as an int16 NIfTI gives 1, 3 and 300 back, and fails or
# warns for NaN.
# True (nibabel 5.4.2): the values are scaled to fill 16 bits, so that 1 comes back as 0.998, and
# NaN comes back as 0, without a word.
. "$(dirname "$0")/_with.sh"
run_with nibabel==5.4.2 numpy==2.4.6 <<'PROGRAM'
import warnings

import nibabel
import numpy as np

warnings.simplefilter("error")
image = nibabel.Nifti1Image(np.array([[[1, np.nan, 3, 300]]]), np.eye(4))
image.set_data_dtype(np.int16)
seen = nibabel.Nifti1Image.from_bytes(image.to_bytes()).get_fdata()[0, 0]
print(seen)
assert seen[1] == 0
assert f"{seen[0]:.3f}" == "0.998"
PROGRAM
