"""Every bound of the contract, measured against exact arithmetic, and printed (pytest -rP)."""

import math
from fractions import Fraction

import numpy as np
import pytest
from cases import FLOATS, dtype_of, random_array
from oracle import BOUND, function, spacing

import adaptive_pool as ap

WORST = {}


@pytest.fixture(scope="module", autouse=True)
def report(request):
    """Print the worst error seen per dtype, in ulp of the mean of absolute values."""
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\nworst error of the average, in ulp of the mean of absolute values:")
        for (dtype, case), error in sorted(WORST.items()):
            print(f"  {dtype:<10} {case:<28} {error:.4f}")


def uniform(rng, shape):
    return rng.random(shape)


def normal(rng, shape):
    return rng.standard_normal(shape)


def many_magnitudes(rng, shape):
    return rng.standard_normal(shape) * 2.0 ** rng.integers(-10, 11, shape)


def a_tenth(rng, shape):
    return np.full(shape, 0.1)


def just_over_powers_of_two(rng, shape):
    """Each addition in the type itself would round by half a unit."""
    return 2.0 ** rng.integers(0, 2, shape) * (1 + 2.0**-10)


def cancelling(rng, shape):
    x = rng.standard_normal(shape) * 1e4
    x[..., 1::2] = -x[..., : x.shape[-1] // 2 * 2 : 2][..., : x[..., 1::2].shape[-1]]
    return x + 1e-3


KINDS = [uniform, normal, many_magnitudes, a_tenth, just_over_powers_of_two, cancelling]
WINDOWS = [
    (2,),
    (49,),
    (31,),
    (32,),
    (1000,),
    (100_003,),
    (7, 7),
    (100, 100),
    (154, 275),
    (3, 2100),
    (9, 8, 7),
]


def exact_mean(values):
    """The mean of floats without any rounding; fsum is exact up to its last step."""
    if values.size <= 2500:
        return sum(map(Fraction, values.tolist())) / values.size
    high = math.fsum(values.tolist())
    low = math.fsum([*values.tolist(), -high])
    return (Fraction(high) + Fraction(low)) / values.size


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: "x".join(map(str, w)))
@pytest.mark.parametrize("dtype", FLOATS)
def test_average_of_floats(rng, dtype, window, kind, data_format):
    x = kind(rng, (2, *window)).astype(dtype_of(dtype))
    options = {"data_format": data_format}
    given = x if data_format == "channels_first" else np.moveaxis(x, 0, -1)
    y = function("avg", len(window))(given, 1, **options).astype(np.float64).ravel()
    for plane, mean in zip(x.reshape(2, -1).astype(np.float64), y, strict=True):
        magnitude = math.fsum(abs(plane).tolist()) / plane.size
        unit = float(spacing(np.float64(magnitude), x.dtype))
        error = float(abs(Fraction(float(mean)) - exact_mean(plane)) / Fraction(unit))
        WORST[dtype, kind.__name__] = max(error, WORST.get((dtype, kind.__name__), 0.0))
        assert error <= BOUND


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_ten_million_elements(rng, dtype):
    x = rng.random((2500, 4000)).astype(dtype_of(dtype))
    y = float(ap.adaptive_avg_pool2d(x, 1)[0, 0])
    exact = math.fsum(x.astype(np.float64).ravel().tolist()) / x.size
    error = abs(y - exact) / float(spacing(np.float64(exact), x.dtype))
    WORST[dtype, "ten million in a window"] = error
    assert error <= BOUND


def test_hundred_million_equal_elements():
    """A window as large as the contract speaks of, where a plain float64 sum drifts."""
    for value in (0.1, 1e300):
        x = np.broadcast_to(np.float64(value), (10_000, 10_000))
        y = ap.adaptive_avg_pool2d(x, 1)[0, 0]
        error = abs(y - value) / float(spacing(np.float64(value), x.dtype))
        WORST["float64", "hundred million of a tenth"] = error
        assert error <= BOUND


