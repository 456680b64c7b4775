#!/bin/sh
# Guess: ak.max and ak.argmax propagate NaN, as numpy.max and numpy.argmax do.
# True (Awkward Array 2.8.9): ak.max passes over NaN, and a list that has nothing else has the
# maximum -inf. ak.argmax stays at a NaN that comes first: NaN, 2 has the maximum 2 at position 0.
. "$(dirname "$0")/_with.sh"
run_with awkward==2.8.9 awkward-cpp==50 numpy==2.4.6 <<'PROGRAM'
import awkward as ak
import numpy as np

lists = ak.Array([[1.0, np.nan, 3.0], [np.nan, 2.0], [np.nan]])
maxima, places = ak.max(lists, axis=-1).to_list(), ak.argmax(lists, axis=-1).to_list()
print("maxima", maxima, "at", places, "NumPy:", np.max([1.0, np.nan, 3.0]))
assert maxima == [3.0, 2.0, -np.inf]
assert places == [2, 0, 0]
assert np.isnan(np.max([1.0, np.nan, 3.0]))
PROGRAM
