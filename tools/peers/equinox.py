"""equinox: adaptive pools and pools with a kernel, on JAX and the CPU."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import adaptive_pool as ap

from .figures import Claims, about, floats, same, ulps

REQUIRES = ("equinox==0.13.8", "jax==0.10.2", "numpy==2.4.6")


def pairs_equal():
    """Return for how many pairs of sizes the maxima are equal, and all pairs."""
    pairs = [(size, count) for size in range(1, 20) for count in range(1, size + 1)]
    equal = 0
    for size, count in pairs:
        x = floats(1, size)
        theirs = eqx.nn.AdaptiveMaxPool1d(count)(jnp.array(x))
        equal += same(theirs, ap.adaptive_max_pool1d(x, count, windows="split"))
    return equal, len(pairs)


def claims() -> Claims:
    """Yield the statements of the page."""
    versions = eqx.__version__, jax.__version__
    yield "Run with equinox 0.13.8 on JAX 0.10.2", versions == ("0.13.8", "0.10.2"), versions
    seen = pairs_equal()
    row = '| `eqx.nn.AdaptiveMaxPool2d(7)(x)` | `ap.adaptive_max_pool2d(x, 7, windows="split")` | equal |'
    yield row, seen == (190, 190), seen
    x = floats(3, 224, 224)
    exact = ap.adaptive_avg_pool2d(x, 7, windows="split", dtype=np.float64)
    seen = ulps(np.array(eqx.nn.AdaptiveAvgPool2d(7)(jnp.array(x))), exact)
    row = '| `eqx.nn.AdaptiveAvgPool2d(7)(x)` | `ap.adaptive_avg_pool2d(x, 7, windows="split")` | 224 by 224: off by 2 ulp |'
    yield row, about(seen, 1.5), seen
    x = floats(3, 1000, 1000)
    seen = ulps(
        np.array(jnp.mean(x, (-2, -1))), ap.adaptive_avg_pool2d(x, 1, dtype=np.float64)[..., 0, 0]
    )
    yield (
        "| `jnp.mean(x, (-2, -1))` | `ap.adaptive_avg_pool2d(x, 1)[..., 0, 0]` | off by 1 ulp |",
        seen < 4,
        seen,
    )
    seen = float(jnp.mean(jnp.full(1000, 200, jnp.uint8)))
    yield "the mean of a thousand bytes of 200 is 200.00002", f"{seen:.5f}" == "200.00002", seen
    try:
        eqx.nn.AdaptiveAvgPool1d(20)(jnp.array(x[0, :3, :10]))
        error = None
    except ZeroDivisionError as raised:
        error = raised
    yield "Outputs larger than the input end in a `ZeroDivisionError`", error is not None, error
