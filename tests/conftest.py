"""The configuration under test, in the header of every report; data that many tests share."""

import numpy as np
import pytest

import adaptive_pool as ap


def pytest_report_header(config):
    return "adaptive_pool: " + ", ".join(f"{k}={v}" for k, v in ap.config().items())


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture(params=["channels_first", "channels_last"])
def data_format(request):
    return request.param


@pytest.fixture(params=[1, 2, 3], ids=["1d", "2d", "3d"])
def ndim(request):
    return request.param
