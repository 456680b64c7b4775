"""How every refusal looks: a status of HTTP, and JSON that says why."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from metrics import GONE
from pictures import BrokenError, NotAPictureError, PictureError, TooDeepError, TooLargeError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from work import FullError

STATUS = {NotAPictureError: 415, TooDeepError: 415, TooLargeError: 413, BrokenError: 422}


def busy(reason: str) -> HTTPException:
    """Return the refusal of a request that may come again."""
    return HTTPException(503, reason, {"Retry-After": "1"})


async def _refused(_: Request, error: StarletteHTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _picture(_: Request, error: PictureError) -> Response:
    return JSONResponse({"error": str(error)}, STATUS[type(error)])


async def _query(_: Request, error: RequestValidationError) -> Response:
    reasons = [f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()]
    return JSONResponse({"error": "; ".join(reasons)}, 422)


async def _full(request: Request, error: FullError) -> Response:
    return await _refused(request, busy(str(error)))


async def _gone(_: Request, __: ClientDisconnect) -> Response:
    return Response(status_code=GONE)  # nobody reads it; the metrics count it


def add_to(app: FastAPI) -> None:
    """Have an application answer so."""
    app.exception_handler(StarletteHTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_query)
    app.exception_handler(PictureError)(_picture)
    app.exception_handler(FullError)(_full)
    app.exception_handler(ClientDisconnect)(_gone)
