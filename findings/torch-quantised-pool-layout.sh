#!/bin/sh
# Guess: adaptive_avg_pool2d of a quantised tensor gives the same integers however memory lies.
# True (PyTorch 2.13.0, x86-64): of planes of 10 x 10, pooled to 7 x 7, some means that are halves
# are one less if the tensor is channels last. And with the qnnpack engine, halves are rounded to
# even of q - zero_point, so that an odd zero point turns them: 0 and 1 become 1, not 0.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")


def pool(x, size, zero_point, layout, engine):
    torch.backends.quantized.engine = engine
    q = torch._make_per_tensor_quantized_tensor(torch.from_numpy(x), 0.05, zero_point)
    y = torch.nn.functional.adaptive_avg_pool2d(q.contiguous(memory_format=layout), size)
    return y.int_repr().numpy().astype(int)


x = np.random.default_rng(0).integers(0, 256, (2, 64, 10, 10)).astype(np.uint8)
plain = pool(x, 7, 128, torch.contiguous_format, "fbgemm")
last = pool(x, 7, 128, torch.channels_last, "fbgemm")
print(np.count_nonzero(plain != last), "of", plain.size, "differ, by", np.unique(last - plain))
assert (plain != last).any()
assert np.abs(last - plain).max() == 1
x = np.array([[[[0, 1]]]], np.uint8)
halves = [pool(x, 1, 3, torch.contiguous_format, engine).item() for engine in ("fbgemm", "qnnpack")]
print("the mean of 0 and 1:", halves)
assert halves == [0, 1]
PROGRAM
