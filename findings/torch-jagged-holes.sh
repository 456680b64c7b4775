#!/bin/sh
# Guess: the items of a jagged tensor are its values cut at its offsets.
# True (PyTorch 2.13.0): not where torch.nested.narrow() has made it of a padded batch. Its values
# are then all of the batch, padding included; its offsets are where items start, but none is where
# an item ends, except the last one; the lengths are apart, in lengths(), which is None for others.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import warnings

import torch

warnings.filterwarnings("ignore")
padded = torch.arange(24.0).reshape(3, 8, 1)
starts, lengths = torch.tensor([0, 0, 0]), torch.tensor([2, 5, 3])
holes = torch.nested.narrow(padded, 1, starts, lengths, layout=torch.jagged)
offsets, values = holes.offsets().tolist(), holes.values()
print("with holes: offsets", offsets, "lengths", holes.lengths().tolist(), "of", len(values))
assert offsets == [0, 8, 16, 19]
assert len(values) == 24
assert [len(item) for item in holes.unbind()] == [2, 5, 3]
whole = holes.contiguous()
print("contiguous: offsets", whole.offsets().tolist(), "lengths", whole.lengths())
assert whole.offsets().tolist() == [0, 2, 7, 10]
assert whole.lengths() is None
PROGRAM
