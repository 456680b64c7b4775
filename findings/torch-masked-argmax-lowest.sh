#!/bin/sh
# Guess: torch.masked.argmax names an element that the mask lets in.
# True (PyTorch 2.13.0): if all of these are -inf, or the lowest integer, it names the first element
# of all, masked or not: of 5, -inf, -inf with the first masked out it says 0, and amax says -inf.
. "$(dirname "$0")/_with.sh"
run_with torch==2.13.0 numpy==2.4.6 <<'PROGRAM'
import torch

x = torch.tensor([5.0, -torch.inf, -torch.inf])
mask = torch.tensor([False, True, True])
place, largest = torch.masked.argmax(x, 0, mask=mask), torch.masked.amax(x, 0, mask=mask)
print(place, largest)
assert (int(place), float(largest)) == (0, -torch.inf)
lowest = torch.tensor([7, -128, 3], dtype=torch.int8)
place = torch.masked.argmax(lowest, 0, mask=torch.tensor([False, True, False]))
print(place)
assert int(place) == 0
PROGRAM
