#!/bin/sh
# Guess: the mean of an item of a jagged float16 tensor is as safe as that of a plain tensor, which
# is summed in float32.
# True (PyTorch 2.13.0, CPU): over the ragged axis it is the sum, rounded to float16, divided by the
# length: 5,000 times 60 has the mean inf, where the plain tensor of the same numbers has 60. In
# bfloat16 it is rounded twice, to 59.75.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import warnings

import torch

warnings.filterwarnings("ignore")
means = {}
for dtype in (torch.float16, torch.bfloat16):
    item = torch.full((5000, 1), 60.0, dtype=dtype)
    jagged = torch.nested.nested_tensor([item], layout=torch.jagged)
    means[dtype] = item.mean(0).item(), jagged.mean(dim=1).item()
    print(dtype, "plain and jagged:", means[dtype])
assert means[torch.float16] == (60.0, float("inf"))
assert means[torch.bfloat16] == (60.0, 59.75)
PROGRAM
