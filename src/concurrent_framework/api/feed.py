"""Live events for any number of followers: one look at the master for all, none without any."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from concurrent_framework.api.context import ApiContext

PAUSE = 0.2
"""Seconds between two looks at the master."""
AWAY = 5
"""So many times longer are the pauses while the master does not answer."""
PAGE = 1000
KEPT = 6000
QUIET = 15.0
"""Seconds after which a follower to whom nothing happened gets None, a sign of life."""


class Feed:
    """Brings what happens at the master to its followers; belongs to one event loop.

    An event has an id of the form ``SESSION-NUMBER``. Who comes back with the last one he has seen
    gets what came after it, as far as the master still has it; after a restart of the master, all
    that there is.

    Args:
        api: the node, whose master is asked.
        pause: seconds between two looks at the master.
        deliveries: whether its followers are told too when outcomes have been handled.

    """

    def __init__(self, api: ApiContext, pause: float = PAUSE, *, deliveries: bool = False) -> None:
        self._api = api
        self._more = {"deliveries": True} if deliveries else {}
        self._pause = pause
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._session = ""
        self._last = 0
        self._followers = 0
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def close(self) -> None:
        """End every follower's stream."""
        self._closed = True
        self._wake()
        if self._looking is not None:
            self._looking.cancel()

    async def follow(self, after: str = "") -> AsyncIterator[dict[str, Any] | None]:
        """Yield None at the beginning, events as they happen, and None now and then in between.

        Args:
            after: id of the last event known; empty for only what happens from now on.

        """
        async with self._following():
            number, missed = await self._start(after)
            yield None
            for event in missed:
                yield event
            session = self._session
            while not self._closed:
                news = self._news
                if session != self._session:  # the master was restarted, and counts anew
                    session, number = self._session, 0
                if self._kept and self._kept[0]["number"] > number + 1:
                    # This follower is so slow that what it has not seen is not kept any more.
                    for event in await self._between(number, self._kept[0]["number"]):
                        number = event["number"]
                        yield event
                for event in [one for one in self._kept if one["number"] > number]:
                    number = event["number"]
                    yield event
                try:
                    await asyncio.wait_for(news.wait(), QUIET)
                except TimeoutError:
                    yield None

    async def page(self, after: str = "", limit: int = 500, *, runs: bool = True) -> dict[str, Any]:
        """Return events once, without following: those after an id, or the last ones."""
        of, _, last = after.rpartition("-")
        number = int(last) if last.isdecimal() else 0
        answer = await self._ask(since=number if after else None, limit=limit, runs=runs)
        if after and number and answer["session"][:8] != of:  # an id of another life of the master
            answer = await self._ask(since=0, limit=limit, runs=runs)
        events = [_named(one, answer["session"]) for one in answer["events"]]
        return {"last": f"{answer['session'][:8]}-{answer['last']}", "events": events}

    @asynccontextmanager
    async def _following(self) -> AsyncIterator[None]:
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _start(self, after: str) -> tuple[int, list[dict[str, Any]]]:
        """Return what a follower has missed that is not kept here, and where the rest begins."""
        answer = await self._ask(limit=1)
        if answer["session"] != self._session or self._looking is None:
            self._session, self._last = answer["session"], answer["last"]
            self._kept.clear()
        number = self._number_of(after, self._session) if after else answer["last"]
        oldest = self._kept[0]["number"] if self._kept else self._last + 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        if number + 1 >= oldest:
            return number, []
        return oldest - 1, await self._between(number, oldest)

    async def _between(self, number: int, oldest: int) -> list[dict[str, Any]]:
        """Get from the master what lies between a follower's last event and the oldest kept."""
        found: list[dict[str, Any]] = []
        while True:
            page = (await self._ask(since=number, limit=PAGE))["events"]
            fresh = [_named(one, self._session) for one in page if one["id"] < oldest]
            found += fresh
            if len(fresh) < PAGE:
                return found
            number = fresh[-1]["number"]

    async def _look(self) -> None:
        """Look at the master as long as somebody follows."""
        while True:
            try:
                answer = await self._ask(since=self._last, limit=PAGE)
            except ConcurrentError:
                await asyncio.sleep(self._pause * AWAY)
                continue
            if answer["session"] != self._session:
                self._session, self._last = answer["session"], 0
                self._kept.clear()
                continue
            events = [_named(one, self._session) for one in answer["events"]]
            if events:
                self._last = events[-1]["number"]
                self._kept.extend(events)
                self._wake()
            if len(events) < PAGE:
                await asyncio.sleep(self._pause)

    async def _ask(self, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._api.ask("events", **arguments, **self._more)
        return answer

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    @staticmethod
    def _number_of(after: str, session: str) -> int:
        """Return the number in an id; 0, before all others, if it is of another session."""
        of, _, number = after.rpartition("-")
        return int(number) if of == session[:8] and number.isdecimal() else 0


def _named(event: dict[str, Any], session: str) -> dict[str, Any]:
    number = event["id"]
    return {**event, "id": f"{session[:8]}-{number}", "number": number}
