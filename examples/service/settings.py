"""The limits of the service, each with an environment variable of its name: SERVICE_MAX_BYTES."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

import adaptive_pool as ap


class Settings(BaseSettings):
    """What one process of the service takes, and how much of it at once."""

    model_config = SettingsConfigDict(env_prefix="SERVICE_", frozen=True)

    max_bytes: PositiveInt = 10 * 2**20
    max_pixels: PositiveInt = 25_000_000
    max_reads: PositiveInt = 500_000_000  # by pooling, of pixels
    max_values: PositiveInt = 2**18
    max_pictures: PositiveInt = 32  # of one request
    max_tensor_bytes: PositiveInt = 32 * 2**20

    room: PositiveInt = 32  # requests whose pictures are read, wait or are pooled
    workers: PositiveInt = ap.config()["cpu_limit"]
    num_threads: PositiveInt = 1  # of each pooling call

    body_seconds: PositiveFloat = 10
    work_seconds: PositiveFloat = 30
    answer_seconds: PositiveFloat = 60  # for a tensor to be taken
