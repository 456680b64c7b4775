#!/bin/sh
# Guess: scipy.ndimage.minimum and maximum of labelled regions propagate NaN, as they do without
# labels, and a label without elements is an error or NaN.
# True (SciPy 1.17.1): with labels maximum gives NaN, and minimum passes over it. A label that no
# element has gives 0, of which nothing tells that it is no value.
. "$(dirname "$0")/_with.sh"
run_with scipy==1.17.1 numpy==2.4.6 <<'PROGRAM'
import numpy as np
from scipy import ndimage

x, labels = np.array([1.0, np.nan, 3.0]), np.array([1, 1, 1])
with_labels = ndimage.minimum(x, labels, [1])[0], ndimage.maximum(x, labels, [1])[0]
without = ndimage.minimum(x), ndimage.maximum(x)
print("least and largest with labels", with_labels, "and without", without)
assert with_labels[0] == 1.0
assert np.isnan(with_labels[1])
assert np.isnan(without).all()
absent = ndimage.maximum(np.array([-3.0, -4.0]), np.array([1, 1]), [1, 7])
print("labels 1 and 7, which nothing has:", absent)
assert list(absent) == [-3.0, 0.0]
PROGRAM