@pytest.mark.parametrize("scale", [-1.0, 2.0**600, 2.0**-960])
def test_means_of_float64_are_rounded_once(rng, scale, data_format):
    """Where a sum and its error are exact, the mean is the nearest float64, to even in a tie."""
    for n in [*range(2, 130), 243, 509, 1023]:
        x = np.empty((18, n))
        x[:9] = rng.integers(2**52, 2**53, (9, 1)) * 2.0**-52
        x[:9, 0] *= 2
        x[:9, -1] = n * 2.0**-53  # so that their means are halfway between two float64
        x[9:] = rng.standard_normal((9, n))
        x *= scale
        given = x if data_format == "channels_first" else np.ascontiguousarray(x.T)
        y = function("avg", 1)(given, 1, data_format=data_format).ravel()
        assert [*y] == [float(sum(map(Fraction, row.tolist())) / n) for row in x]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32"])
@pytest.mark.parametrize("window", [(3,), (7, 7), (33, 35), (3, 2100)], ids=str)
def test_average_of_integers_is_correctly_rounded(rng, dtype, window):
    x = random_array(rng, (20, *window), dtype)
    y = function("avg", len(window))(x, 1).ravel()
    for plane, mean in zip(x.reshape(20, -1), y.tolist(), strict=True):
        exact = Fraction(int(plane.astype(object).sum()), plane.size)
        assert mean == nearest(exact, y.dtype)


def nearest(exact, dtype):
    """The float of `dtype` nearest to a fraction, half to even."""
    if dtype == np.float64:
        return exact.numerator / exact.denominator
    candidate = np.float32(exact.numerator / exact.denominator)
    around = [np.nextafter(candidate, np.float32(s)) for s in (-np.inf, np.inf)] + [candidate]
    even = lambda f: int(np.float32(f).view(np.uint32)) & 1  # noqa: E731
    return float(min(around, key=lambda f: (abs(Fraction(float(f)) - exact), even(f))))


def bits_of_infinity(dtype):
    return int(np.array(np.inf, dtype).view(np.uint16))


def neighbouring_halves(rng, shape, dtype):
    """Halves of any bits but those of infinities and NaNs, of like magnitude within a row."""
    step = 2**10 if dtype == np.float16 else 2**7  # of bits, from a power of two to the next
    top = bits_of_infinity(dtype)
    least = rng.integers(0, top - 8 * step, (shape[0], 1, 1)) * rng.integers(0, 2, (shape[0], 1, 1))
    bits = least + rng.integers(0, 8 * step, shape) | rng.integers(0, 2, shape) << 15
    return bits.astype(np.uint16).view(dtype)


@pytest.mark.parametrize("window", [1, 2, 4, 64])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_means_of_halves_are_rounded_once(rng, name, window):
    dtype = dtype_of(name)
    x = neighbouring_halves(rng, (200, 21, window), dtype)
    y = ap.adaptive_avg_pool1d(x.reshape(200, 21 * window), 21)
    halves = np.arange(bits_of_infinity(dtype), dtype=np.uint16).view(dtype).astype(np.float64)
    # Sums of so few halves of like magnitude are exact in float64, and so are these quotients.
    mean = x.astype(np.float64).sum(axis=-1) / window
    above = np.searchsorted(halves, abs(mean))
    below = np.maximum(above - (halves[above] > abs(mean)), 0)
    to_below, to_above = abs(mean) - halves[below], halves[above] - abs(mean)
    up = (to_above < to_below) | (to_above == to_below) & (above % 2 == 0)
    expected = np.copysign(halves[np.where(up, above, below)], mean)
    np.testing.assert_array_equal(y.astype(np.float64), expected)


