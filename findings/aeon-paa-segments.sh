#!/bin/sh
# Guess: PAA of 10 points in 4 segments has segments of 2.5 points, where a point on a border counts
# in part, as the method is defined.
# True (aeon 1.6.0): the segments are those of numpy.array_split, of 3, 3, 2 and 2 points, so that
# the squares of 0 to 9 give 1.67, 16.67, 42.5, 72.5 and not 1.2, 10.8, 34.2, 67.8. With more
# segments than points there is no error: 5, 6, 7 in 7 segments are 5, 6, 7, 0, 0, 0, 0.
. "$(dirname "$0")/_with.sh"
run_with aeon==1.6.0 numpy==2.3.5 <<'PROGRAM'
import numpy as np
from aeon.transformations.collection.dictionary_based import PAA


def paa(series, segments):
    return PAA(segments).fit_transform(np.array([[series]], float))[0, 0]


squares = np.arange(10.0) ** 2
seen = paa(squares, 4)
equal = np.repeat(squares, 4).reshape(4, 10).mean(axis=1)
short = paa([5, 6, 7], 7)
print(seen, equal, short)
assert np.allclose(seen, [part.mean() for part in np.array_split(squares, 4)])
assert np.allclose(equal, [1.2, 10.8, 34.2, 67.8])
assert short.tolist() == [5, 6, 7, 0, 0, 0, 0]
PROGRAM
