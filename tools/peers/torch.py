"""PyTorch: adaptive pools, `interpolate(mode="area")`, pools with a kernel, `mean`.

The statement on `torch.compile` needs a C++ compiler.
"""

import numpy as np
import torch
import torch.nn.functional as F

import adaptive_pool as ap

from .figures import RANDOM, Claims, about, floats, same, ulps

REQUIRES = ("torch==2.13.0", "numpy==2.4.6")


def kernel(size, length, stride):
    """Return the windows of a kernel without padding."""
    starts = np.arange(0, size - length + 1, stride)
    return starts, starts + length


def error(pool, size, count):
    """Return the error of the average of a random square, in ulps."""
    x = floats(1, 1, size, size)
    theirs = pool(torch.from_numpy(x), count).numpy()
    return ulps(theirs, ap.adaptive_avg_pool2d(x, count, dtype=np.float64))


def maxima_equal():
    """Whether maxima and indices are equal for many pairs of sizes."""
    for height, width, *count in RANDOM.integers(1, 40, (200, 4)).tolist():
        x = floats(1, 2, height, width)
        x[RANDOM.random(x.shape) < 0.01] = np.nan
        theirs, at = F.adaptive_max_pool2d(torch.from_numpy(x), count, return_indices=True)
        ours, index = ap.adaptive_max_pool2d(x, count, return_indices=True)
        if not (same(theirs.numpy(), ours) and np.array_equal(at.numpy(), index)):
            return False
    return True


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with PyTorch 2.13.0", torch.__version__.startswith("2.13.0"), torch.__version__
    pool = F.adaptive_avg_pool2d
    seen = [error(pool, *sizes) for sizes in ((56, 7), (224, 7), (4000, 8))]
    holds = all(map(about, seen, (6, 15, 255)))
    yield "off by 6 ulp for 56 to 7, 15 ulp for 224 to 7, 255 ulp for 4000 to 8", holds, seen

    x = torch.full((1, 1, 4000, 4000), 100.1)
    seen = pool(x, 8).unique().tolist()
    yield (
        "a constant 100.1, 4000 to 8, becomes 100.0099",
        all(abs(value - 100.0099) < 5e-5 for value in seen),
        seen,
    )

    seen = error(lambda x, count: F.interpolate(x, count, mode="area"), 224, 7)
    row = '| `F.interpolate(x, 7, mode="area")` | `ap.adaptive_avg_pool2d(x, 7)` | the same sums |'
    x = torch.from_numpy(floats(2, 3, 224, 200))
    yield row, torch.equal(F.interpolate(x, 7, mode="area"), pool(x, 7)), seen

    seen = F.interpolate(torch.tensor([[[0, 0, 0, 30, 30.0]]]), 2, mode="area").tolist()
    yield "0, 0, 0, 30, 30 to 2 gives 0, 20. By area it is 0, 24", seen == [[[0, 20]]], seen

    x = floats(1, 4, 101, 101)
    windows = [kernel(101, 3, 2)] * 2
    seen = ulps(
        F.avg_pool2d(torch.from_numpy(x), 3, 2).numpy(),
        ap.adaptive_avg_pool2d(x, None, windows=windows, dtype=np.float64),
    )
    yield "| `F.avg_pool2d(x, 3, 2)` | tables, see below | off by 3 ulp |", about(seen, 3), seen
    ours = ap.adaptive_max_pool2d(x, None, windows=windows)
    holds = same(F.max_pool2d(torch.from_numpy(x), 3, 2).numpy(), ours)
    yield "| `F.max_pool2d(x, 3, 2)` | tables, see below | equal |", holds, holds

    seen = error(lambda x, _: x.mean((-2, -1), keepdim=True), 4000, 1)
    row = (
        "| `x.mean((-2, -1))` | `ap.adaptive_avg_pool2d(x, 1)[..., 0, 0]` | off by 1 ulp at most |"
    )
    yield row, seen <= 1, seen

    holds = maxima_equal()
    yield "Maxima and indices are equal in eager mode, with NaNs too", holds, holds

    x = torch.tensor([[[1, 2, 3, np.nan, 4]]])
    compiled = torch.compile(lambda x: F.adaptive_max_pool2d(x, (1, 3), return_indices=True))
    values, index = compiled(x)
    holds = values.isnan().tolist() == [[[False, True, True]]] and index.tolist() == [[[1, 2, 3]]]
    yield "1, 2, 3, NaN, 4 to 3 gives 2, NaN, NaN at 1, 2, 3", holds, (values, index)
    eager = F.adaptive_max_pool2d(x, (1, 3), return_indices=True)[1]
    yield "eager mode and this library say 1, 3, 3", eager.tolist() == [[[1, 3, 3]]], eager

    x = torch.full((1, 1, 100, 100, 100), 0.1, dtype=torch.bfloat16)
    seen = F.adaptive_avg_pool3d(x, 2).unique().tolist()
    text = "the mean of 125,000 elements of 0.1 is 0.00026 in bfloat16"
    yield text, [f"{value:.5f}" for value in seen] == ["0.00026"], seen
    x = torch.full((1, 1, 4, 4, 4), 60000.0, dtype=torch.float16)
    seen = F.adaptive_avg_pool3d(x, 2).unique().tolist()
    yield "the mean of eight times 60,000 is inf in float16", seen == [float("inf")], seen
    holds = torch.equal(pool(x[0], 2), torch.full((1, 4, 2, 2), 60000.0, dtype=torch.float16))
    yield "`adaptive_avg_pool2d` has no such errors", holds, holds
    yield from claims_of_items()


