"""Every report says what was tested and what was left out; data that many tests share."""

import numpy as np
import pytest

import adaptive_pool as ap

SLOW = pytest.StashKey[int]()


def pytest_report_header(config):
    return "adaptive_pool: " + ", ".join(f"{k}={v}" for k, v in ap.config().items())


def pytest_deselected(items):
    for item in items:
        if item.get_closest_marker("slow"):
            item.config.stash[SLOW] = item.config.stash.get(SLOW, 0) + 1


def pytest_terminal_summary(terminalreporter, config):
    """Say what the default of pyproject.toml leaves out."""
    if config.option.markexpr == "not slow" and SLOW in config.stash:
        terminalreporter.line(
            f'slow tests left out: {config.stash[SLOW]}; to run all: python -m pytest -m ""'
        )


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture(params=["channels_first", "channels_last"])
def data_format(request):
    return request.param


@pytest.fixture(params=[1, 2, 3], ids=["1d", "2d", "3d"])
def ndim(request):
    return request.param
