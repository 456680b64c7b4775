"""OpenCV: `resize` with INTER_AREA."""

import cv2
import numpy as np

import adaptive_pool as ap

from .figures import Claims, about, by_area, floats, integers, same, ulps

REQUIRES = ("opencv-python-headless==5.0.0.93", "numpy==2.4.6")


def area(x, factors):
    """Shrink by whole factors."""
    height, width = x.shape[0] // factors[0], x.shape[1] // factors[1]
    return cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA).reshape(
        height, width, *x.shape[2:]
    )


def mean(x, factors, dtype=np.float64):
    """Shrink by whole factors, here."""
    shape = x.shape[0] // factors[0], x.shape[1] // factors[1]
    if x.ndim == 2:
        return ap.adaptive_avg_pool2d(x, shape, dtype=dtype)
    return ap.adaptive_avg_pool2d(x, shape, data_format="channels_last", dtype=dtype)


def ties_up(channels):
    """Whether blocks of 2 by 2 round halves up; they round them to even if not."""
    x = integers(64, 64, channels)
    theirs, exact = area(x, (2, 2)), mean(x, (2, 2))
    if np.array_equal(theirs, np.floor(exact + 0.5)):
        return True
    if np.array_equal(theirs, np.rint(exact)):
        return False
    raise AssertionError("neither rule of ties")


def wrong_ties(channels):
    """Return the pairs of factors up to 16 with a result that is not rounded half to even."""
    wrong = []
    for factors in np.ndindex(16, 16):
        rows, columns = factors[0] + 1, factors[1] + 1
        x = integers(64 * rows, 64 * columns, channels)
        theirs, exact = area(x, (rows, columns)), mean(x, (rows, columns))
        assert np.abs(theirs - exact).max() <= 0.5, "wrong beside ties"
        if not np.array_equal(theirs, np.rint(exact)):
            wrong.append((rows, columns))
    return wrong


def count_off(pairs):
    """Return how many bytes are off, by area, for sizes drawn by a seed: there, no ties, here."""
    random = np.random.default_rng(2026)
    results = theirs_off = no_ties = ours_off = worst = 0
    for _ in range(pairs):
        height, width = random.integers(2, 400, 2)
        shape = int(random.integers(1, height + 1)), int(random.integers(1, width + 1))
        channels = int(random.integers(1, 5))
        x = random.integers(0, 256, (height, width, channels)).astype(np.uint8)
        theirs = cv2.resize(x, shape[::-1], interpolation=cv2.INTER_AREA)
        theirs = theirs.reshape(*shape, channels).astype(np.int64)
        ours = ap.adaptive_avg_pool2d(
            x, shape, windows="area", data_format="channels_last", dtype=np.uint8
        )
        whole, rest = np.divmod(by_area(x, shape), height * width)
        exact = whole + ((2 * rest + whole % 2) > height * width)
        off = np.abs(theirs - exact)
        results += exact.size
        theirs_off += int((off > 0).sum())
        no_ties += int(((off > 0) & (2 * rest != height * width)).sum())
        ours_off += int((ours != exact).sum())
        worst = max(worst, int(off.max()))
    return results, theirs_off, theirs_off - no_ties, ours_off, worst


def claims() -> Claims:
    """Yield the statements of the page."""
    yield "Run with OpenCV 5.0.0.93", cv2.__version__ == "5.0.0", cv2.__version__
    seen = [channels for channels in range(1, 7) if ties_up(channels)]
    text = "2 by 2 blocks round halves up for 1, 3 and 4 channels, and to even for 2, 5 and 6"
    yield text, seen == [1, 3, 4], seen

    wrong = wrong_ties(1)
    text = "other factors round halves to even, with exceptions: 5 by 6, 7 by 8 and about 50 more"
    holds = {(5, 6), (7, 8)} < set(wrong) and 40 <= len(wrong) <= 60
    yield f"{text} of the 256 pairs up to 16", holds, (len(wrong), wrong)

    small = [integers(20 * f, 20 * f, dtype=np.uint16) for f in (4, 10, 16)]
    holds = all(
        same(area(x, [f] * 2), mean(x, [f] * 2, np.uint16))
        for x, f in zip(small, (4, 10, 16), strict=True)
    )
    yield "uint16: equal up to blocks of 16 by 16", holds, holds
    x = np.full((100, 100), 65533, np.uint16)
    x[:, :50] += 1
    x[0, :64] += 1
    seen = float(area(x, (100, 100))[0, 0]), float(mean(x, (100, 100))[0, 0])
    text = "one block of 100 by 100 with the mean 65533.5064 comes out as 65535"
    yield text, seen == (65535, 65533.5064), seen

    seen = [
        ulps(area(x, [f] * 2), mean(x, [f] * 2))
        for f in (2, 16, 100, 1000)
        for x in [floats(4 * f, 4 * f)]
    ]
    text = "float32: off by 1 ulp for blocks of 2 by 2, 4 for 16 by 16, 17 for 100 by 100, 160 for 1000 by 1000"
    yield text, all(map(about, seen, (1, 4, 17, 160))), seen

    seen = count_off(200)
    text = "391 of 4,925,141 numbers are one off there, 387 of them ties"
    yield text, seen == (4925141, 391, 387, 0, 1), seen
    ones = cv2.resize(np.ones((1, 1080), np.float32), (1079, 1), interpolation=cv2.INTER_AREA)[0]
    seen = np.flatnonzero(np.abs(ones - 1) > 1e-4).tolist(), round(float(ones.min()), 5)
    text = "of a row of ones, 1080 to 1079, the first and the last become 0.99907"
    yield text, seen == ([0, 1078], 0.99907), seen
    five = integers(60, 60, 5)
    try:
        cv2.resize(five, (23, 25), interpolation=cv2.INTER_AREA)
        refused = False
    except cv2.error:
        refused = area(five, (2, 3)).shape == (30, 20, 5)
    yield "With more than four channels factors must be whole there", refused, refused
    x = 10 * np.arange(14, dtype=np.float32)[np.newaxis]
    seen = cv2.resize(x, (18, 1), interpolation=cv2.INTER_AREA)
    exact = by_area(x, (1, 18)) / 14
    wrong = np.flatnonzero(np.abs(seen - exact) > 0.01)
    text = "of length 14, made 18 long, one is 60 where it should be 70"
    yield text, (seen[0, wrong].tolist(), exact[0, wrong].tolist()) == ([60], [70]), seen

    row = np.array([[0, 0, 0, 30, 30]], np.float32)
    seen = cv2.resize(row, (2, 1), interpolation=cv2.INTER_AREA).tolist()
    yield "# INTER_AREA: 0 and 24", seen == [[0, 24]], seen

    x = np.array([[0, 10, 20, 90, 0, 0, 100, 100]] * 2, np.float32)
    seen = cv2.resize(x, (2, 4), interpolation=cv2.INTER_AREA)[0].tolist()
    text = "only the first two elements of each block count: 0, 10, 20, 90 gives 7.5"
    yield text, seen == [7.5, 0], seen
