"""Pool pictures over HTTP: files in, features or a tensor out. README.md says how to run it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any, TypeVar

import refusals
from answers import Sliced, accepted
from batches import decode_all
from bodies import read, sender_gone
from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from features import WRITERS, Options, pool
from forms import SCHEMA, Part, boundary_of, parts_of
from metrics import Measured, Metrics
from pictures import decode
from prometheus_client import CONTENT_TYPE_LATEST
from reads import check_reads
from settings import Settings
from starlette.requests import ClientDisconnect
from tensors import TensorOptions, npy_of
from work import Room, Workers

router = APIRouter()

T = TypeVar("T")

JSON, NPY = "application/json", "application/x-npy"


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

    def features(self, body: bytes, options: Options, media_type: str) -> bytes:
        """Do the work of one request, on a worker thread."""
        steps = self.metrics.steps
        with steps.labels("decode").time():
            pixels = decode(body, self.settings.max_pixels)
        check_reads([pixels], (options.height, options.width), self.settings.max_reads)
        with steps.labels("pool").time():
            values = pool(pixels, options, self.settings.num_threads)
        with steps.labels("write").time():
            return WRITERS[media_type](values)

    async def tensor(
        self, request: Request, body: bytes, boundary: bytes, options: TensorOptions
    ) -> memoryview:
        """Do the work of one request for a tensor: on worker threads, from the form on."""
        settings = self.settings
        parts = await self.workers.run(parts_of, body, boundary, settings.max_pictures)
        del body  # there is memory for one of them
        request.state.pictures = len(parts)
        options.check(len(parts), settings.max_tensor_bytes)
        with self.metrics.in_flight(len(parts)):
            return await self.workers.run(self.npy, parts, options)

    def npy(self, parts: list[Part], options: TensorOptions) -> memoryview:
        """Do the work on several pictures, on a worker thread."""
        steps = self.metrics.steps
        with steps.labels("decode all").time():
            pixels = decode_all(parts, self.settings.max_pixels)
        check_reads(pixels, options.height_and_width, self.settings.max_reads)
        with steps.labels("tensor").time():
            return npy_of(pixels, options, self.settings.num_threads)

    async def answer(self, request: Request, work: Coroutine[Any, Any, T]) -> T:
        """Have work done for as long as its sender waits, and it may take."""
        answer = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(sender_gone(request))
        seconds = self.settings.work_seconds
        try:
            await asyncio.wait({answer, gone}, timeout=seconds, return_when="FIRST_COMPLETED")
            if answer.done():
                return answer.result()
            if gone.done():
                raise ClientDisconnect
            raise refusals.busy(f"not done within {seconds:g} s")
        finally:
            answer.cancel()
            gone.cancel()


@router.post("/features", response_class=Response)
async def features(request: Request, options: Annotated[Options, Query()]) -> Response:
    """Pool the picture that is the body."""
    service: Service = request.app.state.service
    settings = service.settings
    media_type = {"json": JSON, "npy": NPY}.get(options.format) or accepted(request, [NPY, JSON])
    if options.count() > settings.max_values:
        raise HTTPException(
            422, f"an answer may have {settings.max_values} values, got {options.count()}"
        )
    with service.room.taken(), service.metrics.in_flight(1):
        body = await read(request, settings, "the file of a picture")
        request.state.pictures = 1
        work = service.workers.run(service.features, body, options, media_type)
        answer = await service.answer(request, work)
        return Response(answer, media_type=media_type)


@router.post("/tensor", response_class=Response, openapi_extra=SCHEMA)
async def tensor(request: Request, options: Annotated[TensorOptions, Query()]) -> Response:
    """Make one tensor of all pictures of a form."""
    service: Service = request.app.state.service
    settings = service.settings
    media_type = accepted(request, [NPY])
    boundary = boundary_of(request.headers.get("content-type"))
    options.check(1, settings.max_tensor_bytes)
    with contextlib.ExitStack() as held:
        held.enter_context(service.room.taken())
        work = service.tensor(
            request, await read(request, settings, "a form of pictures"), boundary, options
        )
        answer = await service.answer(request, work)
        # Until it is sent, it takes the memory of a request.
        return Sliced(answer, media_type, settings.answer_seconds, held.pop_all())


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
