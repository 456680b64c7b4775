"""How much is done at once: room for requests, and threads for their work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class FullError(Exception):
    """There is no room."""


class Room:
    """Counts the requests that hold pictures, and takes no more than `size`."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place for as long as the block lasts, or raise FullError."""
        if self._free == 0:
            raise FullError(f"{self._size} requests are waiting or in work")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class Workers:
    """Threads which decode and pool, so that the event loop does not."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._free = asyncio.Semaphore(count)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Return what a function returns on a thread.

        A caller who is cancelled no longer waits, but the thread is taken until it is done: not
        more than `count` requests are in work, whoever gives up.
        """
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        future = self._threads.submit(function, *arguments)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free.release))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what is in work."""
        self._threads.shutdown()