def claims_of_items() -> Claims:
    """Yield the statements on items of different lengths."""
    halves = [torch.full((5000, 1), 60.0, dtype=t) for t in (torch.float16, torch.bfloat16)]
    tenths = torch.full((1_000_000, 1), 0.1)
    seen = [
        torch.segment_reduce(x, "mean", lengths=torch.tensor([len(x)]), axis=0).item()
        for x in (*halves, tenths)
    ]
    text = "of 5,000 times 60 the mean is inf in float16 and 3.28 in bfloat16"
    yield text, seen[0] == float("inf") and round(seen[1], 2) == 3.28, seen
    ours = ap.adaptive_avg_pool1d_packed(tenths[:, 0].numpy(), [0, len(tenths)], 1).item()
    holds = round(seen[2], 5) == 0.10096 and ours == np.float32(0.1)
    yield "of a million times 0.1 it is 0.10096 in float32", holds, (seen, ours)

    rows = torch.tensor([[1.0], [np.nan]])
    bags = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 2, 4])
    seen = F.embedding_bag(bags[0], rows, bags[1], mode="max").flatten().tolist()
    holds = seen[0] == 1 and np.isnan(seen[1]) and seen[2] == 0
    yield "gives NaN only if it comes first in a bag, and 0 for an empty bag", holds, seen

    seen = [torch.nested.nested_tensor([x], layout=torch.jagged).mean(dim=1).item() for x in halves]
    text = "5,000 times 60 has the mean inf in float16, and 59.75 in bfloat16"
    yield text, seen == [float("inf"), 59.75], seen
    row = (
        "| `nt.mean(dim=1)` of a jagged tensor | `ap.adaptive_avg_pool1d_packed`, "
        "[Packed sequences](how-to/packed.md) | float16 overflows there |"
    )
    yield row, seen[0] == float("inf"), seen
    starts, lengths = torch.zeros(3, dtype=torch.int64), torch.tensor([2, 5, 3])
    holes = torch.nested.narrow(torch.ones(3, 8, 1), 1, starts, lengths, layout=torch.jagged)
    seen = holes.offsets().tolist(), len(holes.values()), holes.contiguous().offsets().tolist()
    holds = seen == ([0, 8, 16, 19], 24, [0, 2, 7, 10])
    yield "values and offsets do not belong together", holds, seen
