"""What Prometheus is told."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GONE = 499  # as nginx counts clients who did not wait for their answer


class Metrics:
    """The numbers of one application; of several processes, where PROMETHEUS_MULTIPROC_DIR is."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.answers = Counter(
            "service_answers", "Answers given.", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "service_answer_seconds", "From request to answer.", ["path"], registry=registry
        )
        self.steps = Histogram(
            "service_step_seconds", "Time on a worker thread.", ["step"], registry=registry
        )
        self.pictures = Counter(
            "service_pictures",
            "Pictures that came whole, by the answer to their request.",
            ["path", "status"],
            registry=registry,
        )
        self._in_flight = Gauge(
            "service_pictures_in_flight",
            "Pictures being read, waiting or in work.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        ProcessCollector(registry=registry)

    @contextlib.contextmanager
    def in_flight(self, pictures: int) -> Iterator[None]:
        """Count pictures in for as long as the block lasts."""
        self._in_flight.inc(pictures)
        try:
            yield
        finally:
            self._in_flight.dec(pictures)

    def text(self) -> bytes:
        """Return all of them in the text format of Prometheus."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        return generate_latest(registry)


class Measured:
    """Counts and times the answers of an application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and watch its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # unless an answer begins
        state = scope.setdefault("state", {})  # that of `request.state`

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            # Of unknown paths there is no end; they are counted as one.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.answers.labels(path, status).inc()
            if "pictures" in state:
                self._metrics.pictures.labels(path, status).inc(state["pictures"])
            self._metrics.seconds.labels(path).observe(time.perf_counter() - started)
