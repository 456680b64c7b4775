"""What type an answer has, and how a large one is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import mimeparse
from fastapi import HTTPException, Request, Response
from starlette.types import Receive, Scope, Send

_SLICE = 2**16  # bytes


def accepted(request: Request, offered: Sequence[str]) -> str:
    """Return the media type that the Accept header likes best: of equals, the last."""
    try:
        best: str = mimeparse.best_match(offered, request.headers.get("accept") or "*/*")
    except mimeparse.MimeTypeParseException:
        best = ""
    if not best:
        raise HTTPException(406, f"the answer can be {' or '.join(offered)}")
    return best


class Sliced(Response):
    """Sends a large body slice by slice, each when the one before is on its way.

    `held` is given back when all is sent, when nobody takes more, or after so many seconds.
    """

    def __init__(
        self, body: memoryview, media_type: str, seconds: float, held: contextlib.ExitStack
    ) -> None:
        super().__init__(body, media_type=media_type)
        self._seconds, self._held = seconds, held

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it. What is cut off is shorter than its Content-Length says."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        part = {"type": "http.response.body", "more_body": True}
        with self._held, contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await send(start)
                for begin in range(0, len(self.body), _SLICE):
                    await send({**part, "body": bytes(self.body[begin : begin + _SLICE])})
                await send({**part, "body": b"", "more_body": False})
