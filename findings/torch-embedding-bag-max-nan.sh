#!/bin/sh
# Guess: embedding_bag(..., mode="max") gives NaN for a bag with a NaN, as torch.max does.
# True (PyTorch 2.13.0, CPU): only if the NaN comes first in the bag. Behind a number it is passed
# over, so the same rows in another order have another maximum. An empty bag has 0.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import math
import warnings

import torch

warnings.filterwarnings("ignore")
rows = torch.tensor([[1.0], [math.nan], [3.0]])
bags = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 2, 4])
maxima = torch.nn.functional.embedding_bag(bags[0], rows, bags[1], mode="max").flatten().tolist()
print("1 then NaN, NaN then 1, nothing:", maxima)
assert maxima[0] == 1.0
assert math.isnan(maxima[1])
assert maxima[2] == 0.0
assert math.isnan(rows.max().item())
PROGRAM
