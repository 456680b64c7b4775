"""Work that threads do ahead of who takes its results: in order, and never too much of it.

Reading a picture takes longer than pooling it, and runs beside Python in other threads. Two limits
keep memory bounded, however many jobs there are: so many results that nobody has dropped yet, and
so many bytes of them. The job whose result is taken next is never held back by the second, or
nothing would go on; so one result may be larger than all the room.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Self, TypeVar

T = TypeVar("T")

# How many bytes a job is about to take; it waits in this call until there is room for them.
Claim = Callable[[int], None]
Job = Callable[[Claim], T]

MOST_THREADS = 32


class Outcome(Generic[T]):
    """What a job returned or raised."""

    def __init__(self, job: Job[T], claim: Claim) -> None:
        self._result: list[T] = []
        self._error: BaseException | None = None
        try:
            self._result.append(job(claim))
        except BaseException as error:  # noqa: BLE001 - it belongs to who takes the result
            self._error = error

    def take(self) -> T:
        """Return the result, once, so that it lives no longer than whoever takes it wants."""
        if self._error is not None:
            raise self._error
        return self._result.pop()


class Ahead(Generic[T]):
    """The outcomes of jobs, in their order; `most` and `room` (bytes) limit those not dropped."""

    def __init__(self, jobs: Sequence[Job[T]], threads: int, most: int, room: int) -> None:
        self._jobs, self._most, self._room = jobs, most, room
        self._changed = threading.Condition()
        self._outcomes: dict[int, Outcome[T]] = {}
        self._claims: dict[int, int] = {}
        self._begun = self._taken = self._dropped = 0  # numbers of jobs, counted from the first
        self._closed = False
        self._threads = 0
        for _ in range(min(threads, len(jobs), MOST_THREADS)):
            try:
                # One that waits for a file which never comes does not keep the process.
                threading.Thread(target=self._work, daemon=True).start()
            except RuntimeError:  # a system without threads, or with no more of them
                break
            self._threads += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._outcomes.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Outcome[T]]:
        for k, job in enumerate(self._jobs):
            if not self._threads:
                self._taken = k + 1
                yield Outcome(job, _no_limit)
                continue
            with self._changed:
                self._changed.wait_for(self.is_ready)
                outcome = self._outcomes.pop(k)
                self._taken = k + 1
                self._changed.notify_all()
            yield outcome

    def is_ready(self) -> bool:
        """Whether the next outcome can be taken without waiting for it."""
        return self._taken in self._outcomes

    def drop(self) -> None:
        """Make room: nobody holds what was taken up to now."""
        with self._changed:
            for k in range(self._dropped, self._taken):
                self._claims.pop(k, None)
            self._dropped = self._taken
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._may_begin)
                k = self._begun
                if self._closed or k == len(self._jobs):
                    return
                self._begun += 1
            outcome = Outcome(self._jobs[k], functools.partial(self._claim, k))
            with self._changed:
                if not self._closed:
                    self._outcomes[k] = outcome
                self._changed.notify_all()
            del outcome

    def _may_begin(self) -> bool:
        ahead = self._begun - self._dropped
        return self._closed or self._begun == len(self._jobs) or ahead < self._most

    def _claim(self, k: int, size: int) -> None:
        def fits() -> bool:
            first = k == self._taken
            return self._closed or first or sum(self._claims.values()) + size <= self._room

        with self._changed:
            self._changed.wait_for(fits)
            self._claims[k] = size


def _no_limit(_: int) -> None:
    pass
