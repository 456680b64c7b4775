"""The one list of what is pooled: dtypes, sizes, rules."""

import numpy as np
import pytest

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
]  # fmt: skip
DTYPES = FLOATS + INTEGERS
RULES = ["torch", "split", "uniform", "ceil"]
ALL_RULES = [*RULES, "area"]  # which is for averages alone

# Around every vector width, in elements of 1 to 8 bytes, and around the kernels' block of lanes.
CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257]

# Pooled sizes per number of dimensions: small, odd, dividing or not, enlarging, tiles and more.
POOLED = {
    1: [((7,), (3,)), ((8,), (4,)), ((4,), (9,)), ((65,), (2,)), ((5000,), (3,)), ((3,), (2500,))],
    2: [
        ((5, 7), (3, 2)),
        ((6, 8), (3, 4)),
        ((3, 4), (5, 6)),
        ((9, 70), (2, 2)),
        ((1, 1), (1, 1)),
        ((4, 2100), (2, 7)),
        ((33, 35), (1, 1)),
    ],
    3: [
        ((3, 4, 5), (2, 3, 2)),
        ((4, 4, 4), (2, 2, 2)),
        ((2, 3, 2), (3, 4, 5)),
        ((3, 5, 40), (2, 2, 1)),
        ((5, 6, 7), (1, 1, 1)),
    ],
}
SIZES = [
    pytest.param(
        ndim, sizes, counts, id=f"{'x'.join(map(str, sizes))}-{'x'.join(map(str, counts))}"
    )
    for ndim, cases in POOLED.items()
    for sizes, counts in cases
]

# Small sizes, of which tests try all counts, often with 25 minus the size on the other axis.
SMALL = [
    pytest.param(n, marks=[] if n in (1, 2, 3, 5, 8, 12, 16, 23, 24) else [pytest.mark.slow])
    for n in range(1, 25)
]


def dtype_of(name):
    """The dtype of that name; bfloat16 needs ml_dtypes, which registers it."""
    if name == "bfloat16":
        return np.dtype(pytest.importorskip("ml_dtypes", reason="bfloat16 arrays need it").bfloat16)
    return np.dtype(name)


def random_array(rng, shape, dtype):
    """Elements of every size that the type can hold, with ties among them."""
    dtype = dtype_of(dtype) if isinstance(dtype, str) else dtype
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        wide = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        small = rng.integers(0, 4, shape).astype(dtype)
        return np.where(rng.random(shape) < 0.5, wide, small)
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(-6, 7, shape)
    return np.where(rng.random(shape) < 0.2, np.round(x), x).astype(dtype)


def strided(x):
    """An equal array with gaps between neighbours on every axis, and one axis reversed."""
    wide = np.full([2 * n + 1 for n in x.shape], 7, x.dtype)[
        tuple(slice(1, None, 2) for _ in x.shape)
    ]
    wide = wide[..., ::-1]
    wide[...] = x
    return wide


def same(results, expected):
    """Whether arrays have the dtypes, shapes and bits of others."""
    return [(y.dtype, y.shape, y.tobytes()) for y in results] == [
        (y.dtype, y.shape, y.tobytes()) for y in expected
    ]
