#!/bin/sh
# Guess: a lazily negated tensor, such as the imaginary part of a conjugate, is refused by
# numpy.from_dlpack as it is by .numpy(), or arrives as the numbers that it stands for.
# True (torch 2.13.0, NumPy 2.4.6): it arrives with the other sign, in NumPy and in PyTorch itself.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import numpy as np
import torch

x = torch.complex(torch.ones(2), torch.full((2,), 2.0)).conj().imag
seen = np.from_dlpack(x)
print(x.tolist(), "became", seen.tolist())
assert x.tolist() == [-2, -2]
assert seen.tolist() == torch.from_dlpack(x).tolist() == [2, 2]
try:
    x.numpy()
except RuntimeError as error:
    assert "negative bit" in str(error)
else:
    raise AssertionError("it was read")
PROGRAM
