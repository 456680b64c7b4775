"""Literal results that other systems publish in their own tests: data/published.json."""

import json
from pathlib import Path

import numpy as np
import pytest
from cases import dtype_of
from oracle import function

CASES = [
    pytest.param(case, dtype, id=f"{case['source'].rpartition('/')[2]}-{dtype}-{k}")
    for k, case in enumerate(
        json.loads((Path(__file__).parent / "data" / "published.json").read_text())
    )
    for dtype in case["dtypes"]
]


def input_of(case, dtype):
    if isinstance(case["input"], dict):
        (values,) = case["input"].values()
        x = np.arange(*values)
    else:
        x = np.array(case["input"])
    return x.reshape(case["shape"]).astype(dtype_of(dtype))


@pytest.mark.parametrize(("case", "dtype"), CASES)
def test_published(case, dtype):
    options = {"data_format": case["data_format"]}
    x = input_of(case, dtype)
    size = tuple(case["output_size"])
    expected = np.array(case["expected"])
    # Where no tolerance is published, figures are printed to seven digits at most.
    tolerance = {"rtol": 1e-6, "atol": case.get("tolerance", 1e-6)}
    if case["operation"] == "avg_backward":
        first = x.ndim - case["ndim"] - (case["data_format"] == "channels_last")
        shape = (*x.shape[:first], *size, *x.shape[first + case["ndim"] :])
        g = np.ones(shape, x.dtype)
        result = function("avg", case["ndim"], backward=True)(g, x.shape, **options)
        np.testing.assert_allclose(result, expected, **tolerance)
    elif case["operation"] == "avg":
        result = function("avg", case["ndim"])(x, size, windows=case["windows"], **options)
        np.testing.assert_allclose(result.astype(float), expected, **tolerance)
    else:
        pool = function("max", case["ndim"])
        y, indices = pool(x, size, return_indices=True, windows=case["windows"], **options)
        np.testing.assert_array_equal(
            y.astype(float), np.array(case["expected"], x.dtype).astype(float)
        )
        if "expected_indices" in case:
            np.testing.assert_array_equal(indices, case["expected_indices"])


def test_there_are_many():
    assert len(CASES) >= 57
