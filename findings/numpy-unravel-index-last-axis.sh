#!/bin/sh
# Guess: numpy.unravel_index of an array is that of its elements, whatever its shape.
# True (NumPy 2.3.5, 2.4.6; not 2.2.6): of more than 8192 elements whose last axis has length 1 many
# are wrong, without a word. Of shape (2, 5000, 1) and 3 x 4 places, 7082 of 20,000 numbers are.
. "$(dirname "$0")/_with.sh"
run_with numpy==2.4.6 <<'PROGRAM'
import numpy as np

flat = np.arange(10_000) % 12
rows, columns = np.unravel_index(flat.reshape(2, 5000, 1), (3, 4))
wrong = (rows.ravel() != flat // 4).sum() + (columns.ravel() != flat % 4).sum()
print(wrong, "of", 2 * flat.size)
assert wrong == 7082
for shape in ((10_000,), (2, 5000), (1, 10_000)):
    rows, columns = np.unravel_index(flat.reshape(shape), (3, 4))
    assert (rows.ravel() == flat // 4).all()
    assert (columns.ravel() == flat % 4).all()
PROGRAM
