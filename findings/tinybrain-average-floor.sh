#!/bin/sh
# Guess: downsample_with_averaging rounds means of integers to the nearest, level by level.
# True (tinybrain 1.7.0): it drops the fraction, of the mean of the whole block at each level. Means
# are never above the exact one, and half a level too low on average.
. "$(dirname "$0")/_with.sh"
run_with tinybrain==1.7.0 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import tinybrain

x = np.random.default_rng(0).integers(0, 65536, (64, 64, 1, 1)).astype(np.uint16)
x = np.asfortranarray(x)
levels = tinybrain.downsample_with_averaging(x, (2, 2, 1), num_mips=3)
for level, y in enumerate(levels, 1):
    block = 2**level
    exact = x[:, :, 0, 0].reshape(64 // block, block, 64 // block, block).mean((1, 3))
    print(f"level {level}: floor {np.array_equal(y[:, :, 0, 0], np.floor(exact))}, "
          f"too low by {(exact - y[:, :, 0, 0]).mean():.2f}")
    assert np.array_equal(y[:, :, 0, 0], np.floor(exact))
    assert not np.array_equal(y[:, :, 0, 0], np.rint(exact))
PROGRAM
