#!/bin/sh
# Guess: storing floats in an h5py dataset of bytes wraps round as astype does (300 becomes 44), or
# raises OverflowError.
# True (h5py 3.16.0): numbers are cut off and held at the ends, so that 300 becomes 255 and -5.5
# becomes 0; the mask of a MaskedArray is dropped without a word.
. "$(dirname "$0")/_with.sh"
run_with h5py==3.16.0 numpy==2.4.6 <<'PROGRAM'
import h5py
import numpy as np

with h5py.File("a.h5", "w", driver="core", backing_store=False) as file:
    seen = file.create_dataset("a", data=np.array([300, -5.5, 2.9]), dtype="u1")[:]
    file["b"] = np.ma.masked_array([1.0, 99.0, 3.0], [False, True, False])
    unmasked = file["b"][:]
print(seen, unmasked)
assert seen.tolist() == [255, 0, 2]
assert unmasked.tolist() == [1, 99, 3]
PROGRAM
