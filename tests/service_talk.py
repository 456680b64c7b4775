"""Conversations with the service in examples/, started in the process of a test."""

from __future__ import annotations

import asyncio

import app
import httpx
from settings import Settings

SMALL = Settings(max_bytes=2**18, max_pixels=2_000_000, max_values=2**12, workers=2)


def talk(conversation, settings=SMALL):
    """Run a conversation with the service, started in this process; return what it returns."""

    async def run():
        service = app.create_app(settings)
        transport = httpx.ASGITransport(service)
        async with (
            asyncio.timeout(60),
            service.router.lifespan_context(service),
            httpx.AsyncClient(transport=transport, base_url="http://service") as client,
        ):
            return await conversation(client)

    return asyncio.run(run())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)