@pytest.mark.parametrize("side", [-1, 1], ids=["below", "above"])
def test_a_mean_that_two_roundings_would_get_wrong(side):
    """So near halfway between two float32 that the quotient in float64 is halfway."""
    halfway = 2**24 + 1  # times 2**-29; 25 bits, so between two float32
    n = 2**29 + -side * pow(halfway, -1, 2**29) % 2**29
    total = (halfway * n + side) // 2**29
    assert total / n == halfway / 2**29  # what one would round next, and be wrong on one side
    assert Fraction(total, n) != Fraction(halfway, 2**29)
    x = np.zeros(n, np.uint8)  # untouched memory costs nothing
    x[: total // 255] = 255
    x[-1] = total % 255
    expected = (halfway + side) / 2**29
    assert float(ap.adaptive_avg_pool1d(x, 1)[0]) == expected


def test_issue_examples_of_halves(rng):
    """Sums past 2048, where float16 stops counting; means of many; one division, by the count."""
    assert ap.adaptive_avg_pool2d(np.ones((1, 1, 64, 64), np.float16), 1).ravel() == 1.0
    x = rng.random((2, 3, 16, 56, 56)).astype(np.float16)
    y = ap.adaptive_avg_pool3d(x, 1).astype(np.float64)
    exact = x.astype(np.float64).mean(axis=(2, 3, 4), keepdims=True)
    assert np.isfinite(y).all()
    assert (np.abs(y - exact) <= spacing(exact, np.dtype(np.float16))).all()
    bfloat16 = dtype_of("bfloat16")
    x = rng.random((2, 3, 7, 9, 11)).astype(bfloat16)
    y = ap.adaptive_avg_pool3d(x, (2, 3, 4)).astype(np.float64)
    exact = ap.adaptive_avg_pool3d(x.astype(np.float64), (2, 3, 4))
    assert (np.abs(y - exact) <= 0.5000001 * spacing(exact, bfloat16)).all()


def test_halves_overflow_nowhere(rng):
    """A window of 65536 large float16 values, whose sum no float16 holds."""
    x = (rng.random((2, 4, 256, 256)) * 6e4).astype(np.float16)
    y = ap.adaptive_avg_pool2d(x, (2, 2)).astype(np.float64)
    exact = x.astype(np.float64).reshape(2, 4, 2, 128, 2, 128).mean(axis=(3, 5))
    assert (np.abs(y - exact) <= spacing(exact, np.dtype(np.float16))).all()


@pytest.mark.parametrize("n", [1, 2, 3, 10, 99, 100, 255, 256, 257, 999, 1000])
def test_identity_and_global_mean(rng, n):
    """One output for each input, and one for all."""
    x = rng.standard_normal((1, 1, n)).astype(np.float32)
    assert ap.adaptive_avg_pool1d(x, n).tobytes() == x.tobytes()
    exact = math.fsum(x.ravel().tolist()) / n
    magnitude = np.abs(x).astype(np.float64).mean()
    assert abs(float(ap.adaptive_avg_pool1d(x, 1)[0, 0, 0]) - exact) <= spacing(magnitude, x.dtype)


def test_identity_past_32_bits():
    """65537 * 65537 does not fit 32 bits, signed or unsigned."""
    x = np.arange(65537, dtype=np.float32).reshape(1, 1, -1)
    assert ap.adaptive_avg_pool1d(x, 65537).tobytes() == x.tobytes()


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ((4091,), (4105,)), ((4093,), (4103,)), ((4095,), (4101,)),  # the smallest such sizes
        ((5877, 3697), (2855, 1)), ((5877, 3697), (2863, 1)),  # past the end
        ((4757, 560), (3527, 2219)), ((5873, 3693), (3527, 2219)),
    ],
)  # fmt: skip
def test_windows_that_float32_gets_wrong(sizes, counts):
    """The mean of a ramp over a window is the middle of the window: exact in float64."""
    ramps = [np.arange(n, dtype=np.float64) for n in sizes]
    x = ramps[0] if len(sizes) == 1 else ramps[0][:, None] + ramps[1]
    y = function("avg", len(sizes))(x, counts)
    middles = []
    for size, count in zip(sizes, counts, strict=True):
        starts, ends = ap.pool_windows(size, count)
        middles.append((starts + ends - 1) / 2)
    expected = middles[0] if len(sizes) == 1 else middles[0][:, None] + middles[1]
    np.testing.assert_array_equal(y, expected)
