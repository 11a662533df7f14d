"""Live events: no follower misses or repeats one, whatever happens between him and the master."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from concurrent_framework.api import feed as module
from concurrent_framework.api.context import ApiContext
from concurrent_framework.api.feed import Feed
from concurrent_framework.master.chronicle import Chronicle
from concurrent_framework.model.errors import MasterNotFoundError


class FakeMaster:
    """Answers about events, as a node's context does."""

    def __init__(self) -> None:
        self.session = "aaaaaaaaaaaa"
        self.chronicle = Chronicle(0.0)
        self.away = False
        self.refused = asyncio.Event()

    def happen(self, count: int = 1) -> None:
        for _ in range(count):
            self.chronicle.note("a.b", "info", "", {})

    def restart(self) -> None:
        self.session, self.chronicle = "bbbbbbbbbbbb", Chronicle(0.0)

    async def ask(self, kind: str, **arguments: Any) -> dict[str, Any]:
        assert kind == "events"
        await asyncio.sleep(0)
        if self.away:
            self.refused.set()
            raise MasterNotFoundError("away")
        since, limit = arguments.get("since"), arguments["limit"]
        chronicle = self.chronicle
        if since is None:
            found = chronicle.newest(limit, runs=True)
        else:
            found = chronicle.since(since, limit, runs=True)
        return {"session": self.session, "last": chronicle.last, "events": found}


class Scene:
    """A feed, its master and followers."""

    def __init__(self) -> None:
        self.master = FakeMaster()
        self.feed = Feed(cast(ApiContext, self.master), pause=0.001)

    async def begun(self, after: str = "") -> Any:
        """Return a follower that has begun."""
        follower = self.feed.follow(after)
        first = await anext(follower)
        while first is not None and not after:
            first = await anext(follower)
        return follower

    @staticmethod
    async def take(follower: Any, count: int) -> list[str]:
        """Take so many events."""
        found: list[str] = []
        while len(found) < count:
            event = await asyncio.wait_for(anext(follower), 10)
            if event is not None:
                found.append(event["id"])
        return found


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 20))


def ids(session: str, *numbers: int) -> list[str]:
    return [f"{session}-{number}" for number in numbers]


def test_a_follower_gets_what_is_new() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.master.happen(3)
        follower = await stage.begun()
        stage.master.happen(2)
        assert await stage.take(follower, 2) == ids("aaaaaaaa", 4, 5)

    run(scene())


def test_one_that_comes_back_gets_what_it_missed_and_no_more() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.master.happen(10)
        first = await stage.begun()
        stage.master.happen(2)
        assert await stage.take(first, 2) == ids("aaaaaaaa", 11, 12)
        second = stage.feed.follow("aaaaaaaa-8")
        assert await stage.take(second, 4) == ids("aaaaaaaa", 9, 10, 11, 12)
        stage.master.happen()
        assert await stage.take(second, 1) == ids("aaaaaaaa", 13)
        assert await stage.take(first, 1) == ids("aaaaaaaa", 13)

    run(scene())


def test_a_long_absence_is_made_up_for_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 7)

    async def scene() -> None:
        stage = Scene()
        stage.master.happen(50)
        follower = stage.feed.follow("aaaaaaaa-1")
        assert await stage.take(follower, 49) == ids("aaaaaaaa", *range(2, 51))

    run(scene())


def test_a_follower_that_is_slow_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 5)

    async def scene() -> None:
        stage = Scene()
        slow, quick = await stage.begun(), await stage.begun()
        for _ in range(10):
            stage.master.happen(4)
            await stage.take(quick, 4)
        assert await stage.take(slow, 40) == ids("aaaaaaaa", *range(1, 41))

    run(scene())


def test_a_restarted_master_is_followed_from_its_beginning() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.master.happen(9)
        follower = await stage.begun()
        stage.master.restart()
        stage.master.happen(2)
        assert await stage.take(follower, 2) == ids("bbbbbbbb", 1, 2)
        late = stage.feed.follow("aaaaaaaa-9")
        assert await stage.take(late, 2) == ids("bbbbbbbb", 1, 2)

    run(scene())


def test_a_master_that_is_away_is_waited_for() -> None:
    async def scene() -> None:
        stage = Scene()
        follower = await stage.begun()
        stage.master.away = True
        await stage.master.refused.wait()
        stage.master.away = False
        stage.master.happen()
        assert await stage.take(follower, 1) == ids("aaaaaaaa", 1)

    run(scene())


def test_nobody_follows_and_nobody_asks() -> None:
    async def scene() -> None:
        stage = Scene()
        follower = await stage.begun()
        looking = stage.feed._looking
        assert looking is not None
        await follower.aclose()
        await asyncio.wait([looking])
        assert looking.cancelled()
        assert stage.feed._looking is None

    run(scene())


def test_closing_ends_every_follower() -> None:
    async def scene() -> None:
        stage = Scene()
        follower = await stage.begun()
        stage.feed.close()
        assert [event async for event in follower] == []

    run(scene())
