"""The body of a request, as far as it is allowed, and whether its sender still listens."""

from __future__ import annotations

import asyncio

from fastapi import HTTPException, Request
from settings import Settings


async def read(request: Request, settings: Settings, kind: str) -> bytes:
    """Return the body, of which no more is held than is allowed, whatever its headers say."""
    too_large = f"the body may have {settings.max_bytes} bytes"
    if int(request.headers.get("content-length", 0)) > settings.max_bytes:
        raise HTTPException(413, too_large)
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > settings.max_bytes:
                    raise HTTPException(413, too_large)
    except TimeoutError:
        reason = f"the body did not arrive within {settings.body_seconds:g} s"
        raise HTTPException(408, reason, {"Connection": "close"}) from None
    if not body:
        raise HTTPException(400, f"the body is empty; it must be {kind}")
    return bytes(body)


async def sender_gone(request: Request) -> None:
    """Wait until nobody listens for the answer; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
