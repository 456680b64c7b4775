#!/bin/sh
# Guess: numbagg.group_nanmean of float32 ones is 1 however many they are, as numbagg.nanmean says.
# True (numbagg 0.9.6, NumPy 2.4.6): of 20,971,520 ones in one group it is 0.8. The sum of a group is
# kept in float32 and stays at 16,777,216, while all elements are counted; nanmean is right.
. "$(dirname "$0")/_with.sh"
run_with numbagg==0.9.6 numpy==2.4.6 <<'PROGRAM'
import numbagg
import numpy as np

ones = np.ones(2**24 + 2**22, np.float32)
group = numbagg.group_nanmean(ones, np.zeros(ones.size, np.int64))
print(group, numbagg.nanmean(ones))
assert f"{group[0]:.4f}" == "0.8000"
assert numbagg.nanmean(ones) == 1
PROGRAM
