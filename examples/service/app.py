"""Pool pictures over HTTP: a file in, features out. README.md says how to run it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

import mimeparse
import refusals
from bodies import read, sender_gone
from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from features import WRITERS, Options, pool
from metrics import Measured, Metrics
from pictures import decode
from prometheus_client import CONTENT_TYPE_LATEST
from settings import Settings
from starlette.requests import ClientDisconnect
from work import Room, Workers

router = APIRouter()


class Service:
    """What the endpoints share."""

    workers: Workers

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.room = Room(settings.room)

    @contextlib.asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Start threads: not before, as the process that answers may be a fork of this one."""
        self.workers = Workers(self.settings.workers)
        yield
        self.workers.close()

    def answer(self, body: bytes, options: Options, media_type: str) -> bytes:
        """Do the work of one request, on a worker thread."""
        steps = self.metrics.steps
        with steps.labels("decode").time():
            pixels = decode(body, self.settings.max_pixels)
        with steps.labels("pool").time():
            values = pool(pixels, options, self.settings.num_threads)
        with steps.labels("write").time():
            return WRITERS[media_type](values)


def accepted(request: Request, options: Options) -> str:
    """Return the media type of the answer: what the query says, or else the Accept header."""
    if options.format:
        return {"json": "application/json", "npy": "application/x-npy"}[options.format]
    offered = ["application/x-npy", "application/json"]  # of equals, mimeparse takes the last
    try:
        best: str = mimeparse.best_match(offered, request.headers.get("accept") or "*/*")
    except mimeparse.MimeTypeParseException:
        best = ""
    if not best:
        raise HTTPException(406, f"the answer can be {' or '.join(offered)}")
    return best


@router.post("/features", response_class=Response)
async def features(request: Request, options: Annotated[Options, Query()]) -> Response:
    """Pool the picture that is the body."""
    service: Service = request.app.state.service
    settings = service.settings
    media_type = accepted(request, options)
    if options.count() > settings.max_values:
        raise HTTPException(
            422, f"an answer may have {settings.max_values} values, got {options.count()}"
        )
    with service.room.taken(), service.metrics.pictures.track_inprogress():
        body = await read(request, settings)
        answer = asyncio.ensure_future(
            service.workers.run(service.answer, body, options, media_type)
        )
        gone = asyncio.ensure_future(sender_gone(request))
        try:
            await asyncio.wait(
                {answer, gone}, timeout=settings.work_seconds, return_when="FIRST_COMPLETED"
            )
            if answer.done():
                return Response(answer.result(), media_type=media_type)
            if gone.done():
                raise ClientDisconnect
            raise refusals.busy(f"not done within {settings.work_seconds:g} s")
        finally:
            answer.cancel()
            gone.cancel()


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the event loop runs."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(request: Request) -> dict[str, str]:
    """Say whether a picture would be taken now."""
    with request.app.state.service.room.taken():
        return {"status": "ready"}


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Return what Prometheus is told."""
    return Response(request.app.state.service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application."""
    service = Service(settings or Settings())
    app = FastAPI(title="Pooled pictures", redoc_url=None, lifespan=service.running)
    app.state.service = service
    app.add_middleware(Measured, metrics=service.metrics)
    app.include_router(router)
    refusals.add_to(app)
    return app


app = create_app()
