#!/bin/sh
# Guess: torch.segment_reduce(..., "mean") is as safe as tensor.mean(), whose halves are summed in
# float32 and whose float32 is summed in blocks.
# True (PyTorch 2.13.0, CPU): it adds element after element in the type of the tensor. Of 5,000
# times 60 the mean is inf in float16 and 3.28 in bfloat16; of a million times 0.1 in float32 it is
# 0.10096.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import math
import warnings

import torch

warnings.filterwarnings("ignore")


def means(value, count, dtype):
    x = torch.full((count, 1), value, dtype=dtype)
    segments = torch.segment_reduce(x, "mean", lengths=torch.tensor([count]), axis=0)
    print(dtype, "plain", x.mean(0).item(), "as a segment", segments.item())
    return x.mean(0).item(), segments.item()


assert means(60.0, 5000, torch.float16) == (60.0, math.inf)
plain, segment = means(60.0, 5000, torch.bfloat16)
assert plain == 60.0
assert segment < 4
plain, segment = means(0.1, 1_000_000, torch.float32)
assert abs(plain - 0.1) < 1e-6
assert abs(segment - 0.1) > 0.0005
PROGRAM
